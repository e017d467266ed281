"""Settings: what was provisioned (config.json) and what Home Assistant desires (desired.json), checked before either is believed.

Rule: a text is taken as a whole or refused as a whole, with a reason word; the old one then stays in force. It must not know how they are used.
"""

import json

from . import protocol
from .auth import verify
from .core.localtime import day_number, parse_rule
from .core.schedule import NEVER
from .errors import RefusedError, StoreError
from .store import CONFIG, DESIRED, read_file, write_file

_CONFIG = (
    ("device_key", ""),
    ("wifi_ssid", ""),
    ("wifi_password", ""),
    ("broker_host", ""),
    ("broker_port", 1883),
    ("broker_user", ""),
    ("broker_password", ""),
    ("ntp_host", ""),
    ("ul_per_pulse", 0),
    ("soil_raw", ()),
    ("battery_sensor", "adc"),
    ("panel_sensor", False),
    ("always_responsive", False),
)


class Config:
    """The board's description, as provisioned: the names of _CONFIG, and `key`, the device key as bytes."""

    device_key: str
    wifi_ssid: str
    wifi_password: str
    broker_host: str
    broker_port: int
    broker_user: str
    broker_password: str
    ntp_host: str
    ul_per_pulse: int
    soil_raw: tuple
    battery_sensor: str
    panel_sensor: bool
    always_responsive: bool

    def __init__(self, board):
        text = read_file(board, CONFIG)
        try:
            given = json.loads(text) if text else {}
        except ValueError:
            given = None
        if type(given) is not dict:
            raise StoreError("storage")
        for name, default in _CONFIG:
            value = given.get(name, default)
            if type(value) is list:
                value = tuple(value)
            setattr(self, name, value if type(value) is type(default) else default)
        try:
            self.key = bytes(int(self.device_key[i : i + 2], 16) for i in range(0, 32, 2))
        except ValueError:
            raise StoreError("storage")
        self.device_key = ""  # as text it is not needed any more


class Settings:
    """What is in force: settings, programs, their version."""

    def __init__(self):
        self.version = 0
        self.tz_rule = "UTC0"
        self.rule = (0,)
        self.latitude_cdeg = self.longitude_cdeg = 0
        self.watering_enabled = True
        self.rain_delay_until = 0  # Unix seconds, as on the wire
        self.seasonal_adjust_pct = 100
        self.wake_interval_s = 900
        self.programs = ()  # tuples of core.schedule, in order of zone and id


def load(board, topic, key):
    """The settings kept on flash; the defaults when there are none, or when they do not validate."""
    payload = read_file(board, DESIRED)
    body = verify(key, topic, payload) if payload else None
    if body is None:
        return Settings()
    try:
        return parse(body, board.zones())
    except RefusedError:
        return Settings()


def keep(board, payload):
    """Keep the signed text of settings that were parsed. Raises StoreError."""
    write_file(board, DESIRED, payload)


def integer(value, limits):
    """`value` if it is an integer within (lowest, highest). Raises RefusedError("invalid")."""
    if type(value) is not int or not limits[0] <= value <= limits[1]:
        raise RefusedError("invalid")
    return value


def parse(body, zone_count):
    """Settings from the JSON of a `desired` message. Raises RefusedError."""
    try:
        desired = json.loads(body)
        version = desired["version"]
        given = desired.get("settings", {})
        programs = desired.get("programs", [])
        if type(given) is not dict or type(programs) is not list:
            raise RefusedError("invalid")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("invalid")
    s = Settings()
    s.version = integer(version, (1, 0x3FFFFFFF))
    s.latitude_cdeg = integer(given.get("latitude_cdeg", 0), protocol.LATITUDE_CDEG_LIMITS)
    s.longitude_cdeg = integer(given.get("longitude_cdeg", 0), protocol.LONGITUDE_CDEG_LIMITS)
    s.rain_delay_until = integer(given.get("rain_delay_until", 0), (0, 0xFFFFFFFF))
    s.seasonal_adjust_pct = integer(given.get("seasonal_adjust_pct", 100), protocol.SEASONAL_ADJUST_PCT_LIMITS)
    s.wake_interval_s = integer(given.get("wake_interval_s", 900), protocol.WAKE_INTERVAL_S_LIMITS)
    s.watering_enabled = given.get("watering_enabled", True)
    s.tz_rule = given.get("tz_rule", "UTC0")
    if type(s.watering_enabled) is not bool or type(s.tz_rule) is not str or len(s.tz_rule) > protocol.TZ_RULE_MAX:
        raise RefusedError("invalid")
    try:
        s.rule = parse_rule(s.tz_rule)
    except (ValueError, IndexError):
        raise RefusedError("invalid")
    s.programs = _programs(programs, zone_count)
    return s


def _programs(given, zone_count):
    if len(given) > protocol.PROGRAM_ID_LIMITS[1]:
        raise RefusedError("too_many")
    try:
        programs = [_program(p, zone_count) for p in given if p.get("enabled", True) is True]
    except (KeyError, TypeError, AttributeError):
        raise RefusedError("invalid")
    programs.sort(key=lambda p: (p[1], p[0]))
    ids = [p[0] for p in programs]
    if len(set(ids)) != len(ids):
        raise RefusedError("invalid")
    return tuple(programs)


def _program(p, zone_count):
    weekdays = 0
    for day in p["weekdays"]:
        weekdays |= 1 << integer(day, (0, 6))
    skip = p.get("skip_dates", [])
    if not weekdays or len(skip) > protocol.SKIP_DATES_MAX:
        raise RefusedError("invalid")
    until = integer(p.get("until", 0), (0, 20991231))
    zone = integer(p["zone"], (1, 4))
    if zone > zone_count:
        raise RefusedError("unknown_zone")
    return (
        integer(p["id"], protocol.PROGRAM_ID_LIMITS),
        zone,
        weekdays,
        integer(p["start_min"], protocol.START_MIN_LIMITS),
        integer(p["run_time_s"], protocol.RUN_TIME_S_LIMITS),
        _day(until) if until else NEVER,
        tuple(_day(date) for date in skip),
    )


def _day(date):
    """The day number of yyyymmdd."""
    integer(date, (20000101, 20991231))
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise RefusedError("invalid")
    return day_number(year, month, day)
