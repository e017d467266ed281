"""Numbers: the seasonal adjustment of all programs, and how long a zone runs when its valve is opened without saying how long."""

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
    RestoreNumber,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import protocol
from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .entity import SprinklerEntity
from .setting import SettingEntity

PARALLEL_UPDATES = 0

RUN_TIME = NumberEntityDescription(
    key="run_time",
    translation_key="run_time",
    device_class=NumberDeviceClass.DURATION,
    entity_category=EntityCategory.CONFIG,
    native_min_value=1,
    native_step=1,
    native_unit_of_measurement=UnitOfTime.MINUTES,
    mode=NumberMode.BOX,
)

SEASONAL_ADJUSTMENT = NumberEntityDescription(
    key="seasonal_adjust_pct",
    translation_key="seasonal_adjustment",
    native_min_value=protocol.SEASONAL_ADJUST_PCT_LIMITS[0],
    native_max_value=protocol.SEASONAL_ADJUST_PCT_LIMITS[1],
    native_step=5,
    native_unit_of_measurement=PERCENTAGE,
    mode=NumberMode.BOX,
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a run time per zone, and the seasonal adjustment."""
    coordinator = entry.runtime_data
    async_add_entities([SeasonalAdjustment(coordinator, SEASONAL_ADJUSTMENT)])
    async_add_entities(RunTime(coordinator, zone) for zone in range(1, coordinator.data.announce.zones + 1))


class SeasonalAdjustment(SettingEntity, NumberEntity):
    """Share of the programmed run times; 100 % is as programmed."""

    @property
    def native_value(self) -> float | None:
        """What is wanted."""
        wanted: int | None = self.board.setting(self.entity_description.key)
        return wanted

    async def async_set_native_value(self, value: float) -> None:
        """Want another share."""
        await self.async_want(round(value))


class RunTime(SprinklerEntity, RestoreNumber):
    """Minutes, at most what the board grants. Lives in Home Assistant alone."""

    def __init__(self, coordinator: SprinklerCoordinator, zone: int) -> None:
        """Place the number on its zone's device."""
        super().__init__(coordinator, RUN_TIME, zone)
        self._attr_native_max_value = max(1, coordinator.data.announce.run_time_max_s // 60)

    @property
    def available(self) -> bool:
        """Always: no board is asked."""
        return True

    @property
    def native_value(self) -> float:
        """Minutes."""
        return self.coordinator.run_time_s(self.zone) / 60

    async def async_added_to_hass(self) -> None:
        """Restore what was set."""
        await super().async_added_to_hass()
        restored = await self.async_get_last_number_data()
        if restored and restored.native_value is not None:
            self._set(restored.native_value)

    async def async_set_native_value(self, value: float) -> None:
        """Set the minutes."""
        self._set(value)
        self.async_write_ha_state()

    def _set(self, minutes: float) -> None:
        self.coordinator.run_times_s[self.zone] = int(min(minutes, self.native_max_value) * 60)
