"""Programs: those of a `desired` message, checked before they are believed. A late module, loaded after `desired`, when that has left the heap.

Rule: all of them are taken, or all are refused, with a reason word. It must not know how they are run.
"""

import json
import struct

from . import protocol
from .core import schedule
from .dates import day_of
from .errors import RefusedError
from .parts import part
from .settings import PROGRAM_FORM, integer

if False:  # for annotations
    from shapes import Readable, Span


def take(f: "Readable", spans: "list[Span]", zone_count: int) -> bytes:
    """The programs that lie at `spans` of the open file `f`, packed, in the order of core.schedule. Raises RefusedError."""
    if len(spans) > protocol.PROGRAM_ID_LIMITS[1]:
        raise RefusedError("too_many")
    programs, ids = [], []
    try:
        for start, end in spans:
            p = json.loads(part(f, start, end))
            program = _program(p, zone_count)
            ids.append(program[schedule.HEAD] & 15)
            enabled = p.get("enabled", True)
            if type(enabled) is not bool:
                raise RefusedError("invalid")
            if enabled:
                rest = (0,) * (schedule.SKIP_DAYS + protocol.SKIP_DATES_MAX - len(program))
                programs.append((program[schedule.HEAD] & schedule.ORDER, struct.pack(PROGRAM_FORM, *(program + rest))))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("invalid")
    if len(set(ids)) != len(ids):
        raise RefusedError("invalid")
    programs.sort()  # no two have the same zone and id
    return b"".join([packed for _, packed in programs])


def _program(p: dict, zone_count: int) -> tuple[int, ...]:
    """A program as core.schedule has it."""
    zone = integer(p["zone"], (1, 4))
    if zone > zone_count:
        raise RefusedError("unknown_zone")
    start, lost = p.get("start", "clock"), p.get("when_clock_lost", "skip")
    skip = p.get("skip_dates", [])
    if start not in protocol.STARTS or lost not in ("skip", "run") or len(skip) > protocol.SKIP_DATES_MAX:
        raise RefusedError("invalid")
    how = protocol.STARTS.index(start)
    start_min = (
        integer(p.get("offset_min", 0), protocol.OFFSET_MIN_LIMITS)
        if how
        else integer(p["start_min"], protocol.START_MIN_LIMITS)
    )
    until = integer(p.get("until", 0), (0, 20991231))
    smart = p.get("smart", False)
    if type(smart) is not bool:
        raise RefusedError("invalid")
    head = schedule.BY_ESTIMATE * (lost == "run") + schedule.SMART * smart
    program = (
        integer(p["id"], protocol.PROGRAM_ID_LIMITS) + 16 * zone + 128 * how + head,
        _days(p),
        start_min,
        integer(p["run_time_s"], protocol.RUN_TIME_S_LIMITS),
        day_of(until) if until else schedule.NEVER,
    )
    return program + tuple(day_of(date) for date in skip)


def _days(p: dict) -> int:
    """How often, by exactly one of three keys."""
    kinds = [key for key in ("weekdays", "every_days", "odd_even") if p.get(key) is not None]
    if len(kinds) != 1:
        raise RefusedError("invalid")
    if kinds[0] == "weekdays":
        mask = 0
        for day in p["weekdays"]:
            mask |= 1 << integer(day, (0, 6))
        if not mask:
            raise RefusedError("invalid")
        return mask << 2 | schedule.WEEKDAYS
    if kinds[0] == "every_days":
        return (
            day_of(p["from_date"]) << 5 | integer(p["every_days"], protocol.EVERY_DAYS_LIMITS)
        ) << 2 | schedule.EVERY
    if p["odd_even"] not in ("odd", "even"):
        raise RefusedError("invalid")
    return schedule.ODD if p["odd_even"] == "odd" else schedule.EVEN
