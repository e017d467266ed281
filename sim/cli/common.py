"""What the verbs share: their parsers, options of a place, progress on the screen, Ctrl-C, and files that are whole or not there.

Rule: nothing here simulates. Progress goes to stderr, and only to a screen, so that --json stays one document.
"""

import argparse
import calendar
import contextlib
import math
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sim import climate
from sim.crew import Crew
from sim.errors import FileError, SettingError
from sim.garden import DAYS

INTERRUPTED = 130
PANEL_W = (0.1, 20.0)  # what hangs on a charger that takes half an ampere
BATTERY_MAH = (50.0, 50_000.0)
EXIT_CODES = """\
exit codes: 0 done; 1 the firmware or a check failed; 2 wrong usage; 4 a file or folder cannot be used; 130 stopped by Ctrl-C, what was done is kept
"""


def parser(verb: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """A verb's parser, with its examples and the exit codes below its options."""
    return argparse.ArgumentParser(
        prog=f"python -m sim {verb}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog=examples + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_place(options: argparse.ArgumentParser) -> None:
    """Options that choose the weather."""
    place = options.add_argument_group("place")
    place.add_argument("--site", metavar="NAME", default="", help=f"recorded weather: {', '.join(climate.sites())}")
    place.add_argument("--year", metavar="YYYY", type=int, help="of a daily record (default: its first)")
    place.add_argument(
        "--latitude", metavar="DEG", type=float, default=36.07, help="of made-up weather (default %(default)s)"
    )
    place.add_argument(
        "--longitude", metavar="DEG", type=float, default=-79.79, help="east is positive (default %(default)s)"
    )


def add_output(options: argparse.ArgumentParser, seed_of: str) -> None:
    """--seed and --json."""
    options.add_argument("--seed", metavar="N", type=int, default=0, help=f"of {seed_of} (default %(default)s)")
    options.add_argument("--json", action="store_true", help="print one JSON object")


def add_crew(options: argparse.ArgumentParser) -> None:
    """--jobs and --scheduler."""
    cores = os.cpu_count() or 1
    options.add_argument("--jobs", metavar="N", type=int, default=cores, help="processes (default: all cores)")
    options.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        default="",
        help="of a Dask cluster that shall do the work, such as tcp://192.168.1.5:8786",
    )


def crew(options: argparse.Namespace) -> Crew:
    """Who shall do the work, by `add_crew`. Raises SettingError."""
    return Crew(options.jobs, options.scheduler)


def clock_min(text: str) -> int:
    """Minutes after midnight of HH:MM. Raises SettingError."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise SettingError(f"a time of day is HH:MM, such as 06:00, not '{text}'")
    return int(found[1]) * 60 + int(found[2])


def start_unix_s(text: str, utc_s: int) -> int:
    """Midnight of the month and day MM-DD in the simulated year, as Unix seconds. Raises SettingError."""
    try:
        moment = time.strptime(f"{climate.RECORD_STARTS}-{text}", "%Y-%m-%d")
    except ValueError:
        raise SettingError(f"a start is MM-DD, such as 04-15, not '{text}'") from None
    return calendar.timegm(moment) - utc_s


def numbers(text: str, what: str, low: float, high: float) -> list[float]:
    """A list such as 0.5,1,2. Raises SettingError when one is no number or impossible."""
    found = []
    for word in text.split(","):
        try:
            value = float(word)
        except ValueError:
            raise SettingError(f"{what} wants numbers with commas between them, such as 1,2, not '{text}'") from None
        if not low <= value <= high:
            raise SettingError(f"{what} must be {low:g} to {high:g}, not {word}")
        found.append(value)
    return sorted(set(found))


def seconds(minutes: float, what: str) -> int:
    """Whole seconds of `what`, an option in minutes. Raises SettingError where they are no number."""
    if not math.isfinite(minutes):
        raise SettingError(f"{what} is a number of minutes, not {minutes:g}")
    return round(minutes * 60)


def weekdays(text: str) -> tuple[int, ...]:
    """Monday = 0 of mon,wed. Raises SettingError."""
    words = text.split(",")
    for word in words:
        if word not in DAYS:
            raise SettingError(f"no weekday called '{word}'; there are: {', '.join(DAYS)}")
    return tuple(day for day, word in enumerate(DAYS) if word in words)


def check_power(panel_w: float, battery_mah: float) -> None:
    """Raises SettingError for a panel or battery that cannot be; no panel at all can."""
    if panel_w and not PANEL_W[0] <= panel_w <= PANEL_W[1]:
        raise SettingError(f"a panel has {PANEL_W[0]:g} to {PANEL_W[1]:g} W (0: none), not {panel_w:g}")
    if not BATTERY_MAH[0] <= battery_mah <= BATTERY_MAH[1]:
        raise SettingError(f"a battery has {BATTERY_MAH[0]:g} to {BATTERY_MAH[1]:g} mAh, not {battery_mah:g}")


def table(found: dict[str, object]) -> str:
    """Names and values, a line each."""
    return "\n".join(f"{name:24} {value}" for name, value in found.items())


class Stopper:
    """Inside `with`, Ctrl-C only asks to stop (`asked`): what was done can still be written. A second one ends the program."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Callable[..., object] | int | None = None

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __enter__(self) -> Stopper:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)


class Bar:
    """Progress on a screen: `bar(part, words)`."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown = sys.stderr.isatty()
        self._began_s = time.monotonic()

    def __call__(self, part: float, words: str = "") -> None:
        if not self._shown:
            return
        seconds = time.monotonic() - self._began_s
        left = f", {seconds / part - seconds:.0f} s left" if part > 0.02 else ""
        print(f"\r{self._label}: {part:4.0%}{left}  {words}\x1b[K", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave a clean line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def folder(path: Path) -> Path:
    """Make a folder for results. Raises FileError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot use {path} for the results: {error.strerror}") from error
    return path


def write(path: Path, make: Callable[[Path], object]) -> None:
    """Let `make` write a file, which takes its name only when it is whole. Raises FileError."""
    part = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        make(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(
            f"cannot write {path}: {error.strerror or error}; what was written before it is kept"
        ) from error


class Lines:
    """A file that grows line by line and keeps what it has, whatever happens. Raises FileError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("w", encoding="ascii", buffering=1)
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from error

    def add(self, line: str) -> None:
        """Append a line."""
        try:
            self._file.write(line + "\n")
        except OSError as error:
            raise FileError(f"cannot write {self._path}: {error.strerror}; the lines before are kept") from error

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written was told by add()
            self._file.close()
