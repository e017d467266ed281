"""The H-bridges: shared lines OPEN and CLOSE, a motor supply that GPIO15 switches, one nSLEEP per zone.

Rule: a valve is pushed only while the motor supply is up (its capacitor charged), the zone's nSLEEP is high and exactly one line is
high; both lines high is a brake. It moves once it was pushed for as long as its coil needs, and not otherwise; a held valve falls shut when the push ends.
"""

from collections import deque
from typing import NamedTuple

from sim.timeline import Event
from sim.world import World

BOOST_US = 30_000  # until the capacitor can drive a coil
COIL_V = 6.0  # what the boost converter gives the coils
BOOST_EFFICIENCY = 0.8
CELL_V = 3.7  # at which the converter's current is reckoned
CELL_MA_MAX = 2000.0  # the boost converter takes no more, into a short circuit either
SHORT_OHM = 1.0  # below it the bridge's own protection gives no push
COIL_DIES_BELOW_V = 3.1  # below it the boost converter cannot push a plunger


def coil_ma(ohm: float) -> float:
    """What the cell gives while a coil of `ohm` is driven through the converter; none through a broken wire."""
    return min(CELL_MA_MAX, COIL_V * COIL_V / ohm / BOOST_EFFICIENCY / CELL_V * 1000) if ohm else 0.0


class Pulse(NamedTuple):
    """One push: true time of its start, zone (from 1), direction, width, and whether it was long enough to move the plunger."""

    at_us: int
    zone: int
    opens: bool
    width_us: int
    effective: bool


class Bridge:
    """All bridges of one board. `pulses` logs the last thousand pushes."""

    __slots__ = ("_due", "_enabled_at_us", "_pushes", "_since_us", "pulses", "swapped_mask", "world")

    def __init__(self, world: World, swapped_mask: int = 0) -> None:
        self.world = world
        self.swapped_mask = swapped_mask  # bit z: the coil of zone z + 1 is connected the other way round
        self.pulses: deque[Pulse] = deque(maxlen=1000)
        zones = len(world.zones)
        self._pushes = [0] * zones  # +1 opens, -1 closes, 0 rests or brakes
        self._since_us = [0] * zones
        self._due: list[Event | None] = [None] * zones
        self._enabled_at_us = -1

    def update(self, *, enable: bool, lines: tuple[bool, bool], awake_mask: int) -> None:
        """Take note of the levels as they are from now on; `lines` are (OPEN, CLOSE), bit z of `awake_mask` is zone z + 1's nSLEEP."""
        now_us = self.world.timeline.now_us
        if not enable:
            self._enabled_at_us = -1
        elif self._enabled_at_us < 0:
            self._enabled_at_us = now_us
        direction = 0
        if enable and lines[0] != lines[1]:
            direction = 1 if lines[0] else -1
        for zone in range(len(self._pushes)):
            push = direction if awake_mask >> zone & 1 else 0
            if self.swapped_mask >> zone & 1:
                push = -push
            if push != self._pushes[zone]:
                self._end(zone, now_us)
                if push:
                    self._begin(zone, push, now_us)

    def _begin(self, zone: int, push: int, now_us: int) -> None:
        since_us = max(now_us, self._enabled_at_us + BOOST_US)
        self._pushes[zone] = push
        self._since_us[zone] = since_us
        valve = self.world.zones[zone].valve
        if valve.coil_ohm >= SHORT_OHM and self.world.battery_v() >= COIL_DIES_BELOW_V:
            self._due[zone] = self.world.timeline.at(since_us + valve.needs_us, lambda: self._move(zone))
        self.world.set_coil_ma(coil_ma(valve.coil_ohm), lasts=valve.held)

    def _end(self, zone: int, now_us: int) -> None:
        push = self._pushes[zone]
        if not push:
            return
        valve = self.world.zones[zone].valve
        width_us = max(0, now_us - self._since_us[zone])
        effective = width_us >= valve.needs_us and valve.coil_ohm >= SHORT_OHM
        if effective:
            self._move(zone)
        due = self._due[zone]
        if due is not None:
            due.cancel()
            self._due[zone] = None
        self._pushes[zone] = 0
        self.pulses.append(Pulse(self._since_us[zone], zone + 1, push > 0, width_us, effective))
        self.world.set_coil_ma(0.0, lasts=valve.held)
        if valve.held:
            self.world.move_valve(zone, opens=False)
        else:
            self.world.draw_mah(coil_ma(valve.coil_ohm) * width_us / 3_600_000_000)

    def _move(self, zone: int) -> None:
        if self._due[zone] is None:  # it moved already
            return
        self._due[zone] = None
        self.world.move_valve(zone, opens=self.world.zones[zone].valve.held or self._pushes[zone] > 0)
