"""Settings and programs as wanted, with a version that rises when their content changes.

Rule: the board takes the message as complete, so nothing is published before it is known what would be overwritten: the board's version is
0, or what was published last is remembered here or retained by the broker. Home Assistant's time zone and place are sent along.
"""

import asyncio
from collections.abc import Mapping
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, callback

from . import messages, protocol
from .const import DOMAIN
from .errors import TimeZoneError
from .models import Desired, State
from .time_zone import posix_rule

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

_LOGGER = logging.getLogger(__name__)

_REPORTED = ("watering_enabled", "rain_delay_until", "seasonal_adjust_pct")


def next_desired(known: Desired | None, wanted: Mapping[str, Any], reported_version: int) -> Desired:
    """The settings and programs that are to stand: `known` when it holds `wanted` and the board has no higher version than that."""
    if known is not None and dict(known.settings) == dict(wanted) and reported_version <= known.version:
        return known
    version = max(known.version if known else 0, reported_version) + 1
    return Desired(version, dict(wanted), known.programs if known else ())


class DesiredKeeper:
    """Keeps `desired` of one board up to date."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing is published yet."""
        self._coordinator = coordinator
        self._lock = asyncio.Lock()
        self._published_version = 0
        self._reported_version: int | None = None
        self._rule: tuple[str, str | None] = ("", None)  # name, rule

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow Home Assistant's own settings; returns what ends it."""
        return self._coordinator.hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._async_config_changed)

    @callback
    def async_broker_is_back(self) -> None:
        """A broker that was away may have forgotten what is retained."""
        self._published_version = 0
        self._async_schedule()

    @callback
    def async_consider(self, reported_version: int) -> None:
        """The board told which version it has; publish when it should have another."""
        if reported_version != self._reported_version or self._coordinator.memory.desired is None:
            self._reported_version = reported_version
            self._async_schedule()

    @callback
    def async_adopt(self, desired: Desired) -> None:
        """The broker retained settings that carry our signature: those of before Home Assistant forgot, or was restored from a backup."""
        known = self._coordinator.memory.desired
        if known is None or known.version < desired.version:
            self._coordinator.memory.desired = desired
            self._coordinator.store.async_schedule_save()
            self._async_schedule()

    @callback
    def _async_config_changed(self, _event: Event[Any]) -> None:
        self._async_schedule()

    @callback
    def _async_schedule(self) -> None:
        self._coordinator.config_entry.async_create_task(
            self._coordinator.hass, self._publish_if_needed(), f"{DOMAIN} desired"
        )

    async def _publish_if_needed(self) -> None:
        async with self._lock:
            memory = self._coordinator.memory
            if self._reported_version is None or memory.state is None:
                return
            if memory.desired is None and self._reported_version > 0:
                _LOGGER.info(
                    "The board has settings and programs that Home Assistant does not know; they are left alone"
                )
                return
            wanted = await self._wanted(memory.desired, memory.state)
            desired = next_desired(memory.desired, wanted, self._reported_version)
            is_news = desired != memory.desired
            if not is_news and desired.version in (self._reported_version, self._published_version):
                return
            if is_news:
                memory.desired = desired
                await self._coordinator.store.async_save()
            self._published_version = desired.version
            self._coordinator.async_change(desired_refused="")
        channel = self._coordinator.channel
        payload = messages.desired(channel.key, channel.device_id, desired.version, desired.settings, desired.programs)
        self._coordinator.async_say(protocol.DESIRED, payload, retain=True)

    async def _wanted(self, known: Desired | None, state: State) -> dict[str, Any]:
        config = self._coordinator.hass.config
        wanted = dict(known.settings) if known else {key: getattr(state, key) for key in _REPORTED}
        wanted["latitude_cdeg"] = round(config.latitude * 100)
        wanted["longitude_cdeg"] = round(config.longitude * 100)
        rule = await self._time_zone_rule(config.time_zone)
        if rule is not None:
            wanted["tz_rule"] = rule
        return wanted

    async def _time_zone_rule(self, name: str) -> str | None:
        if name != self._rule[0]:
            try:
                rule = await self._coordinator.hass.async_add_executor_job(posix_rule, name)
            except TimeZoneError as error:
                _LOGGER.warning("The board keeps its time zone: %s", error)
                rule = None
            self._rule = (name, rule)
        return self._rule[1]
