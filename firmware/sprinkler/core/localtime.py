"""Local time by a POSIX TZ rule, in integers.

Rule: seconds since 2000-01-01 in, local seconds out. It must not know where the time or the rule come from.
A rule is the text of POSIX 1003.1 ("EST5EDT,M3.2.0,M11.1.0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"); the J and n day forms are refused, because no
zone in use needs them.
"""

DAY_S = 86400
LONGEST_S = 604800  # POSIX allows 167 hours in a rule
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def parse_rule(text: str) -> tuple:
    """`text` as a tuple: (offset_s,) or (offset_s, dst_offset_s, (month, week, weekday, at_s) of its start, the same of its end).

    Offsets are seconds east of UTC. Raises ValueError for a rule that is not understood.
    """
    i, offset_s = _offset(text, _name(text, 0))
    if i == len(text):
        return (-offset_s,)
    i = _name(text, i)
    dst_s = offset_s - 3600
    if i < len(text) and text[i] != ",":
        i, dst_s = _offset(text, i)
    parts = text[i:].split(",")
    if len(parts) != 3 or parts[0]:
        raise ValueError("tz_rule")
    return (-offset_s, -dst_s, _date(parts[1]), _date(parts[2]))


def _name(text: str, i: int) -> int:
    start = i
    if text[i : i + 1] == "<":
        return text.index(">", i) + 1
    while i < len(text) and (text[i].isalpha()):
        i += 1
    if i - start < 3:
        raise ValueError("tz_rule")
    return i


def _offset(text: str, i: int) -> tuple[int, int]:
    """Read [+-]hh[:mm[:ss]] at `i`: (where it ends, seconds)."""
    start = i
    while i < len(text) and (text[i].isdigit() or text[i] in "+-:"):
        i += 1
    return i, _seconds(text[start:i])


def _seconds(text: str) -> int:
    sign = -1 if text[:1] == "-" else 1
    seconds = 0
    unit_s = 3600
    for part in text.lstrip("+-").split(":"):
        seconds += int(part) * unit_s
        unit_s //= 60
    if seconds > LONGEST_S:
        raise ValueError("tz_rule")
    return sign * seconds


def _date(text: str) -> tuple[int, int, int, int]:
    if text[:1] != "M":
        raise ValueError("tz_rule")
    day, _, at = _split(text[1:], "/")
    month, week, weekday = [int(n) for n in day.split(".")]
    if not (1 <= month <= 12 and 1 <= week <= 5 and 0 <= weekday <= 6):
        raise ValueError("tz_rule")
    return (month, week, weekday, _seconds(at) if at else 7200)


def _split(text: str, mark: str) -> tuple[str, str, str]:
    i = text.find(mark)  # str.partition is missing on the board
    return (text, "", "") if i < 0 else (text[:i], mark, text[i + 1 :])


def is_leap(year: int) -> bool:
    """True for a leap year of the Gregorian calendar."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def day_number(year: int, month: int, day: int) -> int:
    """Days from 2000-01-01 (0) to the date."""
    y = year - 1
    days = 365 * (year - 2000) + (y // 4 - y // 100 + y // 400) - (1999 // 4 - 1999 // 100 + 1999 // 400)
    days += _DAYS_BEFORE[month - 1] + day - 1
    return days + (1 if month > 2 and is_leap(year) else 0)


def date_of(day: int) -> tuple[int, int, int]:
    """(year, month, day) of a day number, by H. Hinnant's civil_from_days (chrono-Compatible Low-Level Date Algorithms); no loop."""
    day -= 60  # from here on years begin on 1 March, so that a leap day is a year's last
    era = day // 146097
    day -= era * 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 2000 + era * 400
    return (year, month + 3, day + 1) if month < 10 else (year + 1, month - 9, day + 1)


def weekday(day: int) -> int:
    """0 for Monday ... 6 for Sunday; 2000-01-01 was a Saturday."""
    return (day + 5) % 7


def _change_s(rule_date: tuple, year: int, offset_s: int) -> int:
    """The moment, in seconds since 2000 UTC, of a rule's change in `year`, when `offset_s` is in force before it."""
    month, week, day_of_week, at_s = rule_date
    first = day_number(year, month, 1)
    day = first + (day_of_week - 1 - weekday(first)) % 7 + 7 * (week - 1)
    next_month = day_number(year + month // 12, month % 12 + 1, 1)
    while day >= next_month:
        day -= 7
    return day * DAY_S + at_s - offset_s


def offset_s(rule: tuple, utc_s: int) -> int:
    """Seconds to add to `utc_s` (since 2000) for local time."""
    if len(rule) == 1:
        return rule[0]
    std_s, dst_s, start, end = rule
    year = date_of((utc_s + std_s) // DAY_S)[0]
    begins = _change_s(start, year, std_s)
    ends = _change_s(end, year, dst_s)
    if begins < ends:
        return dst_s if begins <= utc_s < ends else std_s
    return std_s if ends <= utc_s < begins else dst_s


def local_s(rule: tuple, utc_s: int) -> int:
    """Local seconds since 2000-01-01 00:00 local."""
    return utc_s + offset_s(rule, utc_s)


def utc_s(rule: tuple, local: int) -> int:
    """The first UTC second at which it is `local` or later by this rule: the first of two where the hour comes twice, the end of a gap that holds it."""
    if len(rule) == 1:
        return local - rule[0]
    early = local - max(rule[0], rule[1])
    late = local - min(rule[0], rule[1])
    if local_s(rule, early) >= local:
        return early
    if local_s(rule, late - 1) < local:
        return late
    while late - early > 1:  # it was passed over somewhere between the two
        middle = (early + late) // 2
        if local_s(rule, middle) >= local:
            late = middle
        else:
            early = middle
    return late
