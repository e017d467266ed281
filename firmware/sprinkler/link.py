"""Link: Wi-Fi, one TCP connection, one MQTT session; advanced in steps that never wait.

Rule: `service` does what can be done now; `wait` is the only wait, and it has an end. The valve never waits for the network. It must not know what the
messages mean. What leads to UP is in the late module `joining`. States: OFF -> JOINING -> RESOLVING -> CONNECTING -> GREETING -> UP, and back to OFF
with a growing pause at any failure.
"""

from . import mqtt
from .errors import LinkError

if False:  # for annotations
    from shapes import Callable, Payload, Poller, Socket

    from .board import Board
    from .store import Memory

OFF, JOINING, RESOLVING, CONNECTING, GREETING, UP = range(6)

# How long each state may last, ms (UP: how long an answer may be owed)
_PATIENCE_MS = (0, 15000, 3000, 6000, 6000, 10000)
_BACKOFF_MS = (1000, 60000)
KEEPALIVE_S = 60
IN_PROGRESS = (11, 115, 119, 150)  # EAGAIN and the EINPROGRESS of several stacks
_BEHIND_MAX = 1024  # bytes of answers that wait behind a message
_IN_FLIGHT_MAX = 8
_LOOK_MS = 50  # at Wi-Fi and at the name server
_CHUNK = 256  # bytes that are given to the socket at a time, and taken from it
_RECEIVE_MAX = 16  # chunks that one step reads: no broker can hold the loop, or the heap


