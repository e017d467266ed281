"""MQTT 3.1.1 without I/O: packets to bytes, bytes to packets. One buffer per packet, but none for a payload that is sent.

Rule: pure functions and one decoder; section numbers are those of the OASIS standard of 29 October 2014. A packet is decoded whole or skipped whole, so
a broker can make the board hold at most `size_max` bytes. It must not know sockets, topics' meaning or time.
"""

from .errors import LinkError

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"
ID_MAX = 65535
_HEAD_MAX = 160  # of a PUBLISH too long to hold: its topic and id

# Fixed-header flags that each packet must carry, and its shortest body (section 2.2.2); PUBLISH is looked at apart
_FORM = ((CONNACK, 0, 2, 2), (PUBACK, 0, 2, 2), (SUBACK, 0, 3, 64), (PINGRESP, 0, 0, 0))


def _text(data: str | bytes) -> bytes:
    """A length-prefixed string (section 1.5.3)."""
    raw = data if isinstance(data, bytes) else data.encode()
    return bytes((len(raw) >> 8, len(raw) & 255)) + raw


def _packet(first: int, parts: list, more: int = 0) -> bytes:
    """First byte, remaining length (section 2.2.3), the parts; `more` bytes are to follow."""
    length = more
    for part in parts:
        length += len(part)
    head = bytearray((first,))
    while True:
        byte = length & 127
        length >>= 7
        head.append(byte | 128 if length else byte)
        if not length:
            break
    return b"".join([head] + parts)


def connect(client_id: str, user: str, password: str, keepalive_s: int, will_topic: str, will_payload: bytes) -> bytes:
    """CONNECT for a persistent session, with a retained QoS 1 will (section 3.1). `user` may be empty."""
    flags = 0x04 | 0x08 | 0x20 | (0xC0 if user else 0)
    parts = [
        _text("MQTT"),
        bytes((4, flags, keepalive_s >> 8, keepalive_s & 255)),
        _text(client_id),
        _text(will_topic),
        _text(will_payload),
    ]
    if user:
        parts.append(_text(user))
        parts.append(_text(password))
    return _packet(0x10, parts)


def publish(topic: str, length: int, packet_id: int, retain: bool) -> bytes:
    """PUBLISH at QoS 1 (section 3.3), but for its payload of `length` bytes, which is to follow."""
    return _packet(0x33 if retain else 0x32, [_text(topic), bytes((packet_id >> 8, packet_id & 255))], length)


def subscribe(topics: list[str], packet_id: int) -> bytes:
    """SUBSCRIBE to all `topics` at QoS 1 (section 3.8)."""
    parts = [bytes((packet_id >> 8, packet_id & 255))]
    for topic in topics:
        parts.append(_text(topic))
        parts.append(b"\x01")
    return _packet(0x82, parts)


def puback(packet_id: int) -> bytes:
    """PUBACK (section 3.4)."""
    return bytes((0x40, 2, packet_id >> 8, packet_id & 255))


def next_id(packet_id: int) -> int:
    """The packet id after `packet_id`: 1 follows 65 535 (0 is not allowed, section 2.3.1)."""
    return packet_id % ID_MAX + 1


class Decoder:
    """Bytes in, packets out, as tuples: (CONNACK, session present, return code), (PUBLISH, topic, payload, packet id, retained),
    (PUBACK, packet id), (SUBACK, packet id, return codes), (PINGRESP,). A payload is a view of the packet, which is held once; that of a message longer
    than `size_max` is None; the packet id of a QoS 0 message is 0. Raises LinkError when the broker breaks the standard: the connection must then be
    closed."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._head = bytearray()  # the fixed header, as far as it is there
        self._packet: bytearray | None = None  # with its header, once its length is known
        self._filled = 0
        self._skip = 0  # bytes of a too long packet still to throw away

    def feed(self, data: bytes) -> list[tuple]:
        """Take `data` from the connection; return the packets that are complete now."""
        packets = []
        at = 0
        while at < len(data):
            left = len(data) - at
            if self._packet is None and self._skip:
                taken = min(self._skip, left)
                self._skip -= taken
            elif self._packet is None:
                taken = 1
                self._head.append(data[at])
                self._begin()
            else:
                taken = min(len(self._packet) - self._filled, left)
                self._packet[self._filled : self._filled + taken] = data[at : at + taken]
                self._filled += taken
            at += taken
            if self._packet is not None and self._filled == len(self._packet):
                packets.append(self._finish())
        return packets

    def _begin(self) -> None:
        """Make room for the packet when the header is complete (section 2.2.3): for all of it, or for the start of one too long."""
        head = self._head
        if len(head) < 2:
            return
        if head[-1] & 128:
            if len(head) > 4:
                raise LinkError("length")
            return
        length = 0
        for i in range(len(head) - 1, 0, -1):
            length = length << 7 | head[i] & 127
        if length > self._size_max:
            if head[0] >> 4 != PUBLISH:
                raise LinkError("length")
            self._skip = length - _HEAD_MAX
            length = _HEAD_MAX
        self._filled = len(head)
        self._packet = bytearray(self._filled + length)
        self._packet[: self._filled] = head

    def _finish(self) -> tuple:
        packet = _parse(memoryview(self._packet), len(self._head))
        self._head = bytearray()
        self._packet = None
        return packet[:2] + (None,) + packet[3:] if self._skip else packet


def _parse(data: memoryview, start: int) -> tuple:
    """The packet in the view `data`; its body begins at `start`."""
    first = data[0]
    kind = first >> 4
    if kind == PUBLISH:
        return _parse_publish(first, data, start)
    for known, flags, shortest, longest in _FORM:
        if kind == known:
            if first & 15 != flags or not shortest <= len(data) - start <= longest:
                raise LinkError("malformed")
            if kind == CONNACK:
                return (CONNACK, data[start] & 1, data[start + 1])
            if kind == PINGRESP:
                return (PINGRESP,)
            packet_id = data[start] << 8 | data[start + 1]
            return (kind, packet_id) if kind == PUBACK else (kind, packet_id, bytes(data[start + 2 :]))
    raise LinkError("packet")


def _parse_publish(first: int, data: memoryview, start: int) -> tuple:
    qos = first >> 1 & 3
    if qos > 1 or len(data) < start + 2:  # nothing here subscribes at QoS 2
        raise LinkError("malformed")
    end = start + 2 + (data[start] << 8 | data[start + 1])
    payload = end + 2 * qos
    if len(data) < payload:
        raise LinkError("malformed")
    packet_id = data[end] << 8 | data[end + 1] if qos else 0
    if qos and not packet_id:
        raise LinkError("malformed")
    try:
        topic = bytes(data[start + 2 : end]).decode()
    except UnicodeError:
        raise LinkError("malformed")
    if "\0" in topic:  # [MQTT-1.5.3-2]
        raise LinkError("malformed")
    return (PUBLISH, topic, data[payload:], packet_id, first & 1)
