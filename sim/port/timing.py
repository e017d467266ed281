"""Stand-in for `time`: ticks wrap at 2**30, the epoch is 2000-01-01, and the clock is the chip's own, with its faults."""

import calendar
import time

from sim.clock import UNIX_2000_S
from sim.port.session import Session

TICKS_PERIOD = 1 << 30
TICKS_HALF = TICKS_PERIOD >> 1
CALL_US = 15  # what a call of the port costs at 80 MHz: a loop that only looks at the time gets somewhere

type TimeTuple = tuple[int, int, int, int, int, int, int, int]


class TimeModule:
    """Stands in for `time`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def sleep_ms(self, ms: int) -> None:
        """Wait; handlers run meanwhile."""
        session = self._session
        session.wait(session.timeline.now_us + max(0, ms) * 1000)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.sleep_ms(round(seconds * 1000))

    def sleep_us(self, us: int) -> None:
        """Busy wait: no handler runs."""
        self._session.enter("sleep_us")
        self._session.block(max(0, us))

    def ticks_us(self) -> int:
        """Microseconds since the boot, modulo 2**30."""
        session = self._session
        if session.ended is not None:
            session.enter("ticks")
        session.spend(CALL_US)
        return (session.timeline.now_us - session.boot_us + session.chip.ticks_offset_us) & (TICKS_PERIOD - 1)

    def ticks_ms(self) -> int:
        """Milliseconds since the boot, modulo 2**30."""
        session = self._session
        if session.ended is not None:
            session.enter("ticks")
        timeline = session.timeline
        if timeline.spend(CALL_US) or timeline.now_us >= session.watchdog_until_us:
            session.spend(0)
        return (timeline.now_us - session.boot_us + session.chip.ticks_offset_us) // 1000 & (TICKS_PERIOD - 1)

    ticks_cpu = ticks_us

    def ticks_diff(self, later: int, earlier: int) -> int:
        """later - earlier across the wrap: -2**29 ... 2**29 - 1."""
        return ((later - earlier + TICKS_HALF) & (TICKS_PERIOD - 1)) - TICKS_HALF

    def ticks_add(self, ticks: int, delta: int) -> int:
        """Ticks `delta` later."""
        if not -TICKS_HALF < delta < TICKS_HALF:
            raise OverflowError("ticks interval overflow")
        return (ticks + delta) & (TICKS_PERIOD - 1)

    def time(self) -> int:
        """Seconds since 2000 by the board's clock."""
        session = self._session
        if session.ended is not None or session.on_call is not None:
            session.enter("time")
        return session.chip.clock.read_us(session.timeline.now_us) // 1_000_000

    def time_ns(self) -> int:
        """Nanoseconds since 2000 by the board's clock."""
        session = self._session
        session.enter("time")
        return session.chip.clock.read_us(session.timeline.now_us) * 1000

    def gmtime(self, seconds: int | None = None) -> TimeTuple:
        """(year, month, day, hour, minute, second, weekday from Monday = 0, day of the year) of seconds since 2000."""
        moment = time.gmtime(UNIX_2000_S + (self.time() if seconds is None else seconds))
        return (*moment[:6], moment.tm_wday, moment.tm_yday)

    localtime = gmtime

    def mktime(self, moment: TimeTuple) -> int:
        """Seconds since 2000 of a time tuple."""
        return calendar.timegm((*moment[:6], 0, 0, 0)) - UNIX_2000_S
