"""When programs should have started, reckoned apart from the firmware: by the time zone database of the machine.

Rule: pure. The start of a day is the first moment at which the local clock shows the program's time or later (so a time that summer time jumps over is the
end of the gap, one that comes twice the first); each program starts once a local date.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from sim.faults.house import CAP_S, Ask, Version

DAY_S = 86_400.0
GRACE_S = 7200.0  # a start that comes so late is still made
OLD_S = 28_800.0  # so long after settings changed the board may not have heard of it


def first_moment(day: date, start_min: int, place: tzinfo) -> float:
    """When the local clock of `place` first shows `start_min` or later on `day`, in Unix seconds."""
    wanted = datetime(day.year, day.month, day.day) + timedelta(minutes=start_min)
    moment = (wanted.replace(tzinfo=place).astimezone(UTC) - timedelta(hours=3)).astimezone(UTC)
    for _ in range(6 * 60):  # no edge lies on half a minute
        if moment.astimezone(place).replace(tzinfo=None) >= wanted:
            return moment.timestamp()
        moment += timedelta(minutes=1)
    raise AssertionError(f"no moment of {wanted} in {place}")


def _planned(program: Mapping[str, Any], day: date) -> bool:
    stamp = day.year * 10_000 + day.month * 100 + day.day
    until = program.get("until", 0)
    return (
        program.get("enabled", True)
        and day.weekday() in program["weekdays"]
        and (not until or stamp <= until)
        and stamp not in program.get("skip_dates", ())
    )


def _asks(
    version: Version, from_s: float, until_s: float, place: tzinfo, off_s: float
) -> Iterator[tuple[tuple[int, date], Ask]]:
    """Each start of one version between two moments, with what it allows, by program and date."""
    settings = version.settings
    if settings.get("winter") or not settings.get("watering_enabled", True):
        return
    soak_s = 43_200.0 if any(zone.get("soak_s") for zone in settings.get("zones", ())) else 0.0
    day = datetime.fromtimestamp(from_s, place).date() - timedelta(days=1)
    while day <= datetime.fromtimestamp(until_s, place).date() + timedelta(days=1):
        for program in version.programs:
            start_s = first_moment(day, program["start_min"], place)
            length_s = min(program["run_time_s"] * settings.get("seasonal_adjust_pct", 100) / 100, CAP_S)
            if not (from_s <= start_s < until_s and _planned(program, day)) or start_s < settings.get(
                "rain_delay_until", 0
            ):
                continue
            last_s = start_s + off_s + GRACE_S + soak_s
            what = f"program {program['id']}"
            ask = Ask(program["zone"], start_s - off_s, last_s, length_s, what, start_s=start_s, program=program["id"])
            yield (program["id"], day), ask
        day += timedelta(days=1)


def program_asks(
    versions: Sequence[Version], end_s: float, place: tzinfo, off_s: float, excused: Sequence[tuple[float, float]]
) -> list[Ask]:
    """What the programs asked for until `end_s`. A start `must` be made if its time is well within a version's life and nobody wanted it otherwise (`excused`).

    Settings travel slowly: starts that an old version has in the hours after it was replaced are allowed, none of them a must.
    """
    asks: dict[tuple[int, date], Ask] = {}
    far_s = off_s if off_s >= DAY_S else 0.0  # a clock that is days off makes its starts on other days
    for index, version in enumerate(versions):
        next_s = versions[index + 1].at_s if index + 1 < len(versions) else end_s
        seen_s = version.at_s - GRACE_S if index == 0 else version.at_s
        for key, ask in _asks(version, seen_s - far_s, min(next_s + OLD_S, end_s) + far_s, place, off_s):
            wanted = not any(low < ask.start_s + ask.length_s and ask.start_s < high for low, high in excused)
            settled = version.at_s + (4 * 3600 if index else 0) <= ask.start_s < next_s - 60
            ask.must = wanted and settled and ask.start_s + ask.length_s + GRACE_S < end_s
            asks[key] = _joined(asks[key], ask) if key in asks else ask
    return list(asks.values())


def _joined(ask: Ask, other: Ask) -> Ask:
    """One start, as two versions of the settings have it: either may be what the board knows."""
    first, last = min(ask.from_s, other.from_s), max(ask.until_s, other.until_s)
    longest_s = max(ask.length_s, other.length_s)
    return replace(other, from_s=first, until_s=last, length_s=longest_s, must=ask.must and other.must)