class Link:
    """The board's connection. `memory` keeps the addresses of broker and time server; `wifi` is (ssid, password, time server); `session` is (host,
    port, client id, user, password, will topic, will payload); `topics` (a prefix and what follows it) are subscribed at QoS 1;
    `hear(topic, payload, retained)` is called for each message before it is acknowledged (payload None: too long)."""

    sock: "Socket | None"
    poller: "Poller | None"
    decoder: mqtt.Decoder | None

    def __init__(
        self,
        board: "Board",
        memory: "Memory",
        wifi: tuple[str, str, str],
        session: tuple[str, int, str, str, str, str, bytes],
        topics: tuple[str, tuple[str, ...]],
        hear: "Callable[[str, memoryview | None, int], None]",
    ) -> None:
        self.board = board
        self.memory = memory
        self.wifi = wifi
        self.session = session
        self.topics = topics
        self._hear = hear
        self.wlan = board.network.WLAN(board.network.STA_IF)
        self.sock = self.poller = self.decoder = None
        # What waits to be sent: bytes, or a view of them; while there is more, there is some here
        self.out: memoryview | bytes = b""
        self._behind: list = []  # what follows it: packets, and messages as [bytes left, the piece under way, what yields the others]
        self.in_flight: list[int] = []
        self.packet_id = 0
        self._backoff_ms = _BACKOFF_MS[0]
        self._since_ms = self._sent_ms = board.uptime_ms()
        self.owed_ms = 0  # when the oldest unanswered packet went out; 0: nothing is owed
        self.open_names = 0
        self.asks_names = False  # what is known of addresses may be old
        self.failed_joins = 0
        self.join_ms: int | None = None  # how long Wi-Fi took to join last in this boot
        self.resubscribe = True  # after a cold boot: retained messages must come again
        self.fresh = True  # the broker did not know this session: it may have lost what it retained
        self.sessions = 0  # counts connections, so that the application sees a new one
        self.state = OFF
        self._pause_ms = 0

    # What the application asks

    def up(self) -> bool:
        """True when messages can be published."""
        return self.state == UP

    def room(self) -> bool:
        """True when one more message fits: the socket has taken all before it, so that no more than one is held."""
        return self.state == UP and not self.out and len(self.in_flight) < _IN_FLIGHT_MAX

    def quiet(self) -> bool:
        """True when all that was published is acknowledged."""
        return self.state == UP and not self.out and not self.in_flight and not self.owed_ms

    def rssi_dbm(self) -> int | None:
        """Signal strength, or None."""
        try:
            return self.wlan.status("rssi")
        except (OSError, ValueError, TypeError):
            return None

    def publish(self, topic: str, payload: "Payload", retain: bool) -> None:
        """Send one message; call only when there is `room`, but for the last words. Its payload is bytes, or a function that yields its pieces, each time
        the same: they are made twice, first to be measured, for held together they would not fit the heap."""
        pieces = (lambda: iter((payload,))) if isinstance(payload, bytes) else payload
        length = 0
        for piece in pieces():
            length += len(piece)
        self.packet_id = mqtt.next_id(self.packet_id)
        head = mqtt.publish(topic, length, self.packet_id, retain)
        self.in_flight.append(self.packet_id)
        self._behind.append([len(head) + length, head, pieces()])
        self._sent_ms = self.board.uptime_ms()
        if not self.out:
            self._go_on()
        self.flush()
        self.owe()

    def close(self) -> None:
        """Leave politely: the will is not published."""
        if self.state == UP:
            try:
                self.send(mqtt.DISCONNECT_PACKET)
            except LinkError:
                pass  # it was leaving anyway
        self._drop()

    # The state machine

    def service(self) -> None:
        """Do what can be done now."""
        if self.state == OFF and self.for_ms() < self._pause_ms:
            return
        try:
            if self.state == UP:
                self._talk()
            else:
                self._come_up()
        except (LinkError, OSError):
            if self.state == JOINING:
                self.failed_joins += 1
            if self.state == CONNECTING:  # there may be another broker behind that name
                self.asks_names = True
            self._drop()
            self._pause_ms = (
                self._backoff_ms + self.board.os.urandom(1)[0] * self._backoff_ms // 512
            )  # jitter, up to a half more
            self._backoff_ms = min(self._backoff_ms * 2, _BACKOFF_MS[1])

    def _come_up(self) -> None:
        from .joining import advance

        advance(self)
        if self.state == UP:
            self._backoff_ms = _BACKOFF_MS[0]
            self.board.drop("joining")
        elif self.state != OFF and self.for_ms() > _PATIENCE_MS[self.state]:
            raise LinkError("timeout")

    def wait(self, ms: int) -> bool:
        """Wait at most `ms`. True once there is something to do here: the broker has something to say, or the link can go on."""
        if self.poller is not None:
            return self.board.poll(self.poller, ms)
        if self.state == OFF:
            left_ms = max(10, self._pause_ms - self.for_ms())
            self.board.sleep_ms(min(ms, left_ms))
            return left_ms <= ms
        while ms > 0:
            self.board.sleep_ms(min(ms, _LOOK_MS))
            ms -= _LOOK_MS
            if self.state != JOINING or self.wlan.isconnected():
                return True
        return False

    def for_ms(self) -> int:
        """How long this state has lasted."""
        return self.board.uptime_ms() - self._since_ms

    def enter(self, state: int) -> None:
        """Go on to `state`."""
        self.state = state
        self._since_ms = self.board.uptime_ms()

    def _talk(self) -> None:
        self.flush()
        self.receive()
        now = self.board.uptime_ms()
        if self.owed_ms and now - self.owed_ms > _PATIENCE_MS[UP]:
            raise LinkError("silent")
        if not self.owed_ms and now - self._sent_ms > KEEPALIVE_S * 500:
            self.send(mqtt.PINGREQ_PACKET)
            self.owe()

    def receive(self) -> None:
        """Take what the broker has sent, chunk by chunk; what is left waits for the next step."""
        for _ in range(_RECEIVE_MAX):
            try:
                data = self.sock.recv(_CHUNK)
            except OSError as error:
                if error.args[0] in IN_PROGRESS:
                    return
                raise
            if not data:
                raise LinkError("closed")
            packets = self.decoder.feed(data)
            data = None  # a long message is handled in little room
            for packet in packets:
                if self.state == GREETING:
                    from .joining import greeted

                    greeted(self, packet)
                else:
                    self._take(packet)

    def _take(self, packet: tuple) -> None:
        kind = packet[0]
        if kind == mqtt.PUBLISH:
            self._hear(packet[1], packet[2], packet[4])
            if packet[3]:
                self.send(mqtt.puback(packet[3]))
            return
        if kind == mqtt.CONNACK:
            raise LinkError("twice")
        if kind == mqtt.PINGRESP:
            if self.in_flight:
                return  # as below
        elif packet[1] in self.in_flight:
            self.in_flight.remove(packet[1])
        else:
            return  # it answers nothing that is owed, and keeps no dead link alive
        if kind == mqtt.SUBACK:
            if 0x80 in packet[2]:
                raise LinkError("subscribe")
            self.resubscribe = False
        self.owed_ms = self.board.uptime_ms() if self.in_flight else 0

    def owe(self) -> None:
        """An answer is due from now on."""
        if not self.owed_ms:
            self.owed_ms = self.board.uptime_ms()

    # Bytes

    def send(self, packet: bytes) -> None:
        """Send now what the socket takes; keep the rest."""
        behind = self._behind
        self._sent_ms = self.board.uptime_ms()
        if not self.out:
            self.out = packet
        elif behind and isinstance(behind[-1], bytes):
            if len(behind[-1]) > _BEHIND_MAX:
                raise LinkError("full")
            behind[-1] += packet
        else:
            behind.append(packet)
        self.flush()

    def flush(self) -> None:
        """Send what is left, as far as the socket takes it."""
        while self.out:
            try:
                sent = self.sock.send(self.out)
            except OSError as error:
                if error.args[0] in IN_PROGRESS:
                    return
                raise LinkError("send")
            self.out = memoryview(self.out)[sent:]
            if not self.out:
                self.out = b""  # lets go of what was sent
                self._go_on()

    def _go_on(self) -> None:
        """Take up what follows: a packet, or some pieces of a message. Raises LinkError when there is not as much of it as was said."""
        if not self._behind:
            return
        message = self._behind[0]
        if isinstance(message, bytes):
            self.out = self._behind.pop(0)
            return
        room = memoryview(bytearray(min(_CHUNK, message[0])))
        size = 0
        while size < len(room):
            piece = memoryview(message[1] or next(message[2], b""))
            part = piece[: len(room) - size]
            if not part:
                raise LinkError("length")
            room[size : size + len(part)] = part
            size += len(part)
            message[1] = piece[len(part) :]
        message[0] -= size
        if not message[0]:
            self._behind.pop(0)
            if message[1] or next(message[2], b""):
                raise LinkError("length")
        self.out = room

    def _drop(self) -> None:
        if self.sock is not None:
            try:
                self.sock.close()
            except OSError:
                pass  # it is gone either way
        self.sock = self.poller = self.decoder = None
        self.out = b""
        self._behind = []
        self.in_flight = []
        self.owed_ms = 0
        self.enter(OFF)
