"""What happened on a board, each happening once and in its order."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import protocol
from .const import EVENT_RUN_EXPIRED, EVENT_RUN_REFUSED
from .coordinator import SprinklerConfigEntry
from .entity import SprinklerEntity

PARALLEL_UPDATES = 0

ACTIVITY = EventEntityDescription(
    key="activity",
    translation_key="activity",
    event_types=[*protocol.EVENTS, EVENT_RUN_REFUSED, EVENT_RUN_EXPIRED],
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the board's activity."""
    async_add_entities([Activity(entry.runtime_data, ACTIVITY)])


class Activity(SprinklerEntity, EventEntity):
    """Repeats each event of the board once."""

    @property
    def available(self) -> bool:
        """Always: what happened, happened."""
        return True

    async def async_added_to_hass(self) -> None:
        """Listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen_events(self._async_happened))

    @callback
    def _async_happened(self, event_type: str, attributes: Mapping[str, Any]) -> None:
        if event_type in self.event_types:  # a newer board may know more; what it said is stored all the same
            self._trigger_event(event_type, dict(attributes))
            self.async_write_ha_state()
