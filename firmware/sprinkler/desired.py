"""Desired: what Home Assistant wants the board to do, checked before it is believed. A late module: loaded for one message or one boot, then dropped.

Rule: a text is taken as a whole or refused as a whole, with a reason word; the old one then stays in force. It must not know how settings are used.
"""

import json
import struct

from . import protocol
from .auth import verify
from .core import schedule
from .core.localtime import date_of, day_number, parse_rule
from .errors import RefusedError
from .parts import KEY_MAX, children, part
from .settings import Settings, integer
from .store import DESIRED, OLD, read_file

if False:  # for annotations
    from shapes import Readable, Span

    from .board import Board


def load(board: "Board", topic: str, key: bytes) -> Settings:
    """The settings kept on flash; those before them when they do not validate, and the defaults when there are none."""
    for path in (DESIRED, DESIRED + OLD):
        payload = read_file(board, path)
        end = verify(key, topic, payload) if payload else 0
        payload = None
        try:
            if end:
                return read(board, path, end)
        except RefusedError:
            pass  # the next one, then
    return Settings()


def read(board: "Board", path: str, length: int) -> Settings:
    """Settings from the JSON that is the first `length` bytes of a file. Raises RefusedError."""
    try:
        with board.open_file(path, "rb") as f:
            return parse(f, length, board.zones())
    except OSError:
        raise RefusedError("storage")
    finally:
        board.drop("grounds")


def parse(f: "Readable", length: int, zone_count: int) -> Settings:
    """Settings from the JSON of a `desired` message, the first `length` bytes of the open file `f`. Raises RefusedError."""
    version, given, programs, zones = None, {}, [], []
    try:
        for start, end in children(f, 0, length):
            after = _opens(f, start, end, b'"programs"', b"[")
            if after:
                programs = children(f, after, end)
                continue
            after = _opens(f, start, end, b'"settings"', b"{")
            if not after:
                version = _member(f, start, end).get("version", version)
                continue
            for first, last in children(f, after, end):
                after = _opens(f, first, last, b'"zones"', b"[")
                if after:
                    zones = children(f, after, last)
                else:
                    given.update(_member(f, first, last))
    except (ValueError, TypeError, AttributeError):
        raise RefusedError("invalid")
    s = Settings()
    s.version = integer(version, (1, 0x3FFFFFFF))
    s.latitude_cdeg = integer(given.get("latitude_cdeg", 0), protocol.LATITUDE_CDEG_LIMITS)
    s.longitude_cdeg = integer(given.get("longitude_cdeg", 0), protocol.LONGITUDE_CDEG_LIMITS)
    s.rain_delay_until = integer(given.get("rain_delay_until", 0), (0, 0xFFFFFFFF))
    s.seasonal_adjust_pct = integer(given.get("seasonal_adjust_pct", 100), protocol.SEASONAL_ADJUST_PCT_LIMITS)
    s.wake_interval_s = integer(given.get("wake_interval_s", 900), protocol.WAKE_INTERVAL_S_LIMITS)
    s.watering_enabled = given.get("watering_enabled", True)
    s.winter = given.get("winter", False)
    tz_rule = given.get("tz_rule", "UTC0")
    if type(s.watering_enabled) is not bool or type(s.winter) is not bool:
        raise RefusedError("invalid")
    if type(tz_rule) is not str or len(tz_rule) > protocol.TZ_RULE_MAX:
        raise RefusedError("invalid")
    try:
        s.rule = parse_rule(tz_rule)
    except (ValueError, IndexError):
        raise RefusedError("invalid")
    _season(s, given)
    s.zones, grounds, s.limits = _zones(f, zones, zone_count, s.limits)
    if any(grounds):
        from .grounds import months

        s.water = months(given.get("month_et0_um")) + grounds
    s.programs = _programs(f, programs, zone_count)
    return s


