"""Time sources: the one place where time passes, and where boards take turns.

Rule: true time is an integer of microseconds since the start of the simulation. `VirtualTime` jumps from event to event and
switches boards (greenlets) at their waits; `LiveTime` follows the machine's monotonic clock and waits in `select.poll`. It
must not know what a board, a broker or a lawn is.
"""

import heapq
import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from greenlet import getcurrent, greenlet

from sim.errors import Stopped

FOREVER_US = 1 << 62

type Callback = Callable[[], None]
type Files = Sequence[tuple[int, int]]  # (file descriptor, events of select.poll)


class Event:
    """Something that will happen; `cancel()` it at will."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Make it not happen; harmless when it already did."""
        self.callback = None


class Waiter:
    """One who waits (a board): `notify()` ends its wait before the deadline. It stays notified until `clear()`."""

    __slots__ = ("notified", "resume_event", "task", "timeline")

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.notified = False
        self.task: greenlet | None = None
        self.resume_event: Event | None = None

    def notify(self) -> None:
        """Something came that the waiter should look at."""
        if self.notified:
            return
        self.notified = True
        if self.resume_event is not None:  # it sleeps in a greenlet: bring its turn forward
            self.resume_event.cancel()
            self.resume_event = self.timeline.at(self.timeline.now_us, self.resume)

    def clear(self) -> None:
        """Take note of the notification."""
        self.notified = False

    def resume(self) -> None:
        """Give the waiter's greenlet its turn."""
        self.resume_event = None
        task = self.task
        if task is not None and not task.dead:
            task.parent = getcurrent()
            task.switch()


class Timeline(Protocol):
    """What boards, brokers and worlds see of time."""

    now_us: int
    live: bool

    def at(self, at_us: int, callback: Callback) -> Event:
        """Call `callback` at true time `at_us` (at once, in order, if that is past)."""

    def wait(self, waiter: Waiter, until_us: int, files: Files = ()) -> None:
        """Return at `until_us`, when `waiter` is notified, or (live) when one of `files` is ready."""

    def spend(self, us: int) -> bool:
        """Let `us` pass as working time; True if something is due, so that the caller should wait(now) soon."""


class EventQueue:
    """Events in the order of their times; those of one time in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now_us = 0
        self._events: list[tuple[int, int, Event]] = []  # tuples, because they compare without a call
        self._order = 0

    def at(self, at_us: int, callback: Callback) -> Event:
        """Call `callback` at true time `at_us` (at once, in order, if that is past)."""
        self._order += 1
        event = Event(callback)
        heapq.heappush(self._events, (at_us, self._order, event))
        return event

    def _next_us(self) -> int:
        events = self._events
        while events and events[0][2].callback is None:
            heapq.heappop(events)
        return events[0][0] if events else FOREVER_US


class VirtualTime(EventQueue):
    """Waiting costs nothing: time jumps to whatever comes next."""

    live = False

    def __init__(self) -> None:
        super().__init__()
        self._hub: greenlet | None = None
        self._limit_us = 0

    def run_until(self, until_us: int, waiter: Waiter | None = None) -> None:
        """Let everything happen up to and including `until_us`, or until `waiter` is notified."""
        before_hub, before_limit_us = self._hub, self._limit_us
        self._hub, self._limit_us = getcurrent(), until_us
        try:
            events = self._events
            while events and (waiter is None or not waiter.notified):
                at_us, _, event = events[0]
                callback = event.callback
                if callback is not None:
                    if at_us > until_us:
                        break
                    self.now_us = max(self.now_us, at_us)
                    event.callback = None
                heapq.heappop(events)
                if callback is not None:
                    callback()
            if waiter is None or not waiter.notified:
                self.now_us = max(self.now_us, until_us)
        finally:
            self._hub, self._limit_us = before_hub, before_limit_us

    def run_for(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.run_until(self.now_us + round(seconds * 1_000_000))

    def wait(self, waiter: Waiter, until_us: int, files: Files = ()) -> None:  # noqa: ARG002 - nothing here has a file
        """Let others have their turn until `until_us` or until `waiter` is notified."""
        if waiter.notified:
            return
        events = self._events
        if until_us <= self._limit_us and (
            not events or until_us < events[0][0]
        ):  # nothing happens before: no switch needed
            self.now_us = max(self.now_us, until_us)
            return
        hub = self._hub
        current = getcurrent()
        if hub is None or current is hub:  # no board's greenlet: the caller itself lets the world go on
            self.run_until(until_us, waiter)
            return
        if until_us <= self._limit_us and until_us < self._next_us():  # what would come before was cancelled
            self.now_us = max(self.now_us, until_us)
            return
        waiter.task = current
        waiter.resume_event = self.at(until_us, waiter.resume)
        hub.switch()

    def spend(self, us: int) -> bool:
        """Let `us` pass as working time of the running board."""
        now_us = self.now_us = self.now_us + us
        if now_us > self._limit_us and self._hub is not None:
            return True
        events = self._events
        if not events or now_us < events[0][0]:  # the usual case; a cancelled event only makes the next line decide
            return False
        return now_us >= self._next_us()


class LiveTime(EventQueue):
    """The machine's monotonic clock; `stop()` may be called from a signal handler."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self._start_ns = time.monotonic_ns()
        self._stopped = False
        self.failure: Exception | None = None  # why an event stopped the simulation

    def stop(self) -> None:
        """Make the present and every later wait raise `Stopped`."""
        self._stopped = True

    def wait(self, waiter: Waiter, until_us: int, files: Files = ()) -> None:
        """Sleep until `until_us`, a notification or a ready file; run what falls due in between."""
        poll = select.poll()
        for file, events in files:
            poll.register(file, events)
        while True:
            self._run_due()
            if self._stopped:
                raise Stopped
            if waiter.notified or self.now_us >= until_us:
                return
            left_us = (
                min(until_us, self._next_us(), self.now_us + 200_000) - self.now_us
            )  # 200 ms: to see a stop() soon
            if poll.poll(max(0, -(-left_us // 1000))):
                self._run_due()
                return

    def spend(self, us: int) -> bool:  # noqa: ARG002 - the work itself takes real time
        """Bring the present up to date."""
        self.now_us = (time.monotonic_ns() - self._start_ns) // 1000
        if self._stopped:
            raise Stopped
        return False

    def _run_due(self) -> None:
        self.now_us = (time.monotonic_ns() - self._start_ns) // 1000
        while self._next_us() <= self.now_us:
            event = heapq.heappop(self._events)[2]
            if event.callback is None:
                continue
            callback, event.callback = event.callback, None
            try:
                callback()
            except Exception as error:  # this runs below the firmware, which must not catch what is not its own
                self.failure = error
                self._stopped = True
                raise Stopped from error
