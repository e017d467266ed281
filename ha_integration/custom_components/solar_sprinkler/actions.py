"""The component's actions; registered once, whether or not a board is there."""

from datetime import timedelta

import voluptuous as vol

from homeassistant.components.valve import DOMAIN as VALVE_DOMAIN
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr, service

from . import protocol
from .answers import answer
from .const import ACTION_RUN, ACTION_STAY_AWAKE, ACTION_STOP, ATTR_DURATION, DOMAIN
from .coordinator import SprinklerConfigEntry

_AWAKE_MAX = timedelta(seconds=protocol.AWAKE_S_LIMITS[1])

_STAY_AWAKE_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_DEVICE_ID): cv.string,
        vol.Required(ATTR_DURATION): vol.All(cv.positive_time_period, vol.Range(max=_AWAKE_MAX)),
    }
)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register all actions."""
    service.async_register_platform_entity_service(
        hass,
        DOMAIN,
        ACTION_RUN,
        entity_domain=VALVE_DOMAIN,
        schema={vol.Required(ATTR_DURATION): cv.positive_time_period},
        func="async_run",
        supports_response=SupportsResponse.OPTIONAL,
    )
    service.async_register_platform_entity_service(
        hass,
        DOMAIN,
        ACTION_STOP,
        entity_domain=VALVE_DOMAIN,
        schema=None,
        func="async_stop",
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN, ACTION_STAY_AWAKE, _async_stay_awake, _STAY_AWAKE_SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )


async def _async_stay_awake(call: ServiceCall) -> ServiceResponse:
    coordinator = _async_entry_of(call.hass, call.data[ATTR_DEVICE_ID]).runtime_data
    outcome = await coordinator.commands.stay_awake(int(call.data[ATTR_DURATION].total_seconds()))
    return answer(outcome, coordinator.data)


@callback
def _async_entry_of(hass: HomeAssistant, device_id: str) -> SprinklerConfigEntry:
    """The loaded entry of the board that a device, or a zone's device, belongs to; raises ServiceValidationError."""
    device = dr.async_get(hass).async_get(device_id)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if device and entry.entry_id == device.config_entry_id:
            return entry
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_such_board")
