"""DS3231: a clock with a cell of its own, and a thermometer. It keeps time while the board has no power.

Rule: registers as on the wire. Until it is set its oscillator counts as stopped, and its time is 2000-01-01.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sim.timeline import Timeline

STATUS, TEMPERATURE, REGISTERS = 0x0F, 0x11, 0x13
STOPPED = 0x80
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class RealTimeClock:
    """`measure()` gives its temperature in degrees Celsius. `drift` is a fraction (the part is good for 2e-6)."""

    __slots__ = ("_anchor_us", "_pointer", "_registers", "_set_s", "drift", "measure", "timeline")

    def __init__(self, timeline: Timeline, measure: Callable[[], float]) -> None:
        self.timeline = timeline
        self.measure = measure
        self.drift = 0.0
        self._pointer = 0
        self._registers = bytearray(REGISTERS)
        self.lose_cell()

    def lose_cell(self) -> None:
        """Its own cell is taken out: the oscillator stops and the time is gone."""
        self._registers[STATUS] = STOPPED
        self._set_s = 0.0
        self._anchor_us = self.timeline.now_us

    def now_s(self) -> float:
        """The time it shows, in seconds since 2000."""
        return self._set_s + (self.timeline.now_us - self._anchor_us) / 1e6 * (1 + self.drift)

    def set_s(self, seconds: float) -> None:
        """Set it, as writing its registers does."""
        self._set_s = seconds
        self._anchor_us = self.timeline.now_us

    def write(self, data: bytes) -> None:
        """Register, then values for it and the following ones; the first seven are the time in BCD."""
        self._pointer = data[0]
        values = data[1:]
        if values:
            self._refresh()
        for offset, value in enumerate(values):
            self._registers[(data[0] + offset) % REGISTERS] = value
        if values and data[0] < 7:
            second, minute, hour, _, day, month, year = (int(f"{value:x}") for value in self._registers[:7])
            moment = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
            self.set_s((moment - _EPOCH).total_seconds())

    def read(self, count: int) -> bytes:
        """Registers from the one last written."""
        self._refresh()
        return bytes(self._registers[(self._pointer + offset) % REGISTERS] for offset in range(count))

    def _refresh(self) -> None:
        moment = _EPOCH + timedelta(seconds=int(self.now_s()))
        parts = (
            moment.second,
            moment.minute,
            moment.hour,
            moment.isoweekday(),
            moment.day,
            moment.month,
            moment.year - 2000,
        )
        self._registers[:7] = bytes(int(str(part), 16) for part in parts)
        quarters = round(self.measure() * 4) & 0x3FF
        self._registers[TEMPERATURE : TEMPERATURE + 2] = (quarters << 6).to_bytes(2, "big")
