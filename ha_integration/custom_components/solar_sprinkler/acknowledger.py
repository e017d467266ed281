"""Tells the board which events and samples are stored here, so that it may free its backlog.

Rule: first to disk, then `ack`; a burst of messages makes one of each, for each life of the board that it told of. The same ack once more asks the
board to repeat what is missing.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_call_later

from . import messages, protocol
from .const import DOMAIN

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

ACK_DELAY_S = 0.3  # a backlog comes in several messages; the board that waits for this one stays awake meanwhile


class Acknowledger:
    """Stores and acknowledges for one board."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing is to be acknowledged yet."""
        self._coordinator = coordinator
        self._cancel: CALLBACK_TYPE | None = None
        self._boots: set[int] = set()  # that spoke since the last ack

    @callback
    def async_schedule(self, boot_id: int) -> None:
        """Acknowledge soon what memory holds of a boot: after news, after a repetition (an ack was lost), after a gap (to fill it)."""
        self._coordinator.memory.touch(boot_id)
        self._boots.add(boot_id)
        if self._cancel is None:
            self._cancel = async_call_later(self._coordinator.hass, ACK_DELAY_S, self._async_due)

    @callback
    def async_ask_for_missing(self) -> None:
        """Called when Home Assistant was away: ask for what the board gave numbers to meanwhile."""
        state = self._coordinator.data.state
        if state is None:
            return
        stored = self._coordinator.memory.of_boot(state.boot_id)
        if stored.event < state.event or stored.sample < state.sample:
            self.async_schedule(state.boot_id)

    @callback
    def async_stop(self) -> None:
        """Acknowledge nothing more; the board will repeat what was not."""
        if self._cancel:
            self._cancel()
            self._cancel = None

    @callback
    def _async_due(self, _now: datetime) -> None:
        self._cancel = None
        self._coordinator.config_entry.async_create_task(
            self._coordinator.hass, self._store_and_acknowledge(), f"{DOMAIN} acknowledge"
        )

    async def _store_and_acknowledge(self) -> None:
        coordinator = self._coordinator
        if not coordinator.memory.stored or coordinator.hass.is_stopping:  # a stopping Home Assistant writes later
            return
        spoke, self._boots = self._boots, set()
        to_tell = [stored for stored in coordinator.memory.stored if stored.boot_id in spoke]
        await coordinator.store.async_save()
        channel = coordinator.channel
        for stored in to_tell:  # the one that spoke last comes last, and is retained
            payload = messages.ack(channel.key, channel.device_id, stored.boot_id, stored.event, stored.sample)
            coordinator.async_say(protocol.ACK, payload, retain=True)
