"""Takes in what a board says.

Rule: a message that does not parse changes nothing and is logged once per topic. Each topic has one handler, which returns what the message
changes in the snapshot. What is never published as retained is not believed when it comes retained.
"""

from collections.abc import Callable, Mapping
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.components.mqtt import ReceiveMessage
from homeassistant.core import callback

from . import messages, models, protocol
from .channel import payload_of
from .const import CONF_ANNOUNCE
from .errors import ModelError, SignatureError
from .memory import Arrival, last_skips
from .weather import REPLY_ID as WEATHER_REPLY_ID

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

_LOGGER = logging.getLogger(__name__)

TIME_ANSWER_GAP_S = 1  # a board that really asks has been awake for longer than that
LAST_SEEN_STEP_S = 30  # a finer step would fill the recorder's database with it
DESIRED_REPLY_ID = "desired"
_EVENT_ATTRIBUTES = ("zone", "run_id", "program", "result", "reason", "duration_s", "volume_ml", "at", "boot_id", "n")
_RETAINED = (
    protocol.ANNOUNCE,
    protocol.AVAILABILITY,
    protocol.STATE,
    protocol.HEALTH,
    protocol.DESIRED,
    protocol.UPDATE_STATE,
)

type Changes = Mapping[str, Any]
NOTHING: Changes = {}


class Inbox:
    """Hears one board for its coordinator."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing is heard yet."""
        self._coordinator = coordinator
        self._complained: set[str] = set()
        self._answered: tuple[str, float] = ("", 0.0)  # nonce, time
        self._handlers: dict[str, Callable[[str, bytes], Changes]] = {
            protocol.ANNOUNCE: self._announce,
            protocol.AVAILABILITY: self._availability,
            protocol.STATE: self._state,
            protocol.TELEMETRY: self._telemetry,
            protocol.EVENT: self._event,
            protocol.REPLY: self._reply,
            protocol.TIME_REQUEST: self._time_request,
            protocol.HEALTH: self._health,
            protocol.DESIRED: self._desired,
            protocol.UPDATE_STATE: self._update_state,
            protocol.UPDATE_REQUEST: self._update_request,
        }

    @callback
    def async_hear(self, message: ReceiveMessage) -> None:
        """Take one message in, or complain once per topic."""
        leaf = message.topic.removeprefix(messages.topic(self._coordinator.channel.device_id, ""))
        payload = payload_of(message)
        if message.retain and (not payload or leaf not in _RETAINED):
            return
        try:
            changes = self._handlers[leaf](message.topic, payload)
        except ModelError as error:
            if leaf not in self._complained:
                self._complained.add(leaf)
                _LOGGER.warning("Ignored a message on %s: %s", message.topic, error)
            return
        is_from_board = leaf in protocol.TO_HOME_ASSISTANT and not message.retain
        self._coordinator.async_change(**changes, **(self._seen() if is_from_board else NOTHING))
        if leaf == protocol.STATE and message.retain:
            self._coordinator.acknowledger.async_ask_for_missing()

    @property
    def last_nonce(self) -> str:
        """The nonce that was answered last; empty when the board never asked for the time."""
        return self._answered[0]

    def _seen(self) -> Changes:
        now = int(self._coordinator.now)
        if now < self._coordinator.data.last_seen + LAST_SEEN_STEP_S:
            return NOTHING
        self._coordinator.memory.last_seen = now
        return {"last_seen": now}

    def _announce(self, topic: str, payload: bytes) -> Changes:
        entry, hass = self._coordinator.config_entry, self._coordinator.hass
        try:
            models.announce(topic, payload, self._coordinator.channel.key)
        except SignatureError:
            self._coordinator.async_change(key_fits=False)
            entry.async_start_reauth(hass, data={CONF_ANNOUNCE: payload.decode()})
            raise
        if payload != entry.data[CONF_ANNOUNCE].encode():
            hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_ANNOUNCE: payload.decode()})
            hass.config_entries.async_schedule_reload(entry.entry_id)
        return {"key_fits": True}

    def _availability(self, _topic: str, payload: bytes) -> Changes:
        availability = models.availability(payload)
        self._coordinator.memory.availability = availability
        self._coordinator.store.async_schedule_save()
        return {"availability": availability}

    def _state(self, _topic: str, payload: bytes) -> Changes:
        state = models.state(payload)
        if self._coordinator.memory.is_newer_than(state):
            raise ModelError("older than what the board said before")
        self._coordinator.memory.state = state
        self._coordinator.store.async_schedule_save()
        self._coordinator.desired.async_consider(state.desired_version)
        self._coordinator.weather.async_consider(state)
        return {"state": state, "queued": self._coordinator.commands.unacknowledged(state)}

    def _health(self, _topic: str, payload: bytes) -> Changes:
        return {"health": models.health(payload)}

    def _telemetry(self, _topic: str, payload: bytes) -> Changes:
        telemetry = models.telemetry(payload)
        memory = self._coordinator.memory
        boot_id, oldest = telemetry.boot_id, telemetry.oldest
        news = [sample for sample in telemetry.samples if memory.add_sample(boot_id, sample, oldest) is Arrival.NEXT]
        self._coordinator.acknowledger.async_schedule(boot_id)
        return {"sample": news[-1]} if news else NOTHING

    def _event(self, _topic: str, payload: bytes) -> Changes:
        event = models.event(payload)
        is_news = self._coordinator.memory.add_event(event) is Arrival.NEXT
        if is_news:
            self._coordinator.async_fire(event.event, {key: getattr(event, key) for key in _EVENT_ATTRIBUTES})
        self._coordinator.acknowledger.async_schedule(event.boot_id)
        return {"skips": last_skips(self._coordinator.memory.events)} if is_news else NOTHING

    def _reply(self, _topic: str, payload: bytes) -> Changes:
        reply = models.reply(payload)
        if reply.id == DESIRED_REPLY_ID:
            refused = "" if reply.accepted else reply.reason
            if refused and refused != self._coordinator.data.desired_refused:
                _LOGGER.warning("Board %s refused its settings: %s", self._coordinator.channel.device_id, refused)
            if refused:
                self._coordinator.desired.async_refused(refused)
            return {"desired_refused": refused}
        if reply.id == WEATHER_REPLY_ID:
            self._coordinator.weather.async_answered(reply)
            return NOTHING
        return {"queued": self._coordinator.commands.async_answered(reply)}

    def _update_state(self, _topic: str, payload: bytes) -> Changes:
        told = models.update_state(payload)
        self._coordinator.updater.async_consider(told)
        return {"update": told}

    def _update_request(self, _topic: str, payload: bytes) -> Changes:
        self._coordinator.updater.async_send(models.update_request(payload))
        return NOTHING

    def _desired(self, topic: str, payload: bytes) -> Changes:
        desired = models.desired(topic, payload, self._coordinator.channel.key)
        self._coordinator.desired.async_adopt(desired)
        return NOTHING

    def _time_request(self, _topic: str, payload: bytes) -> Changes:
        nonce = models.time_request(payload).nonce
        answered, at = self._answered
        now = self._coordinator.now
        if nonce != answered and not 0 <= now - at < TIME_ANSWER_GAP_S:
            self._answered = (nonce, now)
            channel = self._coordinator.channel
            answer = messages.time_answer(channel.key, channel.device_id, nonce, int(now))
            self._coordinator.async_say(protocol.TIME, answer)
        return NOTHING
