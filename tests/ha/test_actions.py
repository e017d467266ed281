"""Actions beside run and stop: what each asks of the board, and what it answers."""

from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

VALVE_1 = "valve.solar_sprinkler_5a17e001_zone_1"
VALVE_2 = "valve.solar_sprinkler_5a17e001_zone_2"
NEW = {"weekdays": ["fri", "mon"], "time": "21:00", "duration": {"minutes": 15}}
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
REPLY = {**witness.example("reply"), "run_id": 0, "run_time_s": 0, "run_until": 0, "zone": 1}


@pytest.fixture(autouse=True)
async def in_utc(hass) -> None:
    """The house stands in Greenwich; it is Friday, 08:00."""
    await hass.config.async_update(time_zone="UTC")


@pytest.fixture
async def able(hass, freezer, mqtt_mock, entry) -> Sprinkler:
    """A paired board that knows every command, online."""
    announce = witness.example("announce")
    announce["commands"] = list(dict.fromkeys([*announce["commands"], "skip", "check_valve"]))
    hass.config_entries.async_update_entry(entry, data={**entry.data, "announce": witness.signed("announce", announce)})
    freezer.move_to(witness.NOW_UTC)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    sprinkler = Sprinkler(hass, freezer, mqtt_mock, entry)
    await sprinkler.is_paired()
    return sprinkler


async def act(hass: HomeAssistant, action: str, entity_id: str = VALVE_1, **data: Any) -> Any:
    """Perform an action on a zone; its answer."""
    found = await hass.services.async_call(
        DOMAIN, action, {"entity_id": entity_id, **data}, blocking=True, return_response=True
    )
    return found[entity_id]


async def answered(sprinkler: Sprinkler, call: Any, **reply: Any) -> Any:
    """What an action gives when the board answers its command so."""
    calling = await sprinkler.begins(call, "command")
    await sprinkler.says("reply", {**REPLY, "id": sprinkler.published("command")[-1]["id"], **reply})
    return await calling


def board_id(sprinkler: Sprinkler) -> str:
    """The registry's id of the board."""
    return sprinkler.entry.runtime_data.board_device_id


async def test_skip_gives_up_the_next_start_and_tells_which(hass, able):
    answer = await answered(able, act(hass, "skip", program=3), at=witness.NOW + 3600)
    command = able.published("command")[-1]
    assert (command["command"], command["zone"], command["program"]) == ("skip", 1, 3)
    assert answer == {"queued": False, "skipped": "2027-01-15T09:00:00+00:00"}


async def test_skip_waits_for_a_sleeping_board(hass, able):
    await able.sleeps(until=witness.NOW + 900)
    answer = await act(hass, "skip")
    assert able.published("command")[-1]["program"] == 0
    assert (answer["queued"], answer["next_wake"]) == (True, "2027-01-15T08:15:00+00:00")


@pytest.mark.parametrize("action", ["skip", "check_valve"])
async def test_board_that_does_not_know_a_command_is_not_asked(hass, sprinkler: Sprinkler, action):
    old = witness.example("announce")
    old["commands"] = [command for command in old["commands"] if command != action]
    await sprinkler.says("announce", witness.signed("announce", old))
    await sprinkler.is_online()
    with pytest.raises(HomeAssistantError, match="does not know this command"):
        await act(hass, action)
    assert sprinkler.published("command") == []


async def test_check_tells_the_verdict_as_soon_as_the_board_has_it(hass, able):
    calling = await able.begins(act(hass, "check_valve"), "command")
    await able.interjects("reply", {**REPLY, "id": able.published("command")[-1]["id"]})
    assert not calling.done()
    able.state["zones"][0]["check"] = {"at": witness.NOW + 9, "verdict": "leak", "volume_ml": 512}
    await able.says("state", able.state)
    assert await calling == {
        "queued": False,
        "verdict": "leak",
        "sentence": "Water still flows though the valve should be closed.",
        "volume_l": 0.512,
    }


