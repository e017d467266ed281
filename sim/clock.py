"""The chip's real-time clock with its faults, and nothing else.

It shows microseconds since 2000-01-01: a stored offset plus a counter (MicroPython's machine_rtc.c). The counter has a rate of its own, goes on over a
watchdog or software reset, and starts from zero with power, at the end of a deep sleep and at the reset pin (Espressif's SDK); the offset is kept but
with power. So a press of reset sets the clock back to when the counter last was zero. Deep sleep is as long as the sleep timer makes it, while the offset
is put forward by what was asked for. The counter overflows every 7 h 45 min, which goes unnoticed unless someone reads the clock in between.
"""

UNIX_2000_S = 946_684_800
OVERFLOW_US = (7 * 60 + 45) * 60 * 1_000_000


class Clock:
    """`awake_drift` and `sleep_drift` are fractions: +0.02 = the clock gains 2 %, the sleep lasts 2 % too long."""

    __slots__ = ("_anchor_us", "_counter_us", "_offset_us", "awake_drift", "sleep_drift")

    def __init__(self, awake_drift: float = 0.0, sleep_drift: float = 0.0) -> None:
        self.awake_drift = awake_drift
        self.sleep_drift = sleep_drift
        self._offset_us = 0
        self._counter_us = 0  # what the counter showed ...
        self._anchor_us = 0  # ... at this true time

    def shown_us(self, now_us: int) -> int:
        """What `read_us` would say; nobody has read it."""
        before = self._offset_us, self._counter_us, self._anchor_us
        try:
            return self.read_us(now_us)
        finally:
            self._offset_us, self._counter_us, self._anchor_us = before

    def read_us(self, now_us: int) -> int:
        """Microseconds since 2000 as the board believes at true time `now_us`."""
        elapsed_us = now_us - self._anchor_us
        if self.awake_drift:
            elapsed_us += round(elapsed_us * self.awake_drift)
        counter_us = (self._counter_us + elapsed_us) % OVERFLOW_US
        if counter_us < self._counter_us:  # an overflow, the only one that can be seen
            self._offset_us += OVERFLOW_US
        self._counter_us = counter_us
        self._anchor_us = now_us
        return self._offset_us + counter_us

    def set_us(self, now_us: int, value_us: int) -> None:
        """Set it, as `RTC().datetime(...)` does."""
        self.read_us(now_us)
        self._offset_us = value_us - self._counter_us

    def start_counter(self, now_us: int) -> None:
        """The counter starts from zero: the reset pin, or the end of a deep sleep."""
        self._counter_us = 0
        self._anchor_us = now_us

    def lose_power(self, now_us: int) -> None:
        """Start from 2000-01-01 again."""
        self._offset_us = 0
        self.start_counter(now_us)

    def sleep(self, now_us: int, asked_us: int) -> int:
        """Put the clock forward by `asked_us` as the port does before it sleeps; return how long the sleep really lasts, in us."""
        self._offset_us = self.read_us(now_us) + asked_us
        return asked_us + round(asked_us * self.sleep_drift)
