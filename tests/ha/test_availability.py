"""A board that sleeps, one that is lost, and a Home Assistant that was restarted: what is shown when nobody can know."""

import pytest
from homeassistant.core import CoreState, HomeAssistant, State
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import mock_restore_cache_with_extra_data

from tests.ha import witness
from tests.ha.conftest import Sprinkler

VALVE_1 = "valve.solar_sprinkler_5a17e001_zone_1"
VALVE_2 = "valve.solar_sprinkler_5a17e001_zone_2"
BATTERY = "sensor.solar_sprinkler_5a17e001_battery"
PROBLEM = "binary_sensor.solar_sprinkler_5a17e001_problem"
CONNECTIVITY = "binary_sensor.solar_sprinkler_5a17e001_connectivity"
LAST_SEEN = "sensor.solar_sprinkler_5a17e001_last_seen"
NEXT_WAKE = "sensor.solar_sprinkler_5a17e001_next_wake"
RUN_TIME = "number.solar_sprinkler_5a17e001_zone_1_run_time"
EVENT = "event.solar_sprinkler_5a17e001_activity"
INTERVAL_S = 900


async def reports(sprinkler: Sprinkler) -> None:
    """The board tells all that it has."""
    await sprinkler.is_online()
    await sprinkler.says("telemetry", witness.example("telemetry"))


async def restart(hass: HomeAssistant, sprinkler: Sprinkler) -> None:
    """Set the entry up again, as after a restart of Home Assistant."""
    assert await hass.config_entries.async_unload(sprinkler.entry.entry_id)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_setup(sprinkler.entry.entry_id)
    await hass.async_block_till_done()


async def test_board_that_was_never_heard_is_unavailable_and_does_not_hold_up_setup(hass, sprinkler: Sprinkler):
    assert sprinkler.value(VALVE_1) == "unavailable"
    assert sprinkler.value(CONNECTIVITY) == "off"
    assert sprinkler.value(LAST_SEEN) == "unknown"


async def test_sleeping_board_stays_available_through_two_missed_wakes(hass, sprinkler: Sprinkler, caplog):
    await reports(sprinkler)
    await sprinkler.sleeps(until=witness.NOW + INTERVAL_S)
    assert sprinkler.value(NEXT_WAKE) == "2027-01-15T08:15:00+00:00"
    await sprinkler.time_passes(3 * INTERVAL_S)
    assert (sprinkler.value(VALVE_1), sprinkler.value(CONNECTIVITY)) == ("closed", "on")
    await sprinkler.time_passes(INTERVAL_S)
    assert (sprinkler.value(VALVE_1), sprinkler.value(BATTERY), sprinkler.value(PROBLEM)) == ("unavailable",) * 3
    assert sprinkler.value(CONNECTIVITY) == "off"
    assert sprinkler.value(LAST_SEEN) == "2027-01-15T08:00:00+00:00"
    await sprinkler.says("availability", {"state": "online"})
    assert (sprinkler.value(VALVE_1), sprinkler.value(CONNECTIVITY)) == ("closed", "on")
    assert caplog.text.count("is out of reach") == 1


