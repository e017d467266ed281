"""The broker's side of one client: what it keeps of a client id (`ClientSession`), and one connection of it (`Peer`).

Rule: the state machine of one connection; what all clients share is the `Broker`'s.
"""

from typing import TYPE_CHECKING

from sim import mqtt

if TYPE_CHECKING:
    from sim.broker import Broker
    from sim.net import Connection
    from sim.timeline import Event

QUEUE_MAX = 1000
IN_FLIGHT_MAX = 20
SIZE_MAX = 4096


class ClientSession:
    """What the broker keeps of one client id: subscriptions, what is in flight, what waits."""

    __slots__ = ("client_id", "in_flight", "next_id", "peer", "queue", "subscriptions")

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.subscriptions: dict[str, int] = {}
        self.in_flight: dict[int, mqtt.Publish] = {}
        self.queue: list[mqtt.Publish] = []
        self.next_id = 1
        self.peer: Peer | None = None

    def deliver(self, message: mqtt.Publish) -> None:
        """Send, or keep for later (QoS 1)."""
        peer = self.peer
        if message.qos == 0:
            if peer is not None:
                peer.send(mqtt.publish(message))
        elif peer is not None and len(self.in_flight) < IN_FLIGHT_MAX:
            self._launch(peer, message)
        elif len(self.queue) < QUEUE_MAX:
            self.queue.append(message)

    def acknowledged(self, packet_id: int) -> None:
        """A PUBACK: the next one may go."""
        self.in_flight.pop(packet_id, None)
        if self.queue and self.peer is not None and len(self.in_flight) < IN_FLIGHT_MAX:
            self._launch(self.peer, self.queue.pop(0))

    def resume(self) -> None:
        """Reconnected: all that is in flight goes again, as a duplicate; then what waits."""
        peer = self.peer
        if peer is None:
            return
        for message in self.in_flight.values():
            peer.send(mqtt.publish(message._replace(dup=True)))
        while self.queue and len(self.in_flight) < IN_FLIGHT_MAX:
            self._launch(peer, self.queue.pop(0))

    def _launch(self, peer: Peer, message: mqtt.Publish) -> None:
        while self.next_id in self.in_flight:
            self.next_id = self.next_id % 65535 + 1
        message = message._replace(packet_id=self.next_id)
        self.in_flight[self.next_id] = message
        self.next_id = self.next_id % 65535 + 1
        peer.send(mqtt.publish(message))


