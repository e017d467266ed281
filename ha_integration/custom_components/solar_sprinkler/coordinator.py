"""Push coordinator of one board: holds what is known and tells the entities when that changes.

Rule: the only place that replaces the snapshot (`data`). Time alone changes what is shown (a board is overdue, a queued run expired), so it
wakes up for the next such moment. Never waits for a board: it may be asleep.
"""

from asyncio import TimerHandle
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
import logging
from typing import Any, override

from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from . import messages, protocol
from .acknowledger import Acknowledger
from .board import Board
from .channel import Channel
from .commands import CommandDesk
from .const import DOMAIN
from .desired import DesiredKeeper
from .inbox import Inbox
from .issues import IssueKeeper, wanted
from .memory import Memory
from .sentences import Teller
from .storage import MemoryStore
from .updater import Updater
from .weather import WeatherKeeper
from .words import Words

_LOGGER = logging.getLogger(__name__)

RUN_TIME_DEFAULT_S = 600

type SprinklerConfigEntry = ConfigEntry[SprinklerCoordinator]
type EventListener = Callable[[str, Mapping[str, Any]], None]


class SprinklerCoordinator(DataUpdateCoordinator[Board]):
    """See the module's docstring."""

    config_entry: SprinklerConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: SprinklerConfigEntry,
        channel: Channel,
        store: MemoryStore,
        board: Board,
        words: Words,
    ) -> None:
        """Start from `board`, which is what the store remembered."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=f"{DOMAIN} {channel.device_id}")
        self.data = board
        self.channel = channel
        self.store = store
        self.board_device_id = ""  # set as soon as the device is registered
        self.words = words
        self.run_times_s: dict[int, int] = {}  # per zone, what a valve opens for; the number entities set it
        self.commands = CommandDesk(self)
        self.desired = DesiredKeeper(self)
        self.weather = WeatherKeeper(self)
        self.acknowledger = Acknowledger(self)
        self.updater = Updater(self)
        self._inbox = Inbox(self)
        self._issues = IssueKeeper(hass, channel.device_id, entry.entry_id, entry.title)
        self._event_listeners: list[EventListener] = []
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._cancel_timer: CALLBACK_TYPE | None = None
        self._telling: TimerHandle | None = None
        self._was_reachable = board.is_reachable(self.now)

    @property
    def memory(self) -> Memory:
        """What survives a restart."""
        return self.store.memory

    @property
    def now(self) -> float:
        """Unix seconds."""
        return dt_util.utcnow().timestamp()

    @property
    def teller(self) -> Teller:
        """Tells things in Home Assistant's language and time zone, as of now."""
        return Teller(self.words, dt_util.get_default_time_zone(), self.now)

    def run_time_s(self, zone: int) -> int:
        """How long a zone runs when nobody says how long."""
        return self.run_times_s.get(zone, RUN_TIME_DEFAULT_S)

    async def async_start(self) -> None:
        """Hear the board; called when all entities are there, so that no event is missed."""
        self._unsubscribe.append(mqtt.async_subscribe_connection_status(self.hass, self._async_broker))
        self._unsubscribe.append(self.desired.async_start())
        self._unsubscribe.append(await self.updater.async_start())
        for leaf in (
            protocol.DESIRED,
            *protocol.TO_HOME_ASSISTANT,
        ):  # what is retained of ours comes before what the board says
            self._unsubscribe.append(await self.channel.subscribe(leaf, self._inbox.async_hear))
        self._unsubscribe.append(self.async_add_listener(self._async_keep_issues))
        self.commands.async_expire()
        self._async_keep_issues()
        self._async_plan()

    async def async_stop(self) -> None:
        """Hear no more, and write down what must survive."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        self.async_tell_what_waits()
        self._async_cancel_timer()
        self._issues.async_clear()
        self.acknowledger.async_stop()
        self.commands.async_stop()
        await self.store.async_save()

    @override
    async def _async_update_data(self) -> Board:
        """Nothing can be fetched from a board that sleeps: what is known is known."""
        return self.data

    @callback
    def async_change(self, **changes: Any) -> None:
        """Replace fields of the snapshot and tell the entities, if that makes a difference."""
        if self._async_replace(changes):
            self._async_tell()

    @callback
    def async_change_soon(self, **changes: Any) -> None:
        """The same, but a message that is published next goes out before the entities are told: that takes longer, and water comes first.

        They are told before any answer is read, and at the latest by `async_tell_what_waits`.
        """
        if self._async_replace(changes):
            self._telling = self.hass.loop.call_later(0, self._async_tell)

    @callback
    def async_tell_what_waits(self) -> None:
        """Tell the entities now what they were to be told soon."""
        if self._telling is not None:
            self._async_tell()

    @callback
    def _async_replace(self, changes: Mapping[str, Any]) -> bool:
        changed = replace(self.data, **changes)
        is_news = changed != self.data
        self.data = changed
        self.memory.queued = [*changed.queued.values()]
        return is_news

    @callback
    def _async_tell(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self.async_set_updated_data(self.data)
        self._async_plan()

    @callback
    def async_listen_events(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call `listener` with the type and the attributes of each new event; returns what ends it."""
        self._event_listeners.append(listener)
        return lambda: self._event_listeners.remove(listener)

    @callback
    def async_fire(self, event_type: str, attributes: Mapping[str, Any]) -> None:
        """Tell the listeners of an event."""
        for listener in self._event_listeners:
            listener(event_type, attributes)

    async def async_tell_time(self) -> None:
        """Answer the board's last request for the time once more. Raises HomeAssistantError when there was none, or the broker is away."""
        nonce = self._inbox.last_nonce
        if not nonce:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_time_request")
        answer = messages.time_answer(self.channel.key, self.channel.device_id, nonce, int(self.now))
        await self.channel.publish(protocol.TIME, answer)

    @callback
    def _async_keep_issues(self) -> None:
        self._issues.async_keep(wanted(self.data, self.teller))

    @callback
    def async_say(self, leaf: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish, soon, what no person waits for."""
        self.config_entry.async_create_task(self.hass, self._say(leaf, payload, retain), f"{DOMAIN} {leaf}")

    async def _say(self, leaf: str, payload: bytes, retain: bool) -> None:
        try:
            await self.channel.publish(leaf, payload, retain=retain)
        except HomeAssistantError as error:  # the entities show already that the broker is out of reach
            _LOGGER.debug("Could not publish %s to %s: %s", leaf, self.channel.device_id, error)

    @callback
    def _async_broker(self, connected: bool) -> None:
        self.async_change(broker_connected=connected)
        if connected:
            self.desired.async_broker_is_back()

    @callback
    def _async_plan(self) -> None:
        """Wake up when time alone will change what is to be shown; say so when the board went out of reach, or came back."""
        self._async_cancel_timer()
        if self._was_reachable != self.data.is_reachable(self.now):
            self._was_reachable = not self._was_reachable
            _LOGGER.info(
                "Board %s is %s", self.channel.device_id, "in reach" if self._was_reachable else "out of reach"
            )
        moment = self.data.next_change_at(self.now)
        if moment is not None and self._unsubscribe:
            when = dt_util.utc_from_timestamp(moment)
            self._cancel_timer = async_track_point_in_utc_time(self.hass, self._async_time_passed, when)

    @callback
    def _async_cancel_timer(self) -> None:
        if self._cancel_timer:
            self._cancel_timer()
            self._cancel_timer = None

    @callback
    def _async_time_passed(self, _now: datetime) -> None:
        self._cancel_timer = None
        self.commands.async_expire()
        self.async_update_listeners()
        self._async_plan()
