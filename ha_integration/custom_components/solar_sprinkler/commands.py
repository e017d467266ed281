"""Sends commands to a board and keeps account of what it has not acknowledged yet.

Rule: a board that is awake is waited for, a few seconds at most; one that sleeps is not. Every command carries an id, a rising counter, and
a time after which it is void. A run that waits for the board's wake is replaced by the next one for its zone and cancelled by a stop.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
import logging
import secrets
from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from . import messages, protocol
from .const import DOMAIN, EVENT_RUN_EXPIRED, EVENT_RUN_REFUSED
from .memory import QueuedRun
from .models import Check, Reply, State
from .refusals import refusal_of

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

_LOGGER = logging.getLogger(__name__)

REPLY_TIMEOUT_S = 5
CHECK_TIMEOUT_S = 60  # a check opens for five seconds and then waits for the meter to stand still
AWAKE_EXPIRES_S = 120
WAKE_MARGIN_MIN_S = 120  # a board's clock drifts while it sleeps
EXPIRES_MAX_S = protocol.EXPIRES_S_MAX - 600  # room for a clock that differs from ours
STOP_EXPIRES_S = EXPIRES_MAX_S // 2  # a late stop does no harm
ALL_ZONES = 0


@dataclass(frozen=True)
class Outcome:
    """What became of a command: the board's reply, or none yet, in which case the command waits until `expires_at`."""

    expires_at: int
    reply: Reply | None = None


