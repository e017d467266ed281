"""What all entities of a board share: their device, their id, and when they are available."""

from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .board import Board
from .coordinator import SprinklerCoordinator
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
