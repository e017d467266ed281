"""A small MQTT 3.1.1 broker in memory: QoS 0 and 1, retained messages, persistent sessions with a queue, Last Will, keepalive.

Rule: a peer of a real broker, seen from the wire; besides, tests publish, subscribe and read the log without being a client. It must not know what
the messages mean.
"""

from collections.abc import Callable
from typing import NamedTuple

from sim import mqtt
from sim.net import Connection, Network
from sim.peer import ClientSession, Peer


class Message(NamedTuple):
    """One accepted message, in the log: true time, topic, payload, QoS, retain, and the client's id ("" = the test)."""

    at_us: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    sender: str


class Broker:
    """Faults: `stop()`, `start()`, `drop(client_id)`, `mute` (accepts, never answers).

    `log` holds every accepted message, or none with `keep_log=False`: a fleet's would fill the memory.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 1883, users: dict[str, str] | None = None, *, keep_log: bool = True
    ) -> None:
        self.host, self.port = host, port
        self.users = users  # name -> password; None: anyone may come
        self.log: list[Message] = []
        self.keep_log = keep_log
        self.retained: dict[str, Message] = {}
        self.sessions: dict[str, ClientSession] = {}
        self.mute = False
        self.connects = 0
        self.networks: list[Network] = []
        self.peers: list[Peer] = []
        self._listeners: list[tuple[str, Callable[[Message], None]]] = []

    # --- for tests

    def join(self, network: Network) -> None:
        """Serve the boards on `network`; one broker may serve several."""
        self.networks.append(network)
        network.listen(self.host, self.port, self._accept)

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False, sender: str = ""
    ) -> None:
        """Accept a message as if a client had sent it."""
        data = payload.encode() if isinstance(payload, str) else payload
        now_us = self.networks[0].timeline.now_us if self.networks else 0
        message = Message(now_us, topic, data, qos, retain, sender)
        if self.keep_log:
            self.log.append(message)
        if retain and data:
            self.retained[topic] = message
        elif retain:
            self.retained.pop(topic, None)
        for pattern, callback in self._listeners:
            if mqtt.matches(pattern, topic):
                callback(message)
        for session in list(self.sessions.values()):
            granted = [qos for pattern, qos in session.subscriptions.items() if mqtt.matches(pattern, topic)]
            if granted:
                session.deliver(mqtt.Publish(topic, data, min(qos, max(granted)), retain=False, dup=False, packet_id=0))

    def subscribe(self, pattern: str, callback: Callable[[Message], None]) -> None:
        """Call `callback(message)` for what matches: first for what is retained, then as it comes."""
        self._listeners.append((pattern, callback))
        for topic, message in list(self.retained.items()):
            if mqtt.matches(pattern, topic):
                callback(message)

    def messages(self, pattern: str, since_us: int = 0) -> list[Message]:
        """The logged messages on topics that match, from `since_us` on."""
        return [message for message in self.log if message.at_us >= since_us and mqtt.matches(pattern, message.topic)]

    def stop(self, *, keep: bool = True) -> None:
        """Go down at once, wills unsent; `keep=False` also forgets sessions and retained messages."""
        for network in self.networks:
            network.unlisten(self.host, self.port)
        for peer in list(self.peers):
            peer.leave(will=False)
            peer.connection.hang_up(reset=True)
        if not keep:
            self.sessions.clear()
            self.retained.clear()

    def start(self) -> None:
        """Come back."""
        for network in self.networks:
            network.listen(self.host, self.port, self._accept)

    def drop(self, client_id: str) -> None:
        """Cut a client's connection, as a network failure that both ends notice; its will is published."""
        session = self.sessions.get(client_id)
        if session is not None and session.peer is not None:
            peer = session.peer
            peer.leave(will=True)
            peer.connection.hang_up(reset=True)

    def connected(self, client_id: str) -> bool:
        """Does the broker think that this client is there?"""
        session = self.sessions.get(client_id)
        return session is not None and session.peer is not None

    def _accept(self, connection: Connection) -> Peer:
        return Peer(self, connection)
