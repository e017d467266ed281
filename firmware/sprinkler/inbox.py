"""Inbox: who may say what. Turns messages into requests for the core, or refuses them with a reason.

Rule: length, then signature, then JSON, then counter, then expiry; nothing unsigned opens anything. It must not know how requests are carried out.
"""

import json

from . import protocol
from .auth import verify
from .errors import RefusedError, StoreError
from .reading import read
from .settings import integer
from .store import DESIRED, PROPOSED, set_in_place

if False:  # for annotations
    from .app import App

_BARE_STOP_MAX = 64  # bytes
_STORED_MAX = 8  # boots whose acknowledgement waits until flash is looked at
_TAMPERING = 10  # messages that do not verify, or bare stops, before the fault is raised


class Inbox:
    """Collects requests between two steps of the core."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._prefix = protocol.topic(app.board.device_id, "")
        self.requests: list[tuple] = []  # for controller.step
        self.ids: list[str] = []  # the command id of each, "" where nobody waits for an answer
        self.suspicious = 0
        self.stored: dict[int, tuple[int, int]] = {}  # boot id: event, sample that are stored, and flash may still hold
        self.proposed = 0  # length of the JSON of settings that wait to be read; 0: none do

    def take(self) -> tuple[list[tuple], list[str]]:
        """The requests so far with their command ids; empties the inbox."""
        taken = self.requests, self.ids
        self.requests, self.ids = [], []
        return taken

    def busy(self) -> bool:
        """True when the next turn has something to do for what was heard."""
        return bool(self.requests or self.stored) or self.proposed > 0

    def hear(self, topic: str, payload: memoryview | None, retained: int) -> None:
        """Take one message from the broker. `payload` None: it was too long to hold."""
        leaf = topic[len(self._prefix) :]
        if payload is not None and not payload:
            return
        if leaf == protocol.COMMAND:
            self._command(topic, payload, retained)
            return
        end = verify(self._app.config.key, topic, payload) if payload else 0
        try:
            if not end:
                raise RefusedError("invalid")
            if leaf == protocol.DESIRED:
                if not (
                    retained and self._app.safe_mode
                ):  # it may be what the board chokes on: only a new one is taken
                    self._desired(payload, end)
            elif leaf[:7] == "update/":
                self._update(leaf, payload, end)
            elif leaf == protocol.ACK:
                self._ack(json.loads(bytes(payload[:end])))
            elif leaf == protocol.WEATHER:
                from .weather import hear

                hear(self._app, payload[:end])
                self._app.board.drop("weather")
            elif leaf == protocol.TIME:
                heard = json.loads(bytes(payload[:end]))
                self._app.clock.answer(heard["nonce"], integer(heard["at"], (1700000000, 0xFFFFFFFF)))
        except (RefusedError, ValueError, KeyError, TypeError):
            self.suspicious += 1

    def _update(self, leaf: str, payload: memoryview, end: int) -> None:
        if leaf == protocol.UPDATE_BLOCK:
            from .loading import take

            take(self._app, payload, end)
            self._app.board.drop("loading")
            return
        from .offer import hear

        hear(self._app, payload, end)
        self._app.board.drop("offer")

    def _ack(self, ack: dict) -> None:
        app = self._app
        m = app.memory
        boot_id, event, sample = [integer(ack[key], (0, 0xFFFFFFFF)) for key in ("boot_id", "event", "sample")]
        app.outbox.answered = True
        if boot_id == m.boot_id:
            if event > m.event_count or sample > m.sample_count:  # numbers that were never given out
                return
            app.outbox.acknowledged(event, sample)
        due = m.free_due
        if not m.kept or (boot_id == due[0] and event < due[1] and sample < due[2]):
            return
        if (
            boot_id in self.stored or len(self.stored) < _STORED_MAX
        ):  # what does not fit is told, and acknowledged, once more
            known = self.stored.get(boot_id, (0, 0))
            self.stored[boot_id] = max(event, known[0]), max(sample, known[1])

    def free(self) -> None:
        """Let flash forget what Home Assistant has stored of one boot; not while that is heard, for then the heap holds the message and whoever takes
        it."""
        if not self.stored:
            return
        from .backlog import free

        app = self._app
        try:
            free(app.memory, app.board, *self.stored.popitem())
        except StoreError:
            app.storage_fault = True
        app.board.drop("backlog")

    def _desired(self, payload: memoryview, end: int) -> None:
        """Lay the settings down; the next turn reads them, when their text has left the heap."""
        from .proposed import propose

        app = self._app
        try:
            if propose(app.board, payload, end, app.settings.version):
                self.proposed = end
        except (ValueError, TypeError, KeyError):
            app.outbox.reply("desired", False, "invalid")
        except StoreError:
            app.storage_fault = True
            app.outbox.reply("desired", False, "storage")
        app.board.drop("proposed")

    def settle(self) -> None:
        """Put settings in force that were laid down and make sense; the others are refused as a whole. The file takes its place last: a reset before that
        changes nothing, and the broker still has the message."""
        app = self._app
        length, self.proposed = self.proposed, 0
        try:
            wanted = read(app.board, PROPOSED, length)
            set_in_place(app.board, PROPOSED, DESIRED)
            app.apply(wanted)
        except RefusedError as error:
            app.outbox.reply("desired", False, error.args[0])
        except StoreError:
            app.storage_fault = True
            app.outbox.reply("desired", False, "storage")

    def _command(self, topic: str, payload: memoryview | None, retained: int) -> None:
        end = verify(self._app.config.key, topic, payload) if payload else 0
        if not end:
            self.suspicious += 1
            if (
                payload
                and len(payload) <= _BARE_STOP_MAX
                and _is_bare_stop(payload)
                and ("bare_stop",) not in self.requests
            ):
                self.add(("bare_stop",), "")
            return
        from .commands import obey

        obey(self._app, self, payload[:end], retained)
        self._app.board.drop("commands")

    def stop_all(self) -> None:
        """Close everything and cancel what waits, as the settings ask for it."""
        self.add(("stop", 0), "")

    def add(self, request: tuple, command_id: str) -> None:
        """A request for the core's next step; its answer goes to `command_id`."""
        self.requests.append(request)
        self.ids.append(command_id)

    def tampering(self) -> bool:
        """True when too much came in that nobody with the key would send."""
        return self.suspicious >= _TAMPERING


def _is_bare_stop(payload: bytes | memoryview) -> bool:
    try:
        return json.loads(bytes(payload)) == {"command": "stop"}
    except ValueError:
        return False