def _opens(f: "Readable", start: int, end: int, key: bytes, bracket: bytes) -> int:
    """Where the value of a member begins, if it is that of `key`; 0: it is another one. Raises RefusedError unless the value begins with `bracket`."""
    f.seek(start)
    text = f.read(min(KEY_MAX, end - start))
    if not text.strip().startswith(key):
        return 0
    after = start + text.index(b":") + 1
    if part(f, after, min(end, after + KEY_MAX))[:1] != bracket:
        raise RefusedError("invalid")
    return after


def _member(f: "Readable", start: int, end: int) -> dict:
    return json.loads(b"{" + part(f, start, end) + b"}")


def _season(s: Settings, given: dict) -> None:
    s.season_from, s.season_to = given.get("season_from", 0), given.get("season_to", 0)
    if (s.season_from, s.season_to) != (0, 0):
        for date in (s.season_from, s.season_to):
            _day(20000000 + integer(date, (101, 1231)))  # of a leap year
    s.frost_below_dc = given.get("frost_below_dc")
    if s.frost_below_dc is not None:
        integer(s.frost_below_dc, protocol.FROST_BELOW_DC_LIMITS)


def _zones(
    f: "Readable", spans: "list[Span]", zone_count: int, limits: tuple[int, ...] | list[int]
) -> tuple[bytes, bytes, tuple[int, ...]]:
    """What is set for each zone, as settings.zones holds it, what smart watering must know of them, and the `limits` of a day."""
    parts, grounds, limits = [bytes(5)] * 4, [bytes(8)] * 4, list(limits)
    try:
        for start, end in spans:
            zone = json.loads(part(f, start, end))
            number = integer(zone["zone"], (1, 4))
            if number > zone_count:
                raise RefusedError("unknown_zone")
            cycle_s = zone.get("cycle_s", 0)
            soak_s = integer(zone.get("soak_s", 0), protocol.SOAK_S_LIMITS)
            skip_above_pct = integer(zone.get("skip_above_pct", 0), protocol.SKIP_ABOVE_PCT_LIMITS)
            if cycle_s != 0 or type(cycle_s) is not int:
                integer(cycle_s, protocol.CYCLE_S_LIMITS)
            parts[number - 1] = struct.pack(">HHB", cycle_s, soak_s, skip_above_pct)
            integer(zone.get("application_rate_um_h", 0), protocol.APPLICATION_RATE_UM_H_LIMITS)
            openings = zone.get("day_openings_max", limits[number - 1])
            limits[number - 1] = integer(openings, protocol.DAY_OPENINGS_MAX_LIMITS)
            day_ml = zone.get("day_ml_max", 0)
            limits[number + 3] = day_ml
            if day_ml != 0 or type(day_ml) is not int:
                integer(day_ml, protocol.DAY_ML_MAX_LIMITS)
            if "available_um" in zone:
                from .grounds import ground

                grounds[number - 1] = ground(zone)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("invalid")
    return b"".join(parts), b"".join(grounds), tuple(limits)


def _programs(f: "Readable", spans: "list[Span]", zone_count: int) -> tuple[tuple[int, ...], ...]:
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
                programs.append(program)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("invalid")
    if len(set(ids)) != len(ids):
        raise RefusedError("invalid")
    programs.sort(key=lambda program: program[schedule.HEAD] & schedule.ORDER)
    return tuple(programs)


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
        _day(until) if until else schedule.NEVER,
    )
    return program + tuple(_day(date) for date in skip)


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
        return (_day(p["from_date"]) << 5 | integer(p["every_days"], protocol.EVERY_DAYS_LIMITS)) << 2 | schedule.EVERY
    if p["odd_even"] not in ("odd", "even"):
        raise RefusedError("invalid")
    return schedule.ODD if p["odd_even"] == "odd" else schedule.EVEN


def _day(date: int) -> int:
    """The day number of yyyymmdd. Raises RefusedError for a date that there is not."""
    integer(date, (20000101, 20991231))
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if not 1 <= month <= 12:
        raise RefusedError("invalid")
    number = day_number(year, month, day)
    if date_of(number) != (year, month, day):
        raise RefusedError("invalid")
    return number
