"""A zone as it truly is: its latching valve with the faults a valve may have, its soil, and the meter that counts every drop.

Rule: a valve is moved by the world alone, when a part has pushed its plunger.
"""

from sim import soil


class Valve:
    """A latching valve: it stays as it is without power and moves only by a pulse. The attributes below are its possible faults."""

    __slots__ = ("clogged", "leak", "needs_us", "open", "sticks_closed", "sticks_open", "swallow_pulses")

    def __init__(self) -> None:
        self.open = False
        self.needs_us = 40_000  # width of a pulse that moves the plunger
        self.swallow_pulses = 0  # the next so many good pulses do nothing
        self.sticks_open = False  # closing pulses do nothing
        self.sticks_closed = False  # opening pulses do nothing
        self.leak = 0.0  # opening of a closed valve, 0 ... 0.1
        self.clogged = False  # open, but nothing comes

    def opening(self) -> float:
        """How far water sees it open: 0 ... 1."""
        if self.open:
            return 0.0 if self.clogged else 1.0
        return self.leak


class Zone:
    """One zone's valve, the soil below it, and the meter that counts every drop (`meter_ml`)."""

    __slots__ = ("flow_ml_s", "meter_ml", "soil", "valve", "watered_ml")

    def __init__(self, depletion_mm: float) -> None:
        self.valve = Valve()
        self.soil = soil.Bucket(depletion_mm)
        self.meter_ml = 0.0
        self.flow_ml_s = 0.0
        self.watered_ml = 0.0  # part of the meter that the soil has been told of
