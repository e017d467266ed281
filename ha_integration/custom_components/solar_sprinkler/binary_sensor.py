"""What is either so or not: a problem to look after, and whether the board is in reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .board import Board
from .coordinator import SprinklerConfigEntry
from .entity import SprinklerEntity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SprinklerBinarySensorDescription(BinarySensorEntityDescription):
    """A row: what is so of the board at a moment."""

    value_fn: Callable[[Board, float], bool | None]
    attributes_fn: Callable[[Board], Mapping[str, Any]] | None = None
    feature: str | None = None  # of the announce; a board without it has no such sensor
    is_always_available: bool = False


BOARD_BINARY_SENSORS = (
    SprinklerBinarySensorDescription(
        key="problem",
        translation_key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda board, _now: bool(board.faults()) if board.state else None,
        attributes_fn=lambda board: {"faults": list(board.faults())},
    ),
    SprinklerBinarySensorDescription(
        key="connectivity",
        translation_key="connectivity",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_always_available=True,
        value_fn=lambda board, now: board.is_reachable(now),
    ),
    SprinklerBinarySensorDescription(
        key="rain",
        translation_key="rain",
        device_class=BinarySensorDeviceClass.MOISTURE,
        entity_registry_enabled_default=False,
        feature="rain",
        value_fn=lambda board, _now: board.sample.rain if board.sample else None,
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of the board."""
    coordinator = entry.runtime_data
    async_add_entities(
        SprinklerBinarySensor(coordinator, row)
        for row in BOARD_BINARY_SENSORS
        if row.feature is None or row.feature in coordinator.data.announce.features
    )


class SprinklerBinarySensor(SprinklerEntity, BinarySensorEntity):
    """One row."""

    entity_description: SprinklerBinarySensorDescription

    @property
    def available(self) -> bool:
        """As every entity, but for what tells of the board's absence."""
        return self.entity_description.is_always_available or super().available

    @property
    def is_on(self) -> bool | None:
        """The row's value."""
        return self.entity_description.value_fn(self.board, self.coordinator.now)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """The row's details, if it has any."""
        details = self.entity_description.attributes_fn
        return details(self.board) if details else None
