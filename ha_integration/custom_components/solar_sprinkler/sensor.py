"""Sensors of the board and of its zones: one row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfInformation,
    UnitOfPower,
    UnitOfPrecipitationDepth,
    UnitOfTemperature,
    UnitOfTime,
    UnitOfVolume,
    UnitOfVolumeFlowRate,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import protocol, readings
from .board import Board
from .coordinator import SprinklerConfigEntry
from .entity import THE_BOARD, SprinklerEntity, async_add_when_told
from .models import UNTOLD
from .readings import Reading, Value
from .sentences import Teller

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SprinklerSensorDescription(SensorEntityDescription):
    """A row: what is shown of the board, or of one of its zones."""

    value_fn: Reading
    attributes_fn: Callable[[Board, int, Teller], Mapping[str, Any]] | None = None
    feature: str | None = None  # of the announce; a board without it has no such sensor
    exists_fn: Callable[[Board, int], bool] = lambda _board, _zone: True
    is_always_available: bool = False


@dataclass(frozen=True, kw_only=True)
class _DiagnosticDescription(SprinklerSensorDescription):
    """A row for the curious, off until a person switches it on."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False


BOARD_SENSORS = (
    SprinklerSensorDescription(
        key="battery",
        translation_key="battery",
        device_class=SensorDeviceClass.BATTERY,
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        feature="battery",
        value_fn=readings.sampled("battery_pct"),
    ),
    SprinklerSensorDescription(
        key="battery_days",
        translation_key="battery_days",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=0,
        feature="battery",
        exists_fn=lambda board, _zone: board.state is not None and board.state.battery_days != UNTOLD,
        value_fn=readings.battery_days,
    ),
    SprinklerSensorDescription(
        key="solar_power",
        translation_key="solar_power",
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        feature="solar",
        value_fn=readings.solar_power_w,
    ),
    SprinklerSensorDescription(
        key="last_seen",
        translation_key="last_seen",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_always_available=True,
        value_fn=readings.last_seen,
    ),
    SprinklerSensorDescription(
        key="next_wake",
        translation_key="next_wake",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=readings.next_wake,
    ),
    _DiagnosticDescription(
        key="battery_voltage",
        translation_key="battery_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        feature="battery",
        value_fn=readings.sampled_in_thousands("battery_mv"),
    ),
    _DiagnosticDescription(
        key="battery_current",
        translation_key="battery_current",
        device_class=SensorDeviceClass.CURRENT,
        native_unit_of_measurement=UnitOfElectricCurrent.MILLIAMPERE,
        state_class=SensorStateClass.MEASUREMENT,
        feature="battery",
        value_fn=readings.sampled("battery_ma"),
    ),
    _DiagnosticDescription(
        key="solar_voltage",
        translation_key="solar_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        feature="solar",
        value_fn=readings.sampled_in_thousands("solar_mv"),
    ),
    _DiagnosticDescription(
        key="solar_current",
        translation_key="solar_current",
        device_class=SensorDeviceClass.CURRENT,
        native_unit_of_measurement=UnitOfElectricCurrent.MILLIAMPERE,
        state_class=SensorStateClass.MEASUREMENT,
        feature="solar",
        value_fn=readings.sampled("solar_ma"),
    ),
    _DiagnosticDescription(
        key="temperature",
        translation_key="temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        state_class=SensorStateClass.MEASUREMENT,
        feature="temperature",
        value_fn=readings.temperature_c,
    ),
    _DiagnosticDescription(
        key="responsive_until",
        translation_key="responsive_until",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=readings.responsive_until,
    ),
    _DiagnosticDescription(
        key="heap_free",
        translation_key="heap_free",
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=readings.of_health("heap_free"),
    ),
    _DiagnosticDescription(
        key="boots",
        translation_key="boots",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=readings.of_health("boots"),
    ),
    _DiagnosticDescription(
        key="clock_error",
        translation_key="clock_error",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=readings.of_health("clock_error_s"),
    ),
    _DiagnosticDescription(
        key="signal",
        translation_key="signal",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=readings.sampled("rssi_dbm"),
    ),
    _DiagnosticDescription(
        key="wake_reason",
        translation_key="wake_reason",
        device_class=SensorDeviceClass.ENUM,
        options=[*protocol.WAKE_REASONS],
        value_fn=readings.wake_reason,
    ),
    _DiagnosticDescription(
        key="power_mode",
        translation_key="power_mode",
        device_class=SensorDeviceClass.ENUM,
        options=[*protocol.POWER_MODES],
        value_fn=readings.power_mode,
    ),
)

ZONE_SENSORS = (
    SprinklerSensorDescription(
        key="soil_moisture",
        translation_key="soil_moisture",
        device_class=SensorDeviceClass.MOISTURE,
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        feature="soil",
        value_fn=readings.soil_pct,
    ),
    SprinklerSensorDescription(
        key="depletion",
        translation_key="depletion",
        device_class=SensorDeviceClass.PRECIPITATION,
        native_unit_of_measurement=UnitOfPrecipitationDepth.MILLIMETERS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        exists_fn=readings.has_books,
        value_fn=readings.depletion_mm,
    ),
    SprinklerSensorDescription(
        key="flow_rate",
        entity_registry_enabled_default=False,
        translation_key="flow_rate",
        device_class=SensorDeviceClass.VOLUME_FLOW_RATE,
        native_unit_of_measurement=UnitOfVolumeFlowRate.LITERS_PER_MINUTE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        feature="flow",
        value_fn=readings.flow_rate_l_min,
    ),
    SprinklerSensorDescription(
        key="water_total",
        translation_key="water_total",
        device_class=SensorDeviceClass.WATER,
        native_unit_of_measurement=UnitOfVolume.LITERS,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=0,
        feature="flow",
        value_fn=readings.water_total_l,
    ),
    SprinklerSensorDescription(
        key="run_ends",
        translation_key="run_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=readings.run_ends,
    ),
    SprinklerSensorDescription(
        key="last_result",
        translation_key="last_result",
        device_class=SensorDeviceClass.ENUM,
        options=[*readings.RESULTS],
        value_fn=readings.last_result,
        attributes_fn=readings.last_result_details,
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the board has."""
    coordinator = entry.runtime_data
    announce = coordinator.data.announce
    places = [(row, THE_BOARD) for row in BOARD_SENSORS]
    places += [(row, zone) for zone in range(1, announce.zones + 1) for row in ZONE_SENSORS]
    async_add_when_told(
        entry,
        async_add_entities,
        [
            (partial(_exists, row, zone), partial(SprinklerSensor, coordinator, row, zone))
            for row, zone in places
            if row.feature is None or row.feature in announce.features
        ],
    )


def _exists(row: SprinklerSensorDescription, zone: int, board: Board) -> bool:
    return row.exists_fn(board, zone)


class SprinklerSensor(SprinklerEntity, SensorEntity):
    """One row on one device."""

    entity_description: SprinklerSensorDescription

    @property
    def available(self) -> bool:
        """As every entity, but for what tells of the board's absence."""
        return self.entity_description.is_always_available or super().available

    @property
    def native_value(self) -> Value:
        """The row's value."""
        return self.entity_description.value_fn(self.board, self.zone)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """The row's details, if it has any."""
        details = self.entity_description.attributes_fn
        return details(self.board, self.zone, self.coordinator.teller) if details else None
