"""What MQTT 3.1.1 asks of a client, on all that two boards say in their lives: docs/mqtt.md lists the statements and the test of each."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from sim import mqtt, peer
from sprinkler.link import KEEPALIVE_S

from .rig import Rig

TO_BROKER, TO_BOARD = ">", "<"


@dataclass
class Connection:
    """All packets of one connection as (seconds, direction, kind, flags, body), and when the board closed it (None: it did not)."""

    packets: list[tuple[float, str, int, int, bytes]] = field(default_factory=list)
    closed_s: float | None = None
    streams: dict[str, bytearray] = field(default_factory=dict)  # the start of a packet that is not there yet
    end: object = None

    def of(self, direction: str, *kinds: int) -> list[tuple[float, str, int, int, bytes]]:
        return [one for one in self.packets if one[1] == direction and one[2] in kinds]


@pytest.fixture(scope="module")
def connections() -> list[Connection]:
    return recorded()


def recorded() -> list[Connection]:
    """A board that stays awake, with a restart of its broker, and one that sleeps; each with commands and settings."""
    found: dict[int, Connection] = {}
    received, send, closed = peer.Peer.received, peer.Peer.send, peer.Peer.closed

    def note(end: peer.Peer, direction: str, data: bytes) -> None:
        known = found.setdefault(id(end), Connection())
        known.end = end  # so that its id stays its own
        stream = known.streams.setdefault(direction, bytearray())
        stream += data
        at_s = end.connection.network.timeline.now_us / 1e6
        known.packets += [(at_s, direction, *packet) for packet in mqtt.split(stream, 1 << 16)]

    def hears(end: peer.Peer, data: bytes) -> None:
        note(end, TO_BROKER, data)
        received(end, data)

    def says(end: peer.Peer, data: bytes) -> None:
        note(end, TO_BOARD, data)
        send(end, data)

    def goes(end: peer.Peer) -> None:
        found[id(end)].closed_s = end.connection.network.timeline.now_us / 1e6
        closed(end)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peer.Peer, "received", hears)
        patch.setattr(peer.Peer, "send", says)
        patch.setattr(peer.Peer, "closed", goes)
        for responsive in (True, False):
            _live(Rig(responsive=responsive, broker_user="5a17e001", broker_password="secret"))
    return list(found.values())


def _live(rig: Rig) -> None:
    rig.run(40)
    rig.desired(1, seasonal_adjust_pct=90)
    for _ in range(30):
        rig.command("identify", expires_at=int(rig.now()) + 3000)
    rig.run(1000)
    rig.broker.stop(keep=False)
    rig.run(5)
    rig.broker.start()
    rig.run(1900)
    rig.board.stop()


def published(connection: Connection) -> list[mqtt.Publish]:
    return [mqtt.parse_publish(flags, body) for _, _, _, flags, body in connection.of(TO_BROKER, mqtt.PUBLISH)]


def wishes(connections: list[Connection]) -> list[mqtt.Connect]:
    return [mqtt.parse_connect(one[4]) for each in connections for one in each.of(TO_BROKER, mqtt.CONNECT)]


def test_the_first_packet_of_every_connection_is_its_only_connect(connections):
    assert len(connections) >= 4
    for connection in connections:
        kinds = [kind for _, direction, kind, _, _ in connection.packets if direction == TO_BROKER]
        assert kinds[0] == mqtt.CONNECT
        assert kinds.count(mqtt.CONNECT) == 1


def test_every_connect_names_the_board_its_will_and_its_user(connections):
    for wish in wishes(connections):
        assert (wish.client_id, wish.clean, wish.user) == ("sprinkler-5a17e001", False, "5a17e001")
        assert wish.will == ("solar_sprinkler/5a17e001/availability", b'{"state": "lost"}', 1, True)


def test_every_packet_has_the_flags_that_the_standard_reserves(connections):
    for _, direction, kind, flags, _ in (one for each in connections for one in each.packets):
        if direction == TO_BROKER and kind != mqtt.PUBLISH:
            assert flags == (2 if kind == mqtt.SUBSCRIBE else 0)


def test_only_packets_of_a_client_are_sent(connections):
    kinds = {kind for each in connections for _, direction, kind, _, _ in each.packets if direction == TO_BROKER}
    assert kinds <= {mqtt.CONNECT, mqtt.PUBLISH, mqtt.PUBACK, mqtt.SUBSCRIBE, mqtt.PINGREQ, mqtt.DISCONNECT}


def test_no_packet_id_is_0_or_still_in_use(connections):
    for connection in connections:
        in_use: set[int] = set()
        for _, direction, kind, flags, body in connection.packets:
            if direction == TO_BROKER and kind in (mqtt.PUBLISH, mqtt.SUBSCRIBE):
                number = _number(kind, flags, body)
                assert number > 0
                assert number not in in_use
                in_use.add(number)
            elif direction == TO_BOARD and kind in (mqtt.PUBACK, mqtt.SUBACK):
                in_use.discard(int.from_bytes(body[:2], "big"))


def _number(kind: int, flags: int, body: bytes) -> int:
    return mqtt.parse_publish(flags, body).packet_id if kind == mqtt.PUBLISH else int.from_bytes(body[:2], "big")


def test_every_message_at_qos_1_is_acknowledged_under_its_id_in_the_order_it_came(connections):
    acknowledged = 0
    for connection in connections:
        came = [mqtt.parse_publish(flags, body) for _, _, _, flags, body in connection.of(TO_BOARD, mqtt.PUBLISH)]
        ids = [message.packet_id for message in came if message.qos == 1]
        acks = [int.from_bytes(body, "big") for *_, body in connection.of(TO_BROKER, mqtt.PUBACK)]
        assert acks == ids
        acknowledged += len(acks)
    assert acknowledged > 60


def test_every_message_is_first_sent_at_qos_1_to_a_topic_without_wildcards(connections):
    for message in (one for each in connections for one in published(each)):
        assert message.qos == 1
        assert not message.dup
        assert message.topic.startswith("solar_sprinkler/5a17e001/")
        assert not set("+#\0") & set(message.topic)


def test_subscriptions_have_whole_topics_and_qos_1(connections):
    bodies = [body for each in connections for *_, body in each.of(TO_BROKER, mqtt.SUBSCRIBE)]
    assert bodies
    for body in bodies:
        _, filters = mqtt.parse_subscribe(body, with_qos=True)
        for topic, qos in filters:
            assert qos == 1
            assert topic.startswith("solar_sprinkler/5a17e001/")
            assert not set("+#\0") & set(topic)


def test_after_disconnect_the_board_sends_nothing_and_closes_the_connection(connections):
    left = 0
    for connection in connections:
        kinds = [kind for _, direction, kind, _, _ in connection.packets if direction == TO_BROKER]
        if mqtt.DISCONNECT in kinds:
            left += 1
            assert kinds.index(mqtt.DISCONNECT) == len(kinds) - 1
            assert connection.closed_s is not None
            assert connection.closed_s - connection.packets[-1][0] < 1
    assert left >= 2


def test_within_the_keep_alive_the_board_says_something(connections):
    for connection in connections:
        sent_s = [at_s for at_s, direction, *_ in connection.packets if direction == TO_BROKER]
        assert all(later - earlier <= KEEPALIVE_S for earlier, later in pairwise(sent_s))


def test_a_board_with_nothing_to_say_pings(monkeypatch):
    from sprinkler import turning

    monkeypatch.setattr(turning, "SAMPLE_EVERY_MS", 10**9)
    pings: list[Any] = []
    received = peer.Peer.received
    monkeypatch.setattr(
        peer.Peer,
        "received",
        lambda end, data: (pings.append(data) if data == b"\xc0\0" else None, received(end, data)),
    )
    rig = Rig()
    rig.run(400)
    assert len(pings) >= 3
    assert rig.broker.connected("sprinkler-5a17e001")
    rig.board.stop()


def test_every_string_is_well_formed(connections):
    for wish in wishes(connections):
        for text in (wish.client_id, wish.user or "", wish.will[0] if wish.will else ""):
            assert text.isascii()
            assert text.isprintable()
