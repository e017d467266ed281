"""Smart watering in Home Assistant: a zone that is described, weather that is pushed, programs that are smart, and why one did not start."""

import asyncio
import json
from datetime import date

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components.solar_sprinkler import usual_et0, zone_settings
from custom_components.solar_sprinkler.memory import Memory
from sim import climate
from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

VALVE = "valve.solar_sprinkler_5a17e001_zone_1"
SMART = "switch.solar_sprinkler_5a17e001_zone_1_smart_watering"
MISSING = "sensor.solar_sprinkler_5a17e001_zone_1_water_missing_in_the_soil"
GROUND = {"application_rate_um_h": 12000, "available_um": 78000, "allowed_depletion_pct": 40, "kc_pct": 95}
ANSWER = {**witness.example("reply"), "id": "weather", "run_id": 0, "run_time_s": 0, "run_until": 0, "zone": 0}


@pytest.fixture(autouse=True)
async def in_utc(hass) -> None:
    """The house stands in Greenwich; it is Friday, 08:00."""
    await hass.config.async_update(time_zone="UTC", latitude=51.5, longitude=0)


@pytest.fixture
async def lawn(hass, sprinkler) -> Sprinkler:
    """A board, online, with a described zone 1."""
    for zone in sprinkler.state["zones"]:
        zone["depletion_um"] = None
    sprinkler.state["weather_date"] = 0
    await sprinkler.is_paired()
    keeper = sprinkler.entry.runtime_data.desired
    zones = zone_settings.with_zone((), 1, GROUND)
    editing = await sprinkler.begins(keeper.async_edit({"zones": zones}), "desired")
    sprinkler.state["zones"][0]["depletion_um"] = 15600
    await sprinkler.confirms()
    await editing
    await hass.async_block_till_done()
    return sprinkler


def push(hass: HomeAssistant, sprinkler: Sprinkler, **data):
    data = {"device_id": sprinkler.entry.runtime_data.board_device_id, **data}
    return hass.services.async_call(DOMAIN, "push_weather", data, blocking=True, return_response=True)


async def taken(hass: HomeAssistant, sprinkler: Sprinkler, answer=ANSWER, **data):
    """What the action gives when the board answers at once."""
    calling = await sprinkler.begins(push(hass, sprinkler, **data), "weather")
    await sprinkler.interjects("reply", answer)
    return await calling


async def test_weather_is_told_of_yesterday_and_the_board_confirms_it(hass, lawn):
    answer = await taken(hass, lawn, et0_mm=4.56, rain_mm=2.5)
    assert lawn.published("weather") == [{"days": [{"date": 20270114, "et0_um": 4560, "rain_um": 2500}]}]
    assert answer == {"dates": ["2027-01-14"], "confirmed": True}


async def test_what_is_left_out_stays_as_it_is_known_else_the_usual_et0_of_the_month_and_no_rain(hass, lawn):
    usual_um = usual_et0.month_et0_um(51.5)[0]
    for data, expected in (
        ({"rain_mm": 3}, (usual_um, 3000)),
        ({"et0_mm": 2}, (2000, 3000)),
        ({"rain_mm": 1}, (2000, 1000)),
    ):
        await taken(hass, lawn, **data)
        (day,) = lawn.published("weather")[-1]["days"]
        assert (day["date"], day["et0_um"], day["rain_um"]) == (20270114, *expected)


async def test_days_gather_in_one_message_and_the_same_day_again_replaces(hass, lawn):
    await taken(hass, lawn, et0_mm=1, date="2027-01-10")
    await taken(hass, lawn, et0_mm=2, date="2027-01-14", rain_forecast_mm=7)
    await taken(hass, lawn, et0_mm=3, rain_mm=1, date="2027-01-10")
    assert lawn.published("weather")[-1]["days"] == [
        {"date": 20270110, "et0_um": 3000, "rain_um": 1000},
        {"date": 20270114, "et0_um": 2000, "rain_um": 0},
        {"date": 20270115, "et0_um": 2000, "rain_um": 7000},
    ]


async def test_days_older_than_a_week_are_told_no_more(hass, lawn):
    await taken(hass, lawn, et0_mm=1, date="2027-01-09")
    await lawn.time_passes(86400)
    await lawn.is_online()
    await taken(hass, lawn, et0_mm=2)
    assert [day["date"] for day in lawn.published("weather")[-1]["days"]] == [20270115]


