"""Brokers that mean no good, as a table: what each says instead of what the standard wants.

Rule: one honest broker, and cases that differ from it in one thing each. It must not know what the board makes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim import mqtt
from sim.net import Connection, Network

WELCOME, AGAIN, PINGRESP = b"\x20\x02\x00\x00", b"\x20\x02\x01\x00", b"\xd0\x00"
PREFIX = "solar_sprinkler/5a17e001/"


def puback(packet_id: int) -> bytes:
    return mqtt.packet(mqtt.PUBACK, 0, (packet_id & 65535).to_bytes(2, "big"))


def suback(packet_id: int, codes: bytes) -> bytes:
    return mqtt.packet(mqtt.SUBACK, 0, (packet_id & 65535).to_bytes(2, "big") + codes)


def message(topic: bytes | str, payload: bytes, *, first: int = 0x32, packet_id: int = 1) -> bytes:
    """A PUBLISH with any first byte, topic and id, also such as no broker may send."""
    name = topic.encode() if isinstance(topic, str) else topic
    number = packet_id.to_bytes(2, "big") if first & 6 else b""
    return mqtt.packet(first >> 4, first & 15, len(name).to_bytes(2, "big") + name + number + payload)


@dataclass(frozen=True)
class Case:
    """What a broker does. `keeps`: the board has no reason to leave; else it must leave by itself, and come again."""

    welcome: bytes = WELCOME  # what answers CONNECT
    then: bytes = b""  # what follows the answer to SUBSCRIBE
    suback: Callable[[int, int], bytes] = lambda packet_id, count: suback(packet_id, b"\1" * count)
    puback: Callable[[int], bytes] = puback
    ping: bytes = PINGRESP
    every: bytes | Callable[[int], bytes] = b""  # said again and again from the welcome on, or without one at once
    every_s: float = 1.0
    echoes: bool = False  # what the board says comes back to it
    reads: bool = True
    leaves: str = ""  # "at once", "after connect": FIN; "reset": RST after connect
    keeps: bool = False


class Mean:
    """One broker by its case; `came` counts connections."""

    def __init__(self, network: Network, case: Case) -> None:
        self.network, self.case = network, case
        self.ends: list[End] = []
        self.came = 0

    def accept(self, connection: Connection) -> End:
        self.came += 1
        self.ends.append(End(self, connection))
        return self.ends[-1]

    def die(self) -> None:
        """As a process that is killed: its kernel resets what is open."""
        for end in self.ends:
            end.over = True
            end.connection.hang_up(reset=True)


class End:
    """The broker's end of one connection."""

    def __init__(self, mean: Mean, connection: Connection) -> None:
        self.mean, self.case, self.connection = mean, mean.case, connection
        self.buffer = bytearray()
        self.over = False
        self.turn = 0
        if self.case.leaves == "at once":
            connection.hang_up()
        if self.case.every and not self.case.welcome:
            self._again()

    def received(self, data: bytes) -> None:
        if self.over:
            return
        if not self.case.reads:
            self.connection.in_flight += len(data)  # the window stays shut
            return
        self.buffer += data
        for kind, flags, body in mqtt.split(self.buffer, 1 << 16):
            self._take(kind, flags, body)

    def closed(self) -> None:
        self.over = True

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        case = self.case
        if kind == mqtt.CONNECT:
            self.connection.to_board(case.welcome)
            if case.every and case.welcome:
                self._again()
            if case.leaves in ("after connect", "reset"):
                self.connection.hang_up(reset=case.leaves == "reset")
        elif kind == mqtt.SUBSCRIBE:
            packet_id, filters = mqtt.parse_subscribe(body, with_qos=True)
            self.connection.to_board(case.suback(packet_id, len(filters)) + case.then)
        elif kind == mqtt.PUBLISH:
            heard = mqtt.parse_publish(flags, body)
            if case.echoes:
                self.connection.to_board(mqtt.publish(heard))
            self.connection.to_board(case.puback(heard.packet_id))
        elif kind == mqtt.PINGREQ:
            self.connection.to_board(case.ping)

    def _again(self) -> None:
        if self.over:
            return
        every = self.case.every
        self.connection.to_board(every(self.turn) if callable(every) else every)
        self.turn += 1
        timeline = self.mean.network.timeline
        timeline.at(timeline.now_us + round(self.case.every_s * 1e6), self._again)


def slowly(data: bytes) -> Callable[[int], bytes]:
    """One byte at a time."""
    return lambda turn: data[turn : turn + 1] or data[-1:]


COMMAND, OTHERS = PREFIX + "command", "solar_sprinkler/ffffffff/command"
STOP = b'{"command": "run", "zone": 2, "run_time_s": 600}'
HUGE = b"\x32\xff\xff\xff\x7f\x00\x20" + COMMAND.encode()

