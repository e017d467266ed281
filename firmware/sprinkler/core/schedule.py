"""Schedule: which program starts now, and when the next one will.

Rule: local minutes and day numbers in, program ids out. A program runs at most once per local date (its run-once key), and a wake that comes late
still starts it inside the grace. It must not know valves, batteries, or why a run might be refused.
"""

from .localtime import DAY_S, date_of, local_s, utc_s, weekday

GRACE_MIN = 120  # a start this far back is still made; further back it is reported as missed
NEVER = -1

# Fields of a program
ID = 0
ZONE = 1
WEEKDAYS = 2  # bit 0 = Monday
START_MIN = 3
RUN_TIME_S = 4
UNTIL = 5  # last day number; NEVER: no end
SKIP_DAYS = 6  # day numbers


def planned_on(program: tuple, day: int) -> bool:
    """True if `program` is to start on `day` (a local day number)."""
    if not program[WEEKDAYS] >> weekday(day) & 1:
        return False
    return (program[UNTIL] == NEVER or day <= program[UNTIL]) and day not in program[SKIP_DAYS]


def today(now_s: int, rule: tuple) -> int:
    """The local day number at `now_s`."""
    return local_s(rule, now_s) // DAY_S


def sane_key(key: int, day: int) -> int:
    """The run-once key, taken back to `day` (today) if a wrong clock left it in the future: then at most one day is lost, not years."""
    return day if key > day + 1 else key


def due(programs: tuple, keys: list[int], now_s: int, rule: tuple) -> list[tuple]:
    """Programs that start at `now_s` (since 2000, UTC): a list of (program, day, minutes late).

    `keys[i]` is the last local day on which `programs[i]` started or was given up. More than GRACE_MIN late means: missed.
    """
    local_min = local_s(rule, now_s) // 60
    this_day = local_min // 1440
    found = []
    for program, key in zip(programs, keys):
        for day in (this_day - 1, this_day):
            late_min = local_min - day * 1440 - program[START_MIN]
            if late_min >= 0 and day > sane_key(key, this_day) and planned_on(program, day):
                found.append((program, day, late_min))
    return found


def key_when_changed(program: tuple, now_s: int, rule: tuple) -> int:
    """The key of a new or edited program: a start that lies behind us today is not made up for."""
    local_min = local_s(rule, now_s) // 60
    day = local_min // 1440
    return day if local_min - day * 1440 >= program[START_MIN] else day - 1


def next_start_s(program: tuple, key: int, now_s: int, rule: tuple) -> int:
    """When `program` starts next (seconds since 2000, UTC), at most 366 days ahead; 0 if it does not."""
    first = today(now_s, rule)
    for day in range(first, first + 367):
        if program[UNTIL] != NEVER and day > program[UNTIL]:
            return 0
        if day > sane_key(key, first) and planned_on(program, day):
            start_s = utc_s(rule, day * DAY_S + program[START_MIN] * 60)
            if start_s > now_s:
                return start_s
    return 0


def date_number(day: int) -> int:
    """A day number as yyyymmdd, as it stands on the wire."""
    year, month, day_of_month = date_of(day)
    return year * 10000 + month * 100 + day_of_month