@pytest.mark.parametrize("day", ["2027-01-16", "2027-01-08"])
async def test_a_day_that_lies_ahead_or_far_back_is_refused(hass, lawn, day):
    with pytest.raises(ServiceValidationError) as refused:
        await push(hass, lawn, et0_mm=4, date=day)
    assert refused.value.translation_key == "weather_date"
    assert lawn.published("weather") == []


@pytest.mark.parametrize("data", [{"et0_mm": -1}, {"et0_mm": 31}, {"et0_mm": 4, "rain_mm": 601}, {"et0_mm": "much"}])
async def test_weather_that_cannot_be_is_refused(hass, lawn, data):
    with pytest.raises(vol.Invalid):
        await push(hass, lawn, **data)


async def test_weather_without_a_described_zone_says_what_to_do(hass, sprinkler):
    await sprinkler.is_paired()
    with pytest.raises(ServiceValidationError) as refused:
        await push(hass, sprinkler, et0_mm=4)
    assert refused.value.translation_key == "no_ground"


async def test_a_sleeping_board_hears_of_it_at_its_next_wake(hass, lawn):
    await lawn.sleeps(until=witness.NOW + 900)
    answer = await push(hass, lawn, et0_mm=4)
    assert answer == {"dates": ["2027-01-14"], "confirmed": False, "next_wake": "2027-01-15T08:15:00+00:00"}


async def test_what_the_board_refuses_is_told(hass, lawn):
    with pytest.raises(HomeAssistantError) as refused:
        await taken(hass, lawn, {**ANSWER, "accepted": False, "reason": "clock_unset"}, et0_mm=4)
    assert refused.value.translation_key == "refused_clock_unset"


async def test_a_board_that_forgot_is_told_once_more_and_only_once(hass, lawn):
    await taken(hass, lawn, et0_mm=4)
    before = len(lawn.published("weather"))
    for _ in range(3):
        await lawn.says("state", {**lawn.state, "boot_id": 7})
    assert len(lawn.published("weather")) == before + 1
    await lawn.says("state", {**lawn.state, "boot_id": 7, "weather_date": 20270114})
    assert len(lawn.published("weather")) == before + 1


def test_weather_survives_a_restart():
    memory = Memory(weather={20270114: (4000, 0)}, smart=[1])
    found = Memory.from_json(json.loads(json.dumps(memory.to_json())))
    assert (found.weather, found.smart) == ({20270114: (4000, 0)}, [1])


async def test_removing_the_board_clears_the_retained_weather(hass, lawn):
    await hass.config_entries.async_remove(lawn.entry.entry_id)
    cleared = [call.args[0] for call in lawn.mqtt.async_publish.call_args_list if call.args[1] == b""]
    assert witness.topic("weather") in cleared


async def test_a_described_zone_sends_the_usual_months_along(lawn):
    months = lawn.published("desired")[-1]["settings"]["month_et0_um"]
    assert months == usual_et0.month_et0_um(51.5)


async def test_a_described_zone_shows_what_its_soil_lacks(lawn):
    assert lawn.value(MISSING) == "15.6"


async def test_a_zone_that_is_not_described_has_no_switch_and_no_sensor(hass, sprinkler):
    await sprinkler.is_paired()
    assert hass.states.get(SMART) is None
    assert hass.states.get(MISSING) is None


async def turned(hass: HomeAssistant, sprinkler: Sprinkler, action: str) -> None:
    call = hass.services.async_call("switch", action, {"entity_id": SMART}, blocking=True)
    calling = asyncio.create_task(call)
    before = len(sprinkler.published("desired"))
    for _ in range(50):
        await asyncio.sleep(0)
    if len(sprinkler.published("desired")) > before:
        await sprinkler.confirms()
    await calling


async def made(hass: HomeAssistant, sprinkler: Sprinkler, **data) -> None:
    data = {"entity_id": VALVE, "weekdays": ["fri"], "time": "21:00", "duration": {"minutes": 40}, **data}
    call = hass.services.async_call(DOMAIN, "set_program", data, blocking=True, return_response=True)
    calling = await sprinkler.begins(call, "desired")
    await sprinkler.confirms()
    await calling


