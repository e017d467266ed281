"""The valve: what a click publishes, what the board's answer shows, and what is shown when the board says nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from tests.ha import witness
from tests.ha.conftest import Sprinkler

VALVE_1 = "valve.solar_sprinkler_5a17e001_zone_1"
VALVE_2 = "valve.solar_sprinkler_5a17e001_zone_2"
EVENT = "event.solar_sprinkler_5a17e001_activity"
HALF_A_DAY_MS = 43_200_000


@pytest.fixture
def answering(sprinkler: Sprinkler) -> Callable[..., None]:
    """Make the board answer each signed command at once."""

    def install(**answer: Any) -> None:
        publish = sprinkler.mqtt.async_publish.side_effect

        async def answer_command(*args: Any, **kwargs: Any) -> Any:
            if args[0] == witness.topic("command") and b"\n" in args[1]:
                command = witness.opened("command", args[1])
                reply = {**witness.example("reply"), "id": command["id"], "zone": command.get("zone", 0), **answer}
                asyncio.get_running_loop().create_task(sprinkler.says("reply", reply))
            return await publish(*args, **kwargs) if publish else None

        sprinkler.mqtt.async_publish.side_effect = answer_command

    return install


async def call(hass: HomeAssistant, action: str, entity_id: str = VALVE_2, **data: Any) -> Any:
    """Call one of our actions and return its answer for the entity."""
    found = await hass.services.async_call(
        "solar_sprinkler", action, {"entity_id": entity_id, **data}, blocking=True, return_response=True
    )
    assert found is not None
    return found[entity_id]


async def click(hass: HomeAssistant, service: str, entity_id: str = VALVE_2) -> None:
    """Open or close as a dashboard does."""
    await hass.services.async_call("valve", service, {"entity_id": entity_id}, blocking=True)


async def test_opening_publishes_a_signed_run_with_counter_and_expiry(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    (command,) = sprinkler.published("command")
    assert command["command"] == "run"
    assert command["zone"] == 2
    assert command["run_time_s"] == 600
    assert command["counter"] > max(witness.NOW * 1000, sprinkler.state["command_counter"])
    assert witness.NOW < command["expires_at"] <= witness.NOW + 300
    assert 1 <= len(command["id"]) <= 16


async def test_counter_rises_above_the_one_that_the_board_reported(hass, sprinkler, answering):
    sprinkler.state["command_counter"] = witness.NOW * 1000 + HALF_A_DAY_MS
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    await click(hass, "close_valve")
    counters = [command["counter"] for command in sprinkler.published("command")]
    assert counters == [witness.NOW * 1000 + HALF_A_DAY_MS + 1, witness.NOW * 1000 + HALF_A_DAY_MS + 2]


async def test_forged_counter_from_the_far_future_does_not_shut_home_assistant_out(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering()
    await sprinkler.says("state", {**sprinkler.state, "command_counter": 2**53 - 1})
    await click(hass, "open_valve")
    await sprinkler.is_online()
    await click(hass, "close_valve")
    counters = [command["counter"] for command in sprinkler.published("command")]
    assert counters == [witness.NOW * 1000 + 1, witness.NOW * 1000 + 2]


async def test_run_takes_the_time_that_was_asked_and_tells_what_was_granted(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering(run_id=43, run_time_s=90, run_until=witness.NOW + 90)
    answer = await call(hass, "run", duration={"minutes": 1, "seconds": 30})
    assert sprinkler.published("command")[0]["run_time_s"] == 90
    assert answer == {"queued": False, "run_id": 43, "run_time_s": 90, "run_until": "2027-01-15T08:01:30+00:00"}


async def test_run_behind_another_zone_says_that_it_waits(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering(reason="queued", run_until=0)
    answer = await call(hass, "run", duration=60)
    assert answer["queued"] is True
    assert answer["run_until"] is None
    sprinkler.state["zones"][1]["queued_s"] = 60
    sprinkler.state["command_counter"] = sprinkler.published("command")[0]["counter"]
    await sprinkler.says("state", sprinkler.state)
    assert sprinkler.value(VALVE_2) == "opening"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("low_battery", "battery is too low"),
        ("lockout", "until it is cleared"),
        ("brand_new_reason", "brand_new_reason"),
    ],
)
async def test_refusal_reaches_the_person_with_its_reason(hass, sprinkler, answering, reason, words):
    await sprinkler.is_online()
    answering(accepted=False, reason=reason, run_id=0, run_time_s=0, run_until=0)
    with pytest.raises(HomeAssistantError) as raised:
        await click(hass, "open_valve")
    assert words in str(raised.value)
    assert sprinkler.value(VALVE_2) == "closed"


@pytest.mark.parametrize("duration", [4, 7201, 0])
async def test_run_outside_the_boards_limits_is_refused_without_asking_it(hass, sprinkler, duration):
    await sprinkler.is_online()
    with pytest.raises(ServiceValidationError, match="5 seconds at least and 120 minutes at most"):
        await call(hass, "run", duration=duration)
    assert sprinkler.published("command") == []


async def test_valve_shows_opening_from_the_click_until_the_board_tells_its_state(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    assert sprinkler.value(VALVE_2) == "opening"
    assert hass.states.get(VALVE_2).attributes["is_closed"] is True
    sprinkler.state["zones"][1].update(valve="open", run_until=witness.NOW + 600)
    sprinkler.state["command_counter"] = sprinkler.published("command")[0]["counter"]
    await sprinkler.says("state", sprinkler.state)
    assert sprinkler.value(VALVE_2) == "open"
    assert hass.states.get(VALVE_2).attributes["is_closed"] is False


@pytest.mark.parametrize("shown", ["opening", "closing"])
async def test_moving_valve_shows_its_movement(hass, sprinkler, shown):
    sprinkler.state["zones"][0]["valve"] = shown
    await sprinkler.is_online()
    assert sprinkler.value(VALVE_1) == shown


async def test_valve_that_the_board_does_not_know_is_unknown(hass, sprinkler):
    sprinkler.state["zones"][0]["valve"] = "unknown"
    await sprinkler.is_online()
    assert sprinkler.value(VALVE_1) == "unknown"


async def test_silent_board_leaves_the_run_queued_and_its_expiry_is_told(hass, sprinkler):
    await sprinkler.is_online()
    answer = await sprinkler.stays_silent(call(hass, "run", duration=60))
    assert answer["queued"] is True
    assert sprinkler.value(VALVE_2) == "opening"
    await sprinkler.time_passes(121)
    assert sprinkler.value(VALVE_2) == "closed"
    told = hass.states.get(EVENT).attributes
    assert (told["event_type"], told["zone"], told["reason"]) == ("run_expired", 2, "expired")


async def test_accepted_run_whose_state_never_comes_is_shown_as_opening_for_its_time_and_dropped_in_silence(
    hass, sprinkler, answering
):
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    await sprinkler.time_passes(590)
    assert sprinkler.value(VALVE_2) == "opening"
    await sprinkler.time_passes(11)
    assert sprinkler.value(VALVE_2) == "closed"
    assert sprinkler.value(EVENT) == "unknown"


async def test_board_that_is_lost_between_its_reply_and_its_state_leaves_the_valve_unknown(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    await sprinkler.says("availability", {"state": "lost"})
    assert sprinkler.value(VALVE_2) == "unknown"


async def test_run_that_waits_on_the_board_of_a_lost_one_leaves_the_valve_unknown(hass, sprinkler):
    sprinkler.state["zones"][1]["queued_s"] = 600
    await sprinkler.is_online()
    assert sprinkler.value(VALVE_2) == "opening"
    await sprinkler.says("availability", {"state": "lost"})
    assert sprinkler.value(VALVE_2) == "unknown"


async def test_sleeping_board_gets_a_run_that_expires_soon_after_its_wake(hass, sprinkler):
    await sprinkler.sleeps(until=witness.NOW + 800)
    answer = await call(hass, "run", duration=60)
    (command,) = sprinkler.published("command")
    assert witness.NOW + 800 < command["expires_at"] <= witness.NOW + 800 + 300
    assert answer["queued"] is True
    assert answer["next_wake"] == "2027-01-15T08:13:20+00:00"
    assert answer["expires_at"] is not None
    assert sprinkler.value(VALVE_2) == "opening"


async def test_command_to_a_board_that_sleeps_for_days_still_expires_within_one(hass, sprinkler):
    await sprinkler.sleeps(until=witness.NOW + 3 * 86_400)
    await call(hass, "run", duration=60)
    assert sprinkler.published("command")[0]["expires_at"] < witness.NOW + 86_400


async def test_second_run_for_a_sleeping_board_replaces_the_first(hass, sprinkler):
    await sprinkler.sleeps(until=witness.NOW + 800)
    await call(hass, "run", duration=60)
    await call(hass, "run", duration=120)
    commands = sprinkler.published("command")
    assert [(command["command"], command.get("run_time_s")) for command in commands] == [
        ("run", 60),
        ("stop", None),
        ("run", 120),
    ]
    assert commands[0]["counter"] < commands[1]["counter"] < commands[2]["counter"]
    sprinkler.state["command_counter"] = commands[0]["counter"]
    await sprinkler.says("state", sprinkler.state)
    assert sprinkler.value(VALVE_2) == "opening", "only the last of them ends the waiting"


async def test_closing_cancels_the_run_that_waits_for_the_wake(hass, sprinkler):
    await sprinkler.sleeps(until=witness.NOW + 800)
    await call(hass, "run", VALVE_1, duration=60)
    await call(hass, "run", VALVE_2, duration=60)
    await click(hass, "close_valve", VALVE_2)
    assert sprinkler.value(VALVE_1) == "opening"
    assert sprinkler.value(VALVE_2) == "closed"
    assert sprinkler.published("command")[-1]["command"] == "stop"
    assert sprinkler.published("command")[-1]["zone"] == 2


async def test_refusal_after_the_wake_is_told_as_an_event(hass, sprinkler):
    await sprinkler.sleeps(until=witness.NOW + 800)
    await call(hass, "run", duration=60)
    (command,) = sprinkler.published("command")
    await sprinkler.says("reply", {**witness.example("reply", 1), "id": command["id"], "zone": 2})
    assert sprinkler.value(VALVE_2) == "closed"
    told = hass.states.get(EVENT).attributes
    assert (told["event_type"], told["zone"], told["reason"]) == ("run_refused", 2, "low_battery")


async def test_stop_all_cancels_every_run_that_waits(hass, sprinkler):
    await sprinkler.sleeps(until=witness.NOW + 800)
    await call(hass, "run", VALVE_1, duration=60)
    await call(hass, "run", VALVE_2, duration=60)
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.solar_sprinkler_5a17e001_stop_all"}, blocking=True
    )
    assert sprinkler.published("command")[-1]["zone"] == 0
    assert (sprinkler.value(VALVE_1), sprinkler.value(VALVE_2)) == ("closed", "closed")


async def test_stop_that_the_board_accepts_needs_no_second_word(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering(run_id=0, run_time_s=0, run_until=0)
    assert await call(hass, "stop", VALVE_1) == {"queued": False}
    assert [command["command"] for command in sprinkler.published("command")] == ["stop"]


async def test_stop_that_is_refused_is_followed_by_the_bare_stop(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering(accepted=False, reason="replayed", run_id=0, run_time_s=0, run_until=0)
    with pytest.raises(HomeAssistantError, match="saw a later command"):
        await click(hass, "close_valve", VALVE_1)
    await hass.async_block_till_done()
    assert sprinkler.published("command")[-1] == {"command": "stop"}


async def test_stop_that_an_awake_board_does_not_answer_is_an_error_and_followed_by_the_bare_stop(hass, sprinkler):
    await sprinkler.is_online()
    with pytest.raises(HomeAssistantError, match="did not answer"):
        await sprinkler.stays_silent(click(hass, "close_valve", VALVE_1))
    await hass.async_block_till_done()
    assert sprinkler.published("command")[-1] == {"command": "stop"}


async def test_without_a_broker_nothing_is_sent_and_the_person_is_told(hass, sprinkler):
    await sprinkler.is_online()
    sprinkler.mqtt.connected = False
    for service in ("open_valve", "close_valve"):
        with pytest.raises(HomeAssistantError, match="no connection to the MQTT broker"):
            await click(hass, service, VALVE_1)
    assert sprinkler.published("command") == []
    assert sprinkler.value(VALVE_2) == "closed"


async def test_lost_board_is_sent_no_run(hass, sprinkler):
    await sprinkler.is_online()
    await sprinkler.says("availability", {"state": "lost"})
    with pytest.raises(HomeAssistantError, match="out of reach"):
        await click(hass, "open_valve", VALVE_1)
    assert sprinkler.published("command") == []


async def test_lost_board_may_still_be_told_to_close(hass, sprinkler):
    await sprinkler.is_online()
    await sprinkler.says("availability", {"state": "lost"})
    await click(hass, "close_valve", VALVE_1)
    assert sprinkler.published("command")[0]["command"] == "stop"


async def test_run_time_sets_how_long_the_valve_opens(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering()
    number = "number.solar_sprinkler_5a17e001_zone_2_run_time"
    await hass.services.async_call("number", "set_value", {"entity_id": number, "value": 25}, blocking=True)
    await click(hass, "open_valve")
    assert sprinkler.value(number) == "25.0"
    assert sprinkler.published("command")[0]["run_time_s"] == 1500


async def test_stay_awake_finds_the_board_by_any_of_its_devices(hass, sprinkler, answering, device_registry):
    await sprinkler.is_online()
    answering(run_id=0, run_time_s=0, run_until=0)
    board = device_registry.async_get_device_by_identifier(("solar_sprinkler", "5a17e001"), sprinkler.entry.entry_id)
    zone = device_registry.async_get_child_device_by_identifier(
        ("solar_sprinkler", "5a17e001_zone_1"), sprinkler.entry.entry_id
    )
    for device in (board, zone):
        answer = await hass.services.async_call(
            "solar_sprinkler",
            "stay_awake",
            {"device_id": device.id, "duration": 900},
            blocking=True,
            return_response=True,
        )
        assert answer == {"queued": False}
    assert [command["awake_s"] for command in sprinkler.published("command")] == [900, 900]


async def test_stay_awake_refuses_a_device_that_is_no_board(hass, sprinkler):
    with pytest.raises(ServiceValidationError, match="no Solar Sprinkler board"):
        await hass.services.async_call(
            "solar_sprinkler", "stay_awake", {"device_id": "nothing", "duration": 900}, blocking=True
        )


async def test_unloading_releases_who_waits_for_a_reply(hass, sprinkler):
    await sprinkler.is_online()
    waiting = asyncio.create_task(click(hass, "open_valve"))
    while not sprinkler.published("command"):
        await asyncio.sleep(0)
    assert await hass.config_entries.async_unload(sprinkler.entry.entry_id)
    with pytest.raises(HomeAssistantError, match="did not answer"):
        await waiting
