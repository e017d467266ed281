"""What a person sees: which entities there are, what they show, and in which words."""

import json

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

FOLDER = witness.ROOT / "ha_integration/custom_components/solar_sprinkler"
BOARD = "solar_sprinkler_5a17e001"
SHOWN = {
    f"binary_sensor.{BOARD}_connectivity": "on",
    f"binary_sensor.{BOARD}_problem": "on",
    f"button.{BOARD}_stop_all": "unknown",
    f"event.{BOARD}_activity": "unknown",
    f"calendar.{BOARD}_zone_1_schedule": "off",
    f"calendar.{BOARD}_zone_2_schedule": "off",
    f"datetime.{BOARD}_rain_delay_until": "unknown",
    f"number.{BOARD}_seasonal_adjustment": "100",
    f"number.{BOARD}_zone_1_run_time": "10.0",
    f"number.{BOARD}_zone_2_run_time": "10.0",
    f"sensor.{BOARD}_battery": "79",
    f"sensor.{BOARD}_battery_lasts_for": "99",
    f"sensor.{BOARD}_last_seen": "2027-01-15T08:00:00+00:00",
    f"sensor.{BOARD}_next_wake": "unknown",
    f"sensor.{BOARD}_solar_power": "1.1707",
    f"sensor.{BOARD}_zone_1_last_result": "completed",
    f"sensor.{BOARD}_zone_1_run_ends": "2027-01-15T08:08:00+00:00",
    f"sensor.{BOARD}_zone_1_soil_moisture": "35",
    f"sensor.{BOARD}_zone_1_water_total": "1203.344",
    f"sensor.{BOARD}_zone_2_last_result": "tripped",
    f"sensor.{BOARD}_zone_2_run_ends": "unknown",
    f"sensor.{BOARD}_zone_2_soil_moisture": "unknown",
    f"sensor.{BOARD}_zone_2_water_total": "99.12",
    f"switch.{BOARD}_watering_enabled": "on",
    f"update.{BOARD}_firmware": "off",
    f"valve.{BOARD}_zone_1": "open",
    f"valve.{BOARD}_zone_2": "closed",
}
HIDDEN = {
    "button.identify", "button.restart", "button.zone_1_skip_next_run", "button.zone_2_skip_next_run", "binary_sensor.rain",
    "sensor.boots", "sensor.clock_error", "sensor.free_memory",
    "sensor.battery_current", "sensor.battery_voltage", "sensor.kept_awake_until", "sensor.power_mode", "sensor.signal_strength",
    "sensor.solar_current", "sensor.solar_voltage", "sensor.temperature", "sensor.wake_reason", "sensor.zone_1_flow_rate",
    "sensor.zone_2_flow_rate", "switch.keep_awake", "switch.winter",
}  # fmt: skip
HIDDEN_SHOWN = {
    "boots": "3", "clock_error": "-2", "free_memory": "14320",
    "kept_awake_until": "2027-01-15T08:05:00+00:00", "temperature": "21.4", "zone_1_flow_rate": "8.03",
    "battery_current": "96", "battery_voltage": "3.984", "power_mode": "normal", "signal_strength": "-60", "solar_current": "230",
    "solar_voltage": "5.09", "wake_reason": "timer",
}  # fmt: skip


async def reports(sprinkler: Sprinkler) -> None:
    """The board tells all that it has."""
    await sprinkler.is_online()
    await sprinkler.says("telemetry", witness.example("telemetry"))