CASES = {
    # It says nothing, or too slowly
    "accepts and says nothing": Case(welcome=b""),
    "welcomes and says nothing more": Case(suback=lambda *_: b"", puback=lambda _: b"", ping=b""),
    "never reads": Case(reads=False),
    "gives its welcome a byte in three seconds": Case(welcome=b"", every=slowly(WELCOME), every_s=3.0),
    "gives a message a byte a second": Case(every=slowly(WELCOME + message(COMMAND, STOP * 4)), welcome=b""),
    "acknowledges nothing": Case(puback=lambda _: b""),
    # It leaves
    "hangs up at once": Case(leaves="at once"),
    "hangs up after its welcome": Case(leaves="after connect"),
    "resets after its welcome": Case(leaves="reset"),
    "hangs up in the middle of a packet": Case(welcome=WELCOME + message(COMMAND, STOP)[:20], leaves="after connect"),
    "resets in the middle of its welcome": Case(welcome=WELCOME[:3], leaves="reset"),
    # It refuses
    **{f"refuses with code {code}": Case(welcome=bytes((0x20, 2, 0, code))) for code in (1, 2, 3, 4, 5, 6, 255)},
    "refuses all topics": Case(suback=lambda packet_id, count: suback(packet_id, b"\x80" * count)),
    "refuses the last topic": Case(suback=lambda packet_id, count: suback(packet_id, b"\1" * (count - 1) + b"\x80")),
    # It is out of turn
    "welcomes twice": Case(welcome=WELCOME + WELCOME),
    "publishes before its welcome": Case(welcome=message(COMMAND, STOP) + WELCOME),
    "pings back before its welcome": Case(welcome=PINGRESP + WELCOME),
    "knows a session that the board does not": Case(welcome=AGAIN, keeps=True),
    "answers pings that nobody sent": Case(every=PINGRESP, keeps=True),
    "acknowledges ids that nobody sent": Case(puback=lambda number: puback(number + 1) + puback(number), keeps=True),
    "acknowledges other ids only": Case(puback=lambda number: puback(number + 9)),
    "answers pings that nobody sent, and nothing else": Case(puback=lambda _: b"", every=PINGRESP),
    "acknowledges for ever what it acknowledged long ago": Case(puback=lambda _: b"", every=puback(1)),
    "acknowledges for ever topics that were asked for long ago": Case(puback=lambda _: b"", every=suback(60000, b"\1" * 7)),
    "acknowledges twice": Case(puback=lambda number: puback(number) * 2, keeps=True),
    "acknowledges topics that nobody asked for": Case(then=suback(999, b"\1"), keeps=True),
    "acknowledges topics under another id": Case(suback=lambda number, count: suback(number + 1, b"\1" * count), puback=lambda _: b""),
    "takes a subscription for a message": Case(suback=lambda number, count: puback(number) + suback(number, b"\1" * count), keeps=True),
    # Its lengths are lies
    "a length without end": Case(then=b"\x32\xff\xff\xff\xff\xff"),
    "a message of 268 MB that never comes": Case(then=HUGE),
    "a message of 268 MB that comes": Case(then=HUGE, every=b"x" * 4000, every_s=0.2),
    "an acknowledgement of 268 MB": Case(then=b"\x40\xff\xff\xff\x7f"),
    "a packet without a body": Case(then=b"\x32\x00"),
    "an acknowledgement without an id": Case(then=b"\x40\x00"),
    "a ping's answer with a body": Case(then=b"\xd0\x01\x00"),
    "a message as long as it may be": Case(then=message(COMMAND, b"x" * 2500), keeps=True),
    # Its messages are none
    "QoS 2": Case(then=message(COMMAND, STOP, first=0x34)),
    "QoS 3": Case(then=message(COMMAND, STOP, first=0x36)),
    "packet id 0": Case(then=message(COMMAND, STOP, packet_id=0)),
    "a topic that is not UTF-8": Case(then=message(b"\xff\xfe\xfd", STOP)),
    "a topic with a zero byte": Case(then=message(PREFIX + "\0command", STOP)),
    "a topic longer than its packet": Case(then=b"\x30\x04\xff\xff\x61\x62"),
    "packet types that only clients send": Case(then=b"\xc0\x00"),
    "a packet type that does not exist": Case(then=b"\xf0\x00"),
    "reserved bits in an acknowledgement": Case(then=b"\x42\x02\x00\x01"),
    # Its messages are not for the board
    "an empty topic": Case(then=message("", STOP), keeps=True),
    "a topic with wildcards": Case(then=message("solar_sprinkler/+/command", STOP), keeps=True),
    "another board's topic": Case(then=message(OTHERS, STOP), keeps=True),
    "a retained command": Case(then=message(COMMAND, STOP, first=0x33), keeps=True),
    "a message a hundred times": Case(then=message(COMMAND, STOP) * 100, keeps=True),
    "echoes all that the board says": Case(echoes=True, keeps=True),
    "a flood": Case(every=message(COMMAND, STOP, first=0x30) * 20, every_s=0.02, keeps=True),
}  # fmt: skip
