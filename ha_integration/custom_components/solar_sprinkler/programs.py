"""Programs as dates: the days on which a program starts, and the program that a recurrence rule of a calendar stands for.

Rule: pure functions of programs as they stand in `desired`; what a board cannot do raises ProgramError with the key of its sentence in
translations/ and the values for it. Knows neither Home Assistant nor the sun.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from . import protocol
from .errors import ProgramError

EVERY_DAYS_MAX = 30
LOOK_AHEAD_DAYS = 366
SPAN_DAYS_MAX = 731  # of a question for dates
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ALL_DAYS = [*range(7)]
DAYS_KEYS = ("weekdays", "every_days", "from_date", "odd_even")
_ODD, _EVEN = [*range(1, 30, 2)], [*range(2, 31, 2)]  # the 31st is left out, as two odd days would follow each other

type Program = Mapping[str, Any]


def number_of(day: date) -> int:
    """A date as it stands on the wire: yyyymmdd."""
    return day.year * 10000 + day.month * 100 + day.day


def date_of(number: int) -> date | None:
    """The date of yyyymmdd; None for 0 and for what is no date."""
    try:
        return date(number // 10000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def of_zone(programs: Sequence[Program], zone: int) -> list[Program]:
    """The zone's programs that can be read. Others, which a newer version may have made, are kept as they are and not shown."""
    return [program for program in programs if program.get("zone") == zone and _is_readable(program)]


def _is_readable(program: Program) -> bool:
    numbers = ("id", "run_time_s", *(("start_min",) if program.get("start", "clock") == "clock" else ()))
    if not all(_is_within(program.get(key), (0, 86_400)) for key in numbers) or program.get("start_min", 0) > 1439:
        return False
    if not all(_is_within(program.get(key, 0), (-86_400, 99_999_999)) for key in ("until", "from_date", "offset_min")):
        return False
    if program.get("start", "clock") not in ("clock", "sunrise", "sunset"):
        return False
    skipped, weekdays = program.get("skip_dates", []), program.get("weekdays", [])
    if not isinstance(skipped, (list, tuple)) or not isinstance(weekdays, (list, tuple)):
        return False
    if "every_days" in program:
        return (
            _is_within(program["every_days"], (1, EVERY_DAYS_MAX)) and date_of(program.get("from_date", 0)) is not None
        )
    if "odd_even" in program:
        return program["odd_even"] in ("odd", "even")
    return bool(weekdays) and all(_is_within(day, (0, 6)) for day in weekdays)


def _is_within(value: Any, limits: tuple[int, int]) -> bool:
    return type(value) is int and limits[0] <= value <= limits[1]


def is_planned(program: Program, day: date) -> bool:
    """True if the program starts on that local date."""
    until = program.get("until") or 0
    if not program.get("enabled", True) or (until and number_of(day) > until):
        return False
    if number_of(day) in program.get("skip_dates", ()):
        return False
    if "every_days" in program:
        first = date_of(program.get("from_date", 0))
        return first is not None and day >= first and (day - first).days % program["every_days"] == 0
    if "odd_even" in program:
        return _is_odd_or_even(program["odd_even"], day)
    return day.weekday() in program.get("weekdays", ())


def _is_odd_or_even(which: str, day: date) -> bool:
    if which == "even":
        return day.day % 2 == 0
    return day.day % 2 == 1 and day.day != 31 and (day.month, day.day) != (2, 29)


def days(program: Program, first: date, last: date) -> Iterator[date]:
    """The dates from `first` to `last` on which the program starts."""
    for number in range(min((last - first).days + 1, SPAN_DAYS_MAX)):
        day = first + timedelta(days=number)
        if is_planned(program, day):
            yield day


def next_day(program: Program, first: date) -> date | None:
    """The first date from `first` on on which the program starts, within a year."""
    return next(days(program, first, first + timedelta(days=LOOK_AHEAD_DAYS)), None)


def runs_once(program: Program, today: date) -> bool:
    """True if at most one start is left."""
    if not program.get("until"):
        return False
    left = days(program, today, today + timedelta(days=LOOK_AHEAD_DAYS))
    return next(left, None) is None or next(left, None) is None


def rule_of(program: Program) -> str:
    """The recurrence rule that shows the program's days in a calendar's editor."""
    if "every_days" in program:
        rule = f"FREQ=DAILY;INTERVAL={program['every_days']}"
    elif "odd_even" in program:
        rule = "FREQ=MONTHLY;BYMONTHDAY=" + ",".join(map(str, _ODD if program["odd_even"] == "odd" else _EVEN))
    elif sorted(program["weekdays"]) == ALL_DAYS:
        rule = "FREQ=DAILY"
    else:
        rule = "FREQ=WEEKLY;BYDAY=" + ",".join(WEEKDAYS[day] for day in sorted(program["weekdays"]))
    return rule + (f";UNTIL={program['until']}" if program.get("until") else "")


def days_of_rule(rule: str | None, first: date, today: date, zone_info: tzinfo) -> dict[str, Any]:
    """The days, `until` and `skip_dates` of a program that starts on `first` and then as `rule` says; without a rule, that once.

    `zone_info` is local time, in which the board counts its days. Raises ProgramError for what no board can do.
    """
    parts = _parts(rule)
    found = _days(parts, first)
    found["skip_dates"] = []
    if not rule:
        found["until"] = number_of(first)
    elif "COUNT" in parts:
        found["until"] = number_of(_last_of_count(found, first, _integer(parts["COUNT"])))
    else:
        found["until"] = _until(parts.get("UNTIL", ""), zone_info)
    if "every_days" not in found:
        found["skip_dates"] = _before(found, first, today)
    return found


