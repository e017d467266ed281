"""What a person may attach to a bug report: everything but the key and the place."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .const import CONF_ANNOUNCE, CONF_KEY, CONF_PAIRING_CODE
from .coordinator import SprinklerConfigEntry
from .memory import plain

# The announce as it was signed is left out with the key that signed it; what it says is in `board`.
SIGNED = {CONF_KEY, CONF_PAIRING_CODE, CONF_ANNOUNCE}
PLACE = {"latitude_cdeg", "longitude_cdeg", "tz_rule"}


async def async_get_config_entry_diagnostics(_hass: HomeAssistant, entry: SprinklerConfigEntry) -> dict[str, Any]:
    """Tell what is known and remembered of one board."""
    coordinator = entry.runtime_data
    zones = range(1, coordinator.data.announce.zones + 1)
    return {
        "entry": async_redact_data(dict(entry.data), SIGNED),
        "options": dict(entry.options),
        "board": async_redact_data(plain(coordinator.data), PLACE),
        "memory": async_redact_data(coordinator.memory.to_json(), PLACE),
        "why": {zone: coordinator.teller.why(coordinator.data, zone) for zone in zones},
        "run_times_s": dict(coordinator.run_times_s),
    }