async def test_few_entities_by_default_and_each_shows_what_the_board_said(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    assert {state.entity_id: state.state for state in hass.states.async_all()} == SHOWN
    assert len([entity_id for entity_id in SHOWN if "_zone_" not in entity_id]) == 13
    assert len([entity_id for entity_id in SHOWN if "_zone_1" in entity_id]) == 7


async def test_board_that_tells_how_long_its_battery_lasts_gets_an_entity_for_it_at_once(hass, sprinkler: Sprinkler):
    del sprinkler.state["battery_days"]
    await sprinkler.is_online()
    assert hass.states.get(f"sensor.{BOARD}_battery_lasts_for") is None
    sprinkler.state.update(battery_days=41)
    await sprinkler.says("state", sprinkler.state)
    await sprinkler.says("state", {**sprinkler.state, "battery_days": 42})
    assert sprinkler.value(f"sensor.{BOARD}_battery_lasts_for") == "42"
    await sprinkler.says("state", {**sprinkler.state, "battery_days": None})
    assert sprinkler.value(f"sensor.{BOARD}_battery_lasts_for") == "unknown"


async def test_the_curious_find_more_switched_off(hass, mqtt_mock, freezer, entry, entity_registry):
    announce = witness.example("announce")
    announce["commands"] = list(dict.fromkeys([*announce["commands"], "skip"]))
    announce["features"] = list(dict.fromkeys([*announce["features"], "temperature", "rain"]))
    hass.config_entries.async_update_entry(entry, data={**entry.data, "announce": witness.signed("announce", announce)})
    freezer.move_to(witness.NOW_UTC)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    sprinkler = Sprinkler(hass, freezer, mqtt_mock, entry)
    sprinkler.state.update(winter=False, awake_until=witness.NOW + 300)
    await sprinkler.is_online()
    registered = er.async_entries_for_config_entry(entity_registry, sprinkler.entry.entry_id)
    hidden = [entry for entry in registered if entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION]
    assert {entry.entity_id.replace(f"{BOARD}_", "") for entry in hidden} == HIDDEN
    for found in hidden:
        entity_registry.async_update_entity(found.entity_id, disabled_by=None)
    await hass.config_entries.async_reload(sprinkler.entry.entry_id)
    await sprinkler.is_online()
    telemetry = witness.example("telemetry")
    telemetry["samples"][-1].update(temperature_dc=214, rain=True)
    await sprinkler.says("telemetry", telemetry)
    await sprinkler.says("health", witness.example("health"))
    assert {name: sprinkler.value(f"sensor.{BOARD}_{name}") for name in HIDDEN_SHOWN} == HIDDEN_SHOWN
    assert sprinkler.value(f"binary_sensor.{BOARD}_rain") == "on"
    assert sprinkler.value(f"switch.{BOARD}_winter") == "off"
    assert sprinkler.value(f"switch.{BOARD}_keep_awake") == "on"
    await sprinkler.time_passes(301)
    assert sprinkler.value(f"switch.{BOARD}_keep_awake") == "off"


async def test_every_entity_has_an_id_of_its_own_and_a_name_of_ours(hass, sprinkler: Sprinkler, entity_registry):
    registered = er.async_entries_for_config_entry(entity_registry, sprinkler.entry.entry_id)
    assert all(
        entry.unique_id.startswith("5a17e001_") and entry.has_entity_name and entry.translation_key
        for entry in registered
    )
    assert {entry.original_name for entry in registered if entry.domain == "valve"} == {None}


async def test_zones_are_children_of_the_board(hass, sprinkler: Sprinkler, device_registry):
    entry_id = sprinkler.entry.entry_id
    board = device_registry.async_get_device_by_identifier((DOMAIN, "5a17e001"), entry_id)
    assert (board.name, board.model, board.sw_version) == (
        "Solar Sprinkler 5a17e001",
        "feather_huzzah_esp8266",
        "0.1.0",
    )
    for number in (1, 2):
        zone = device_registry.async_get_child_device_by_identifier((DOMAIN, f"5a17e001_zone_{number}"), entry_id)
        assert (zone.name, zone.parent_device_id) == (f"Zone {number}", board.id)


async def test_board_without_sensors_has_no_entities_for_them(hass, mqtt_mock, entry):
    bare = witness.signed("announce", {**witness.example("announce"), "features": [], "zones": 1})
    hass.config_entries.async_update_entry(entry, data={**entry.data, "announce": bare})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    names = {state.entity_id.partition(".")[2].removeprefix(f"{BOARD}_") for state in hass.states.async_all()}
    assert names == {
        "activity", "connectivity", "firmware", "last_seen", "next_wake", "problem", "rain_delay_until", "seasonal_adjustment", "stop_all",
        "watering_enabled",
        "zone_1", "zone_1_last_result", "zone_1_run_ends", "zone_1_run_time", "zone_1_schedule",
    }  # fmt: skip


async def test_sensor_that_failed_is_unknown(hass, sprinkler: Sprinkler):
    telemetry = witness.example("telemetry")
    telemetry["samples"][-1].update(battery_pct=None, solar_ma=None, soil_pct=[])
    sprinkler.state["zones"][0].update(flow_rate_ml_min=None, volume_ml=None, last_run=None)
    await sprinkler.is_online()
    await sprinkler.says("telemetry", telemetry)
    for name in (
        "battery",
        "solar_power",
        "zone_1_soil_moisture",
        "zone_1_water_total",
        "zone_1_last_result",
    ):
        assert sprinkler.value(f"sensor.{BOARD}_{name}") == "unknown"


async def test_word_of_a_newer_firmware_is_unknown_in_a_list_of_known_ones(hass, sprinkler: Sprinkler):
    sprinkler.state["zones"][0]["last_run"]["result"] = "evaporated"
    await sprinkler.is_online()
    assert sprinkler.value(f"sensor.{BOARD}_zone_1_last_result") == "unknown"


async def test_problem_is_off_without_faults_and_names_those_there_are(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    assert hass.states.get(f"binary_sensor.{BOARD}_problem").attributes["faults"] == ["no_flow"]
    sprinkler.state["zones"][1]["faults"] = []
    await sprinkler.says("state", sprinkler.state)
    assert sprinkler.value(f"binary_sensor.{BOARD}_problem") == "off"


async def test_last_result_tells_why_and_how_much(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    attributes = hass.states.get(f"sensor.{BOARD}_zone_2_last_result").attributes
    told = {key: attributes[key] for key in ("reason", "duration_s", "volume_l", "program")}
    assert told == {"reason": "no_flow", "duration_s": 31, "volume_l": 0.0, "program": 0}
    assert attributes["at"].isoformat() == "2027-01-14T08:11:40+00:00"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("water_total", {"device_class": "water", "state_class": "total_increasing", "unit_of_measurement": "L"}),
        ("soil_moisture", {"device_class": "moisture", "state_class": "measurement", "unit_of_measurement": "%"}),
        ("run_ends", {"device_class": "timestamp"}),
    ],
)
async def test_sensors_are_what_dashboards_and_statistics_expect(hass, sprinkler: Sprinkler, name, expected):
    await reports(sprinkler)
    attributes = hass.states.get(f"sensor.{BOARD}_zone_1_{name}").attributes
    assert {key: attributes.get(key) for key in expected} == expected


async def test_valve_is_a_water_valve_that_opens_and_closes(hass, sprinkler: Sprinkler):
    await reports(sprinkler)
    attributes = hass.states.get(f"valve.{BOARD}_zone_2").attributes
    shown = {key: attributes[key] for key in ("device_class", "supported_features", "evidence", "flow_rate")}
    assert shown == {"device_class": "water", "supported_features": 3, "evidence": "verified", "flow_rate": 0.0}
    assert "current_position" not in attributes


async def test_diagnostics_tell_everything_but_key_and_place(hass: HomeAssistant, sprinkler: Sprinkler, hass_client):
    sprinkler.state["desired_version"] = 0
    await hass.config.async_update(latitude=12.34, longitude=56.78)
    await reports(sprinkler)
    assert await async_setup_component(hass, "diagnostics", {})
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{sprinkler.entry.entry_id}")
    told = (await response.json())["data"]
    text = json.dumps(told)
    assert witness.KEY.hex() not in text
    assert witness.PAIRING_CODE.replace("-", "") not in text
    assert "1234" not in json.dumps(told["memory"]["desired"])
    assert "1234" not in json.dumps(told["board"]["desired"])
    assert told["memory"]["desired"]["settings"]["longitude_cdeg"] == "**REDACTED**"
    assert told["board"]["state"]["zones"][0]["valve"] == "open"
    assert told["memory"]["samples"][-1]["n"] == 40


@pytest.mark.parametrize("spoilt", [{}, {"boots": None}, {"self_test": None, "crash": None}, {"later": "unknown"}])
async def test_what_a_board_says_of_its_health_is_in_the_diagnostics(hass, sprinkler: Sprinkler, hass_client, spoilt):
    assert await async_setup_component(hass, "diagnostics", {})
    told = {**witness.example("health"), **spoilt}
    await sprinkler.says("health", told, retain=True)
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{sprinkler.entry.entry_id}")
    health = (await response.json())["data"]["board"]["health"]
    assert health == {key: value for key, value in told.items() if key != "later"}


def test_every_reason_to_refuse_has_a_sentence_in_every_language():
    from custom_components.solar_sprinkler.refusals import EXPLAINED

    for path in (FOLDER / "translations").glob("*.json"):
        sentences = json.loads(path.read_text(encoding="utf-8"))["exceptions"]
        assert {f"refused_{reason}" for reason in EXPLAINED} <= sentences.keys()
        assert {key for key in sentences if key.startswith("refused_")} == {f"refused_{reason}" for reason in EXPLAINED}


def test_every_word_that_is_shown_is_translated():
    from custom_components.solar_sprinkler import event, protocol, readings

    entities = json.loads((FOLDER / "translations/en.json").read_text(encoding="utf-8"))["entity"]
    states = {key: set(entities["sensor"][key]["state"]) for key in ("last_result", "power_mode", "wake_reason")}
    assert states == {
        "last_result": set(readings.RESULTS),
        "power_mode": set(protocol.POWER_MODES),
        "wake_reason": set(protocol.WAKE_REASONS),
    }
    kinds = entities["event"]["activity"]["state_attributes"]["event_type"]["state"]
    assert set(kinds) == set(event.ACTIVITY.event_types)
