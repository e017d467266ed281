"""The component's actions; registered once, whether or not a board is there."""

from datetime import timedelta
from typing import Any

import voluptuous as vol

from homeassistant.components.valve import DOMAIN as VALVE_DOMAIN
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr, service
from homeassistant.util import dt as dt_util

from . import protocol
from .answers import answer, confirmation, moment_text
from .const import (
    ACTION_CHECK_VALVE,
    ACTION_GET_HISTORY,
    ACTION_GET_PROGRAMS,
    ACTION_PUSH_WEATHER,
    ACTION_RAIN_DELAY,
    ACTION_RUN,
    ACTION_SET_PROGRAM,
    ACTION_SKIP,
    ACTION_STAY_AWAKE,
    ACTION_STOP,
    ATTR_DURATION,
    DOMAIN,
)
from .coordinator import SprinklerConfigEntry
from .program_actions import SET_PROGRAM_SCHEMA

_AWAKE_MAX = timedelta(seconds=protocol.AWAKE_S_LIMITS[1])

_STAY_AWAKE_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_DEVICE_ID): cv.string,
        vol.Required(ATTR_DURATION): vol.All(cv.positive_time_period, vol.Range(max=_AWAKE_MAX)),
    }
)

_RAIN_DELAY_MAX = timedelta(days=60)
_RAIN_DELAY_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_DEVICE_ID): cv.string,
        vol.Required(ATTR_DURATION): vol.All(cv.positive_time_period, vol.Range(max=_RAIN_DELAY_MAX)),
    }
)
_PROGRAM = vol.All(vol.Coerce(int), vol.Range(*protocol.PROGRAM_ID_LIMITS))
_HISTORY_DAYS_MAX = 366

_RAIN_MM = vol.All(vol.Coerce(float), vol.Range(0, protocol.DAY_RAIN_UM_LIMITS[1] / 1000))
_PUSH_WEATHER_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_DEVICE_ID): cv.string,
        vol.Optional("et0_mm"): vol.All(vol.Coerce(float), vol.Range(0, protocol.DAY_ET0_UM_LIMITS[1] / 1000)),
        vol.Optional("rain_mm"): _RAIN_MM,
        vol.Optional("date"): cv.date,
        vol.Optional("rain_forecast_mm"): _RAIN_MM,
    }
)

# Action on a zone's valve, its fields, whether it answers.
_ZONE_ACTIONS: tuple[tuple[str, Any, SupportsResponse], ...] = (
    (ACTION_RUN, {vol.Required(ATTR_DURATION): cv.positive_time_period}, SupportsResponse.OPTIONAL),
    (ACTION_STOP, None, SupportsResponse.OPTIONAL),
    (ACTION_SKIP, {vol.Optional("program", default=0): vol.Any(0, _PROGRAM)}, SupportsResponse.OPTIONAL),
    (ACTION_CHECK_VALVE, None, SupportsResponse.OPTIONAL),
    (ACTION_SET_PROGRAM, SET_PROGRAM_SCHEMA, SupportsResponse.OPTIONAL),
    (ACTION_GET_PROGRAMS, None, SupportsResponse.ONLY),
    (
        ACTION_GET_HISTORY,
        {vol.Optional("days", default=7): vol.All(vol.Coerce(int), vol.Range(1, _HISTORY_DAYS_MAX))},
        SupportsResponse.ONLY,
    ),
)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register all actions."""
    for action, schema, response in _ZONE_ACTIONS:
        service.async_register_platform_entity_service(
            hass,
            DOMAIN,
            action,
            entity_domain=VALVE_DOMAIN,
            schema=schema,
            func=f"async_{action}",
            supports_response=response,
        )
    for action, perform, board_schema in (
        (ACTION_STAY_AWAKE, _async_stay_awake, _STAY_AWAKE_SCHEMA),
        (ACTION_RAIN_DELAY, _async_rain_delay, _RAIN_DELAY_SCHEMA),
        (ACTION_PUSH_WEATHER, _async_push_weather, _PUSH_WEATHER_SCHEMA),
    ):
        hass.services.async_register(DOMAIN, action, perform, board_schema, supports_response=SupportsResponse.OPTIONAL)


async def _async_stay_awake(call: ServiceCall) -> ServiceResponse:
    coordinator = _async_entry_of(call.hass, call.data[ATTR_DEVICE_ID]).runtime_data
    outcome = await coordinator.commands.stay_awake(int(call.data[ATTR_DURATION].total_seconds()))
    return answer(outcome, coordinator.data)


async def _async_rain_delay(call: ServiceCall) -> ServiceResponse:
    coordinator = _async_entry_of(call.hass, call.data[ATTR_DEVICE_ID]).runtime_data
    seconds = int(call.data[ATTR_DURATION].total_seconds())
    until = int(coordinator.now) + seconds if seconds else 0
    is_confirmed = await coordinator.desired.async_edit({"rain_delay_until": until})
    return {"rain_delay_until": moment_text(until), **confirmation(coordinator.data, is_confirmed=is_confirmed)}


async def _async_push_weather(call: ServiceCall) -> ServiceResponse:
    """Weather of a day, of yesterday when no date is given; and what rain today is to bring. What is left out stays as it is known."""
    coordinator = _async_entry_of(call.hass, call.data[ATTR_DEVICE_ID]).runtime_data
    today = dt_util.now().date()
    day, et0_mm = call.data.get("date", today - timedelta(days=1)), call.data.get("et0_mm")
    days = {day: (et0_mm, call.data.get("rain_mm"))}
    if "rain_forecast_mm" in call.data:
        days = {today: (et0_mm, call.data["rain_forecast_mm"]), **days}
    is_confirmed = await coordinator.weather.async_push(days)
    return {
        "dates": sorted(day.isoformat() for day in days),
        **confirmation(coordinator.data, is_confirmed=is_confirmed),
    }


@callback
def _async_entry_of(hass: HomeAssistant, device_id: str) -> SprinklerConfigEntry:
    """The loaded entry of the board that a device, or a zone's device, belongs to; raises ServiceValidationError."""
    device = dr.async_get(hass).async_get(device_id)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if device and entry.entry_id == device.config_entry_id:
            return entry
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_such_board")
