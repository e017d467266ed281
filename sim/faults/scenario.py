"""A scenario: what goes wrong, when, and for how long, read from a TOML file.

Rule: reads and checks, draws and does nothing. Every complaint names the file, the line and what to write instead. The format is in docs/faults.md.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sim.errors import FileError, SettingError
from sim.faults.kinds import KINDS, Choice, Number, Rule, Text

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
AREAS = ("network", "broker", "clock", "memory", "power", "valve", "flow", "sensors", "people")
DAYS = (0.001, 400.0)
TRIGGERS = ("opens", "closes", "boots", "sleeps")
WHEN: dict[str, Rule] = {  # of every fault, beside its own fields
    "at_h": Number(0, 24 * DAYS[1]),
    "nth": Number(1, 1000, 1, whole=True),
    "zone_of": Number(0, 4, 0, whole=True),
    "after_s": Number(0, 86_400 * 30, 0),
    "for_s": Number(0.001, 86_400 * DAYS[1]),
    "times": Number(1, 10_000, 1, whole=True),
    "draws": Text(),  # what a shrunk story's fault draws from, for what no field names
}
TOP = ("area", "story", "seen", "days", "forbids_watering", "clock_off_s", "board", "settings", "program", "fault")
BOARD: dict[str, Number | Choice] = {
    "zones": Number(1, 4, 2, whole=True),
    "feather": Choice(("rev_g", "rev_f"), "rev_g"),
    "panel_w": Number(0, 20, 2),
    "battery_mah": Number(50, 50_000, 2000),
    "battery_pct": Number(0, 100, 80),
    "battery_sensor": Choice(("ina219", "adc"), "ina219"),
    "flow_meter": Choice(("yes", "no"), "yes"),
    "soil_probes": Choice(("yes", "no"), "yes"),
    "ds3231": Choice(("yes", "no"), "no"),
    "always_responsive": Choice(("yes", "no"), "no"),
    "valve": Choice(("latching", "held"), "latching"),
    "latitude_deg": Number(-90, 90, 36.07),
}
PLACE, STARTS = "America/New_York", "2027-06-14 00:00"

type Value = float | int | str
type Range = tuple[Value, ...]  # (low, high) of numbers, or words to choose from; a single value stands alone


class ScenarioError(FileError):
    """A scenario's file is not as it should be; the message names the line and says what to do."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One `[[fault]]`: its kind, the line it stands in, and its values, some of them ranges that a seed draws from."""

    kind: str
    line: int
    values: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named story. `board` and `settings` differ from the usual ones only in what they name."""

    name: str
    area: str
    story: str
    seen: str
    days: float
    start: datetime
    board: Mapping[str, Value]
    settings: Mapping[str, Any]
    programs: tuple[Mapping[str, Any], ...]
    faults: tuple[Trouble, ...] = ()
    forbids_watering: str = ""
    clock_off_s: float = 150.0  # how far from its time a program may start: the board's clock is off by no more
    text: str = field(default="", repr=False, compare=False)

    @property
    def start_unix_s(self) -> float:
        """True time of the beginning."""
        return self.start.timestamp()


def default_programs(zones: int) -> tuple[Mapping[str, Any], ...]:
    """Each zone two and a half minutes every day at six."""
    return tuple(
        {"id": zone, "zone": zone, "weekdays": list(range(7)), "start_min": 360, "run_time_s": 150}
        for zone in range(1, zones + 1)
    )


class _Reader:
    """Takes a parsed file apart; `fail` finds the line that a complaint is about."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def fail(self, what: str, key: str = "", section: str = "", nth: int = 0) -> ScenarioError:
        return ScenarioError(f"{self.path.name}, line {self.line(key, section, nth)}: {what}")

    def line(self, key: str, section: str = "", nth: int = 0) -> int:
        """The line of `key` in the nth `section` (from 0; "" = the head of the file)."""
        start = seen = 0
        for number, line in enumerate(self.lines, 1):
            found = re.match(r"\s*\[+\s*([\w.]+)\s*\]+", line)
            if found and found[1] == section:
                seen += 1
                if seen == nth + 1:
                    start = number
            inside = (not section or start) and (not found or start == number)
            if start and number > start and found:
                break
            if inside and key and re.match(rf"\s*{re.escape(key)}\s*=", line):
                return number
        return start or 1

    def unknown(
        self, found: Mapping[str, Any], known: Mapping[str, Any] | tuple[str, ...], section: str = "", nth: int = 0
    ) -> None:
        for key in found:
            if key not in known:
                place = f"[{section}]" if section else "the head of the file"
                raise self.fail(f"{place} knows no '{key}'; there are: {', '.join(known)}", key, section, nth)

    def value(self, rule: Rule, found: Any, key: str, section: str, nth: int = 0) -> Range:
        problem, value = rule.read(found)
        if problem:
            raise self.fail(f"{key} {problem}", key, section, nth)
        return value

    def single(self, rule: Rule, found: Any, key: str, section: str, nth: int = 0) -> Value:
        value = self.value(rule, found, key, section, nth)
        if len(value) != 1:
            raise self.fail(f"{key} is one value here, no range", key, section, nth)
        return value[0]

    def text(self, found: Mapping[str, Any], key: str, *, needed: bool) -> str:
        value = found.get(key, "")
        if not isinstance(value, str) or (needed and not value.strip()):
            raise self.fail(f'{key} must be a sentence: {key} = "..."', key)
        return value