async def test_check_without_a_verdict_says_so(hass, able):
    calling = await able.begins(act(hass, "check_valve"), "command")
    await able.interjects("reply", {**REPLY, "id": able.published("command")[-1]["id"]})

    async def wait() -> Any:
        return await calling

    assert await able.stays_silent(wait()) == {"queued": False, "verdict": None}


async def test_check_of_a_sleeping_board_is_queued(hass, able):
    await able.sleeps(until=witness.NOW + 900)
    assert (await act(hass, "check_valve"))["queued"] is True


async def test_new_program_reaches_the_board_and_its_number_is_told(hass, able):
    calling = await able.begins(act(hass, "set_program", **NEW, name="Lawn"), "desired")
    await able.confirms()
    assert await calling == {"program": 1, "confirmed": True}
    assert able.published("desired")[-1]["programs"] == [PROGRAM]


async def test_sleeping_board_hears_of_a_program_at_its_wake(hass, able):
    await able.sleeps(until=witness.NOW + 900)
    answer = await act(hass, "set_program", **NEW)
    assert answer == {"program": 1, "confirmed": False, "next_wake": "2027-01-15T08:15:00+00:00"}


CHANGES = [
    ({"enabled": False}, {"enabled": False}),
    ({"duration": 60}, {"run_time_s": 60}),
    ({"time": "06:30"}, {"start_min": 390}),
    ({"until": "2027-09-30"}, {"until": 20270930}),
    ({"until": None}, {"until": 0}),
    ({"skip_dates": ["2027-07-04"]}, {"skip_dates": [20270704]}),
    ({"when_clock_lost": "run"}, {"when_clock_lost": "run"}),
    ({"odd_even": "even"}, {"odd_even": "even", "weekdays": None}),
    ({"every_days": 3}, {"every_days": 3, "from_date": 20270115, "weekdays": None}),
    ({"every_days": 3, "from_date": "2027-02-01"}, {"every_days": 3, "from_date": 20270201, "weekdays": None}),
    ({"sun": "sunset", "offset_min": -15}, {"start": "sunset", "offset_min": -15, "start_min": None}),
]


@pytest.mark.parametrize(("given", "changes"), CHANGES)
async def test_change_of_a_program_leaves_the_rest_as_it_is(hass, able, given, changes):
    await able.sleeps(until=witness.NOW + 900)
    await act(hass, "set_program", **NEW)
    await act(hass, "set_program", program=1, **given)
    expected = {key: value for key, value in {**PROGRAM, **changes}.items() if value is not None}
    assert able.published("desired")[-1]["programs"] == [expected]


async def test_start_by_the_sun_and_back(hass, able):
    await able.sleeps(until=witness.NOW + 900)
    by_sun = {key: value for key, value in NEW.items() if key != "time"}
    await act(hass, "set_program", **by_sun, sun="sunrise")
    await act(hass, "set_program", program=1, offset_min=20)
    (program,) = able.published("desired")[-1]["programs"]
    assert (program["start"], program["offset_min"], "start_min" in program) == ("sunrise", 20, False)
    await act(hass, "set_program", program=1, time="21:00")
    assert able.published("desired")[-1]["programs"] == [PROGRAM]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"time": "06:00"}, "needs its days, its start and its run time"),
        ({**NEW, "duration": {"hours": 3}}, "120 minutes at most"),
        ({**NEW, "program": 1, "entity": VALVE_2}, "belongs to zone 1"),
    ],
)
async def test_program_that_can_not_be_is_refused_in_a_sentence(hass, able, given, words):
    await able.sleeps(until=witness.NOW + 900)
    await act(hass, "set_program", **NEW)
    given = dict(given)
    with pytest.raises(ServiceValidationError, match=words):
        await act(hass, "set_program", given.pop("entity", VALVE_1), **given)
    assert able.published("desired")[-1]["programs"] == [PROGRAM]


async def test_ninth_program_is_refused(hass, able):
    await able.sleeps(until=witness.NOW + 900)
    for _ in range(8):
        await act(hass, "set_program", **NEW)
    with pytest.raises(ServiceValidationError, match="8 programs at most"):
        await act(hass, "set_program", **NEW)


