"""What the verbs share: their parsers, options of a place, progress on the screen, Ctrl-C, and files that are whole or not there.

Rule: nothing here simulates. Progress goes to stderr, and only to a screen, so that --json stays one document.
"""

import argparse
import calendar
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sim import climate, soil
from sim.errors import FileError, SettingError

INTERRUPTED = 130
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


def check_soil(kind: str, grass: str) -> None:
    """Raises SettingError with the known names."""
    soil.Ground.of(kind, grass)


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