async def test_board_that_does_not_tell_when_it_wakes_is_given_up_by_when_it_was_heard(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    await sprinkler.sleeps(until=0)
    assert sprinkler.value(NEXT_WAKE) == "unknown"
    await sprinkler.time_passes(INTERVAL_S)
    assert sprinkler.value(VALVE_1) == "closed"
    await sprinkler.time_passes(2 * INTERVAL_S)
    assert sprinkler.value(VALVE_1) == "unavailable"


async def test_lost_board_with_an_open_valve_is_unknown_and_never_closed(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    await sprinkler.says("availability", {"state": "lost"})
    assert sprinkler.value(VALVE_1) == "unknown"
    assert hass.states.get(VALVE_1).attributes["is_closed"] is None
    assert sprinkler.value(VALVE_2) == "unavailable", "it was closed when the board was last heard"
    assert sprinkler.value(BATTERY) == "unavailable"
    assert sprinkler.value(CONNECTIVITY) == "off"
    await sprinkler.time_passes(3600)
    assert sprinkler.value(VALVE_1) == "unknown"


async def test_run_that_should_have_ended_long_ago_makes_an_open_valve_unknown(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    await sprinkler.time_passes(480 + 60)
    assert sprinkler.value(VALVE_1) == "open"
    await sprinkler.time_passes(61)
    assert sprinkler.value(VALVE_1) == "unknown"


async def test_broker_out_of_reach_makes_an_open_valve_unknown(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    sprinkler.entry.runtime_data._async_broker(False)
    await hass.async_block_till_done()
    assert (sprinkler.value(VALVE_1), sprinkler.value(VALVE_2)) == ("unknown", "unavailable")
    sprinkler.entry.runtime_data._async_broker(True)
    await hass.async_block_till_done()
    assert (sprinkler.value(VALVE_1), sprinkler.value(VALVE_2)) == ("open", "closed")


async def test_run_ends_is_a_moment_that_does_not_tick(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    ends = "sensor.solar_sprinkler_5a17e001_zone_1_run_ends"
    before = hass.states.get(ends)
    assert before.state == "2027-01-15T08:08:00+00:00"
    await sprinkler.time_passes(30)
    await sprinkler.says("state", {**sprinkler.state, "at": witness.NOW + 30})
    assert hass.states.get(ends) is before
    await sprinkler.sleeps(until=witness.NOW + 900)
    assert sprinkler.value(ends) == "unknown"


async def test_last_seen_moves_in_steps_of_half_a_minute(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    await sprinkler.time_passes(29)
    await sprinkler.says("state", {**sprinkler.state, "at": witness.NOW + 29})
    assert sprinkler.value(LAST_SEEN) == "2027-01-15T08:00:00+00:00"
    await sprinkler.time_passes(1)
    await sprinkler.says("state", {**sprinkler.state, "at": witness.NOW + 30})
    assert sprinkler.value(LAST_SEEN) == "2027-01-15T08:00:30+00:00"


async def test_restart_restores_a_sleeping_board_before_it_is_heard_again(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    await sprinkler.sleeps(until=witness.NOW + INTERVAL_S)
    await restart(hass, sprinkler)
    assert sprinkler.value(VALVE_1) == "closed"
    assert sprinkler.value(BATTERY) == "79"
    assert sprinkler.value("sensor.solar_sprinkler_5a17e001_zone_1_water_total") == "1203.344"
    assert sprinkler.value(NEXT_WAKE) == "2027-01-15T08:15:00+00:00"
    assert sprinkler.value(LAST_SEEN) == "2027-01-15T08:00:00+00:00"


async def test_restart_does_not_believe_that_a_board_is_still_online(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    await restart(hass, sprinkler)
    assert sprinkler.value(VALVE_1) == "open", "it was, a moment ago"
    await sprinkler.time_passes(3 * INTERVAL_S)
    assert sprinkler.value(VALVE_1) == "unknown"
    assert sprinkler.value(VALVE_2) == "unavailable"


async def test_restart_keeps_counter_and_numbers(hass, sprinkler: Sprinkler):
    await sprinkler.sleeps(until=witness.NOW + INTERVAL_S)
    for _ in range(3):
        await hass.services.async_call("valve", "close_valve", {"entity_id": VALVE_1}, blocking=True)
    await sprinkler.says("event", {**witness.example("event"), "oldest": 12})
    await restart(hass, sprinkler)
    await hass.services.async_call("valve", "close_valve", {"entity_id": VALVE_1}, blocking=True)
    counters = [command["counter"] for command in sprinkler.published("command")]
    assert counters == sorted(set(counters))
    await sprinkler.says("event", {**witness.example("event"), "oldest": 12})
    assert sprinkler.entry.runtime_data.memory.of_boot(2_882_400_001).event == 12
    assert len(sprinkler.entry.runtime_data.memory.events) == 1


async def test_restart_keeps_the_run_that_waits_for_the_wake(hass, sprinkler: Sprinkler):
    await sprinkler.sleeps(until=witness.NOW + INTERVAL_S)
    await hass.services.async_call("valve", "open_valve", {"entity_id": VALVE_1}, blocking=True)
    await restart(hass, sprinkler)
    assert sprinkler.value(VALVE_1) == "opening"
    await sprinkler.time_passes(INTERVAL_S + 300)
    assert sprinkler.value(VALVE_1) == "closed"
    assert hass.states.get(EVENT).attributes["event_type"] == "run_expired"


async def test_run_that_expired_while_home_assistant_was_away_is_told_at_its_start(hass, sprinkler: Sprinkler):
    await sprinkler.sleeps(until=witness.NOW + INTERVAL_S)
    await hass.services.async_call("valve", "open_valve", {"entity_id": VALVE_1}, blocking=True)
    assert await hass.config_entries.async_unload(sprinkler.entry.entry_id)
    await sprinkler.time_passes(INTERVAL_S + 300)
    assert await hass.config_entries.async_setup(sprinkler.entry.entry_id)
    await hass.async_block_till_done()
    assert sprinkler.value(VALVE_1) == "closed"
    assert hass.states.get(EVENT).attributes["event_type"] == "run_expired"


async def test_stopping_home_assistant_acknowledges_nothing(hass, sprinkler: Sprinkler):
    await sprinkler.says("event", {**witness.example("event"), "oldest": 12})
    hass.set_state(CoreState.stopping)
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack") == []
    hass.set_state(CoreState.running)


@pytest.mark.parametrize(
    "damage",
    [
        {"state": {"at": "yesterday"}},
        {"events": [{}], "samples": [7]},
        {"desired": {"version": -1}, "queued": [{"zone": 9}]},
    ],
)
async def test_damaged_part_of_the_file_is_forgotten_and_the_rest_is_used(
    hass, mqtt_mock, entry, freezer, hass_storage, damage
):
    freezer.move_to(witness.NOW_UTC)
    intact = {
        "counter": 5, "last_seen": witness.NOW, "desired": None, "availability": {"state": "asleep", "until": witness.NOW + 60},
        "state": witness.example("state"), "queued": [], "stored": [{"boot_id": 1, "event": 2, "sample": 3}], "events": [], "samples": [],
    }  # fmt: skip
    hass_storage[f"solar_sprinkler.{entry.entry_id}"] = {
        "version": 1, "minor_version": 1, "key": f"solar_sprinkler.{entry.entry_id}", "data": {**intact, **damage},
    }  # fmt: skip
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.runtime_data.memory.counter == 5
    assert entry.runtime_data.memory.of_boot(1).event == 2
    assert hass.states.get(CONNECTIVITY).state == "on"


async def test_run_time_survives_a_restart(hass, mqtt_mock, entry, freezer):
    freezer.move_to(witness.NOW_UTC)
    restored = {
        "native_max_value": 120,
        "native_min_value": 1,
        "native_step": 1,
        "native_unit_of_measurement": "min",
        "native_value": 25,
    }
    mock_restore_cache_with_extra_data(hass, [(State(RUN_TIME, "25"), restored)])
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(RUN_TIME).state == "25.0"
    assert entry.runtime_data.run_time_s(1) == 1500
    assert entry.runtime_data.run_time_s(2) == 600


async def test_updating_an_entity_by_hand_asks_nobody(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    assert await async_setup_component(hass, "homeassistant", {})
    await hass.services.async_call("homeassistant", "update_entity", {"entity_id": BATTERY}, blocking=True)
    await hass.async_block_till_done()
    assert sprinkler.value(BATTERY) == "79"