@pytest.mark.parametrize(
    "given",
    [
        {"weekdays": ["someday"]},
        {"weekdays": ["mon"], "odd_even": "odd"},
        {"program": 9},
        {"offset_min": 300},
        {"every_days": 31},
    ],
)
async def test_program_that_makes_no_sense_is_refused(hass, able, given):
    with pytest.raises(vol.Invalid):
        await act(hass, "set_program", **given)


async def test_programs_are_told_in_plain_values_with_their_next_start(hass, able):
    await hass.config.async_update(latitude=51.48, longitude=0.0)
    await able.sleeps(until=witness.NOW + 900)
    await act(hass, "set_program", **NEW, name="Lawn", skip_dates=["2027-01-15"])
    await act(hass, "set_program", every_days=2, sun="sunset", offset_min=-5, duration=600, until="2027-09-30")
    await act(hass, "set_program", VALVE_2, **NEW)
    told = await act(hass, "get_programs")
    common = {"enabled": True, "when_clock_lost": "skip", "smart": False}
    assert told["programs"] == [
        {**common, "program": 1, "name": "Lawn", "weekdays": ["mon", "fri"], "time": "21:00:00", "duration_s": 900, "until": None,
         "skip_dates": ["2027-01-15"], "next_start": "2027-01-18T21:00:00+00:00"},
        {**common, "program": 2, "name": "Program 2", "every_days": 2, "from_date": "2027-01-15", "sun": "sunset", "offset_min": -5,
         "duration_s": 600, "until": "2027-09-30", "skip_dates": [], "next_start": told["programs"][1]["next_start"]},
    ]  # fmt: skip
    assert told["programs"][1]["next_start"].startswith("2027-01-15T16:1"), "sunset in Greenwich is at about 16:20"
    assert (told["confirmed"], told["next_wake"]) == (False, "2027-01-15T08:15:00+00:00")
    await act(hass, "set_program", program=1, enabled=False)
    assert (await act(hass, "get_programs"))["programs"][0]["next_start"] is None


async def test_history_tells_runs_and_skips_of_the_last_days(hass, able):
    old = {**witness.example("event"), "oldest": 1, "event": "run_finished", "result": "completed", "volume_ml": 5000}
    await able.says("event", {**old, "n": 1, "at": witness.NOW - 20 * 86400})
    await able.says("event", {**old, "n": 2, "at": witness.NOW - 7200})
    await able.says("event", {**witness.example("event", 1), "n": 3, "oldest": 1, "at": witness.NOW - 3600})
    await able.says("event", {**old, "n": 4, "zone": 2})
    ran, skipped = (await act(hass, "get_history"))["history"]
    assert ran == {
        "event": "run_finished", "at": "2027-01-15T06:00:00+00:00", "program": 1, "result": "completed", "reason": "",
        "duration_s": 600, "volume_l": 5.0, "sentence": "Watered 05:50 for 10 min, 5.0 l",
    }  # fmt: skip
    assert (skipped["reason"], skipped["sentence"]) == ("rain_delay", "Skipped 07:00: rain delay")
    assert len((await act(hass, "get_history", days=30))["history"]) == 3


async def test_rain_delay_is_told_with_its_end_and_whether_it_is_in_force(hass, able):
    async def delay(**duration: int) -> Any:
        data = {"device_id": board_id(able), "duration": duration}
        return await hass.services.async_call(DOMAIN, "rain_delay", data, blocking=True, return_response=True)

    calling = await able.begins(delay(hours=48), "desired")
    await able.confirms()
    assert await calling == {"rain_delay_until": "2027-01-17T08:00:00+00:00", "confirmed": True}
    await able.sleeps(until=witness.NOW + 900)
    assert await delay(hours=0) == {
        "rain_delay_until": None,
        "confirmed": False,
        "next_wake": "2027-01-15T08:15:00+00:00",
    }
    assert able.published("desired")[-1]["settings"]["rain_delay_until"] == 0
    with pytest.raises(vol.Invalid):
        await delay(days=61)
