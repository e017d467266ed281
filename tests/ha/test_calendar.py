"""Programs as calendars: what a person enters reaches the board as a program; what it cannot do is refused in a sentence."""

from typing import Any

import pytest

from tests.ha import witness
from tests.ha.conftest import Sprinkler

CALENDAR = "calendar.solar_sprinkler_5a17e001_zone_1_schedule"
OTHER = "calendar.solar_sprinkler_5a17e001_zone_2_schedule"
PROGRAM = {
    "id": 1,
    "zone": 1,
    "enabled": True,
    "weekdays": [0, 4],
    "until": 0,
    "skip_dates": [],
    "start_min": 1260,
    "run_time_s": 900,
}
EVENT = {
    "summary": "Lawn",
    "dtstart": "2027-01-15T21:00:00Z",
    "dtend": "2027-01-15T21:15:00Z",
    "rrule": "FREQ=WEEKLY;BYDAY=MO,FR",
}


@pytest.fixture(autouse=True)
async def in_utc(hass) -> None:
    """The house stands in Greenwich; it is Friday, 08:00."""
    await hass.config.async_update(time_zone="UTC")


@pytest.fixture
async def in_german(hass) -> None:
    """The house speaks German; asked for before the board is set up."""
    await hass.config.async_update(language="de")


@pytest.fixture
async def asleep(sprinkler: Sprinkler) -> Sprinkler:
    """A board without programs that sleeps until 08:15."""
    await sprinkler.is_paired()
    await sprinkler.sleeps(until=witness.NOW + 900)
    return sprinkler


@pytest.fixture
async def dialog(hass, asleep, hass_ws_client):
    """The calendar's dialog: does something and returns the text that it shows, if that is refused."""
    client = await hass_ws_client()

    async def do(what: str, **fields: Any) -> str | None:
        await client.send_json_auto_id({"type": f"calendar/event/{what}", "entity_id": CALENDAR, **fields})
        answer = await client.receive_json()
        return None if answer["success"] else answer["error"]["message"]

    return do


async def shown(hass, hass_client, entity_id: str = CALENDAR, first="2027-01-14", last="2027-01-23") -> list[dict]:
    """What the calendar's page gets."""
    client = await hass_client()
    response = await client.get(f"/api/calendars/{entity_id}?start={first}T00:00:00Z&end={last}T00:00:00Z")
    return await response.json()


def programs(sprinkler: Sprinkler) -> list[dict]:
    """The programs that were sent last."""
    return sprinkler.published("desired")[-1]["programs"]


def summaries(events: list[dict]) -> list[str]:
    """Days and titles."""
    return [f"{event['start']['dateTime'][8:16]} {event['summary']}" for event in events]


async def test_new_event_becomes_a_program_of_its_zone(hass, asleep, dialog, hass_client):
    assert await dialog("create", event=EVENT) is None
    assert programs(asleep) == [PROGRAM]
    assert asleep.published("desired")[-1]["version"] == 2
    events = await shown(hass, hass_client)
    assert summaries(events) == [
        "15T21:00 Lawn · waiting for the board, 08:15",
        "18T21:00 Lawn · waiting for the board, 08:15",
        "22T21:00 Lawn · waiting for the board, 08:15",
    ]
    assert {event["rrule"] for event in events} == {"FREQ=WEEKLY;BYDAY=MO,FR"}
    assert [event["recurrence_id"] for event in events] == ["20270115T210000", "20270118T210000", "20270122T210000"]
    assert {event["uid"] for event in events} == {"1"}
    assert await shown(hass, hass_client, OTHER) == []


async def test_once_the_board_confirmed_nothing_is_said_to_wait(hass, asleep, dialog, hass_client):
    await dialog("create", event=EVENT)
    await asleep.confirms()
    assert summaries(await shown(hass, hass_client, last="2027-01-16")) == ["15T21:00 Lawn"]
    state = hass.states.get(CALENDAR)
    assert (state.state, state.attributes["message"], state.attributes["start_time"]) == (
        "off",
        "Lawn",
        "2027-01-15 21:00:00",
    )


async def test_late_refusal_of_a_sleeping_board_is_shown(hass, asleep, dialog, hass_client):
    await dialog("create", event=EVENT)
    await asleep.says("reply", {**witness.example("reply", 1), "id": "desired", "reason": "invalid"})
    (first, *_) = summaries(await shown(hass, hass_client))
    assert first == "15T21:00 Lawn · refused by the board: the board did not understand it"


