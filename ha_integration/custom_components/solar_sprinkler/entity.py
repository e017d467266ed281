"""What all entities of a board share: their device, their id, and when they are available."""

from collections.abc import Callable, Iterable

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .board import Board
from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .devices import board_info, zone_info

THE_BOARD = 0  # instead of a zone's number


class SprinklerEntity(CoordinatorEntity[SprinklerCoordinator]):
    """An entity of the board (zone 0) or of one of its zones."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: SprinklerCoordinator, description: EntityDescription, zone: int = THE_BOARD
    ) -> None:
        """Place the entity on the board's device, or on its zone's."""
        super().__init__(coordinator)
        self.entity_description = description
        self.zone = zone
        device_id = coordinator.channel.device_id
        self._attr_unique_id = (
            f"{device_id}_zone_{zone}_{description.key}" if zone else f"{device_id}_{description.key}"
        )
        self._attr_device_info = (
            zone_info(coordinator.board_device_id, device_id, zone) if zone else board_info(device_id)
        )

    @property
    def board(self) -> Board:
        """All that is known of the board."""
        return self.coordinator.data

    @property
    def available(self) -> bool:
        """True while the board is online, or asleep and not overdue."""
        return self.board.is_reachable(self.coordinator.now)


@callback
def async_add_when_told(
    entry: SprinklerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    candidates: Iterable[tuple[Callable[[Board], bool], Callable[[], Entity]]],
) -> None:
    """Add each entity as soon as the board shows that it has what the entity is about: at once, or with a later message."""
    coordinator = entry.runtime_data
    absent = [*candidates]

    @callback
    def look() -> None:
        present = [candidate for candidate in absent if candidate[0](coordinator.data)]
        absent[:] = [candidate for candidate in absent if candidate not in present]
        if present:
            async_add_entities(make() for _, make in present)

    look()
    if absent:
        entry.async_on_unload(coordinator.async_add_listener(look))
