"""Buttons of the board and of its zones: one row each."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from homeassistant.components.button import ButtonDeviceClass, ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .commands import ALL_ZONES, CommandDesk
from .coordinator import SprinklerConfigEntry
from .entity import THE_BOARD, SprinklerEntity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SprinklerButtonDescription(ButtonEntityDescription):
    """A row: what a press asks the board for, and the command of the wire that a board must know for it."""

    press_fn: Callable[[CommandDesk, int], Coroutine[Any, Any, Any]]
    command: str
    is_for_the_lost: bool = False  # may be sent to a board that is out of reach, which hears it when it is back


BOARD_BUTTONS = (
    SprinklerButtonDescription(
        key="stop_all",
        translation_key="stop_all",
        command="stop",
        is_for_the_lost=True,
        press_fn=lambda desk, _zone: desk.stop(ALL_ZONES),
    ),
    SprinklerButtonDescription(
        key="identify",
        device_class=ButtonDeviceClass.IDENTIFY,
        translation_key="identify",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        command="identify",
        press_fn=lambda desk, _zone: desk.tell("identify"),
    ),
    SprinklerButtonDescription(
        key="restart",
        device_class=ButtonDeviceClass.RESTART,
        translation_key="restart",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        command="restart",
        press_fn=lambda desk, _zone: desk.tell("restart"),
    ),
)
ZONE_BUTTONS = (
    SprinklerButtonDescription(
        key="skip_next",
        translation_key="skip_next",
        entity_registry_enabled_default=False,
        command="skip",
        press_fn=lambda desk, zone: desk.skip(zone),
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons for what the board knows."""
    coordinator = entry.runtime_data
    announce = coordinator.data.announce
    places = [(row, THE_BOARD) for row in BOARD_BUTTONS]
    places += [(row, zone) for zone in range(1, announce.zones + 1) for row in ZONE_BUTTONS]
    async_add_entities(
        SprinklerButton(coordinator, row, zone) for row, zone in places if row.command in announce.commands
    )


class SprinklerButton(SprinklerEntity, ButtonEntity):
    """One row on one device."""

    entity_description: SprinklerButtonDescription

    @property
    def available(self) -> bool:
        """As every entity; what may be sent to a board that was lost, as long as the broker is there."""
        if self.entity_description.is_for_the_lost:
            return self.board.broker_connected
        return super().available

    async def async_press(self) -> None:
        """Ask the board."""
        await self.entity_description.press_fn(self.coordinator.commands, self.zone)
