"""How long a zone runs when its valve is opened without saying how long. Lives in Home Assistant alone."""

from homeassistant.components.number import NumberDeviceClass, NumberEntityDescription, NumberMode, RestoreNumber
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .entity import SprinklerEntity

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


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a run time per zone."""
    coordinator = entry.runtime_data
    async_add_entities(RunTime(coordinator, zone) for zone in range(1, coordinator.data.announce.zones + 1))


class RunTime(SprinklerEntity, RestoreNumber):
    """Minutes, at most what the board grants."""

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
