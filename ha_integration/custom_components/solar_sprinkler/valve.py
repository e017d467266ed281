"""A zone's valve. The board owns the water: it closes by its own timer, whatever becomes of Home Assistant."""

from datetime import timedelta
from typing import Any

from homeassistant.components.valve import ValveDeviceClass, ValveEntity, ValveEntityDescription, ValveEntityFeature
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import readings, zone_actions
from .answers import answer
from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .entity import SprinklerEntity

PARALLEL_UPDATES = 0

VALVE = ValveEntityDescription(
    key="valve", translation_key="valve", device_class=ValveDeviceClass.WATER, reports_position=False
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a valve per zone."""
    coordinator = entry.runtime_data
    async_add_entities(ZoneValve(coordinator, zone) for zone in range(1, coordinator.data.announce.zones + 1))


class ZoneValve(SprinklerEntity, ValveEntity):
    """Opens for the zone's run time; shows `opening` while a run waits for the board."""

    _attr_name = None  # the zone's own
    _unrecorded_attributes = frozenset({"flow_rate"})
    _attr_supported_features = ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE

    def __init__(self, coordinator: SprinklerCoordinator, zone: int) -> None:
        """Place the valve on its zone's device, whose name it bears."""
        super().__init__(coordinator, VALVE, zone)

    @property
    def available(self) -> bool:
        """True also while the board is out of reach with its valve not known to be closed: that is worth saying."""
        return self.board.is_valve_shown(self.zone, self.coordinator.now)

    @property
    def is_closed(self) -> bool | None:
        """True, False, or None for unknown."""
        return self.board.valve(self.zone, self.coordinator.now).is_closed

    @property
    def is_opening(self) -> bool:
        """True while the valve moves, or a run waits."""
        return self.board.valve(self.zone, self.coordinator.now).is_opening

    @property
    def is_closing(self) -> bool:
        """True while the valve moves."""
        return self.board.valve(self.zone, self.coordinator.now).is_closing

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """What a `closed` stands on, the flow, and when a board that has yet to hear of a run listens again."""
        zone = self.board.zone(self.zone)
        attributes: dict[str, Any] = {"evidence": zone.evidence if zone else "unknown"}
        if zone and zone.flow_rate_ml_min is not None:
            attributes["flow_rate"] = zone.flow_rate_ml_min / 1000
        if self.zone in self.board.queued:
            attributes["listens_again_at"] = readings.next_wake(self.board, self.zone)
        return attributes

    async def async_open_valve(self) -> None:
        """Water for the zone's run time."""
        await self.coordinator.commands.run(self.zone, self.coordinator.run_time_s(self.zone))

    async def async_close_valve(self) -> None:
        """Stop the zone, and cancel what waits for it."""
        await self.coordinator.commands.stop(self.zone)

    async def async_run(self, duration: timedelta) -> ServiceResponse:
        """Water for `duration`; tells what the board granted, or until when the run waits."""
        outcome = await self.coordinator.commands.run(self.zone, int(duration.total_seconds()))
        return answer(outcome, self.board)

    async def async_stop(self) -> ServiceResponse:
        """As closing, with an answer."""
        return answer(await self.coordinator.commands.stop(self.zone), self.board)

    async def async_skip(self, program: int) -> ServiceResponse:
        """Give up the next start."""
        return await zone_actions.skip(self.coordinator, self.zone, program)

    async def async_check_valve(self) -> ServiceResponse:
        """Try the valve."""
        return await zone_actions.check_valve(self.coordinator, self.zone)

    async def async_set_program(self, **given: Any) -> ServiceResponse:
        """Make or change a program."""
        return await zone_actions.set_program(self.coordinator, self.zone, given)

    async def async_get_programs(self) -> ServiceResponse:
        """Tell the programs."""
        return zone_actions.get_programs(self.coordinator, self.zone)

    async def async_get_history(self, days: int) -> ServiceResponse:
        """Tell what was watered, and what not."""
        return zone_actions.get_history(self.coordinator, self.zone, days)
