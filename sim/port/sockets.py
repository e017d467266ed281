"""Stand-in for `socket`, with lwIP's manners.

Rule: numbers of errors are the board's. `setblocking(True)` wipes the timeout, a blocking call without one waits for ever (until the watchdog),
names are not resolved: numeric addresses only. A peer-closed socket is readable and writable.
"""

from collections.abc import Callable

from sim.net import Channel
from sim.port.session import Session
from sim.timeline import FOREVER_US, Files

EAGAIN, ENOTCONN, ETIMEDOUT, EHOSTUNREACH, EINPROGRESS, EALREADY, EISCONN, EBADF = 11, 107, 110, 113, 115, 114, 106, 9
EINVAL, ECONNRESET = 22, 104
POLLIN, POLLOUT, POLLERR, POLLHUP = 1, 4, 8, 16

type Address = tuple[str, int]


def _check_numeric(host: str) -> None:
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isdigit() and int(part) < 256 for part in parts):
        raise OSError(-2, "no name server in the simulator: give a numeric address")


class Socket:
    """One TCP or UDP socket of the board."""

    __slots__ = ("_at_once", "_channel", "_closed", "_datagrams", "_session", "_timeout_us", "_udp")

    def __init__(self, session: Session, *, udp: bool) -> None:
        self._session = session
        self._udp = udp
        self._timeout_us: int | None = None  # None: for ever
        self._channel: Channel | None = None
        self._datagrams: list[bytes] = []
        self._closed = False
        self._at_once = False

    def setblocking(self, flag: bool) -> None:
        """True: every call waits for ever, whatever settimeout() said before."""
        self._timeout_us = None if flag else 0

    def settimeout(self, seconds: float | None) -> None:
        """None waits for ever, 0 not at all."""
        self._timeout_us = None if seconds is None else round(seconds * 1_000_000)

    def setsockopt(self, _level: int, option: int, value: object) -> None:
        """TCP_NODELAY counts, before or after `connect`; others are accepted, without effect here."""
        self._session.enter("setsockopt")
        if option == SocketModule.TCP_NODELAY:
            self._at_once = bool(value)
            if self._at_once and self._channel is not None:
                self._channel.send_at_once()

    def bind(self, address: Address) -> None:  # noqa: ARG002 - any local port will do
        """Accepted, without effect: replies find their way."""
        self._session.enter("bind")

    def connect(self, address: Address) -> None:
        """TCP: begin, and wait as the timeout says."""
        self._session.enter("connect")
        host, port = address
        _check_numeric(host)
        if self._closed:
            raise OSError(EBADF, "closed")
        if self._udp:
            return
        if self._channel is not None:
            raise OSError(EISCONN if self._channel.connected else EALREADY, "connect")
        if not self._session.joined():
            raise OSError(EHOSTUNREACH, "no network")
        self._session.talk(on=True)
        channel = self._channel = self._session.network.connect(host, port, self._session.waiter)
        if self._at_once:
            channel.send_at_once()
        if self._timeout_us == 0:
            raise OSError(EINPROGRESS, "connecting")
        self._wait(channel.writable)
        if channel.error:
            raise OSError(channel.error, "connect")

    def send(self, data: bytes) -> int:
        """Number of bytes taken; EAGAIN when none can be."""
        self._session.enter("send")
        channel = self._open_channel()
        if self._timeout_us != 0 and not channel.writable():
            self._wait(channel.writable)
        if channel.error or channel.peer_closed:
            raise OSError(channel.error or ECONNRESET, "send")
        if not channel.connected:
            raise OSError(EINPROGRESS, "connecting")
        taken = channel.send(bytes(data))
        if taken == 0 and data:
            raise OSError(EAGAIN, "send")
        return taken

    write = send

    def sendall(self, data: bytes) -> None:
        """Send it all, waiting as often as needed."""
        while data:
            data = data[self.send(data) :]

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; b"" at the end; EAGAIN when there are none."""
        self._session.enter("recv")
        if self._udp:
            if self._timeout_us != 0:
                self._wait(lambda: bool(self._datagrams))
            if not self._datagrams:
                raise OSError(EAGAIN, "recv")
            return self._datagrams.pop(0)[:count]
        channel = self._open_channel()
        if self._timeout_us != 0 and not channel.readable():
            self._wait(channel.readable)
        data = channel.recv(count)
        if data or not count:
            return data
        if channel.error:
            raise OSError(channel.error, "recv")
        if channel.peer_closed:
            return b""
        raise OSError(EAGAIN if channel.connected else ENOTCONN, "recv")

    read = recv

    def recvfrom(self, count: int) -> tuple[bytes, Address]:
        """Like `recv`, with the address of the sender."""
        return self.recv(count), ("0.0.0.0", 0)  # noqa: S104 - nothing is bound, the sender is not modelled

    def sendto(self, data: bytes, address: Address) -> int:
        """One UDP packet."""
        self._session.enter("sendto")
        host, port = address
        _check_numeric(host)
        if not self._session.joined():
            raise OSError(EHOSTUNREACH, "no network")

        def reply(answer: bytes) -> None:
            if not self._closed and self._session.ended is None:
                self._datagrams.append(answer)
                self._session.waiter.notify()

        self._session.network.datagram(port, bytes(data), reply)
        return len(data)

    def close(self) -> None:
        """Close it; harmless twice."""
        self._session.enter("close")
        if not self._closed:
            self._closed = True
            if self._channel is not None:
                self._channel.close()
                self._session.talk(on=False)

    # --- for `select`

    def readiness(self, mask: int) -> int:
        """Those of `mask` (and HUP, ERR) that are so."""
        if self._udp:
            return (POLLIN if self._datagrams else 0) & mask | POLLOUT & mask
        channel = self._channel
        if channel is None:
            return POLLHUP
        ready = POLLIN if mask & POLLIN and channel.readable() else 0
        if mask & POLLOUT and channel.writable():
            ready |= POLLOUT
        if channel.error:
            return ready | POLLERR | POLLHUP
        if channel.peer_closed:
            ready |= POLLIN | POLLOUT
        return ready & mask

    def files(self) -> Files:
        """What to wait for, live."""
        return self._channel.files() if self._channel is not None else ()

    def _open_channel(self) -> Channel:
        if self._closed:
            raise OSError(EBADF, "closed")
        if self._channel is None:
            raise OSError(ENOTCONN, "not connected")
        return self._channel

    def _wait(self, ready: Callable[[], bool]) -> None:
        session = self._session
        until_us = FOREVER_US if self._timeout_us is None else session.timeline.now_us + self._timeout_us
        session.wait(until_us, ready, self.files)
        if not ready():
            raise OSError(ETIMEDOUT, "timeout")


class SocketModule:
    """Stands in for `socket`."""

    __slots__ = ("_session",)

    AF_INET = 2
    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    SOL_SOCKET = 1
    SO_REUSEADDR = 4
    IPPROTO_TCP = 6
    TCP_NODELAY = 1
    IPPROTO_IP = 0

    def __init__(self, session: Session) -> None:
        self._session = session

    def socket(self, family: int = 2, kind: int = 1, protocol: int = 0) -> Socket:  # noqa: ARG002 - as the port
        """A new socket."""
        self._session.enter("socket")
        return Socket(self._session, udp=kind == self.SOCK_DGRAM)

    def getaddrinfo(self, host: str, port: int, *_: object) -> list[tuple[int, int, int, str, Address]]:
        """Numeric addresses only: on the board a name has no timeout."""
        _check_numeric(host)
        return [(self.AF_INET, self.SOCK_STREAM, 0, "", (host, port))]
