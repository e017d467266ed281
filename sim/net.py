"""What lies between a board's radio and the servers: Wi-Fi, an in-memory network, and the simulated time server.

Rule: a connection is seen from two ends: the board's socket stand-in (`readable`, `writable`, `recv`, `send`, `close`) and a server
(`Server`). Once bytes were lost on a connection it stays dead, as it would for all that matters. A board that resets says nothing: its
connections are half-open until the server finds out. Nothing here parses what is carried.
"""

from collections.abc import Callable
from typing import Protocol

from sim import dns, ntp
from sim.timeline import Files, Timeline, Waiter

ECONNREFUSED, ECONNRESET = 111, 104
SEND_BUFFER = 2920  # two segments, as lwIP on the board has
LATENCY_US = 2_000


class Server(Protocol):
    """The far end of one connection."""

    def received(self, data: bytes) -> None:
        """Bytes from the board."""

    def closed(self) -> None:
        """The board closed the connection."""


class Channel(Protocol):
    """The board's end of one TCP connection. `error` is an errno once it failed."""

    error: int
    connected: bool
    peer_closed: bool

    def send_at_once(self) -> None:
        """Small packets do not wait for the answer to the one before them (TCP_NODELAY)."""

    def readable(self) -> bool:
        """Would `recv` give something (an end or an error included)?"""

    def writable(self) -> bool:
        """Would `send` take something (or tell an error)?"""

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; b"" when there are none."""

    def send(self, data: bytes) -> int:
        """Number of bytes taken, 0 when the buffer is full."""

    def close(self) -> None:
        """Close it."""

    def files(self) -> Files:
        """What to wait for, live."""


class Network:
    """An in-memory network with its Wi-Fi. Faults: `wifi_up`, `refuses`, `latency_us`, `ntp_on`, `dns_on`."""

    def __init__(self, timeline: Timeline, true_unix_s: Callable[[], float]) -> None:
        self.timeline = timeline
        self.true_unix_s = true_unix_s
        self.ssid, self.key = "lawn", "water-and-sun"
        self.rssi_dbm = -61
        self.wifi_up = True
        self.join_us = 1_200_000
        self.latency_us = LATENCY_US
        self.ntp_on = True
        self.names: dict[str, str] = {}  # what the network's name server knows
        self.dns_on = True
        self.ntp_error_s = 0.0  # a fault: the time server lies by so much
        self.refuses = False  # a fault: every new connection is refused
        self.listeners: dict[tuple[str, int], Callable[[Connection], Server]] = {}
        self.hosts: set[str] = set()
        self.connections: list[Connection] = []

    def listen(self, host: str, port: int, accept: Callable[[Connection], Server]) -> None:
        """Serve `host`:`port`; `accept` is called for each connection."""
        self.listeners[host, port] = accept
        self.hosts.add(host)

    def unlisten(self, host: str, port: int) -> None:
        """Refuse connections to `host`:`port` from now on."""
        self.listeners.pop((host, port), None)

    def connect(self, host: str, port: int, waiter: Waiter) -> Channel:
        """Begin a connection for the board that `waiter` belongs to."""
        connection = Connection(self, waiter)
        self.connections.append(connection)
        if self.wifi_up and (host in self.hosts or self.refuses):
            self.deliver(lambda: connection.establish(None if self.refuses else self.listeners.get((host, port))))
        return connection

    def forget(self, waiter: Waiter) -> None:
        """That board was reset: its connections are dead, and nobody is told."""
        for connection in [connection for connection in self.connections if connection.waiter is waiter]:
            connection.dead = True
            self.connections.remove(connection)

    def deliver(self, callback: Callable[[], None]) -> None:
        """Let something arrive at the other end."""
        if self.latency_us:
            self.timeline.at(self.timeline.now_us + self.latency_us, callback)
        else:
            callback()

    def datagram(self, port: int, data: bytes, reply: Callable[[bytes], None]) -> None:
        """A UDP packet from a board; only the time server and the name server answer."""
        if not self.wifi_up or not {ntp.PORT: self.ntp_on, dns.PORT: self.dns_on}.get(port, False):
            return

        def arrive() -> None:
            if port == dns.PORT:
                answer = dns.answer(data, self.names)
            else:
                answer = ntp.answer(data, self.true_unix_s() + self.ntp_error_s)
            if answer is not None:
                self.deliver(lambda: reply(answer))

        self.deliver(arrive)


class Connection:
    """One TCP connection in memory."""

    __slots__ = (
        "connected",
        "dead",
        "error",
        "in_flight",
        "inbox",
        "local_closed",
        "network",
        "peer_closed",
        "server",
        "waiter",
    )

    def __init__(self, network: Network, waiter: Waiter) -> None:
        self.network = network
        self.waiter = waiter
        self.server: Server | None = None
        self.inbox = bytearray()
        self.in_flight = 0
        self.connected = False
        self.peer_closed = False
        self.local_closed = False
        self.dead = False
        self.error = 0

    # --- the board's end

    def send_at_once(self) -> None:
        """Nothing waits here anyway."""

    def readable(self) -> bool:
        """Would `recv` give something (an end or an error included)?"""
        return bool(self.inbox) or self.peer_closed or self.error != 0

    def writable(self) -> bool:
        """Would `send` take something (or tell an error)?"""
        return self.error != 0 or (self.connected and self.in_flight < SEND_BUFFER)

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; b"" when there are none."""
        data = bytes(self.inbox[:count])
        del self.inbox[:count]
        return data

    def send(self, data: bytes) -> int:
        """Number of bytes taken, 0 when the buffer is full."""
        taken = bytes(data[: SEND_BUFFER - self.in_flight])
        self.in_flight += len(taken)
        if not self.network.wifi_up:
            self.dead = True
        if taken and not self.dead:
            self.network.deliver(lambda: self._arrive(taken))
        return len(taken)

    def close(self) -> None:
        """Close it; the server is told."""
        if self.local_closed:
            return
        self.local_closed = True
        if self in self.network.connections:
            self.network.connections.remove(self)
        if self.connected and not self.dead and self.network.wifi_up:
            self.network.deliver(self._tell_closed)
        self.dead = self.dead or not self.network.wifi_up

    def files(self) -> Files:
        """Nothing: an in-memory connection notifies its waiter."""
        return ()

    def _tell_closed(self) -> None:
        if self.server is not None and not self.dead:
            self.server.closed()

    def _arrive(self, data: bytes) -> None:
        if self.dead or self.server is None:
            return
        self.in_flight -= len(data)
        self.server.received(data)
        self.waiter.notify()

    # --- the server's end

    def establish(self, accept: Callable[[Connection], Server] | None) -> None:
        """The handshake is done, or refused."""
        if self.dead or self.local_closed:
            return
        if accept is None:
            self.error = ECONNREFUSED
        else:
            self.connected = True
            self.server = accept(self)
        self.waiter.notify()

    def to_board(self, data: bytes) -> None:
        """Send bytes to the board."""
        if not self.network.wifi_up:
            self.dead = True
        if not self.dead and not self.local_closed:
            self.network.deliver(lambda: self._reach(data))

    def _reach(self, data: bytes) -> None:
        if not self.dead and not self.local_closed:
            self.inbox += data
            self.waiter.notify()

    def hang_up(self, *, reset: bool = False) -> None:
        """The server closes the connection, or (`reset`) refuses to know it."""
        if not self.network.wifi_up:
            self.dead = True

        def reach() -> None:
            if not self.dead and not self.local_closed:
                self.peer_closed = True
                self.error = ECONNRESET if reset else self.error
                self.waiter.notify()

        self.network.deliver(reach)
