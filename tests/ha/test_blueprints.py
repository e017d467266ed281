"""The blueprints, each set up in Home Assistant and made to act."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components import automation, script
from homeassistant.components.blueprint import BLUEPRINT_SCHEMA, models
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml
from pytest_homeassistant_custom_component.common import async_fire_time_changed, async_mock_service

from tests.ha import witness

FOLDER = witness.ROOT / "ha_integration/blueprints"
PATHS = sorted(FOLDER.rglob("*.yaml"))
SCHEMAS = {"automation": automation.config.AUTOMATION_BLUEPRINT_SCHEMA, "script": BLUEPRINT_SCHEMA}
VALVE = "valve.lawn"
PROBLEM = "binary_sensor.problem"


def blueprint(path: Path) -> models.Blueprint:
    """A blueprint, validated."""
    domain = path.relative_to(FOLDER).parts[0]
    return models.Blueprint(load_yaml(path), expected_domain=domain, path=str(path), schema=SCHEMAS[domain])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_blueprint_says_where_it_comes_from_and_for_which_home_assistant(path):
    found = blueprint(path)
    metadata = found.metadata
    inside = path.relative_to(witness.ROOT).as_posix()
    assert metadata["source_url"] == f"https://github.com/solar-sprinkler/solar-sprinkler/blob/main/{inside}"
    assert metadata["homeassistant"]["min_version"] == "2026.10.0"
    assert metadata["author"]
    assert found.validate() is None, "it runs on this Home Assistant"
    assert all(each and each.get("selector") is not None for each in found.inputs.values())


@contextlib.contextmanager
def shipped() -> Iterator[None]:
    """Let Home Assistant find our blueprints where they lie."""

    @callback
    def load(self: models.DomainBlueprints, path: str) -> models.Blueprint:
        return blueprint(FOLDER / self.domain / path)

    with patch("homeassistant.components.blueprint.models.DomainBlueprints._load_blueprint", load):
        yield


async def use(hass: HomeAssistant, domain: str, name: str, **inputs: Any) -> None:
    """Set up an automation, or a script called `ours`, from a blueprint."""
    use_blueprint = {"path": f"solar_sprinkler/{name}.yaml", "input": inputs}
    config = {"alias": "ours", "use_blueprint": use_blueprint}
    with shipped():
        assert await async_setup_component(hass, domain, {domain: {"ours": config} if domain == "script" else config})
        await hass.async_block_till_done()
    assert hass.states.get(f"{domain}.ours").state in (STATE_ON, STATE_OFF)


def forecast(hass: HomeAssistant, days: list[dict[str, Any]]) -> None:
    """A weather entity that says this is coming."""

    async def get_forecasts(_call: ServiceCall) -> dict[str, Any]:
        return {"weather.home": {"forecast": days}}

    hass.services.async_register("weather", "get_forecasts", get_forecasts, supports_response=SupportsResponse.ONLY)


async def at(hass: HomeAssistant, freezer, text: str) -> None:
    """Let it be that time."""
    moment = dt_util.parse_datetime(text)
    freezer.move_to(moment)
    async_fire_time_changed(hass, moment)
    await hass.async_block_till_done()


@pytest.fixture
async def in_utc(hass: HomeAssistant, freezer) -> None:
    """The house stands in Greenwich; it is Friday, 08:00."""
    await hass.config.async_update(time_zone="UTC")
    freezer.move_to(witness.NOW_UTC)


@pytest.mark.parametrize(("answer", "minutes"), [("short", 10), ("long", 30), ("no", None)])
async def test_ask_and_run_waters_for_what_was_answered(hass, in_utc, answer, minutes):
    asked = async_mock_service(hass, "notify", "phone")
    ran = async_mock_service(hass, "solar_sprinkler", "run")
    hass.states.async_set(VALVE, "closed", {"friendly_name": "Lawn"})
    await use(hass, "script", "ask_and_run", zone=VALVE, notify_action="notify.phone")
    await hass.services.async_call("script", "turn_on", {"entity_id": "script.ours"}, blocking=True)
    (question,) = asked
    assert question.data["title"] == "Lawn"
    (action,) = [each["action"] for each in question.data["data"]["actions"] if each["action"].endswith(answer)]
    hass.bus.async_fire("mobile_app_notification_action", {"action": action})
    await hass.async_block_till_done()
    assert [call.data["duration"]["minutes"] for call in ran] == ([minutes] if minutes else [])
    assert [call.data["entity_id"] for call in ran] == ([[VALVE]] if minutes else [])


async def test_ask_and_run_without_an_answer_waters_nothing(hass, in_utc, freezer):
    async_mock_service(hass, "notify", "phone")
    ran = async_mock_service(hass, "solar_sprinkler", "run")
    hass.states.async_set(VALVE, "closed", {"friendly_name": "Lawn"})
    await use(hass, "script", "ask_and_run", zone=VALVE, notify_action="notify.phone")
    await hass.services.async_call("script", "turn_on", {"entity_id": "script.ours"}, blocking=True)
    assert hass.states.get("script.ours").state == STATE_ON
    await at(hass, freezer, "2027-01-15T08:16:00+00:00")
    assert ran == []
    assert hass.states.get("script.ours").state == STATE_OFF


@pytest.mark.parametrize(
    ("hours", "is_skipped"),
    [
        ([{"precipitation": 0.5, "temperature": 12}] * 8, True),
        ([{"precipitation": 0.1, "temperature": 12}] * 8, False),
        ([{"temperature": 1.5}], True),
        ([{"precipitation": None, "temperature": 9}], False),
        ([{"precipitation": 0, "temperature": 9}] * 24 + [{"precipitation": 50, "temperature": -9}], False),
        ([], False),
    ],
)
async def test_skip_on_forecast_delays_for_rain_and_for_frost_alone(hass, in_utc, freezer, hours, is_skipped):
    delayed = async_mock_service(hass, "solar_sprinkler", "rain_delay")
    forecast(hass, hours)
    await use(hass, "automation", "skip_on_forecast", board="board", weather="weather.home")
    await at(hass, freezer, "2027-01-16T03:00:00+00:00")
    assert [call.data for call in delayed] == (
        [{"device_id": "board", "duration": {"hours": 24}}] if is_skipped else []
    )


async def test_alarm_names_the_faults_and_the_all_clear_comes_after(hass, in_utc, freezer):
    told = async_mock_service(hass, "notify", "phone")
    say = [{"action": "notify.phone", "data": {"message": "{{ faults }}"}}]
    hass.states.async_set(PROBLEM, STATE_OFF, {"faults": []})
    await use(hass, "automation", "alarm_on_problem", problem=PROBLEM, alarm=say, all_clear=say)
    hass.states.async_set(PROBLEM, STATE_ON, {"faults": ["no_flow", "leak"]})
    await hass.async_block_till_done()
    assert told == []
    await at(hass, freezer, "2027-01-15T08:02:00+00:00")
    assert [call.data["message"] for call in told] == ["no flow, leak"]
    hass.states.async_set(PROBLEM, STATE_OFF, {"faults": []})
    await hass.async_block_till_done()
    assert [call.data["message"] for call in told] == ["no flow, leak"] * 2


@pytest.mark.parametrize(("high", "share"), [(0, 50), (15, 50), (25, 100), (27, 110), (45, 150)])
async def test_weekly_adjustment_follows_the_warmth_of_the_week(hass, in_utc, freezer, high, share):
    adjusted = async_mock_service(hass, "number", "set_value")
    forecast(hass, [{"temperature": high}] * 7)
    await use(hass, "automation", "weekly_adjustment", adjustment="number.adjust", weather="weather.home")
    await at(hass, freezer, "2027-01-16T02:00:00+00:00")
    assert adjusted == [], "a Saturday"
    await at(hass, freezer, "2027-01-17T02:00:00+00:00")
    assert [call.data["value"] for call in adjusted] == [share]


DAILY = {"board": "board", "weather": "weather.home"}


@pytest.mark.parametrize(
    ("unit", "rain_unit", "day"),
    [
        ("°C", "mm", {"temperature": 26.6, "templow": 14.8, "precipitation": 2.5}),
        ("°F", "in", {"temperature": 79.88, "templow": 58.64, "precipitation": 2.5 / 25.4}),
    ],
)
async def test_daily_weather_tells_hargreaves_and_the_rain_to_come(hass, in_utc, freezer, unit, rain_unit, day):
    pushed = async_mock_service(hass, "solar_sprinkler", "push_weather")
    hass.states.async_set("zone.home", "0", {"latitude": 45.72})
    hass.states.async_set("weather.home", "sunny", {"temperature_unit": unit, "precipitation_unit": rain_unit})
    forecast(hass, [day])
    await use(hass, "automation", "daily_weather", **DAILY)
    await at(hass, freezer, "2027-07-15T03:00:00+00:00")
    (call,) = pushed
    assert call.data == {
        "device_id": "board",
        "date": "2027-07-15",
        "et0_mm": pytest.approx(5.03, abs=0.05),
        "rain_mm": 2.5,
    }, "FAO-56, example 20"


async def test_daily_weather_without_a_forecast_tells_nothing(hass, in_utc, freezer):
    pushed = async_mock_service(hass, "solar_sprinkler", "push_weather")
    for days in ([], [{"temperature": 20}]):
        forecast(hass, days)
        await use(hass, "automation", "daily_weather", **DAILY)
        await at(hass, freezer, "2027-07-15T03:00:00+00:00")
        await at(hass, freezer, "2027-07-15T23:50:00+00:00")
    assert pushed == []


async def test_daily_weather_tells_in_the_evening_what_the_gauge_saw(hass, in_utc, freezer):
    pushed = async_mock_service(hass, "solar_sprinkler", "push_weather")
    hass.states.async_set("sensor.rain", "0.5", {"unit_of_measurement": "in"})
    hass.states.async_set("sensor.et0", "unknown", {"unit_of_measurement": "mm"})
    await use(hass, "automation", "daily_weather", **DAILY, gauge="sensor.rain", et0="sensor.et0")
    await at(hass, freezer, "2027-07-15T23:50:00+00:00")
    assert [call.data for call in pushed] == [
        {"device_id": "board", "date": "2027-07-15", "rain_mm": pytest.approx(12.7)}
    ]


NOT_WHILE = {"board": "board", "stop_all": "button.stop", "rain_delay": "datetime.delay", "what": "lawn_mower.robot"}


async def test_mower_closes_and_delays_and_gives_the_lawn_back(hass, in_utc):
    stopped = async_mock_service(hass, "button", "press")
    delayed = async_mock_service(hass, "solar_sprinkler", "rain_delay")
    hass.states.async_set("lawn_mower.robot", "docked")
    hass.states.async_set("datetime.delay", "unknown")
    await use(hass, "automation", "not_while", **NOT_WHILE)
    hass.states.async_set("lawn_mower.robot", "mowing")
    await hass.async_block_till_done()
    assert [call.data["entity_id"] for call in stopped] == [["button.stop"]]
    assert [call.data["duration"] for call in delayed] == [{"hours": 6}]
    hass.states.async_set("datetime.delay", "2027-01-15T14:00:00+00:00")
    hass.states.async_set("lawn_mower.robot", "returning")
    await hass.async_block_till_done()
    assert [call.data["duration"] for call in delayed] == [{"hours": 6}, {"seconds": 0}]


async def test_mower_leaves_a_longer_delay_of_a_person_alone(hass, in_utc):
    stopped = async_mock_service(hass, "button", "press")
    delayed = async_mock_service(hass, "solar_sprinkler", "rain_delay")
    hass.states.async_set("lawn_mower.robot", "docked")
    hass.states.async_set("datetime.delay", "2027-01-18T08:00:00+00:00")
    await use(hass, "automation", "not_while", **NOT_WHILE)
    for state in ("mowing", "docked"):
        hass.states.async_set("lawn_mower.robot", state)
        await hass.async_block_till_done()
    assert (len(stopped), delayed) == (1, [])


async def test_tap_is_closed_on_a_leak_and_when_nobody_knows_of_a_zone(hass, in_utc, freezer):
    closed = async_mock_service(hass, "valve", "close_valve")
    hass.states.async_set(PROBLEM, STATE_OFF, {"faults": []})
    hass.states.async_set(VALVE, "open")
    close = [{"action": "valve.close_valve", "target": {"entity_id": "valve.main"}}]
    await use(hass, "automation", "close_the_tap", problem=PROBLEM, zones=[VALVE], close=close)
    hass.states.async_set(PROBLEM, STATE_ON, {"faults": ["low_battery"]})
    await hass.async_block_till_done()
    assert closed == []
    hass.states.async_set(PROBLEM, STATE_ON, {"faults": ["low_battery", "leak"]})
    await hass.async_block_till_done()
    assert len(closed) == 1
    hass.states.async_set(VALVE, "unknown")
    await hass.async_block_till_done()
    await at(hass, freezer, "2027-01-15T08:06:00+00:00")
    assert len(closed) == 2


def test_every_blueprint_has_an_import_link_in_the_readme():
    text = (witness.ROOT / "ha_integration/README.md").read_text(encoding="utf-8")
    assert len(PATHS) >= 5
    for path in PATHS:
        address = (
            f"https://github.com/solar-sprinkler/solar-sprinkler/blob/main/{path.relative_to(witness.ROOT).as_posix()}"
        )
        link = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url=" + address.replace(
            ":", "%3A"
        ).replace("/", "%2F")
        assert link in text, path.name


def test_scripts_and_automations_are_where_home_assistant_looks_for_them():
    assert {path.relative_to(FOLDER).parts[:2] for path in PATHS} == {
        (automation.DOMAIN, "solar_sprinkler"),
        (script.DOMAIN, "solar_sprinkler"),
    }
