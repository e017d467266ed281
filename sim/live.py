"""The network of a live board: its TCP connections are real sockets of this machine; Wi-Fi and the time server stay simulated.

Rule: errors are the board's numbers, whatever this machine's are. A board that resets says nothing: its sockets stay open, unread, until there are too
many.
"""

import errno
import select
import socket
from collections.abc import Callable

from sim.net import ECONNREFUSED, ECONNRESET, Channel, Network
from sim.timeline import Files, Timeline, Waiter

EHOSTUNREACH, ETIMEDOUT = 113, 110
FORGOTTEN_MAX = 16

_NUMBERS = {
    errno.ECONNREFUSED: ECONNREFUSED,
    errno.ETIMEDOUT: ETIMEDOUT,
    errno.EHOSTUNREACH: EHOSTUNREACH,
    errno.ENETUNREACH: EHOSTUNREACH,
}


class LiveNetwork(Network):
    """Real sockets below the simulated Wi-Fi. It has the faults of `Network` but `latency_us`, which is the machine's own."""

    def __init__(self, timeline: Timeline, true_unix_s: Callable[[], float]) -> None:
        super().__init__(timeline, true_unix_s)
        self.join_us = 300_000
        self._open: list[LiveConnection] = []
        self._forgotten: list[LiveConnection] = []

    def connect(self, host: str, port: int, waiter: Waiter) -> Channel:
        """Begin a connection."""
        connection = LiveConnection(self, waiter, (host, port))
        self._open.append(connection)
        return connection

    def forget(self, waiter: Waiter) -> None:
        """That board was reset: the far end hears nothing, for now."""
        for connection in [connection for connection in self._open if connection.waiter is waiter]:
            self._open.remove(connection)
            self._forgotten.append(connection)
        while len(self._forgotten) > FORGOTTEN_MAX:
            self._forgotten.pop(0).close()

    def closed(self, connection: LiveConnection) -> None:
        """A connection needs no watching any more."""
        if connection in self._open:
            self._open.remove(connection)

    def shut(self) -> None:
        """Close everything: the end of the simulation."""
        for connection in (*self._open, *self._forgotten):
            connection.close()
        self._forgotten.clear()


class LiveConnection:
    """One real TCP connection, never blocking."""

    __slots__ = ("_socket", "connected", "error", "lost", "network", "peer_closed", "waiter")

    def __init__(self, network: LiveNetwork, waiter: Waiter, address: tuple[str, int]) -> None:
        self.network = network
        self.waiter = waiter
        self.connected = False
        self.peer_closed = False
        self.error = 0
        self.lost = not network.wifi_up  # bytes went into the void: nothing comes of it any more
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        if network.refuses:
            self.error = ECONNREFUSED
        elif not self.lost:
            number = self._socket.connect_ex(address)
            if number not in (0, errno.EINPROGRESS):
                self._fail(number)

    def send_at_once(self) -> None:
        """Small packets do not wait for the answer to the one before them (TCP_NODELAY)."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def readable(self) -> bool:
        """Would `recv` give something (an end or an error included)?"""
        connected = self._check_connected()
        return self.error != 0 or self.peer_closed or (connected and bool(self._ready(select.POLLIN)))

    def writable(self) -> bool:
        """Would `send` take something (or tell an error)?"""
        connected = self._check_connected()
        return self.error != 0 or (connected and bool(self._ready(select.POLLOUT)))

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; b"" when there are none, with `error` or `peer_closed` set when there will be none."""
        if self.lost or self.error or not self._check_connected():
            return b""
        try:
            data = self._socket.recv(count)
        except BlockingIOError, InterruptedError:
            return b""
        except OSError as error:
            self._fail(error.errno)
            return b""
        self.peer_closed = not data
        return data

    def send(self, data: bytes) -> int:
        """Number of bytes taken, 0 when the buffer is full."""
        self.lost = self.lost or not self.network.wifi_up
        if self.lost:
            return len(data)
        try:
            return self._socket.send(data)
        except BlockingIOError, InterruptedError:
            return 0
        except OSError as error:
            self._fail(error.errno)
            return 0

    def close(self) -> None:
        """Close it."""
        self.network.closed(self)
        self._socket.close()

    def files(self) -> Files:
        """The socket, and what to wait for."""
        if self.lost or self.error or self.peer_closed:
            return ()
        return ((self._socket.fileno(), select.POLLIN | select.POLLOUT if self.connected else select.POLLOUT),)

    def _ready(self, events: int) -> int:
        if self.lost:
            return 0
        poll = select.poll()
        poll.register(self._socket, events)
        ready = poll.poll(0)
        return ready[0][1] if ready else 0

    def _check_connected(self) -> bool:
        if not self.connected and not self.error and self._ready(select.POLLOUT):
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._fail(number)
            else:
                self.connected = True
        return self.connected

    def _fail(self, number: int | None) -> None:
        self.error = _NUMBERS.get(number or 0, ECONNRESET)
