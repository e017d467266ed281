"""Long messages leave in pieces: in whatever order the socket takes them, the broker hears what was meant."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprinkler import mqtt, report
from sprinkler.errors import LinkError
from sprinkler.link import UP, Link


class Socket:
    """Takes as much as it is told to."""

    def __init__(self, takes: list[int]) -> None:
        self.takes = takes
        self.heard = b""

    def send(self, data: bytes) -> int:
        taken = self.takes.pop(0) if self.takes else len(data)
        if not taken:
            raise OSError(11)
        self.heard += bytes(data[:taken])
        return min(taken, len(data))


def link_to(sock: Socket) -> Link:
    board = SimpleNamespace(network=SimpleNamespace(WLAN=lambda _: None, STA_IF=0), uptime_ms=lambda: 1)
    link = Link(board, None, (), (), (), None)
    link.sock, link.state = sock, UP
    return link


def told(data: bytes) -> list[tuple[str, bytes]]:
    """The messages in what the broker has heard, and the ids of what is acknowledged."""
    packets = mqtt.Decoder(5000).feed(data)
    return [(packet[1], packet[2]) if packet[0] == mqtt.PUBLISH else ("ack", packet[1]) for packet in packets]


@given(
    st.lists(st.integers(0, 300), max_size=40),
    st.lists(st.binary(min_size=1, max_size=400), max_size=12),
    st.binary(max_size=700),
)
def test_messages_that_wait_for_the_socket_arrive_whole_and_in_order(takes, pieces, last):
    sock = Socket(takes)
    link = link_to(sock)
    link.publish("state", lambda: iter(pieces), True)
    link.send(mqtt.puback(7))
    link.send(mqtt.puback(8))
    link.publish("availability", last, True)  # the last words do not wait for room
    link.send(mqtt.puback(9))
    while link.out:
        link.flush()
    assert told(sock.heard) == [("state", b"".join(pieces)), ("ack", 7), ("ack", 8), ("availability", last), ("ack", 9)]


@pytest.mark.parametrize("second", [b"longer", b"les", b""])
def test_a_message_that_changes_while_it_is_sent_ends_the_connection(second):
    turns = [b"four", second]
    with pytest.raises(LinkError):
        link_to(Socket([])).publish("t", lambda: iter([turns.pop(0)]), False)


def test_answers_that_nobody_takes_end_the_connection_before_they_fill_the_heap():
    link = link_to(Socket([0] * 2000))
    link.publish("t", b"x", False)
    for _ in range(256):
        link.send(mqtt.puback(1))
    link.send(mqtt.puback(2))
    with pytest.raises(LinkError):
        link.send(mqtt.puback(3))


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.text(max_size=9)))


@given(st.lists(st.one_of(st.just(b"null"), st.lists(VALUES, min_size=1, max_size=8)), max_size=30))
def test_what_was_taken_of_a_message_is_what_is_told_each_time(parts):
    pieces = [part if isinstance(part, bytes) else ("/".join(["%s"] * len(part)), part) for part in parts]
    found = report.taken(pieces)
    for _ in range(2):
        said = list(report.told(found))
        for piece, part in zip(said, parts, strict=True):
            if isinstance(part, bytes):
                assert piece == part
            else:
                assert piece.decode() == "/".join(json.dumps(value, separators=(", ", ": ")) for value in part)
