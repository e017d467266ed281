"""The machine's time for very many live boards: one loop waits for all of them.

Rule: whoever waits hands over its deadline and its file, and has its turn when one of them comes. It must not know what a board or a broker is.
"""

import contextlib
import heapq
import select
import time
from collections import deque
from collections.abc import Callable

from greenlet import getcurrent, greenlet

from sim.timeline import FOREVER_US, EventQueue, Files, Waiter

LOOK_MS = 100  # so often the loop looks at whether it shall end
LATE_KEPT = 100_000
TURNS = 64


class CrowdTime(EventQueue):
    """The machine's monotonic clock for many boards, each on a stack of its own."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self._start_ns = time.monotonic_ns()
        self._hub: greenlet | None = None
        self._epoll = select.epoll()
        self._waiting: dict[int, Callable[[], None]] = {}  # by file
        self.late_us: deque[int] = deque(maxlen=LATE_KEPT)  # how long after their time the last events had their turn

    def watch(self, file: int, events: int, callback: Callable[[], None]) -> None:
        """Call `callback` when `file` is ready, until `unwatch`."""
        self._waiting[file] = callback
        self._epoll.register(file, events)

    def unwatch(self, file: int) -> None:
        """Not any more; harmless when it was closed meanwhile."""
        if self._waiting.pop(file, None) is not None:
            with contextlib.suppress(OSError):  # a closed file has left by itself
                self._epoll.unregister(file)

    def wait(self, waiter: Waiter, until_us: int, files: Files = ()) -> None:
        """Let others have their turn until `until_us`, a notification, or a ready file."""
        if waiter.notified:
            return
        hub = self._hub
        assert hub is not None  # boards wait, the loop does not
        waiter.task = getcurrent()
        waiter.resume_event = self.at(until_us, waiter.resume)
        for file, events in files:
            self.watch(file, events, waiter.notify)
        try:
            hub.switch()
        finally:
            for file, _ in files:
                self.unwatch(file)

    def spend(self, us: int) -> bool:  # noqa: ARG002 - the work itself takes real time
        """Bring the present up to date."""
        self.now_us = (time.monotonic_ns() - self._start_ns) // 1000
        return False

    def run(self, stop: Callable[[], bool]) -> None:
        """Let the boards live until `stop` says so."""
        self._hub = getcurrent()
        while not stop():
            self.spend(0)
            for _ in range(TURNS):  # then the files have theirs, however late all are
                if (at_us := self._next_us()) > self.now_us:
                    break
                event = heapq.heappop(self._events)[2]
                if event.callback is not None:
                    self.late_us.append(self.now_us - at_us)
                    callback, event.callback = event.callback, None
                    callback()
                self.spend(0)
            left_ms = min(LOOK_MS, max(0, (min(self._next_us(), FOREVER_US) - self.now_us) // 1000))
            for file, _ in self._epoll.poll(left_ms / 1000):
                callback = self._waiting.get(file, _nothing)
                callback()

    def close(self) -> None:
        """Let go of the files."""
        self._epoll.close()


def _nothing() -> None:
    """Its file was let go of by one who had its turn before."""