async def test_refusal_of_a_board_that_is_awake_is_readable_in_the_dialog(hass, sprinkler, hass_ws_client, hass_client):
    await sprinkler.is_paired()
    client = await hass_ws_client()

    async def create() -> dict:
        await client.send_json_auto_id({"type": "calendar/event/create", "entity_id": CALENDAR, "event": EVENT})
        return await client.receive_json()

    calling = await sprinkler.begins(create(), "desired")
    await sprinkler.says("reply", {**witness.example("reply", 1), "id": "desired", "reason": "too_many"})
    answer = await calling
    assert answer["error"]["message"] == "The board refused: too many runs are waiting."
    assert await shown(hass, hass_client) == []
    assert programs(sprinkler) == [], "what is retained is what was in force"


async def test_event_without_a_rule_runs_once(hass, asleep, dialog, hass_client):
    once = {key: value for key, value in EVENT.items() if key != "rrule"}
    assert await dialog("create", event=once) is None
    assert programs(asleep) == [{**PROGRAM, "weekdays": [4], "until": 20270115}]
    (event,) = await shown(hass, hass_client)
    assert (event["rrule"], event["recurrence_id"]) == (None, None)


REFUSED = [
    ({"rrule": "FREQ=MONTHLY"}, "Monthly and yearly repetitions are not possible."),
    ({"dtend": "2027-01-15T23:30:00Z"}, "120 minutes at most."),
    ({"dtend": "2027-01-15T21:00:02Z"}, "5 seconds at least"),
    ({"dtstart": "2027-01-15", "dtend": "2027-01-16"}, "A program starts at a time of the day."),
    (
        {"dtstart": "2027-01-15T06:00:00Z", "dtend": "2027-01-15T06:10:00Z", "rrule": None},
        "This start is over already.",
    ),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
async def test_what_the_board_can_not_do_is_refused_in_a_sentence(asleep, dialog, changes, words):
    event = {key: value for key, value in {**EVENT, **changes}.items() if value is not None}
    said = await dialog("create", event=event)
    assert words in said
    assert len(asleep.published("desired")) == 1, "nothing was sent"


async def test_refusal_speaks_german(hass, in_german, sprinkler, hass_ws_client):
    (entity_id,) = [state.entity_id for state in hass.states.async_all("calendar") if "zone_1" in state.entity_id]
    client = await hass_ws_client()
    event = {**EVENT, "rrule": "FREQ=YEARLY"}
    await client.send_json_auto_id({"type": "calendar/event/create", "entity_id": entity_id, "event": event})
    assert "jährliche Wiederholungen sind nicht möglich" in (await client.receive_json())["error"]["message"]


async def test_weekdays_edited_through_this_and_future_reach_the_program(hass, asleep, dialog, hass_client):
    await dialog("create", event=EVENT)
    edited = {
        "summary": "Lawn · waiting for the board, 08:15",
        "dtstart": "2027-01-18T20:30:00Z",
        "dtend": "2027-01-18T20:40:00Z",
        "rrule": "FREQ=WEEKLY;BYDAY=TU,TH",
    }
    change = {"uid": "1", "recurrence_id": "20270118T210000", "recurrence_range": "THISANDFUTURE"}
    assert await dialog("update", **change, event=edited) is None
    assert programs(asleep) == [{**PROGRAM, "weekdays": [1, 3], "start_min": 1230, "run_time_s": 600}]
    await asleep.confirms()
    assert summaries(await shown(hass, hass_client)) == ["19T20:30 Lawn", "21T20:30 Lawn"]


async def test_rhythm_of_days_replaces_weekdays(asleep, dialog):
    await dialog("create", event=EVENT)
    change = {"uid": "1", "recurrence_id": "20270115T210000", "recurrence_range": "THISANDFUTURE"}
    assert await dialog("update", **change, event={**EVENT, "rrule": "FREQ=DAILY;INTERVAL=2"}) is None
    (program,) = programs(asleep)
    assert "weekdays" not in program
    assert (program["every_days"], program["from_date"]) == (2, 20270115)


async def test_single_start_can_be_skipped_but_not_changed(hass, asleep, dialog, hass_client):
    await dialog("create", event=EVENT)
    single = {"uid": "1", "recurrence_id": "20270118T210000"}
    assert "A single start cannot be changed" in await dialog("update", **single, event=EVENT)
    assert await dialog("delete", **single) is None
    assert programs(asleep) == [{**PROGRAM, "skip_dates": [20270118]}]
    await asleep.confirms()
    assert summaries(await shown(hass, hass_client)) == ["15T21:00 Lawn", "22T21:00 Lawn"]


async def test_deleting_this_and_future_ends_the_program(asleep, dialog):
    await dialog("create", event=EVENT)
    rest = {"uid": "1", "recurrence_id": "20270122T210000", "recurrence_range": "THISANDFUTURE"}
    assert await dialog("delete", **rest) is None
    assert programs(asleep) == [{**PROGRAM, "until": 20270121}]
    assert await dialog("delete", **{**rest, "recurrence_id": "20270115T210000"}) is None
    assert programs(asleep) == [], "nothing would be left of it"


async def test_deleted_program_is_gone_and_its_name_too(hass, asleep, dialog, hass_client):
    await dialog("create", event=EVENT)
    assert await dialog("delete", uid="1") is None
    assert programs(asleep) == []
    assert "not there any more" in await dialog("delete", uid="1")
    assert "not there any more" in await dialog("update", uid="1", event=EVENT)
    await dialog("create", event={**EVENT, "summary": " · "})
    await asleep.confirms()
    assert summaries(await shown(hass, hass_client, last="2027-01-16")) == ["15T21:00 Program 1"]


async def test_board_that_is_full_says_how_many_it_holds(asleep, dialog):
    for _ in range(8):
        assert await dialog("create", event=EVENT) is None
    assert "holds 8 programs at most" in await dialog("create", event=EVENT)
    assert len({program["id"] for program in programs(asleep)}) == 8


async def test_program_that_starts_by_the_sun_stays_so_unless_another_time_is_entered(
    hass, asleep, dialog, hass_client
):
    await hass.config.async_update(latitude=51.48, longitude=0.0)
    await dialog("create", event=EVENT)
    keeper = asleep.entry.runtime_data.desired
    await keeper.async_edit(programs=lambda wanted: [{**wanted[0], "start": "sunrise", "offset_min": -30}])
    (event, *_) = await shown(hass, hass_client, first="2027-01-18")
    start = event["start"]["dateTime"]
    assert "T07:2" in start, "sunrise in Greenwich in January is at about 08:00"
    change = {"uid": "1", "recurrence_id": event["recurrence_id"], "recurrence_range": "THISANDFUTURE"}
    same = {**EVENT, "dtstart": start, "dtend": start.replace("T07:", "T08:")}
    assert await dialog("update", **change, event=same) is None
    assert (programs(asleep)[0]["start"], programs(asleep)[0]["run_time_s"]) == ("sunrise", 3600)
    assert await dialog("update", **change, event=EVENT) is None
    assert (programs(asleep)[0]["start"], programs(asleep)[0]["start_min"]) == ("clock", 1260)


async def test_no_start_is_shown_where_the_sun_does_not_rise(hass, asleep, dialog, hass_client):
    await hass.config.async_update(latitude=80.0, longitude=0.0)
    await dialog("create", event=EVENT)
    keeper = asleep.entry.runtime_data.desired
    await keeper.async_edit(programs=lambda wanted: [{**wanted[0], "start": "sunset", "offset_min": 0}])
    assert await shown(hass, hass_client) == []


@pytest.mark.parametrize(
    ("board", "remark"),
    [
        ({"watering_enabled": False}, "watering is switched off"),
        ({"rain_delay_until": witness.NOW + 86400}, "rain delay"),
        ({"winter": True}, "winter"),
    ],
)
async def test_start_that_will_not_be_made_says_why(hass, asleep, dialog, hass_client, board, remark):
    await dialog("create", event=EVENT)
    await asleep.entry.runtime_data.desired.async_edit(board)
    await asleep.confirms()
    assert summaries(await shown(hass, hass_client, last="2027-01-16")) == [f"15T21:00 Lawn · {remark}"]


async def test_past_events_are_what_the_board_told(hass, asleep, hass_client):
    finished = {
        **witness.example("event"),
        "n": 1,
        "oldest": 1,
        "event": "run_finished",
        "result": "completed",
        "volume_ml": 80120,
    }
    skipped = {**witness.example("event", 1), "n": 2, "oldest": 1, "zone": 1, "reason": "frost"}
    await asleep.says("event", finished)
    await asleep.says("event", skipped)
    events = await shown(hass, hass_client)
    assert summaries(events) == ["15T07:48 Watered 07:48 for 10 min, 80 l", "15T07:57 Skipped 07:57: frost"]
    assert [event["uid"] for event in events] == [None, None], "nothing to edit"
    assert await shown(hass, hass_client, OTHER) == []


async def test_calendar_is_on_while_a_run_is_due(hass, asleep, dialog):
    await dialog("create", event=EVENT)
    await asleep.time_passes(13 * 3600 + 60)
    assert asleep.value(CALENDAR) == "on"
    await asleep.time_passes(15 * 60)
    assert asleep.value(CALENDAR) == "off"


async def test_programs_and_names_survive_a_restart(hass, asleep, dialog, hass_client):
    await dialog("create", event=EVENT)
    await hass.config_entries.async_reload(asleep.entry.entry_id)
    await hass.async_block_till_done()
    assert "Lawn" in summaries(await shown(hass, hass_client))[0]
