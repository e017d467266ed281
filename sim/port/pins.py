"""Stand-ins for `Pin`, `ADC` and `I2C`."""

from collections.abc import Callable
from typing import Final

from sim.parts.bench import BUTTON, FLOW
from sim.port.session import Handler, Repeatable, Session

I2C_BYTE_US = 100  # nine clocks at 100 kHz
ADC_US = 100


class Pin:
    """One pin; made by `machine.Pin(...)`."""

    __slots__ = ("_handler", "_mode", "_number", "_session", "_trigger", "_value")

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number
        self._mode = PinFactory.IN
        self._value = 0
        self._handler: Handler | None = None
        self._trigger = 0

    def init(self, mode: int = -1, pull: int = -1, value: int | None = None) -> None:  # noqa: ARG002 - pulls are the board's own
        """Set mode and, for an output, its level first."""
        self._session.enter("pin.init")
        if value is not None:
            self._value = 1 if value else 0
        if mode >= 0:
            self._mode = mode
        self._drive()

    def _drive(self) -> None:
        level: int | None = None
        if self._mode == PinFactory.OUT or (self._mode == PinFactory.OPEN_DRAIN and not self._value):
            level = self._value
        self._session.bench.drive(self._number, level)

    def value(self, value: int | None = None) -> int | None:
        """The level, or set it."""
        session = self._session
        if session.ended is not None or session.on_call is not None:
            session.enter("pin.read" if value is None else "pin.write")
        if value is None:
            return session.bench.level(self._number)
        self._value = 1 if value else 0
        self._drive()
        return None

    __call__ = value

    def on(self) -> None:
        """High."""
        self.value(1)

    def off(self) -> None:
        """Low."""
        self.value(0)

    def irq(self, handler: Handler | None = None, trigger: int = 3, hard: bool = False) -> None:  # noqa: ARG002
        """Call `handler(pin)` on edges: soft, held back by a queue of four."""
        session = self._session
        session.enter("pin.irq")
        self._handler, self._trigger = handler, trigger
        if self._number == FLOW:
            session.bench.take_flow_pulses()
            session.flow_handler = None if handler is None else self._repeated(handler)
        elif self._number == BUTTON:
            session.bench.on_button = self._edge if handler is not None else None

    def _repeated(self, handler: Handler) -> Callable[[int], None]:
        if isinstance(handler, Repeatable):
            return handler.repeat

        def repeat(times: int) -> None:
            for _ in range(times):
                handler(self)

        return repeat

    def _edge(self, level: int) -> None:
        wanted = PinFactory.IRQ_RISING if level else PinFactory.IRQ_FALLING
        if self._handler is not None and self._trigger & wanted:
            self._session.interrupt(self._handler, self)


class PinFactory:
    """`machine.Pin`: remembers pins, so that making one again does not let go of it."""

    __slots__ = ("_pins", "_session")

    IN: Final = 0
    OUT: Final = 1
    OPEN_DRAIN: Final = 2
    PULL_UP: Final = 1
    IRQ_RISING: Final = 1
    IRQ_FALLING: Final = 2

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pins: dict[int, Pin] = {}

    def __call__(self, number: int, mode: int = -1, pull: int = -1, value: int | None = None) -> Pin:
        if not 0 <= number <= 16:
            raise ValueError("invalid pin")
        pin = self._pins.get(number)
        if pin is None:
            pin = self._pins[number] = Pin(self._session, number)
        if mode >= 0 or pull >= 0 or value is not None:
            pin.init(mode, pull, value)
        return pin


class Adc:
    """`machine.ADC(0)`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> int:
        """0 ... 1024 for 0 ... 1 V; a little lower while the radio is on."""
        session = self._session
        session.enter("adc.read")
        session.block(ADC_US)
        return max(0, session.bench.adc() - (3 if session.radio_on else 0))

    def read_u16(self) -> int:
        """The same, scaled to 16 bit."""
        return min(65535, self.read() * 64)


class AdcFactory:
    """`machine.ADC`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, number: int) -> Adc:
        if number not in (0, 1):
            raise ValueError("not a valid ADC Channel")
        return Adc(self._session)


class I2c:
    """`machine.I2C(...)`: the software bus of the port."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def _enter(self, count: int) -> None:
        self._session.enter("i2c")
        self._session.block((count + 1) * I2C_BYTE_US)

    def scan(self) -> list[int]:
        """Addresses that answer."""
        self._enter(112)
        bus = self._session.bench.bus
        return [] if bus.held else [address for address in sorted(bus.parts) if bus.present(address)]

    def writeto(self, address: int, data: bytes, stop: bool = True) -> int:  # noqa: ARG002 - the port's own signature
        """Write; the number of bytes acknowledged."""
        self._enter(len(data))
        self._session.bench.bus.write(address, bytes(data))
        return len(data)

    def readfrom(self, address: int, count: int, stop: bool = True) -> bytes:  # noqa: ARG002
        """Read."""
        self._enter(count)
        return self._session.bench.bus.read(address, count)

    def readfrom_into(self, address: int, buffer: bytearray, stop: bool = True) -> None:  # noqa: ARG002
        """Read into a buffer."""
        buffer[:] = self.readfrom(address, len(buffer))

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        """Write to a register."""
        self.writeto(address, bytes((register,)) + bytes(data))

    def readfrom_mem(self, address: int, register: int, count: int) -> bytes:
        """Read from a register."""
        self.writeto(address, bytes((register,)))
        return self.readfrom(address, count)

    def readfrom_mem_into(self, address: int, register: int, buffer: bytearray) -> None:
        """Read from a register into a buffer."""
        buffer[:] = self.readfrom_mem(address, register, len(buffer))


class I2cFactory:
    """`machine.I2C`: takes pins and frequency as the port does."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, number: int = -1, *, scl: Pin, sda: Pin, freq: int = 400_000, timeout: int = 50_000) -> I2c:  # noqa: ARG002
        for pin in (scl, sda):
            pin.init(PinFactory.OPEN_DRAIN, value=1)
        return I2c(self._session)
