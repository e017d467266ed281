"""Buttons of the board."""

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .commands import ALL_ZONES
from .coordinator import SprinklerConfigEntry
from .entity import SprinklerEntity

PARALLEL_UPDATES = 0

STOP_ALL = ButtonEntityDescription(key="stop_all", translation_key="stop_all")


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons."""
    async_add_entities([StopAll(entry.runtime_data, STOP_ALL)])


class StopAll(SprinklerEntity, ButtonEntity):
    """Closes every zone and cancels what waits."""

    @property
    def available(self) -> bool:
        """While the broker is there: a stop may be sent to a board that was lost, which hears it when it is back."""
        return self.board.broker_connected

    async def async_press(self) -> None:
        """Stop all zones."""
        await self.coordinator.commands.stop(ALL_ZONES)
