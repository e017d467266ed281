"""Hardware: the port's modules as far as closer, board and store use them; it writes down each effect instead of having one.

Rule: an effect is what the world can see or what survives a reset: a pulse of a valve, a write of RTC memory, a replaced file. It must not know why.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import closer
from sim.port import DEEPSLEEP_RESET, HARD_RESET, PWRON_RESET, SOFT_RESET, SOFT_WDT_RESET, WDT_RESET
from sprinkler.board import Board

RESET_CAUSES: Final = {
    "power_on": PWRON_RESET,
    "watchdog": SOFT_WDT_RESET,
    "reset": HARD_RESET,
    "timer": DEEPSLEEP_RESET,
}

# What is broken during one turn of the loop
SOUND, STORAGE, EXPANDER, EXPANDER_LATE = "sound", "storage", "expander", "expander_late"

type Effect = tuple[Any, ...]  # ("pulse", zone, opening) | ("rtc", bytes) | ("flash", bytes)


class DeepSleepError(Exception):
    """The firmware went to sleep."""


class _Pin:
    """One output; the bridge's lines make a pulse."""

    def __init__(self, hardware: Hardware, number: int, value: int | None) -> None:
        self._hardware = hardware
        self._number = number
        if value is not None:
            hardware.drive(number, value)

    def __call__(self, level: int = 0) -> int:
        self._hardware.drive(self._number, level)
        return level


class Hardware:
    """One boot's stand-ins. `effects` grows in the order in which things happen."""

    def __init__(
        self, zones: int, rtc: bytes, flash: bytes | None, cause: str, broken: str = SOUND, *, held: bool = False
    ) -> None:
        self.effects: list[Effect] = []
        self.config = SimpleNamespace(ZONES=zones, HELD=int(held))
        self._held = held
        self.now_ms = 0
        self._zones = zones
        self._rtc, self._flash = rtc, flash
        self._cause = RESET_CAUSES[cause]
        self._broken = broken
        self._enabled = False
        self._selected = 1 if zones == 1 else 0
        self.machine = self._machine()
        self.time = SimpleNamespace(
            ticks_ms=lambda: self.now_ms,
            ticks_diff=lambda a, b: a - b,
            sleep_ms=lambda ms: None,
            sleep_us=lambda us: None,
        )
        self.os = SimpleNamespace(
            rename=self._rename,
            urandom=bytes,
            ilistdir=self._no_backlog,
            listdir=lambda _: ["journal.bin"] if self._flash is not None else [],
        )

    def board(self) -> Board:
        """The shipped board on this hardware."""
        return Board(self.machine, None, None, None, self.time, self.os, self._open, closer, self.config, {}, None, 0)

    def _machine(self) -> SimpleNamespace:
        pin: Callable[..., _Pin] = lambda number, *_, value=None: _Pin(self, number, value)  # noqa: E731
        for name, value in (("OUT", 1), ("IN", 0), ("OPEN_DRAIN", 2), ("PULL_UP", 1)):
            setattr(pin, name, value)
        return SimpleNamespace(
            Pin=pin,
            I2C=lambda **_: SimpleNamespace(writeto_mem=self._write_expander),
            RTC=lambda: SimpleNamespace(memory=self._rtc_memory),
            deepsleep=self._deepsleep,
            reset_cause=lambda: self._cause,
            unique_id=lambda: b"\x5a\x17\xe0\x01",
            PWRON_RESET=PWRON_RESET,
            WDT_RESET=WDT_RESET,
            SOFT_RESET=SOFT_RESET,
            HARD_RESET=HARD_RESET,
            DEEPSLEEP_RESET=DEEPSLEEP_RESET,
        )

    def drive(self, number: int, level: int) -> None:
        """A level on a pin. The valve moves when a line of an enabled bridge rises; held ones fall shut when the supply goes, whichever was driven."""
        if number == closer.ENABLE_PIN:
            self._enabled = bool(level)
            if self._held and not level:
                self.effects += [("pulse", zone, False) for zone in range(1, self._zones + 1)]
        elif number in (closer.OPEN_PIN, closer.CLOSE_PIN) and level and self._enabled and self._selected:
            self.effects.append(("pulse", self._selected, self._held or number == closer.OPEN_PIN))

    def _write_expander(self, address: int, register: int, data: bytes) -> None:
        pulsed = any(effect[0] == "pulse" for effect in self.effects)
        if self._broken == EXPANDER or (self._broken == EXPANDER_LATE and pulsed):
            raise OSError(110)
        if register == closer.OLAT:
            self._selected = data[0].bit_length()

    def _rtc_memory(self, data: bytes | None = None) -> bytes:
        if data is not None:
            self._rtc = bytes(data)
            self.effects.append(("rtc", self._rtc))
        return self._rtc

    def _deepsleep(self, ms: int) -> None:
        raise DeepSleepError

    def _open(self, path: str, mode: str) -> Any:
        if mode == "wb":
            if self._broken == STORAGE:
                raise OSError(28)
            return _File(self._keep)
        if self._flash is None or not path.endswith("journal.bin"):
            raise OSError(2)
        return _File(self._keep, self._flash)

    def _keep(self, data: bytes) -> None:
        self._new = data

    def _no_backlog(self, folder: str) -> None:
        """What Home Assistant has not stored moves no valve; none of it lies on flash here."""
        raise FileNotFoundError(folder)

    def _rename(self, old: str, new: str) -> None:
        """The file is replaced as a whole: a cut before leaves the old one, a cut after the new one."""
        self._flash = self._new
        self.effects.append(("flash", self._flash))


class _File:
    """An open file."""

    def __init__(self, keep: Callable[[bytes], None], data: bytes = b"") -> None:
        self._keep, self._data = keep, data

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self) -> bytes:
        """All of it."""
        return self._data

    def write(self, data: bytes) -> int:
        """Keep it until it is renamed."""
        self._keep(data)
        return len(data)
