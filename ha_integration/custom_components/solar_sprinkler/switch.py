"""Switches of the board: may programs start, is it winter, is the board kept awake."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .board import Board
from .coordinator import SprinklerConfigEntry
from .entity import SprinklerEntity, async_add_when_told
from .setting import SettingEntity
from .zone_settings import is_described

PARALLEL_UPDATES = 0

AWAKE_S = 900  # what the switch asks for; the action takes any time


@dataclass(frozen=True, kw_only=True)
class SprinklerSwitchDescription(SwitchEntityDescription):
    """A row: a setting that is on or off, and whether the board has it."""

    exists_fn: Callable[[Board], bool] = lambda _board: True


SETTINGS = (
    SprinklerSwitchDescription(key="watering_enabled", translation_key="watering_enabled"),
    SprinklerSwitchDescription(
        key="winter",
        translation_key="winter",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        exists_fn=lambda board: board.state is not None and board.state.winter is not None,
    ),
)
SMART = SwitchEntityDescription(key="smart", translation_key="smart", entity_category=EntityCategory.CONFIG)
RESPONSIVE = SwitchEntityDescription(
    key="responsive", translation_key="responsive", entity_registry_enabled_default=False
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the switches that the board has."""
    coordinator = entry.runtime_data
    async_add_entities([Responsive(coordinator, RESPONSIVE)])
    async_add_when_told(
        entry,
        async_add_entities,
        [(row.exists_fn, partial(SettingSwitch, coordinator, row)) for row in SETTINGS]
        + [
            (partial(_is_described, zone=zone), partial(Smart, coordinator, SMART, zone))
            for zone in range(1, coordinator.data.announce.zones + 1)
        ],
    )


def _is_described(board: Board, zone: int) -> bool:
    return is_described(board.zones_wanted, zone)


class SettingSwitch(SettingEntity, SwitchEntity):
    """One row."""

    @property
    def is_on(self) -> bool | None:
        """What is wanted."""
        wanted: bool | None = self.board.setting(self.entity_description.key)
        return wanted

    async def async_turn_on(self, **_kwargs: Any) -> None:
        """Want it on."""
        await self.async_want(True)

    async def async_turn_off(self, **_kwargs: Any) -> None:
        """Want it off."""
        await self.async_want(False)


class Smart(SprinklerEntity, SwitchEntity):
    """Makes all programs of a zone smart, those to come too: they give what the soil lacks, for their run time at most."""

    @property
    def is_on(self) -> bool:
        """True if all programs of the zone are; of a zone without programs what was chosen."""
        ours = [program for program in self.board.programs if program.get("zone") == self.zone]
        return all(program.get("smart") for program in ours) if ours else self.zone in self.coordinator.memory.smart

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """Whether the board has still to hear of what is wanted."""
        return {"waiting_for_board": self.board.is_waited_for}

    async def async_turn_on(self, **_kwargs: Any) -> None:
        """Water what the soil lacks."""
        await self._want(smart=True)

    async def async_turn_off(self, **_kwargs: Any) -> None:
        """Water as it is programmed."""
        await self._want(smart=False)

    async def _want(self, *, smart: bool) -> None:
        memory = self.coordinator.memory
        others = [zone for zone in memory.smart if zone != self.zone]

        def change(wanted: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
            return [{**each, "smart": smart} if each.get("zone") == self.zone else each for each in wanted]

        await self.coordinator.desired.async_edit(programs=change)
        memory.smart = sorted([*others, self.zone]) if smart else others
        self.coordinator.store.async_schedule_save()
        self.async_write_ha_state()


class Responsive(SprinklerEntity, SwitchEntity):
    """Keeps the board awake for a while, so that it answers at once; it falls asleep by itself."""

    @property
    def is_on(self) -> bool:
        """True while the board stays awake on request."""
        return self.board.is_responsive(self.coordinator.now)

    async def async_turn_on(self, **_kwargs: Any) -> None:
        """Stay awake for a quarter of an hour."""
        await self.coordinator.commands.stay_awake(AWAKE_S)

    async def async_turn_off(self, **_kwargs: Any) -> None:
        """Sleep when it pleases."""
        await self.coordinator.commands.stay_awake(0)
