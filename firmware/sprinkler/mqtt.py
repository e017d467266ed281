"""MQTT 3.1.1 without I/O: packets to bytes, bytes to packets. One buffer per packet.

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


def _text(data):
    """A length-prefixed string (section 1.5.3)."""
    raw = data if isinstance(data, bytes) else data.encode()
    return bytes((len(raw) >> 8, len(raw) & 255)) + raw


def _packet(first, parts, pieces=None):
    """First byte, remaining length (section 2.2.3), the parts, then what `pieces` yields; in one buffer that is allocated once. The pieces are made
    twice, first to be measured: held together beside the packet they would not fit the heap. Raises LinkError when they differ."""
    length = sum(len(part) for part in parts)
    if pieces:
        length += sum(len(piece) for piece in pieces())
    size = length
    head = bytearray((first,))
    while True:
        byte = length & 127
        length >>= 7
        head.append(byte | 128 if length else byte)
        if not length:
            break
    end = len(head)
    out = bytearray(end + size)
    out[:end] = head
    for source in (parts, pieces() if pieces else ()):
        for part in source:
            out[end : end + len(part)] = part
            end += len(part)
    if end != len(head) + size:
        raise LinkError("length")
    return out


def connect(client_id, user, password, keepalive_s, will_topic, will_payload):
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


def publish(topic, payload, packet_id, retain):
    """PUBLISH at QoS 1 (section 3.3). `payload`: a function that yields its pieces, the same each time, or bytes."""
    parts = [_text(topic), bytes((packet_id >> 8, packet_id & 255))]
    first = 0x33 if retain else 0x32
    if isinstance(payload, bytes):
        return _packet(first, parts + [payload])
    return _packet(first, parts, payload)


def subscribe(topics, packet_id):
    """SUBSCRIBE to all `topics` at QoS 1 (section 3.8)."""
    parts = [bytes((packet_id >> 8, packet_id & 255))]
    for topic in topics:
        parts.append(_text(topic))
        parts.append(b"\x01")
    return _packet(0x82, parts)


def puback(packet_id):
    """PUBACK (section 3.4)."""
    return bytes((0x40, 2, packet_id >> 8, packet_id & 255))


def next_id(packet_id):
    """The packet id after `packet_id`: 1 follows 65 535 (0 is not allowed, section 2.3.1)."""
    return packet_id % ID_MAX + 1


class Decoder:
    """Bytes in, packets out, as tuples: (CONNACK, session present, return code), (PUBLISH, topic, payload, packet id, retained),
    (PUBACK, packet id), (SUBACK, packet id, return codes), (PINGRESP,). The payload of a message longer than `size_max` is None; the packet id of
    a QoS 0 message is 0. Raises LinkError when the broker breaks the standard: the connection must then be closed."""

    def __init__(self, size_max):
        self._size_max = size_max
        self._buffer = bytearray()
        self._skip = 0  # bytes of a too long packet still to throw away

    def feed(self, data):
        """Take `data` from the connection; return the packets that are complete now."""
        packets = []
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._buffer.extend(data)
        while True:
            packet = self._next()
            if packet is None:
                return packets
            packets.append(packet)

    def _next(self):
        header = self._header()
        if header is None:
            return None
        start, length = header
        whole = start + length
        if length <= self._size_max:
            if len(self._buffer) < whole:
                return None
            packet = _parse(memoryview(self._buffer)[:whole], start)
            self._buffer = self._buffer[whole:]
            return packet
        if self._buffer[0] >> 4 != PUBLISH:
            raise LinkError("length")
        if len(self._buffer) < start + _HEAD_MAX:
            return None
        packet = _parse(memoryview(self._buffer)[: start + _HEAD_MAX], start)
        self._skip = max(0, whole - len(self._buffer))
        self._buffer = self._buffer[whole:]
        return packet[:2] + (None,) + packet[3:]

    def _header(self):
        """(where the body starts, its length), or None while the header is incomplete."""
        length = shift = 0
        for i in range(1, len(self._buffer)):
            byte = self._buffer[i]
            length |= (byte & 127) << shift
            if byte < 128:
                return i + 1, length
            shift += 7
            if shift > 21:  # at most four bytes (section 2.2.3)
                raise LinkError("length")
        return None


def _parse(data, start):
    """The packet in `data`, a view of the buffer that ends with it; its body begins at `start`. Only what is returned is copied."""
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


def _parse_publish(first, data, start):
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
    return (PUBLISH, topic, bytes(data[payload:]), packet_id, first & 1)
