"""Settings and programs as wanted, with a version that rises when their content changes.

Rule: the board takes the message as complete, so nothing is published before it is known what would be overwritten: the board's version is
0, or what was published last is remembered here or retained by the broker. Home Assistant's time zone and place are sent along.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, callback
from homeassistant.exceptions import HomeAssistantError

from . import messages, protocol
from .const import DOMAIN
from .errors import ModelError, TimeZoneError
from .models import Desired, State
from .refusals import refusal_of
from .time_zone import posix_rule
from .usual_et0 import month_et0_um

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

_LOGGER = logging.getLogger(__name__)

CONFIRM_TIMEOUT_S = 5
_REPORTED = ("watering_enabled", "rain_delay_until", "seasonal_adjust_pct")

type Programs = Sequence[Mapping[str, Any]]
type Change = Callable[[Programs], Programs]


def next_desired(known: Desired | None, wanted: Mapping[str, Any], programs: Programs, version_floor: int) -> Desired:
    """What is to stand: `known` when it holds `wanted` and `programs` and nobody has a higher version than that."""
    if known is not None:
        is_same = dict(known.settings) == dict(wanted) and [*known.programs] == [*programs]
        if is_same and version_floor <= known.version:
            return known
    version = max(known.version if known else 0, version_floor) + 1
    return Desired(version, dict(wanted), tuple(programs))


def reported_settings(state: State) -> dict[str, Any]:
    """What the board says of its own settings; winter only when it is, because an older firmware does not know it."""
    settings = {key: getattr(state, key) for key in _REPORTED}
    return {**settings, "winter": True} if state.winter else settings


class DesiredKeeper:
    """Keeps `desired` of one board up to date."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing is published yet."""
        self._coordinator = coordinator
        self._lock = asyncio.Lock()
        self._published_version = 0
        self._refused_version = 0
        self._reported_version: int | None = None
        self._waiting: asyncio.Future[str] | None = None
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
        known = self._coordinator.memory.desired
        if known is not None and reported_version == known.version:
            self._answer("")
        if reported_version != self._reported_version or known is None:
            self._reported_version = reported_version
            self._async_schedule()

    @callback
    def async_refused(self, reason: str) -> None:
        """The board refused what it was last sent; whoever waits for it is told."""
        self._refused_version = max(self._refused_version, self._published_version)
        self._answer(reason)

    @callback
    def async_adopt(self, desired: Desired) -> None:
        """The broker retained settings that carry our signature: those of before Home Assistant forgot, or was restored from a backup."""
        known = self._coordinator.memory.desired
        if (known is None or known.version < desired.version) and desired.version != self._refused_version:
            self._remember(desired)
            self._coordinator.store.async_schedule_save()
            self._async_schedule()

    async def async_edit(self, settings: Mapping[str, Any] | None = None, programs: Change | None = None) -> bool:
        """Want other settings or programs; True when the board confirmed them, False when it will hear of them at its next wake.

        Raises HomeAssistantError when the broker is away, when what would be overwritten is not known, when it is more than a board takes, and,
        with the old ones in force again, when a board that is awake refuses.
        """
        self._coordinator.channel.ensure_connected()
        async with self._lock:
            memory = self._coordinator.memory
            known, state = memory.desired, memory.state
            if state is None or (known is None and state.desired_version > 0):
                raise HomeAssistantError(translation_domain=DOMAIN, translation_key="desired_unknown")
            wanted = self._with_months({**await self._wanted(known, state), **(settings or {})})
            programmed: Programs = known.programs if known else ()
            if programs is not None:
                programmed = programs(programmed)
            desired = next_desired(known, wanted, programmed, max(state.desired_version, self._refused_version))
            if desired == known:
                return not self._coordinator.data.is_waited_for
            payload = self._payload(desired)
            waiting = self._waiting = self._coordinator.hass.loop.create_future()
            self._remember(desired)
            await self._coordinator.store.async_save()
            self._publish(desired, payload)
            reason = await self._answered(waiting) if self._coordinator.data.is_online else None
            if reason and known is not None:
                self._coordinator.async_change(desired_refused="")
                self._remember(known)
                await self._coordinator.store.async_save()
                self._publish(known, self._payload(known))
        if reason:
            raise refusal_of(reason)
        return reason is not None

    async def async_start_afresh(self) -> None:
        """Replace settings and programs that Home Assistant does not know by the reported settings and no programs."""
        async with self._lock:
            state = self._coordinator.memory.state
            if self._coordinator.memory.desired is None and state is not None:
                self._remember(Desired(state.desired_version, reported_settings(state), ()))
        await self._publish_if_needed()

    async def _answered(self, waiting: asyncio.Future[str]) -> str | None:
        """The reason of a refusal, nothing for a confirmation, None for neither."""
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                return await waiting
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    @callback
    def _answer(self, reason: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(reason)

    @callback
    def _remember(self, desired: Desired) -> None:
        self._coordinator.memory.desired = desired
        self._coordinator.async_change(desired=desired)

    def _payload(self, desired: Desired) -> bytes:
        channel = self._coordinator.channel
        try:
            return messages.desired(channel.key, channel.device_id, desired.version, desired.settings, desired.programs)
        except ModelError as error:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="desired_too_long") from error

    @callback
    def _publish(self, desired: Desired, payload: bytes) -> None:
        self._published_version = desired.version
        self._coordinator.async_change(desired_refused="")
        self._coordinator.async_say(protocol.DESIRED, payload, retain=True)

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
            programs = memory.desired.programs if memory.desired else ()
            desired = next_desired(memory.desired, wanted, programs, self._reported_version)
            is_news = desired != memory.desired
            if not is_news and desired.version in (self._reported_version, self._published_version):
                return
            payload = self._payload(desired)
            if is_news:
                self._remember(desired)
                await self._coordinator.store.async_save()
            self._publish(desired, payload)

    async def _wanted(self, known: Desired | None, state: State) -> dict[str, Any]:
        config = self._coordinator.hass.config
        wanted = dict(known.settings) if known else reported_settings(state)
        wanted["latitude_cdeg"] = round(config.latitude * 100)
        wanted["longitude_cdeg"] = round(config.longitude * 100)
        rule = await self._time_zone_rule(config.time_zone)
        if rule is not None:
            wanted["tz_rule"] = rule
        return self._with_months(wanted)

    def _with_months(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The usual ET0 goes along where a zone's soil is described."""
        if not any(zone.get("available_um") for zone in wanted.get("zones", ())):
            return {key: value for key, value in wanted.items() if key != "month_et0_um"}
        return {**wanted, "month_et0_um": month_et0_um(self._coordinator.hass.config.latitude)}

    async def _time_zone_rule(self, name: str) -> str | None:
        if name != self._rule[0]:
            try:
                rule = await self._coordinator.hass.async_add_executor_job(posix_rule, name)
            except TimeZoneError as error:
                _LOGGER.warning("The board keeps its time zone: %s", error)
                rule = None
            self._rule = (name, rule)
        return self._rule[1]
