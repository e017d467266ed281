"""Stand-in for `select`, and the serial line as something to poll."""

from collections.abc import Iterator

from sim.port.session import Session
from sim.port.sockets import POLLERR, POLLHUP, POLLIN, POLLOUT, Socket
from sim.timeline import FOREVER_US, Files


class Uart:
    """`sys.stdin`: bytes that arrive on the serial line."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, count: int = 1) -> str:
        """Up to `count` characters that have arrived."""
        data = bytes(self._session.uart[:count])
        del self._session.uart[:count]
        return data.decode("latin-1")

    def readiness(self, mask: int) -> int:
        """Has something arrived?"""
        return POLLIN & mask if self._session.uart else 0

    def files(self) -> Files:
        """Nothing to wait for, live."""
        return ()


type Pollable = Socket | Uart


class Poll:
    """Stands in for a poll object."""

    __slots__ = ("_entries", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: dict[int, tuple[Pollable, int]] = {}

    def register(self, file: Pollable, mask: int = POLLIN | POLLOUT) -> None:
        """Watch `file`."""
        self._entries[id(file)] = (file, mask)

    def modify(self, file: Pollable, mask: int) -> None:
        """Watch it for something else."""
        if id(file) not in self._entries:
            raise OSError(2, "not registered")
        self._entries[id(file)] = (file, mask)

    def unregister(self, file: Pollable) -> None:
        """Watch it no longer."""
        self._entries.pop(id(file), None)

    def poll(self, timeout_ms: int = -1) -> list[tuple[Pollable, int]]:
        """What is ready, after at most `timeout_ms` (-1: for ever)."""
        session = self._session
        if session.ended is not None or session.on_call is not None:
            session.enter("poll")
        until_us = FOREVER_US if timeout_ms < 0 else session.timeline.now_us + timeout_ms * 1000
        session.wait(until_us, self._any, self._files)
        return self._ready()

    def ipoll(self, timeout_ms: int = -1, flags: int = 0) -> Iterator[tuple[Pollable, int]]:  # noqa: ARG002 - as the port
        """Like `poll`, as an iterator."""
        return iter(self.poll(timeout_ms))

    def _any(self) -> bool:
        for file, mask in self._entries.values():  # noqa: SIM110 - a generator costs more than the one or two files
            if file.readiness(mask):
                return True
        return False

    def _ready(self) -> list[tuple[Pollable, int]]:
        return [(file, ready) for file, mask in self._entries.values() if (ready := file.readiness(mask))]

    def _files(self) -> Files:
        """Live: the files of what is watched, each only for what it was registered for."""
        return [(number, events & mask) for file, mask in self._entries.values() for number, events in file.files()]


class SelectModule:
    """Stands in for `select`."""

    __slots__ = ("_session",)

    POLLIN, POLLOUT, POLLERR, POLLHUP = POLLIN, POLLOUT, POLLERR, POLLHUP

    def __init__(self, session: Session) -> None:
        self._session = session

    def poll(self) -> Poll:
        """A new poll object."""
        return Poll(self._session)
