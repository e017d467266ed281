"""The I2C bus and the chips on it: expander, current sensors, soil probes.

Rule: a chip is `write(bytes)` and `read(count)`, as on the wire. An absent chip answers ENODEV, a held bus ETIMEDOUT.
"""

from collections.abc import Callable
from typing import Protocol

from sim.timeline import Timeline

ENODEV = 19
ETIMEDOUT = 110


class Part(Protocol):
    """Something with an address."""

    def write(self, data: bytes) -> None:
        """Bytes that the board sent to it."""

    def read(self, count: int) -> bytes:
        """Bytes that it answers."""


class Bus:
    """`parts` by address. `absent` holds addresses that do not answer; `hold()` is a stuck bus."""

    __slots__ = ("absent", "clocks_to_free", "held", "parts")

    def __init__(self) -> None:
        self.parts: dict[int, Part] = {}
        self.absent: set[int] = set()
        self.held = False
        self.clocks_to_free = 0

    def hold(self, clocks: int = 0) -> None:
        """A chip keeps SDA low until it was clocked `clocks` times; 0 = until the power goes."""
        self.held = True
        self.clocks_to_free = clocks

    def clock(self) -> None:
        """One clock by hand on SCL: how a board frees a held bus."""
        if self.held and self.clocks_to_free:
            self.clocks_to_free -= 1
            self.held = self.clocks_to_free > 0

    def present(self, address: int) -> bool:
        """Does a chip answer there?"""
        return address in self.parts and address not in self.absent

    def _part(self, address: int) -> Part:
        if self.held:
            raise OSError(ETIMEDOUT, "I2C bus is held")
        if not self.present(address):
            raise OSError(ENODEV, "no answer")
        return self.parts[address]

    def write(self, address: int, data: bytes) -> None:
        """Send `data` to the chip at `address`."""
        self._part(address).write(data)

    def read(self, address: int, count: int) -> bytes:
        """Read `count` bytes from the chip at `address`."""
        return self._part(address).read(count)


class Expander:
    """MCP23008: eight pins; after power-on all are inputs. It keeps its outputs over a reset of the board."""

    __slots__ = ("_pointer", "_registers", "on_change", "pulled_low_mask")

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        self.pulled_low_mask: Callable[[], int] = lambda: 0  # bit n: a contact ties pin n to ground now
        self.power_on()

    def power_on(self) -> None:
        """As it is after its supply came."""
        self._registers = bytearray(11)
        self._registers[0] = 0xFF
        self._pointer = 0

    @property
    def driven_high_mask(self) -> int:
        """Bit n: pin n is an output and high (an input is held low by its pull-down)."""
        return self._registers[10] & ~self._registers[0] & 0xFF

    @property
    def port(self) -> int:
        """Levels of the pins: of inputs, high where the pull-up is on and no contact is closed."""
        inputs = self._registers[0] & self._registers[6] & ~self.pulled_low_mask()
        return self.driven_high_mask | inputs & 0xFF

    def write(self, data: bytes) -> None:
        """Register, then values for it and the following ones."""
        self._pointer = data[0] % 11
        for value in data[1:]:
            register = 10 if self._pointer == 9 else self._pointer  # writing the port writes the latch
            self._registers[register] = value
            self._pointer = (self._pointer + 1) % 11
        if len(data) > 1:
            self.on_change()

    def read(self, count: int) -> bytes:
        """Registers from the one last written."""
        answer = bytearray()
        for _ in range(count):
            answer.append(self.port if self._pointer == 9 else self._registers[self._pointer])
            self._pointer = (self._pointer + 1) % 11
        return bytes(answer)


class CurrentSensor:
    """INA219 with a 0.1 ohm shunt; `measure()` gives (volt, ampere). Powered down it keeps its last values."""

    __slots__ = ("_awake_at_us", "_bus", "_config", "_pointer", "_shunt", "measure", "timeline")

    def __init__(self, timeline: Timeline, measure: Callable[[], tuple[float, float]]) -> None:
        self.timeline = timeline
        self.measure = measure
        self._config = 0x399F
        self._pointer = 0
        self._awake_at_us = 0
        self._bus = self._shunt = 0

    @property
    def powered_down(self) -> bool:
        """Does it draw microamperes instead of a milliampere?"""
        return not self._config & 3

    def write(self, data: bytes) -> None:
        """Register, then two bytes for it; only the configuration is kept."""
        self._pointer = data[0]
        if len(data) >= 3 and data[0] == 0:
            value = data[1] << 8 | data[2]
            if value & 0x8000:
                value = 0x399F  # its reset bit
            if value & 3:
                self._awake_at_us = self.timeline.now_us
                self._bus &= ~2  # no conversion is ready any more
            self._config = value

    def read(self, count: int) -> bytes:
        """The register last written; a conversion of both takes 1.1 ms after it was woken."""
        if self._config & 3 and self.timeline.now_us >= self._awake_at_us + 1100:
            volt, ampere = self.measure()
            self._bus = min(0x1FFF, max(0, round(volt * 250))) << 3 | 2
            self._shunt = min(32_000, max(-32_000, round(ampere * 10_000)))
        value = {0: self._config, 1: self._shunt & 0xFFFF, 2: self._bus}.get(self._pointer, 0)
        return value.to_bytes(2, "big")[:count]


class SoilProbe:
    """Capacitive probe on a seesaw chip; `measure()` gives its raw value (dry about 320, wet about 1015), `air_c()` the temperature of its chip."""

    __slots__ = ("_asked", "_asked_at_us", "air_c", "bad", "measure", "timeline")

    def __init__(self, timeline: Timeline, measure: Callable[[], float], air_c: Callable[[], float]) -> None:
        self.timeline = timeline
        self.measure = measure
        self.air_c = air_c
        self.bad = False  # a fault: it answers nonsense
        self._asked = b""
        self._asked_at_us = 0

    def write(self, data: bytes) -> None:
        """0F 10 asks for a measurement, 00 04 for the temperature."""
        self._asked = bytes(data[:2])
        self._asked_at_us = self.timeline.now_us

    def read(self, count: int) -> bytes:
        """Big-endian; only FF when read too soon or not asked."""
        early = self.timeline.now_us < self._asked_at_us + 5000
        if not early and not self.bad and self._asked == b"\x0f\x10":
            return min(0xFFFF, max(0, round(self.measure()))).to_bytes(2, "big")[:count]
        if not early and not self.bad and self._asked == b"\x00\x04":
            return round(self.air_c() * 65536).to_bytes(4, "big", signed=True)[:count]
        return b"\xff" * count
