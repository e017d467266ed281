"""The in-memory broker against clients that speak MQTT with bytes of their own."""

import pytest

from sim import mqtt
from sim.broker import Broker
from sim.net import Connection, Network
from sim.timeline import VirtualTime, Waiter


class Client:
    """A raw client over the in-memory network: sends packets, keeps what comes."""

    def __init__(
        self,
        broker: Broker,
        network: Network,
        client_id: str = "c",
        *,
        clean: bool = True,
        will: tuple[str, bytes] | None = None,
        keepalive_s: int = 0,
    ) -> None:
        self.timeline = network.timeline
        waiter = Waiter(network.timeline)
        channel = network.connect(broker.host, broker.port, waiter)
        assert isinstance(channel, Connection)
        self.connection = channel
        self.settle()
        flags = (2 if clean else 0) | (0x04 | 0x08 | 0x20 if will else 0)
        body = b"\0\4MQTT\4" + bytes((flags,)) + keepalive_s.to_bytes(2, "big") + self.text(client_id)
        if will:
            body += self.text(will[0]) + len(will[1]).to_bytes(2, "big") + will[1]
        self.send(mqtt.packet(mqtt.CONNECT, 0, body))
        packets = self.take()
        self.connack = packets.pop(0)[2] if packets else b""
        self.early = packets

    @staticmethod
    def text(text: str) -> bytes:
        return len(text).to_bytes(2, "big") + text.encode()

    def settle(self, seconds: float = 0.1) -> None:
        assert isinstance(self.timeline, VirtualTime)
        self.timeline.run_for(seconds)

    def send(self, data: bytes) -> None:
        self.connection.send(data)
        self.settle()

    def take(self) -> list[tuple[int, int, bytes]]:
        """Packets that came."""
        buffer = bytearray(self.connection.recv(1 << 20))
        return mqtt.split(buffer, 1 << 20)

    def messages(self) -> list[mqtt.Publish]:
        """PUBLISH packets that came."""
        return [
            mqtt.parse_publish(flags, body) for kind, flags, body in self.early + self.take() if kind == mqtt.PUBLISH
        ]

    def subscribe(self, pattern: str, qos: int = 1) -> None:
        self.send(mqtt.packet(mqtt.SUBSCRIBE, 2, b"\0\1" + self.text(pattern) + bytes((qos,))))

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.send(mqtt.publish(mqtt.Publish(topic, payload, qos, retain, dup=False, packet_id=7 if qos else 0)))


@pytest.fixture
def network() -> Network:
    """An in-memory network in virtual time."""
    return Network(VirtualTime(), lambda: 1_800_000_000.0)


@pytest.fixture
def broker(network: Network) -> Broker:
    """A broker on it."""
    broker = Broker()
    broker.join(network)
    return broker


def test_message_reaches_who_subscribed_and_its_sender_gets_a_puback(broker: Broker, network: Network) -> None:
    listener, sender = Client(broker, network, "l"), Client(broker, network, "s")
    listener.subscribe("a/+/c")
    sender.publish("a/b/c", b"hello")
    sender.publish("a/b/d", b"not for you")
    assert sender.take() == [(mqtt.PUBACK, 0, b"\0\7")] * 2
    (message,) = listener.messages()
    assert (message.topic, message.payload, message.qos, message.retain) == ("a/b/c", b"hello", 1, False)
    assert [m.topic for m in broker.messages("a/#")] == ["a/b/c", "a/b/d"]


def test_qos_0_needs_no_acknowledgement(broker: Broker, network: Network) -> None:
    listener, sender = Client(broker, network, "l"), Client(broker, network, "s")
    listener.subscribe("a", qos=0)
    sender.publish("a", b"1", qos=0)
    assert sender.take() == []
    assert listener.messages()[0].qos == 0


def test_retained_message_greets_a_late_subscriber_until_it_is_cleared(broker: Broker, network: Network) -> None:
    broker.publish("a/b", b"kept", retain=True)
    first = Client(broker, network, "1")
    first.subscribe("a/#")
    (message,) = first.messages()
    assert (message.payload, message.retain) == (b"kept", True)
    broker.publish("a/b", b"", retain=True)
    second = Client(broker, network, "2")
    second.subscribe("a/#")
    assert second.messages() == []


def test_will_is_published_when_the_connection_breaks(broker: Broker, network: Network) -> None:
    client = Client(broker, network, will=("a/will", b"lost"))
    client.connection.close()
    client.settle()
    assert broker.retained["a/will"].payload == b"lost"


def test_will_is_not_published_after_a_goodbye(broker: Broker, network: Network) -> None:
    client = Client(broker, network, will=("a/will", b"lost"))
    client.send(mqtt.packet(mqtt.DISCONNECT, 0, b""))
    client.connection.close()
    client.settle()
    assert broker.log == []