class CommandDesk:
    """Commands one board for its coordinator."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing is on its way."""
        self._coordinator = coordinator
        self._waiting: dict[str, asyncio.Future[Reply]] = {}

    async def run(self, zone: int, run_time_s: int) -> Outcome:
        """Open a zone for `run_time_s`. Raises HomeAssistantError when the board refuses, is lost, or the broker is away."""
        coordinator = self._coordinator
        longest_s = coordinator.data.announce.run_time_max_s
        shortest_s = protocol.RUN_TIME_S_LIMITS[0]
        if not shortest_s <= run_time_s <= longest_s:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="run_time_out_of_range",
                translation_placeholders={"shortest_s": str(shortest_s), "longest_min": str(longest_s // 60)},
            )
        self._ensure_reachable()
        if zone in coordinator.data.queued and not coordinator.data.is_online:
            await self.stop(zone)
        number, expires_at = self._number(), self._expires_at()
        queued = QueuedRun(zone, *number, expires_at, run_time_s, is_acknowledged=False)
        coordinator.async_change_soon(queued={**coordinator.data.queued, zone: queued})
        return await self._send(number, expires_at, "run", {"zone": zone, "run_time_s": run_time_s})

    async def stop(self, zone: int) -> Outcome:
        """Close a zone (0: all) and cancel what waits for it. When a board that is awake refuses, or does not answer, tries the bare stop.

        Raises HomeAssistantError in these cases, and when the broker is away.
        """
        coordinator = self._coordinator
        coordinator.channel.ensure_connected()
        left = {number: run for number, run in coordinator.data.queued.items() if zone not in (number, ALL_ZONES)}
        coordinator.async_change_soon(queued=left)
        was_online = coordinator.data.is_online
        expires_at = int(coordinator.now) + STOP_EXPIRES_S
        try:
            outcome = await self._send(self._number(), expires_at, "stop", {"zone": zone})
        except HomeAssistantError:
            coordinator.async_say(protocol.COMMAND, messages.bare_stop())
            raise
        if was_online and outcome.reply is None:
            coordinator.async_say(protocol.COMMAND, messages.bare_stop())
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_reply")
        return outcome

    async def tell(self, word: str, **arguments: int) -> Outcome:
        """Any other command of the wire. Raises HomeAssistantError as `run` does, and when the board's firmware does not know the word."""
        if word not in self._coordinator.data.announce.commands:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="refused_unknown_command")
        self._ensure_reachable()
        return await self._send(self._number(), self._expires_at(), word, arguments)

    async def stay_awake(self, awake_s: int) -> Outcome:
        """Keep the board awake for `awake_s`. Raises HomeAssistantError as `run` does."""
        return await self.tell("stay_awake", awake_s=awake_s)

    async def skip(self, zone: int, program: int = 0) -> Outcome:
        """Give up the next start of a zone, or of one of its programs. Raises HomeAssistantError as `run` does."""
        return await self.tell("skip", zone=zone, program=program)

    async def check_valve(self, zone: int) -> tuple[Outcome, Check | None]:
        """Try a valve; with the verdict if the board is awake and comes to one in time. Raises HomeAssistantError as `run` does."""
        coordinator = self._coordinator
        before = self._check_of(zone)
        outcome = await self.tell("check_valve", zone=zone)
        if outcome.reply is None or not coordinator.data.is_online:
            return outcome, None
        judged = coordinator.hass.loop.create_future()

        def look() -> None:
            check = self._check_of(zone)
            if check != before and not judged.done():
                judged.set_result(check)

        stop_looking = coordinator.async_add_listener(look)
        look()
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return outcome, await judged
        except TimeoutError:
            return outcome, None
        finally:
            stop_looking()

    def _check_of(self, zone: int) -> Check | None:
        told = self._coordinator.data.zone(zone)
        return told.check if told else None

    def async_answered(self, reply: Reply) -> Mapping[int, QueuedRun]:
        """Hand a reply to whom waits for it; returns the runs that still wait."""
        future = self._waiting.get(reply.id)
        if future and not future.done():
            future.set_result(reply)
        left = {}
        for zone, run in self._coordinator.data.queued.items():
            if run.command_id != reply.id:
                left[zone] = run
            elif reply.accepted:  # shown as opening until the board's next state, and not believed closed before
                until = int(self._coordinator.now) + run.run_time_s
                left[zone] = replace(run, expires_at=max(run.expires_at, until), is_acknowledged=True)
            elif future is None:
                _LOGGER.warning(
                    "Zone %s of board %s will not run: %s", zone, self._coordinator.channel.device_id, reply.reason
                )
                self._tell(EVENT_RUN_REFUSED, zone, run, reply.reason)
        return left

    def unacknowledged(self, state: State) -> Mapping[int, QueuedRun]:
        """The runs that still wait once the board told `state`."""
        queued = self._coordinator.data.queued
        return {zone: run for zone, run in queued.items() if run.counter > state.command_counter}

    def async_expire(self) -> None:
        """Forget the runs whose time is over, and tell of those that the board never heard."""
        now = self._coordinator.now
        queued = self._coordinator.data.queued
        over = {zone: run for zone, run in queued.items() if run.expires_at <= now}
        if not over:
            return
        self._coordinator.async_change(queued={zone: run for zone, run in queued.items() if zone not in over})
        for zone, run in over.items():
            if not run.is_acknowledged:
                self._tell(EVENT_RUN_EXPIRED, zone, run, "expired")

    def async_stop(self) -> None:
        """Wait for no reply any more."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(HomeAssistantError(translation_domain=DOMAIN, translation_key="no_reply"))

    def _expires_at(self) -> int:
        """When a command that is sent now becomes void: soon, or soon after a sleeping board's next wake."""
        board, now = self._coordinator.data, int(self._coordinator.now)
        if board.is_online:
            return now + AWAKE_EXPIRES_S
        wake = max(now, board.next_wake or now + board.wake_interval_s)
        margin = max(WAKE_MARGIN_MIN_S, board.wake_interval_s // 4)
        return min(wake + margin, now + EXPIRES_MAX_S)

    def _ensure_reachable(self) -> None:
        self._coordinator.channel.ensure_connected()
        if not self._coordinator.data.is_reachable(self._coordinator.now):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="board_unreachable")

    def _number(self) -> tuple[str, int]:
        """A new command's id and counter."""
        coordinator = self._coordinator
        reported = coordinator.data.state.command_counter if coordinator.data.state else 0
        counter = coordinator.memory.next_counter(int(coordinator.now * 1000), reported)
        coordinator.store.async_schedule_save()
        return secrets.token_hex(4), counter

    async def _send(self, number: tuple[str, int], expires_at: int, word: str, arguments: Mapping[str, int]) -> Outcome:
        """Publish a command, and wait for its reply if the board is awake; no await comes before the publish, so counters rise on the wire."""
        coordinator = self._coordinator
        channel, command_id = coordinator.channel, number[0]
        payload = messages.command(channel.key, channel.device_id, *number, expires_at, word, arguments)
        if not coordinator.data.is_online:
            await channel.publish(protocol.COMMAND, payload)
            coordinator.async_tell_what_waits()
            return Outcome(expires_at)
        future = self._waiting[command_id] = coordinator.hass.loop.create_future()
        try:
            await channel.publish(protocol.COMMAND, payload)
            coordinator.async_tell_what_waits()
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                reply = await future
        except TimeoutError:
            return Outcome(expires_at)
        finally:
            del self._waiting[command_id]
        if not reply.accepted:
            raise refusal_of(reply.reason)
        return Outcome(expires_at, reply)

    def _tell(self, event_type: str, zone: int, run: QueuedRun, reason: str) -> None:
        self._coordinator.async_fire(event_type, {"zone": zone, "reason": reason, "duration_s": run.run_time_s})