async def test_the_switch_makes_all_programs_of_its_zone_smart_and_plain_again(hass, lawn):
    await made(hass, lawn)
    assert lawn.value(SMART) == "off"
    await turned(hass, lawn, "turn_on")
    assert lawn.value(SMART) == "on"
    assert [program["smart"] for program in lawn.published("desired")[-1]["programs"]] == [True]
    await turned(hass, lawn, "turn_off")
    assert lawn.value(SMART) == "off"
    assert [program["smart"] for program in lawn.published("desired")[-1]["programs"]] == [False]


async def test_a_program_made_in_the_calendar_of_a_smart_zone_is_smart(hass, lawn):
    await turned(hass, lawn, "turn_on")
    assert lawn.value(SMART) == "on"
    data = {
        "entity_id": "calendar.solar_sprinkler_5a17e001_zone_1_schedule",
        "summary": "Lawn",
        "start_date_time": "2027-01-15 21:00:00",
        "end_date_time": "2027-01-15 21:40:00",
    }
    calling = await lawn.begins(hass.services.async_call("calendar", "create_event", data, blocking=True), "desired")
    await lawn.confirms()
    await calling
    assert [program["smart"] for program in lawn.published("desired")[-1]["programs"]] == [True]


async def test_set_program_takes_smart_and_get_programs_tells_it(hass, lawn):
    await made(hass, lawn, smart=True)
    found = await hass.services.async_call(
        DOMAIN, "get_programs", {"entity_id": VALVE}, blocking=True, return_response=True
    )
    assert [program["smart"] for program in found[VALVE]["programs"]] == [True]


async def test_a_skip_that_was_not_needed_says_what_the_soil_holds(hass, lawn):
    lawn.state["zones"][0] |= {"valve": "closed", "run_id": 0, "program": 0, "run_time_s": 0, "run_until": 0}
    lawn.state["zones"][0]["last_skip"] = {"at": witness.NOW - 7200, "program": 1, "reason": "not_needed"}
    lawn.state["zones"][0]["next_run_at"] = witness.NOW + 86400
    await lawn.says("state", lawn.state)
    sentence = hass.states.get("sensor.solar_sprinkler_5a17e001_zone_1_last_result").attributes["sentence"]
    assert sentence == "Skipped 06:00: the soil still holds 16 mm; next Sat 08:00"


@pytest.mark.parametrize(
    ("soil", "plant", "found"),
    [
        ("loam", "cool_grass", {"available_um": 78000, "allowed_depletion_pct": 40, "kc_pct": 95}),
        ("sand", "warm_grass", {"available_um": 45000, "allowed_depletion_pct": 50, "kc_pct": 85}),
        (None, "cool_grass", dict.fromkeys(("available_um", "allowed_depletion_pct", "kc_pct"))),
        ("loam", None, dict.fromkeys(("available_um", "allowed_depletion_pct", "kc_pct"))),
    ],
)
def test_soil_and_plant_become_numbers(soil, plant, found):
    assert zone_settings.ground(soil, plant) == found


def test_a_description_that_is_taken_back_leaves_nothing_behind():
    zones = zone_settings.with_zone((), 1, {**zone_settings.ground("loam", "shrubs"), "application_rate_um_h": 9000})
    assert zone_settings.is_described(zones, 1)
    zones = zone_settings.with_zone(zones, 1, zone_settings.ground(None, None))
    assert zones == [{**zone_settings.OFF, "zone": 1, "application_rate_um_h": 9000}]
    assert not zone_settings.is_described(zones, 1)


@pytest.mark.parametrize("site", climate.sites())
def test_usual_months_are_near_what_was_recorded(site):
    weather = climate.recorded(site)
    months = usual_et0.month_et0_um(weather.latitude_deg)
    first = date(2001, 1, 1).toordinal() - date(1970, 1, 1).toordinal() - climate.first_day()
    days = [weather.day(first % 365 + day)[0].et0_mm_day for day in range(364)]
    assert sum(months) / 12000 == pytest.approx(sum(days) / 364, rel=0.35)
    assert all(0 <= um <= 20000 and um % 100 == 0 for um in months)


def test_usual_months_exist_from_pole_to_pole():
    for latitude in range(-90, 91, 5):
        assert all(200 <= um <= 12000 for um in usual_et0.month_et0_um(latitude))