def test_will_is_published_after_one_and_a_half_keepalives_of_silence(broker: Broker, network: Network) -> None:
    client = Client(broker, network, will=("a/will", b"lost"), keepalive_s=60)
    client.settle(80)
    client.send(mqtt.packet(mqtt.PINGREQ, 0, b""))
    assert client.take() == [(mqtt.PINGRESP, 0, b"")]
    client.settle(89)
    assert broker.log == []
    client.settle(2)
    assert [message.topic for message in broker.log] == ["a/will"]
    assert client.connection.peer_closed


def test_persistent_session_keeps_subscriptions_and_queues_messages(broker: Broker, network: Network) -> None:
    first = Client(broker, network, "b", clean=False)
    assert first.connack == b"\0\0"
    first.subscribe("a")
    first.send(mqtt.packet(mqtt.DISCONNECT, 0, b""))
    broker.publish("a", b"1")
    broker.publish("a", b"2", qos=0)
    again = Client(broker, network, "b", clean=False)
    assert again.connack == b"\1\0"
    assert [message.payload for message in again.messages()] == [b"1"]


def test_clean_session_forgets(broker: Broker, network: Network) -> None:
    first = Client(broker, network, "b", clean=False)
    first.subscribe("a")
    first.send(mqtt.packet(mqtt.DISCONNECT, 0, b""))
    cleaner = Client(broker, network, "b", clean=True)
    assert cleaner.connack == b"\0\0"
    broker.publish("a", b"1")
    cleaner.settle()
    assert cleaner.messages() == []


def test_unacknowledged_message_comes_again_as_a_duplicate(broker: Broker, network: Network) -> None:
    first = Client(broker, network, "b", clean=False)
    first.subscribe("a")
    broker.publish("a", b"1")
    first.settle()
    (message,) = first.messages()
    assert not message.dup
    broker.drop("b")
    again = Client(broker, network, "b", clean=False)
    (repeated,) = again.messages()
    assert repeated.dup
    assert repeated.packet_id == message.packet_id
    again.send(mqtt.packet(mqtt.PUBACK, 0, repeated.packet_id.to_bytes(2, "big")))
    broker.drop("b")
    assert Client(broker, network, "b", clean=False).messages() == []


def test_second_connection_of_a_client_takes_over(broker: Broker, network: Network) -> None:
    first = Client(broker, network, "b", will=("w", b"x"))
    second = Client(broker, network, "b")
    assert first.connection.peer_closed
    second.publish("a", b"1")
    assert broker.connected("b")
    assert [message.topic for message in broker.log] == ["w", "a"]


def test_stopped_broker_refuses_and_comes_back_with_what_it_kept(broker: Broker, network: Network) -> None:
    Client(broker, network, "b", clean=False).subscribe("a")
    broker.publish("kept", b"1", retain=True)
    broker.stop()
    channel = network.connect(broker.host, broker.port, Waiter(network.timeline))
    assert isinstance(network.timeline, VirtualTime)
    network.timeline.run_for(1)
    assert channel.error == 111
    broker.start()
    assert Client(broker, network, "b", clean=False).connack == b"\1\0"
    broker.stop(keep=False)
    broker.start()
    assert Client(broker, network, "b", clean=False).connack == b"\0\0"
    assert broker.retained == {}


def test_unknown_user_is_refused(network: Network) -> None:
    broker = Broker(users={"board": "secret"})
    broker.join(network)
    assert Client(broker, network).connack == b"\0\5"
    assert not broker.sessions


@pytest.mark.parametrize(
    "bad",
    [
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x30\xff\xff\x7f",  # 2 MB
        mqtt.packet(mqtt.CONNECT, 0, b"\0\4MQTT\4\2\0\0\0\1c"),  # a second CONNECT
        mqtt.packet(mqtt.PUBLISH, 0b0110, b"\0\1a\0\1"),  # QoS 3
        mqtt.packet(mqtt.PUBLISH, 0b0010, b"\0\1a\0\0"),  # packet id 0
        mqtt.packet(mqtt.PUBLISH, 0, b"\0\1#"),  # wildcard in a topic
        mqtt.packet(mqtt.SUBSCRIBE, 2, b"\0\1"),  # no filter
        mqtt.packet(15, 0, b""),
    ],
)
def test_client_that_breaks_the_protocol_is_thrown_out(broker: Broker, network: Network, bad: bytes) -> None:
    client = Client(broker, network, "b")
    client.send(bad)
    assert client.connection.peer_closed
    assert not broker.connected("b")


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/b", "/b", True),
        ("a", "a/b", False),
    ],
)
def test_filters_match_as_the_standard_says(pattern: str, topic: str, *, matches: bool) -> None:
    assert mqtt.matches(pattern, topic) is matches


def test_tests_can_listen_without_being_clients(broker: Broker, network: Network) -> None:
    heard: list[bytes] = []
    broker.publish("a/1", b"before", retain=True)
    broker.subscribe("a/+", lambda message: heard.append(message.payload))
    Client(broker, network).publish("a/2", b"after")
    assert heard == [b"before", b"after"]
