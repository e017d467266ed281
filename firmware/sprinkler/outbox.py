"""Outbox: what goes to the broker, and when. Events and samples are repeated until Home Assistant has acknowledged them.

Rule: publishes only what the link has room for; nothing here waits. It must not know how messages are built, or what they make anyone do.
"""

from . import protocol, report
from .auth import sign
from .errors import LinkError
from .link import RESOLVING
from .store import TOLD, UNTOLD

if False:  # for annotations
    from shapes import Cursor, Payload, Record

    from .app import App

_REPLIES_MAX = 16
_RESEND_MS = 60000
_AGAIN_MS = 5000  # what was begun anew so lately is on its way: else two who repeat themselves never come to an end
_STATE_EVERY_MS = 500  # a flood of changes is told at this pace


class Outbox:
    """The board's side of the topics."""

    _cursor: "Cursor | None"

    def __init__(self, app: "App") -> None:
        self._app = app
        self._replies: list[bytes] = []
        self._session = 0
        self._announce_due = self._online_due = self._time_due = False
        self._sent_event = self._sent_sample = 0
        self._resent_ms = 0
        self.answered = False  # somebody has acknowledged something in this wake
        self._begun_ms = -_AGAIN_MS - 1  # when the broker began to hear all of it last
        self._flash_told, self._cursor = False, None  # what lies on flash goes first; where we are in it
        self._state_ms = -_STATE_EVERY_MS
        self.state_due = True
        self.health_due = False

    def reply(
        self,
        command_id: str,
        accepted: bool,
        reason: str,
        zone: int = 0,
        run_id: int = 0,
        run_time_s: int = 0,
        run_until: int = 0,
        at: int = 0,
    ) -> None:
        """Answer a command; the oldest answers give way."""
        text = report.reply(command_id, accepted, reason, zone, run_id, run_time_s, run_until, at)
        self._replies = (self._replies + [text])[-_REPLIES_MAX:]

    def acknowledged(self, event: int, sample: int) -> None:
        """Home Assistant has stored this much of this boot. The same ack again means that it is back from an outage, and hears the rest once more."""
        m = self._app.memory
        old = event <= m.acked_event and sample <= m.acked_sample
        if old and self._app.board.uptime_ms() - self._begun_ms > _AGAIN_MS:
            self.tell_again()
        m.acknowledge(event, sample)

    def nothing_left(self) -> bool:
        """True when all that is to be said was said."""
        m = self._app.memory
        said = self._sent_event >= m.event_count or not m.events
        said = (
            said and (self._sent_sample >= m.sample_count or not m.samples) and (self._flash_told or m.kept != UNTOLD)
        )
        return said and not (
            self._replies
            or (self.state_due and not self._app.rest.calm)  # then it goes with the last words
            or self._announce_due
            or self._online_due
            or self.health_due
            or self._session != self._app.link.sessions
        )

    def service(self) -> None:
        """Publish what is due, as far as there is room."""
        app = self._app
        link = app.link
        if link.state > RESOLVING and app.clock.wants_sync() and app.clock.ask():
            self._time_due = True
        if app.board.uptime_ms() - self._resent_ms > _RESEND_MS:
            if app.memory.events:  # nobody stores them: do it here
                app.keep_backlog()
            self._rewind()
        if not link.up():
            return
        self.note_told()
        if self._session != link.sessions:
            self._session = link.sessions
            self._announce_due = link.fresh
            self._online_due = not app.rest.calm  # who leaves at once does not say that it came
            self.state_due = True
            if link.fresh or app.memory.kept != TOLD:  # a broker that forgot us may have forgotten what it was told
                self.tell_again()
            else:
                self._rewind()
        try:
            while link.room() and self._one() and not self.busy():
                pass
        except LinkError:
            pass  # the link has noticed, and starts anew

    def busy(self) -> bool:
        """True when the next turn has more to tell from flash: one message in a turn, for each takes its time, and a valve may be open."""
        return self._app.memory.kept == UNTOLD and not self._flash_told and self._app.link.room()

    def note_told(self, leaving: bool = False) -> None:
        """Remember that the broker has all that lies on flash, once it has said so; or that nobody stores it, though the broker was there: who comes asks."""
        link = self._app.link
        nobody = leaving and not self.answered and link.up() and link.for_ms() > _AGAIN_MS
        if self._app.memory.kept and (nobody or (self._flash_told and link.quiet())):
            self._app.memory.kept = TOLD

    def all_told(self) -> bool:
        """True when the broker has each event and sample that RTC memory holds."""
        m = self._app.memory
        return (
            self._sent_event >= m.event_count and self._sent_sample >= m.sample_count and not self._app.link.in_flight
        )

    def tell_again(self) -> None:
        """Begin anew, with what lies on flash: somebody misses some of it, or was told only a part."""
        self._app.memory.kept = UNTOLD if self._app.memory.kept else 0
        self._flash_told, self._cursor = False, None
        self._rewind()

    def _rewind(self) -> None:
        m = self._app.memory
        self._sent_event = m.event_count - m.held_events()
        self._sent_sample = m.sample_count - m.held_samples()
        self._resent_ms = self._app.board.uptime_ms()
        if m.kept != TOLD:
            self._begun_ms = self._resent_ms

    def _one(self) -> bool:
        """Publish the most urgent message; False when there is none."""
        app = self._app
        if self._announce_due:
            self._announce_due = False
            topic = protocol.topic(app.board.device_id, protocol.ANNOUNCE)
            from .announcing import announce

            app.link.publish(topic, sign(app.config.key, topic, announce(app)), True)
            app.board.drop("announcing")
        elif self._online_due:
            self._online_due = False
            self.publish(protocol.AVAILABILITY, report.ONLINE, True)
        elif self._time_due:
            self._time_due = False
            self.publish(protocol.TIME_REQUEST, report.time_request(app.clock.nonce), False)
        elif self._replies:
            self.publish(protocol.REPLY, self._replies.pop(0), False)
        elif self.state_due and not app.rest.calm and app.board.uptime_ms() - self._state_ms >= _STATE_EVERY_MS:
            self._publish_state()
        elif self.health_due:
            self._publish_health()
        else:
            return self._publish_backlog()
        return True

    def _publish_health(self) -> None:
        from .health import health

        self.health_due = False
        text = health(self._app)
        self._app.board.drop("health")
        self.publish(protocol.HEALTH, text, True)

    def _publish_state(self) -> None:
        app = self._app
        self._state_ms = app.board.uptime_ms()
        pieces = report.taken(report.board_state(app, app.clock.now_s()))
        self.publish(protocol.STATE, lambda: report.told(pieces), True)
        self.state_due = False

    def _publish_backlog(self) -> bool:
        m = self._app.memory
        if m.kept == UNTOLD and not self._flash_told:
            found = self._read_flash()
            if found:
                self._cursor = found[0]
                self._publish_records(*found[1:])
                return True
            self._flash_told = True
        events = m.next_events(self._sent_event)
        if events:
            self._sent_event = events[0][1]
            self._publish_records("e", m.boot_id, m.oldest_event(), events)
            return True
        samples = m.next_samples(self._sent_sample, report.SAMPLES_PER_MESSAGE)
        if samples:
            self._sent_sample = samples[-1][1]
            self._publish_records("s", m.boot_id, m.oldest_sample(), samples)
        return bool(samples)

    def _read_flash(self) -> "tuple[Cursor, str, int, int, list[Record]] | None":
        """What comes next of the backlog on flash. A function of its own, so that what reads it has left the heap before the message is made."""
        from .retelling import read

        try:
            return read(self._app.memory, self._app.board, self._cursor, report.SAMPLES_PER_MESSAGE)
        finally:
            self._app.board.drop("retelling")

    def _publish_records(self, kind: str, boot_id: int, oldest: int, records: "list[Record]") -> None:
        if kind == "e":
            self.publish(protocol.EVENT, report.event(self._app, boot_id, oldest, records[0]), False)
        else:
            head = report.telemetry_head(self._app, boot_id, oldest)
            self.publish(protocol.TELEMETRY, lambda: report.telemetry(self._app, head, records), False)

    def owes_replies(self) -> bool:
        """True while an answer to a command waits."""
        return bool(self._replies)

    def back_again(self) -> None:
        """The good-bye was early: say that the board is awake."""
        self._online_due = self.state_due = True

    def last_words(self, availability: bytes) -> None:
        """The last state of this wake, with the time of the next one, and where we are until then."""
        try:
            self._publish_state()
            self.publish(protocol.AVAILABILITY, availability, True)
        except LinkError:
            pass  # then the will speaks for us

    def publish(self, leaf: str, payload: "Payload", retain: bool) -> None:
        """Publish one message on one of this board's topics; its payload is bytes, or a function that yields its pieces, each time the same."""
        self._app.link.publish(protocol.topic(self._app.board.device_id, leaf), payload, retain)