class Peer:
    """The broker's end of one connection."""

    __slots__ = (
        "_buffer",
        "_clean",
        "_keepalive",
        "_keepalive_us",
        "_silent_at_us",
        "_will",
        "broker",
        "connection",
        "session",
    )

    def __init__(self, broker: Broker, connection: Connection) -> None:
        self.broker = broker
        self.connection = connection
        self.session: ClientSession | None = None
        self._buffer = bytearray()
        self._will: tuple[str, bytes, int, bool] | None = None
        self._clean = True
        self._keepalive_us = 0
        self._silent_at_us = 0
        self._keepalive: Event | None = None
        broker.peers.append(self)

    # --- from the connection

    def received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self not in self.broker.peers or self.broker.mute:
            return
        self._buffer += data
        self._keep_alive()
        try:
            for kind, flags, body in mqtt.split(self._buffer, SIZE_MAX):
                if self not in self.broker.peers:
                    return
                self._take(kind, flags, body)
        except mqtt.PacketError:
            self._refuse()

    def closed(self) -> None:
        """The client closed the connection without DISCONNECT: its will is published."""
        self.leave(will=True)

    def send(self, data: bytes) -> None:
        """Bytes to the client."""
        self.connection.to_board(data)

    def leave(self, *, will: bool) -> None:
        """This connection is over for the broker."""
        if self not in self.broker.peers:
            return
        self.broker.peers.remove(self)
        if self._keepalive is not None:
            self._keepalive.cancel()
        session, self.session = self.session, None
        if session is None:
            return
        session.peer = None
        if self._clean:
            self.broker.sessions.pop(session.client_id, None)
        if will and self._will is not None:
            topic, payload, qos, retain = self._will
            self.broker.publish(topic, payload, qos=qos, retain=retain, sender=session.client_id)

    # --- packets

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        if (kind == mqtt.CONNECT) != (self.session is None):
            raise mqtt.PacketError("order")
        session = self.session
        if session is None:
            self._connect(mqtt.parse_connect(body))
        elif kind == mqtt.PUBLISH:
            message = mqtt.parse_publish(flags, body)
            if message.qos == 2:
                raise mqtt.PacketError("QoS 2 is not spoken here")
            self.broker.publish(
                message.topic, message.payload, qos=message.qos, retain=message.retain, sender=session.client_id
            )
            if message.qos:
                self.send(mqtt.packet(mqtt.PUBACK, 0, message.packet_id.to_bytes(2, "big")))
        elif kind == mqtt.PUBACK:
            session.acknowledged(int.from_bytes(body, "big"))
        elif kind == mqtt.SUBSCRIBE:
            self._subscribe(session, body)
        elif kind == mqtt.UNSUBSCRIBE:
            packet_id, filters = mqtt.parse_subscribe(body, with_qos=False)
            for pattern, _ in filters:
                session.subscriptions.pop(pattern, None)
            self.send(mqtt.packet(mqtt.UNSUBACK, 0, packet_id.to_bytes(2, "big")))
        elif kind == mqtt.PINGREQ:
            self.send(mqtt.packet(mqtt.PINGRESP, 0, b""))
        elif kind == mqtt.DISCONNECT:
            self.leave(will=False)
        else:
            raise mqtt.PacketError("kind")

    def _connect(self, wish: mqtt.Connect) -> None:
        broker = self.broker
        if broker.users is not None:
            password = (wish.password or b"").decode(errors="replace")
            if wish.user is None or broker.users.get(wish.user) != password:
                self.send(mqtt.packet(mqtt.CONNACK, 0, b"\0\x05"))
                self._refuse()
                return
        broker.connects += 1
        known = broker.sessions.get(wish.client_id)
        if known is not None and known.peer is not None:  # the same client again: the old connection goes
            old = known.peer
            old.leave(will=True)
            old.connection.hang_up(reset=True)
        if wish.clean:
            broker.sessions.pop(wish.client_id, None)
        present = wish.client_id in broker.sessions
        session = broker.sessions.setdefault(wish.client_id, ClientSession(wish.client_id))
        session.peer = self
        self.session, self._clean, self._will = session, wish.clean, wish.will
        self._keepalive_us = wish.keepalive_s * 1_500_000
        self._keep_alive()
        self.send(mqtt.packet(mqtt.CONNACK, 0, bytes((int(present), 0))))
        session.resume()

    def _subscribe(self, session: ClientSession, body: bytes) -> None:
        packet_id, filters = mqtt.parse_subscribe(body, with_qos=True)
        granted = bytearray()
        for pattern, qos in filters:
            if not mqtt.valid_filter(pattern) or qos > 2:
                granted.append(0x80)
                continue
            granted.append(min(qos, 1))
            session.subscriptions[pattern] = min(qos, 1)
        self.send(mqtt.packet(mqtt.SUBACK, 0, packet_id.to_bytes(2, "big") + granted))
        for pattern, qos in filters:
            for topic, message in list(self.broker.retained.items()):
                if pattern in session.subscriptions and mqtt.matches(pattern, topic):
                    level = min(message.qos, qos, 1)
                    session.deliver(mqtt.Publish(topic, message.payload, level, retain=True, dup=False, packet_id=0))

    def _refuse(self) -> None:
        self.leave(will=True)
        self.connection.hang_up()

    def _keep_alive(self) -> None:
        """Anything heard puts the deadline off; it is looked at when it comes, not moved."""
        self._silent_at_us = self.connection.network.timeline.now_us + self._keepalive_us
        if self._keepalive_us and self._keepalive is None:
            self._keepalive = self.connection.network.timeline.at(self._silent_at_us, self._silent)

    def _silent(self) -> None:
        self._keepalive = None
        if self.connection.network.timeline.now_us < self._silent_at_us:
            self._keepalive = self.connection.network.timeline.at(self._silent_at_us, self._silent)
            return
        self.leave(will=True)
        self.connection.hang_up()
