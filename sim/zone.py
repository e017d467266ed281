"""A zone as it truly is: its latching valve with the faults a valve may have, its pipes, its soil, and the meter that counts every drop.

Rule: a valve is moved by the world alone, when a part has pushed its plunger.
"""

from sim import soil

LATCHING_OHM, HELD_OHM = 10.0, 30.0


class Valve:
    """A latching valve: it stays as it is without power and moves only by a pulse. With `held` it is a plain solenoid instead: open while its coil is
    driven, in either direction, and closed by a spring. The other attributes are its possible faults."""

    __slots__ = (
        "burst",
        "clogged",
        "coil_ohm",
        "held",
        "leak",
        "needs_us",
        "open",
        "sticks_closed",
        "sticks_open",
        "swallow_pulses",
    )

    def __init__(self) -> None:
        self.open = False
        self.held = False
        self.coil_ohm = LATCHING_OHM  # 0: a broken wire, or no coil; 0.2: a short circuit
        self.needs_us = 40_000  # width of a pulse that moves the plunger
        self.swallow_pulses = 0  # the next so many good pulses do nothing
        self.sticks_open = False  # closing pulses do nothing
        self.sticks_closed = False  # opening pulses do nothing
        self.leak = 0.0  # opening of a closed valve, 0 ... 0.1
        self.clogged: float = 0.0  # part of the sprinklers that is blocked: True or 1 = open, but nothing comes
        self.burst = 0.0  # a broken pipe behind the valve: its opening, as many times the sprinklers'

    def opening(self) -> float:
        """How far water sees it open: 0 ... 1, more with a burst pipe."""
        return (self.sprinklers() + self.burst) * (1.0 if self.open else self.leak)

    def sprinklers(self) -> float:
        """What the sprinklers still let pass, 0 ... 1."""
        return max(0.0, 1.0 - self.clogged)

    def share(self) -> float:
        """The part of the water that reaches the lawn."""
        whole = self.sprinklers() + self.burst
        return self.sprinklers() / whole if whole else 1.0


class Zone:
    """One zone's valve, the soil below it, and the meter that counts every drop (`meter_ml`, as of `World.advance`); what a burst lost is in `spilled_ml`."""

    __slots__ = ("flow_ml_s", "meter_ml", "soil", "spilled_ml", "valve", "watered_ml")

    def __init__(self, depletion_mm: float, ground: soil.Ground = soil.LOAM) -> None:
        self.valve = Valve()
        self.soil = soil.Bucket(depletion_mm, ground)
        self.meter_ml = 0.0
        self.spilled_ml = 0.0
        self.flow_ml_s = 0.0
        self.watered_ml = 0.0  # part of the meter that the soil has been told of
