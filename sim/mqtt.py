"""MQTT 3.1.1 packets as a broker sees them: bytes in, packets out. Pure; written apart from the firmware's codec, so that each tests the other.

Sources: OASIS MQTT 3.1.1. QoS 0 and 1.
"""

from typing import NamedTuple

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 1, 2, 3, 4, 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14


class PacketError(Exception):
    """The bytes are no packet that a client may send; the connection must be closed."""


class Connect(NamedTuple):
    """What a client says first."""

    client_id: str
    clean: bool
    keepalive_s: int
    user: str | None
    password: bytes | None
    will: tuple[str, bytes, int, bool] | None  # topic, payload, QoS, retain


class Publish(NamedTuple):
    """One message; `packet_id` is 0 for QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int


def split(buffer: bytearray, size_max: int) -> list[tuple[int, int, bytes]]:
    """Take whole packets off the front of `buffer`: (kind, flags, body)."""
    packets: list[tuple[int, int, bytes]] = []
    while len(buffer) >= 2:
        length = shift = 0
        position = 1
        while True:
            if position >= len(buffer):
                return packets
            byte = buffer[position]
            length |= (byte & 0x7F) << shift
            position += 1
            if not byte & 0x80:
                break
            shift += 7
            if shift > 21:
                raise PacketError("length")
        if length > size_max:
            raise PacketError("too large")
        if len(buffer) < position + length:
            return packets
        packets.append((buffer[0] >> 4, buffer[0] & 15, bytes(buffer[position : position + length])))
        del buffer[: position + length]
    return packets


class _Body:
    """Reads the fields of a packet's body one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise PacketError("short")
        part = self.data[self.position : end]
        self.position = end
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def blob(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            text = self.blob().decode()
        except UnicodeDecodeError as error:
            raise PacketError("text") from error
        if "\0" in text:
            raise PacketError("text")
        return text

    def left(self) -> bool:
        return self.position < len(self.data)


def parse_connect(data: bytes) -> Connect:
    """A CONNECT's body."""
    body = _Body(data)
    if body.text() != "MQTT" or body.take(1) != b"\x04":
        raise PacketError("protocol")
    flags = body.take(1)[0]
    keepalive_s = body.number()
    client_id = body.text()
    will = None
    if flags & 0x04:
        topic, payload = body.text(), body.blob()
        will = (topic, payload, flags >> 3 & 3, bool(flags & 0x20))
    user = body.text() if flags & 0x80 else None
    password = body.blob() if flags & 0x40 else None
    if flags & 1 or body.left() or (not client_id and not flags & 2):
        raise PacketError("connect")
    return Connect(client_id, bool(flags & 2), keepalive_s, user, password, will)


def parse_publish(flags: int, data: bytes) -> Publish:
    """A PUBLISH's body."""
    body = _Body(data)
    topic = body.text()
    qos = flags >> 1 & 3
    if qos == 3 or not topic or "+" in topic or "#" in topic:
        raise PacketError("publish")
    packet_id = body.number() if qos else 0
    if qos and not packet_id:
        raise PacketError("packet id")
    return Publish(topic, data[body.position :], qos, bool(flags & 1), bool(flags & 8), packet_id)


def parse_subscribe(data: bytes, *, with_qos: bool) -> tuple[int, list[tuple[str, int]]]:
    """(packet id, [(filter, QoS)]) of a SUBSCRIBE, or of an UNSUBSCRIBE (QoS 0)."""
    body = _Body(data)
    packet_id = body.number()
    filters = []
    while body.left():
        name = body.text()
        filters.append((name, body.take(1)[0] if with_qos else 0))
    if not filters or not packet_id:
        raise PacketError("subscribe")
    return packet_id, filters


def packet(kind: int, flags: int, body: bytes) -> bytes:
    """A packet with its length."""
    head = bytearray((kind << 4 | flags,))
    length = len(body)
    while True:
        byte, length = length & 0x7F, length >> 7
        head.append(byte | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def publish(message: Publish) -> bytes:
    """A PUBLISH packet."""
    name = message.topic.encode()
    number = message.packet_id.to_bytes(2, "big") if message.qos else b""
    flags = (8 if message.dup else 0) | message.qos << 1 | int(message.retain)
    return packet(PUBLISH, flags, len(name).to_bytes(2, "big") + name + number + message.payload)


def matches(pattern: str, topic: str) -> bool:
    """Does `topic` match the filter `pattern` (+ and # as in the standard)?"""
    if pattern == topic:
        return True
    if "+" not in pattern and "#" not in pattern:
        return False
    want, have = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and want[0] in ("+", "#"):
        return False
    for index, part in enumerate(want):
        if part == "#":
            return index == len(want) - 1
        if index >= len(have) or part not in ("+", have[index]):
            return False
    return len(want) == len(have)


def valid_filter(pattern: str) -> bool:
    """May one subscribe to it?"""
    parts = pattern.split("/")
    return bool(pattern) and all(
        ("#" not in part and "+" not in part) or part == "+" or (part == "#" and index == len(parts) - 1)
        for index, part in enumerate(parts)
    )
