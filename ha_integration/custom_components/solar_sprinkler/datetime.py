"""The rain delay: no program starts before its end."""

from datetime import datetime

from homeassistant.components.datetime import DateTimeEntity, DateTimeEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import readings
from .coordinator import SprinklerConfigEntry
from .setting import SettingEntity

PARALLEL_UPDATES = 0

RAIN_DELAY_UNTIL = DateTimeEntityDescription(key="rain_delay_until", translation_key="rain_delay_until")


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the rain delay."""
    async_add_entities([RainDelayUntil(entry.runtime_data, RAIN_DELAY_UNTIL)])


class RainDelayUntil(SettingEntity, DateTimeEntity):
    """Unknown while there is no rain delay; a moment that is over ends it."""

    @property
    def native_value(self) -> datetime | None:
        """When programs may start again."""
        until: int = self.board.setting("rain_delay_until", 0)
        return readings.moment(until) if until > self.coordinator.now else None

    async def async_set_value(self, value: datetime) -> None:
        """Set the end."""
        until = int(value.timestamp())
        await self.async_want(until if until > self.coordinator.now else 0)