def _parts(rule: str | None) -> dict[str, str]:
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part) if rule else {}
    if parts.keys() - {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"}:
        raise ProgramError("rule_not_possible")
    return parts


def _days(parts: Mapping[str, str], first: date) -> dict[str, Any]:
    frequency, every = parts.get("FREQ", "WEEKLY"), _integer(parts.get("INTERVAL", "1"))
    weekdays = _weekdays(parts.get("BYDAY", "")) or [first.weekday()]
    if frequency == "MONTHLY" and every == 1 and parts.get("BYMONTHDAY"):
        listed = sorted(_integer(day) for day in parts["BYMONTHDAY"].split(","))
        if listed in (_ODD, _EVEN):
            return {"odd_even": "odd" if listed == _ODD else "even"}
    if frequency not in ("DAILY", "WEEKLY") or "BYMONTHDAY" in parts:
        raise ProgramError("rule_not_possible")
    if frequency == "DAILY" and every == 1:
        return {"weekdays": _weekdays(parts.get("BYDAY", "")) or ALL_DAYS}
    if frequency == "WEEKLY" and every == 1:
        return {"weekdays": weekdays}
    if frequency == "WEEKLY":
        if len(weekdays) > 1 or weekdays != [first.weekday()]:
            raise ProgramError("rule_weeks_one_day")
        every *= 7
    if not 1 <= every <= EVERY_DAYS_MAX or (frequency == "DAILY" and "BYDAY" in parts):
        raise ProgramError("rule_interval", days=str(EVERY_DAYS_MAX))
    return {"every_days": every, "from_date": number_of(first)}


def _weekdays(text: str) -> list[int]:
    try:
        return sorted({WEEKDAYS.index(day.strip().upper()) for day in text.split(",") if day.strip()})
    except ValueError:  # such as 1MO, the first Monday of a month
        raise ProgramError("rule_not_possible") from None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ProgramError("rule_not_possible") from None


def _until(text: str, zone_info: tzinfo) -> int:
    if not text:
        return 0
    try:
        if text.endswith("Z"):
            moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return number_of(moment.astimezone(zone_info).date())
        return number_of(datetime.strptime(text[:8], "%Y%m%d").date())
    except ValueError:
        raise ProgramError("rule_not_possible") from None


def _last_of_count(found: Program, first: date, count: int) -> date:
    if not 1 <= count <= LOOK_AHEAD_DAYS:
        raise ProgramError("rule_count", count=str(LOOK_AHEAD_DAYS))
    day = first
    for _ in range(count - 1):
        day = next_day(found, day + timedelta(days=1)) or day
    return day


def with_rhythm_of(made: dict[str, Any], known: Program) -> dict[str, Any]:
    """`made` with the first date of `known`, if both come every so many days and on the same ones: an edit moves no start that is near."""
    if "every_days" in made and made["every_days"] == known.get("every_days"):
        first, before = date_of(made["from_date"]), date_of(known["from_date"])
        if first and before and (first - before).days % made["every_days"] == 0:
            return {**made, "from_date": known["from_date"]}
    return made


def _before(found: Program, first: date, today: date) -> list[int]:
    """The dates before `first` on which the board would start: a program of weekdays has no first date, so they are skipped."""
    earlier = list(days(found, today, first - timedelta(days=1)))
    if len(earlier) > protocol.SKIP_DATES_MAX:
        raise ProgramError("starts_too_late", dates=str(protocol.SKIP_DATES_MAX))
    return [number_of(day) for day in earlier]


def without_date(program: Program, day: date, today: date) -> dict[str, Any]:
    """The program with `day` skipped. Skipped dates that are over are forgotten. Raises ProgramError when there are too many."""
    kept = {number for number in program.get("skip_dates", ()) if number >= number_of(today)}
    skipped = sorted(kept | {number_of(day)})
    if len(skipped) > protocol.SKIP_DATES_MAX:
        raise ProgramError("too_many_skips", dates=str(protocol.SKIP_DATES_MAX))
    return {**program, "skip_dates": skipped}


def ended_before(program: Program, day: date, today: date) -> dict[str, Any] | None:
    """The program without `day` and all after it; None when nothing is left of it."""
    ended = {**program, "until": number_of(day - timedelta(days=1))}
    return ended if next_day(ended, today) else None


def free_id(programs: Sequence[Program], programs_max: int) -> int:
    """The lowest id that no program has. Raises ProgramError when the board holds no more."""
    most = min(programs_max, protocol.PROGRAM_ID_LIMITS[1])
    taken = {program.get("id") for program in programs}
    for number in range(protocol.PROGRAM_ID_LIMITS[0], most + 1):
        if number not in taken:
            return number
    raise ProgramError("too_many_programs", programs=str(most))


def checked_run_time_s(seconds: float, run_time_max_s: int) -> int:
    """Seconds that a program may run. Raises ProgramError beyond the board's limits."""
    shortest_s, longest_s = protocol.RUN_TIME_S_LIMITS[0], min(protocol.RUN_TIME_S_LIMITS[1], run_time_max_s)
    if not shortest_s <= seconds <= longest_s:
        raise ProgramError("run_time_out_of_range", shortest_s=str(shortest_s), longest_min=str(longest_s // 60))
    return int(seconds)
