"""Stand-in for `machine`: pins, buses and what resets or sleeps.

Rule: constants are the port's own numbers. `deepsleep` computes in 32 bits of microseconds, as the port does; what never returns on a board raises an
`Ending` here. Classes of the port are factories bound to one boot, so that a boot costs no class.
"""

from collections.abc import Callable

from sim.chip import RTC_MEMORY_MAX
from sim.errors import DeepSleep, Reset
from sim.port.pins import AdcFactory, I2cFactory, PinFactory
from sim.port.session import WATCHDOG_US, Session
from sim.port.timing import TimeModule, TimeTuple
from sim.timeline import Event

PWRON_RESET, WDT_RESET, SOFT_RESET, DEEPSLEEP_RESET, HARD_RESET = 0, 1, 4, 5, 6
EXCEPTION_RESET, SOFT_WDT_RESET = (
    2,
    3,
)  # reset_cause() passes on the SDK's numbers; `machine` has no names for these two


class Rtc:
    """Stands in for `RTC`: the clock and 492 bytes that survive a reset."""

    __slots__ = ("_session",)

    ALARM0 = 0

    def __init__(self, session: Session) -> None:
        self._session = session

    def memory(self, data: bytes | None = None) -> bytes | None:
        """The bytes last written, or write them; more than 492 do not fit."""
        session = self._session
        session.enter("rtc.memory")
        if data is None:
            return session.chip.rtc_memory
        if len(data) > RTC_MEMORY_MAX:
            raise ValueError("buffer too long")
        session.chip.rtc_memory = bytes(data)
        return None

    def datetime(self, moment: TimeTuple | None = None) -> TimeTuple | None:
        """(year, month, day, weekday, hour, minute, second, millisecond), or set it."""
        session = self._session
        session.enter("rtc.datetime")
        time = TimeModule(session)
        if moment is None:
            micros = session.chip.clock.read_us(session.timeline.now_us)
            year, month, day, hour, minute, second, weekday, _ = time.gmtime(micros // 1_000_000)
            return (year, month, day, weekday, hour, minute, second, micros // 1000 % 1000)
        year, month, day, _, hour, minute, second, ms = moment
        seconds = time.mktime((year, month, day, hour, minute, second, 0, 0))
        session.chip.clock.set_us(session.timeline.now_us, seconds * 1_000_000 + ms * 1000)
        return None


class Watchdog:
    """Stands in for `WDT`: started by its first use, it cannot be stopped."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.feed()

    def feed(self) -> None:
        """3.2 s from now."""
        session = self._session
        if session.ended is not None or session.on_call is not None:
            session.enter("wdt.feed")
        session.watchdog_until_us = session.timeline.now_us + WATCHDOG_US


class Timer:
    """Stands in for `Timer`: `hard` ones run their callback at their time, soft ones at the next wait."""

    __slots__ = ("_event", "_session")

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, session: Session) -> None:
        self._session = session
        self._event: Event | None = None

    def init(
        self,
        *,
        mode: int = 1,
        period: int = -1,
        callback: Callable[[object], object],
        freq: float = 0,
        hard: bool = False,
    ) -> None:
        """Call `callback(timer)` after `period` ms, once or again and again."""
        self.deinit()
        period_us = round(1_000_000 / freq) if freq else period * 1000

        def fire() -> None:
            if mode == self.PERIODIC:
                self._event = self._session.at(self._session.timeline.now_us + period_us, fire)
            if hard:
                callback(self)
            else:
                self._session.interrupt(callback, self)

        self._event = self._session.at(self._session.timeline.now_us + period_us, fire)

    def deinit(self) -> None:
        """Stop it."""
        if self._event is not None:
            self._event.cancel()
            self._event = None


class _TimerFactory:
    __slots__ = ("_session",)

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, number: int = -1) -> Timer:  # noqa: ARG002 - all are virtual
        return Timer(self._session)


class MachineModule:
    """Stands in for `machine`."""

    __slots__ = ("ADC", "I2C", "Pin", "RTC", "SoftI2C", "Timer", "WDT", "_irq_state", "_session")

    PWRON_RESET, HARD_RESET, DEEPSLEEP_RESET = PWRON_RESET, HARD_RESET, DEEPSLEEP_RESET
    WDT_RESET, SOFT_RESET, DEEPSLEEP = WDT_RESET, SOFT_RESET, 4

    def __init__(self, session: Session) -> None:
        self._session = session
        self.Pin = PinFactory(session)
        self.ADC = AdcFactory(session)
        self.I2C = self.SoftI2C = I2cFactory(session)
        self.Timer = _TimerFactory(session)
        self.RTC: Callable[[], Rtc] = lambda: Rtc(session)
        self.WDT: Callable[[], Watchdog] = lambda: Watchdog(session)
        self._irq_state = 0

    def reset(self) -> None:
        """Reset the board; never returns."""
        self._session.enter("reset")
        raise self._session.end(Reset())

    soft_reset = reset

    def reset_cause(self) -> int:
        """Why this boot began."""
        return self._session.cause

    def deepsleep(self, ms: int | None = None) -> None:
        """Sleep for `ms` (modulo 2**32 us; without it for ever), then boot; never returns."""
        self._session.enter("deepsleep")
        raise self._session.end(DeepSleep(0 if ms is None else max(1, ms) * 1000 & 0xFFFFFFFF))

    def lightsleep(self, ms: int = 0) -> None:
        """Wait."""
        self._session.wait(self._session.timeline.now_us + ms * 1000)

    def idle(self) -> None:
        """Wait for a moment."""
        self._session.wait(self._session.timeline.now_us + 1000)

    def unique_id(self) -> bytes:
        """Four bytes."""
        return self._session.chip.unique_id

    def freq(self, hz: int | None = None) -> int | None:
        """80 MHz; setting it has no effect here."""
        return 80_000_000 if hz is None else None

    def disable_irq(self) -> int:
        """Handlers run at waits only, so nothing needs to be held back."""
        return self._irq_state

    def enable_irq(self, state: int) -> None:
        """See `disable_irq`."""
        self._irq_state = state
