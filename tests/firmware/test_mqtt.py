"""The MQTT codec against the standard's own bytes, and against whatever a broker may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprinkler import mqtt
from sprinkler.errors import LinkError
from sprinkler.mqtt import CONNACK, PINGRESP, PUBACK, PUBLISH, SUBACK, Decoder

SIZE_MAX = 300


def publish(topic: str, payload: bytes, packet_id: int, retain: bool) -> bytes:
    return mqtt.publish(topic, len(payload), packet_id, retain) + payload


def one_by_one(data: bytes, pieces: list[int] | None = None) -> list[tuple]:
    """Packets of `data` when it arrives in the given pieces (default: byte by byte)."""
    decoder = Decoder(SIZE_MAX)
    packets = []
    while data:
        size = pieces.pop(0) if pieces else 1
        packets += decoder.feed(data[:size])
        data = data[size:]
    return packets


def test_connect_asks_for_a_persistent_session_with_a_retained_will():
    packet = mqtt.connect("sprinkler-5a17e001", "u", "p", 60, "a/availability", b"lost")
    assert packet == (
        b"\x10\x3a\x00\x04MQTT\x04\xec\x00\x3c\x00\x12sprinkler-5a17e001\x00\x0ea/availability\x00\x04lost\x00\x01u\x00\x01p"
    )
    flags = packet[9]
    assert not flags & 0x02, "clean session must be off"
    assert flags & 0x04
    assert flags & 0x20
    assert flags >> 3 & 3 == 1


def test_connect_without_a_user_says_so():
    assert mqtt.connect("c", "", "", 60, "w", b"x")[9] & 0xC0 == 0


def test_publish_carries_topic_and_id_and_says_how_long_the_payload_will_be():
    assert mqtt.publish("a/b", 2, 10, False) == b"\x32\x09\x00\x03a/b\x00\x0a"
    assert mqtt.publish("a/b", 2, 10, True)[0] == 0x33


def test_a_long_publish_has_a_two_byte_length():
    packet = mqtt.publish("t", 200, 1, False)
    assert packet[1:3] == b"\xcd\x01"
    assert len(packet) == 3 + 5


def test_subscribe_has_the_reserved_flags_and_qos_1():
    assert mqtt.subscribe(["a", "bc"], 7) == b"\x82\x0b\x00\x07\x00\x01a\x01\x00\x02bc\x01"


def test_packet_ids_go_from_65535_to_1():
    assert mqtt.next_id(65534) == 65535
    assert mqtt.next_id(65535) == 1
    assert mqtt.next_id(0) == 1


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        (b"\x20\x02\x01\x00", (CONNACK, 1, 0)),
        (b"\x20\x02\x00\x05", (CONNACK, 0, 5)),
        (b"\x40\x02\x01\x02", (PUBACK, 0x102)),
        (b"\x90\x04\x00\x07\x01\x80", (SUBACK, 7, b"\x01\x80")),
        (b"\xd0\x00", (PINGRESP,)),
        (b"\x30\x05\x00\x03a/bhi"[:9], (PUBLISH, "a/b", b"", 0, 0)),
        (b"\x3b\x09\x00\x03a/b\x00\x0ahi", (PUBLISH, "a/b", b"hi", 10, 1)),
    ],
)
def test_each_packet_is_decoded_however_it_is_cut(data, packet):
    assert one_by_one(data) == [packet]
    assert Decoder(SIZE_MAX).feed(data) == [packet]


@pytest.mark.parametrize(
    "data",
    [
        b"\x21\x02\x00\x00",  # CONNACK with reserved flags
        b"\x20\x03\x00\x00\x00",  # too long
        b"\x40\x01\x00",  # PUBACK without a whole id
        b"\x34\x09\x00\x03a/b\x00\x0ahi",  # QoS 2
        b"\x36\x09\x00\x03a/b\x00\x0ahi",  # QoS 3 does not exist
        b"\x32\x05\x00\x03a/b",  # QoS 1 without an id
        b"\x32\x07\x00\x03a/b\x00\x00",  # id 0
        b"\x30\x02\x00\x09",  # a topic longer than the packet
        b"\x30\x04\x00\x02\xff\xfe",  # a topic that is not UTF-8
        b"\x30\x05\x00\x03a\x00b",  # a topic with U+0000
        b"\x10\x00",  # only clients connect
        b"\x00\x00",
        b"\xf0\x00",
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x40\xff\xff\xff\x7f",  # a PUBACK of 268 MB
    ],
)
def test_what_breaks_the_standard_closes_the_connection(data):
    with pytest.raises(LinkError):
        Decoder(SIZE_MAX).feed(data)


def test_a_message_too_long_to_hold_is_skipped_and_can_be_acknowledged():
    data = publish("solar/board/command", b"x" * 5000, 77, False) + b"\xd0\x00"
    for pieces in ([len(data)], [3, 100, 400, 4000], [1] * len(data)):
        packets = one_by_one(data, list(pieces))
        assert packets == [(PUBLISH, "solar/board/command", None, 77, 0), (PINGRESP,)]


def test_a_message_of_268_mb_does_not_fill_the_heap():
    decoder = Decoder(SIZE_MAX)
    head = b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x05"
    packets = decoder.feed(head + b"x" * 1000)
    assert packets == [(PUBLISH, "t", None, 5, 0)]
    for _ in range(100):
        assert decoder.feed(b"x" * 1000) == []
        assert len(decoder._packet or b"") <= 1000


@given(st.binary(max_size=400), st.lists(st.integers(1, 60), max_size=30))
def test_noise_gives_packets_or_a_link_error_and_stays_bounded(data, pieces):
    decoder = Decoder(SIZE_MAX)
    try:
        while data:
            size = pieces.pop() if pieces else len(data)
            for packet in decoder.feed(data[:size]):
                assert packet[0] in (CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP)
            data = data[size:]
            assert len(decoder._packet or b"") <= SIZE_MAX + 60 + 5
    except LinkError:
        pass


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
            st.binary(max_size=150),
            st.integers(1, 65535),
        ),
        max_size=5,
    ),
    st.data(),
)
def test_what_is_published_is_what_is_decoded(messages, data):
    wire = b"".join(publish(topic, payload, packet_id, False) for topic, payload, packet_id in messages)
    pieces = data.draw(st.lists(st.integers(1, 90), max_size=10))
    assert one_by_one(wire, pieces) == [
        (PUBLISH, topic, payload, packet_id, 0) for topic, payload, packet_id in messages
    ]