def _trouble(reader: _Reader, found: Mapping[str, Any], nth: int) -> Trouble:
    kind = found.get("do")
    if not isinstance(kind, str) or kind not in KINDS:
        near = [known for known in KINDS if isinstance(kind, str) and known.split(".")[0] == kind.split(".")[0]]
        offer = ", ".join(near or KINDS)
        raise reader.fail(f"do = {kind!r} is no kind of fault; there are: {offer}", "do", "fault", nth)
    fields = KINDS[kind].fields
    reader.unknown(found, {"do": 0, "when": 0, **WHEN, **fields}, "fault", nth)
    values: dict[str, Range] = {}
    for key, rule in {**WHEN, **fields}.items():
        if key in found:
            values[key] = reader.value(rule, found[key], key, "fault", nth)
        elif key in fields and rule.default is None:
            raise reader.fail(f"{kind} needs {key}: {rule.wish()}", "do", "fault", nth)
        elif key in fields and rule.default is not None:
            values[key] = (rule.default,)
    if ("at_h" in found) == ("when" in found):
        raise reader.fail(
            f"give either at_h (hours from the start) or when ({', '.join(TRIGGERS)})", "do", "fault", nth
        )
    if "when" in found:
        if found["when"] not in TRIGGERS:
            raise reader.fail(f"when is one of {', '.join(TRIGGERS)}, not {found['when']!r}", "when", "fault", nth)
        values["when"] = (found["when"],)
    if "for_s" in found and not KINDS[kind].lasts:
        raise reader.fail(f"{kind} happens at once: leave out for_s", "for_s", "fault", nth)
    return Trouble(kind, reader.line("do", "fault", nth), values)


def _programs(reader: _Reader, found: Any, zones: int) -> tuple[Mapping[str, Any], ...]:
    if found is None:
        return default_programs(zones)
    programs: list[Mapping[str, Any]] = []
    for nth, row in enumerate(found if isinstance(found, list) else ()):
        if not isinstance(row, dict) or not {"zone", "start_min", "run_time_s"} <= row.keys():
            raise reader.fail("a program needs zone, start_min and run_time_s", "", "program", nth)
        if row["zone"] not in range(1, zones + 1):
            raise reader.fail(f"zone must be 1 to {zones}, the board's zones", "zone", "program", nth)
        programs.append({"id": nth + 1, "weekdays": list(range(7)), **row})
    return tuple(programs)


def parse(text: str, path: Path) -> Scenario:
    """The scenario of a file's text. Raises ScenarioError."""
    reader = _Reader(path, text)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path.name}: not TOML: {error}") from error
    reader.unknown(found, (*TOP, "place", "starts"))
    area = found.get("area")
    if area not in AREAS:
        raise reader.fail(f"area is one of {', '.join(AREAS)}, not {area!r}", "area")
    board = found.get("board", {})
    reader.unknown(board, BOARD, "board")
    values = {key: reader.single(rule, board[key], key, "board") for key, rule in BOARD.items() if key in board}
    zones = int(values.get("zones", 2))
    settings = found.get("settings", {})
    if not isinstance(settings, dict):
        raise reader.fail(
            "[settings] is a table: what Home Assistant would send as `settings` in `desired`", "settings"
        )
    rows = found.get("fault", [])
    return Scenario(
        name=path.stem,
        area=area,
        story=reader.text(found, "story", needed=True),
        seen=reader.text(found, "seen", needed=False),
        days=float(reader.single(Number(*DAYS), found.get("days", 1.4), "days", "")),
        start=_start(reader, found),
        board=values,
        settings=settings,
        programs=_programs(reader, found.get("program"), zones),
        faults=tuple(_trouble(reader, row, nth) for nth, row in enumerate(rows)),
        forbids_watering=reader.text(found, "forbids_watering", needed=False),
        clock_off_s=float(reader.single(Number(0, 86_400 * 400), found.get("clock_off_s", 150), "clock_off_s", "")),
        text=text,
    )


def _start(reader: _Reader, found: Mapping[str, Any]) -> datetime:
    try:
        place = ZoneInfo(found.get("place", PLACE))
    except ZoneInfoNotFoundError, ValueError, TypeError:
        raise reader.fail("place is the name of a time zone, such as Europe/Berlin", "place") from None
    try:
        return datetime.strptime(found.get("starts", STARTS), "%Y-%m-%d %H:%M").replace(tzinfo=place)
    except ValueError, TypeError:
        raise reader.fail("starts is a local date and time, such as 2027-06-14 00:00", "starts") from None


def load(name: str) -> Scenario:
    """A scenario by its name, or by the path of a .toml file. Raises SettingError, FileError, ScenarioError."""
    if name.endswith(".toml"):
        path = Path(name)
    else:
        path = FOLDER / f"{name}.toml"
        if not path.exists():
            near = [known for known in names() if name in known] or names()
            raise SettingError(f"no scenario called '{name}'; there are: {', '.join(near)}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {path}: {error}") from error
    return parse(text, path)


@cache
def names() -> list[str]:
    """The names of all scenarios, in their order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))
