"""Schedule: which program starts now, and when the next one will.

Rule: seconds since 2000 and day numbers in, starts out. A program starts at most once per local date (its run-once key), and a wake that comes late still
finds the start inside the grace. It must not know valves, batteries, or why a run might be refused.
"""

from .localtime import DAY_S, date_of, local_s, utc_s, weekday
from .sun import NO_SUN, sun_min

GRACE_MIN = 120  # a start this far back is still made; further back it is reported as missed
NEVER = 65535

# A program is a tuple of small integers: these fields, then the day numbers on which it rests (0: none)
HEAD = 0  # id + 16 * zone + 128 * (how it starts) + 512 * (1: also by an estimated clock) + 1024 * (1: smart); ordered by its lowest seven bits
DAYS = 1  # how often (lowest two bits), and of what
START_MIN = 2  # local minute; for a start by the sun the offset to it, -240 to 240
RUN_TIME_S = 3
UNTIL = 4  # last day number; NEVER, which is later than any: no end
SKIP_DAYS = 5
ORDER = 127  # mask of HEAD: zone, then id
BY_ESTIMATE = 512
SMART = 1024  # it gives what the soil lacks, for its run time at most

# How it starts
CLOCK, SUNRISE, SUNSET = 0, 1, 2

# How often
WEEKDAYS = 0  # of a mask, bit 0 = Monday
EVERY = 1  # n days, 1 to 30 (5 bits), from a day number on
ODD = 2  # days of the month, but for the 31st and the 29th of February: no two days running
EVEN = 3

# A key: the last local day that is settled, and with this bit: the next start is to be skipped
SKIP_NEXT = 0x8000
LOST_KEY = 0x7FFF  # nobody knows which starts were made; no day that there will be

# Where and when: (rule of local time, latitude, longitude in 1/100 degree, first and last day of the season as month * 100 + day, 0: all year)
RULE, LATITUDE, LONGITUDE, SEASON_FROM, SEASON_TO = 0, 1, 2, 3, 4

_NOT_PLANNED = "-"
_SUNLESS_DAYS_MAX = 20  # a next start is sought no further than over so many days without sun
_LOOK_AHEAD_DAYS = 368


def program_id(program: tuple) -> int:
    """The number of `program`, 1 to 8."""
    return program[HEAD] & 15


def zone_of(program: tuple) -> int:
    """The zone that `program` waters."""
    return program[HEAD] >> 4 & 7


def plan_of(program: tuple, day: int, date: tuple, place: tuple) -> str:
    """What `program` is to do on `day` (a local day number, that of `date`): start "", rest for a reason, or "-": nothing is planned."""
    kind, of = program[DAYS] & 3, program[DAYS] >> 2
    planned = date[2] & 1 == 0
    if kind == WEEKDAYS:
        planned = of >> weekday(day) & 1
    elif kind == EVERY:
        planned = day >= of >> 5 and (day - (of >> 5)) % (of & 31) == 0
    elif kind == ODD:
        planned = not planned and date[2] != 31 and date[1:] != (2, 29)
    if not planned or day > program[UNTIL]:
        return _NOT_PLANNED
    if day in program[SKIP_DAYS:]:
        return "skip_date"
    return "" if in_season(place, date) else "season"


def in_season(place: tuple, date: tuple) -> bool:
    """True if `date` lies in the season, which may go over the new year; both its ends belong to it."""
    first, last, today = place[SEASON_FROM], place[SEASON_TO], date[1] * 100 + date[2]
    if not first or not last:
        return True
    return first <= today <= last if first <= last else today >= first or today <= last


def start_s(program: tuple, day: int, place: tuple) -> int:
    """The moment in UTC at which `program` starts on `day`; NO_SUN where the sun does not rise or set then."""
    kind = program[HEAD] >> 7 & 3
    if kind == CLOCK:
        return utc_s(place[RULE], day * DAY_S + program[START_MIN] * 60)
    noon_min = 720 - place[LONGITUDE] // 25 + place[RULE][0] // 60
    day -= noon_min // 1440  # west of the date line, in the date of those east of it
    minute = sun_min(day, place[LATITUDE], place[LONGITUDE], kind == SUNRISE)
    return NO_SUN if minute == NO_SUN else (day * 1440 + minute + program[START_MIN]) * 60


def _noon_s(day: int, place: tuple) -> int:
    """When a start that the sun does not give is spoken of."""
    return utc_s(place[RULE], day * DAY_S + DAY_S // 2)


def today(now_s: int, rule: tuple) -> int:
    """The local day number at `now_s`."""
    return local_s(rule, now_s) // DAY_S


def sane_key(key: int, day: int) -> int:
    """The key, taken back to `day` (today) if a wrong clock left it in the future: then at most one day is lost, not years."""
    return key if key & ~SKIP_NEXT <= day + 1 else day | key & SKIP_NEXT


def due(programs: tuple, keys: list[int], now_s: int, place: tuple) -> list[tuple]:
    """Starts that lie at `now_s` or before, and are not settled: (program, day, its moment, reason why it is none: "", "skip_date", "season", "no_start").

    `programs`: a tuple, or what can be run over and asked for one as a tuple can. `keys[i]` is that of `programs[i]`. More than GRACE_MIN late means: missed.
    """
    this_day = today(now_s, place[RULE])
    found = []
    for day in range(this_day - 1, this_day + 2):  # tomorrow's, too: hours before sunrise
        date = date_of(day)
        for program, key in zip(programs, keys):
            reason = plan_of(program, day, date, place)
            if reason == _NOT_PLANNED or day <= sane_key(key, this_day) & ~SKIP_NEXT:
                continue
            at_s = start_s(program, day, place)
            if at_s == NO_SUN:
                at_s = _noon_s(day, place)
                reason = reason or "no_start"
            if at_s <= now_s:
                found.append((program, day, at_s, reason))
    return found


def key_when_changed(program: tuple, from_s: int, place: tuple) -> int:
    """The key of a new or edited program: a start that lies at `from_s` or before is not made up for."""
    day = today(from_s, place[RULE]) + 1
    while True:
        at_s = start_s(program, day, place)
        if (_noon_s(day, place) if at_s == NO_SUN else at_s) <= from_s:
            return day
        day -= 1


def next_starts(programs: tuple, keys: list[int], after_s: int, place: tuple) -> list[int]:
    """When each of `programs` starts next after `after_s` (since 2000, UTC), but for a start that is to be skipped; at most a year ahead, 0: none."""
    first = today(after_s, place[RULE])
    starts = [0] * len(programs)
    skips = [key & SKIP_NEXT for key in keys]
    sunless = [0] * len(programs)
    wanted = list(range(len(programs)))
    for day in range(first - 1, first + _LOOK_AHEAD_DAYS):
        date = date_of(day)
        for i in wanted[:]:
            program = programs[i]
            if day > program[UNTIL]:
                wanted.remove(i)
            elif day > sane_key(keys[i], first) & ~SKIP_NEXT and plan_of(program, day, date, place) == "":
                at_s = start_s(program, day, place)
                if at_s == NO_SUN:
                    sunless[i] += 1
                    if sunless[i] > _SUNLESS_DAYS_MAX:
                        wanted.remove(i)
                elif at_s > after_s:
                    starts[i] = 0 if skips[i] else at_s
                    skips[i] = 0
                    if starts[i]:
                        wanted.remove(i)
        if not wanted:
            break
    return starts
