"""The chip's real-time clock with its faults, and nothing else.

It counts microseconds since 2000-01-01. Awake it runs at a rate of its own; deep sleep is as long as the sleep timer makes it,
while the clock is put forward by what was asked for; its counter overflows every 7 h 45 min, which goes unnoticed unless
someone reads the clock in between; it is zero after a power loss.
"""

UNIX_2000_S = 946_684_800
OVERFLOW_US = (7 * 60 + 45) * 60 * 1_000_000


class Clock:
    """`awake_drift` and `sleep_drift` are fractions: +0.02 = the clock gains 2 %, the sleep lasts 2 % too long."""

    __slots__ = ("_anchor_us", "_base_us", "awake_drift", "sleep_drift")

    def __init__(self, awake_drift: float = 0.0, sleep_drift: float = 0.0) -> None:
        self.awake_drift = awake_drift
        self.sleep_drift = sleep_drift
        self._base_us = 0  # what the clock showed ...
        self._anchor_us = 0  # ... at this true time

    def read_us(self, now_us: int) -> int:
        """Microseconds since 2000 as the board believes at true time `now_us`."""
        elapsed_us = (now_us - self._anchor_us) % OVERFLOW_US
        if self.awake_drift:
            elapsed_us += round(elapsed_us * self.awake_drift)
        self._base_us += elapsed_us
        self._anchor_us = now_us
        return self._base_us

    def set_us(self, now_us: int, value_us: int) -> None:
        """Set it, as `RTC().datetime(...)` does."""
        self._base_us = value_us
        self._anchor_us = now_us

    def lose_power(self, now_us: int) -> None:
        """Start from 2000-01-01 again."""
        self.set_us(now_us, 0)

    def sleep(self, now_us: int, asked_us: int) -> int:
        """Put the clock forward by `asked_us` as the port does before it sleeps; return how long the sleep really lasts, in us."""
        really_us = asked_us + round(asked_us * self.sleep_drift)
        self._base_us = self.read_us(now_us) + asked_us
        self._anchor_us = now_us + really_us
        return really_us

    def wake(self, now_us: int) -> None:
        """The board starts now, be it earlier than the sleep timer would have it: the time put forward stays."""
        self._anchor_us = now_us
