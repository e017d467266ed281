"""Desired: what Home Assistant wants the board to do, checked before it is believed; its programs are left to `programs`. A late module: loaded for one message
or one boot, then dropped.

Rule: a text is taken as a whole or refused as a whole, with a reason word; the old one then stays in force. It must not know how settings are used.
"""

import json
import struct

from . import protocol
from .core.localtime import parse_rule
from .dates import day_of
from .errors import RefusedError
from .parts import KEY_MAX, children, part
from .settings import Settings, integer

if False:  # for annotations
    from shapes import Readable, Span


def parse(f: "Readable", length: int, zone_count: int) -> "tuple[Settings, list[Span]]":
    """Settings from the JSON of a `desired` message, the first `length` bytes of the open file `f`, and where its programs lie. Raises RefusedError."""
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
    return s, programs


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
            day_of(20000000 + integer(date, (101, 1231)))  # of a leap year
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
