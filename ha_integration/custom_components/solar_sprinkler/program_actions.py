"""A program as the actions take it and tell it: dates, times and durations instead of the wire's numbers.

Rule: conversions only; what a board cannot do raises ProgramError. The keys of a program on the wire are in docs/protocol.md.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import voluptuous as vol

from homeassistant.const import WEEKDAYS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv

from . import programs, protocol, suntimes
from .errors import ProgramError
from .programs import Program

OFFSET_MIN_LIMITS = (-240, 240)
_DAYS = "days"
_START = "start"

SET_PROGRAM_SCHEMA = {
    vol.Optional("program"): vol.All(vol.Coerce(int), vol.Range(*protocol.PROGRAM_ID_LIMITS)),
    vol.Optional("name"): vol.All(cv.string, vol.Length(max=100)),
    vol.Optional("enabled"): cv.boolean,
    vol.Exclusive("weekdays", _DAYS): vol.All(cv.ensure_list, vol.Length(min=1), [vol.In(WEEKDAYS)]),
    vol.Exclusive("every_days", _DAYS): vol.All(vol.Coerce(int), vol.Range(1, programs.EVERY_DAYS_MAX)),
    vol.Exclusive("odd_even", _DAYS): vol.In(["odd", "even"]),
    vol.Optional("from_date"): cv.date,
    vol.Exclusive("time", _START): cv.time,
    vol.Exclusive("sun", _START): vol.In(["sunrise", "sunset"]),
    vol.Optional("offset_min"): vol.All(vol.Coerce(int), vol.Range(*OFFSET_MIN_LIMITS)),
    vol.Optional("duration"): cv.positive_time_period,
    vol.Optional("until"): vol.Any(None, cv.date),
    vol.Optional("skip_dates"): vol.All(cv.ensure_list, vol.Length(max=protocol.SKIP_DATES_MAX), [cv.date]),
    vol.Optional("when_clock_lost"): vol.In(["skip", "run"]),
    vol.Optional("smart"): cv.boolean,
}


def changed(known: Program, given: Mapping[str, Any], today: date, run_time_max_s: int) -> dict[str, Any]:
    """The program `known` (of a new one: id and zone) with what was given. Raises ProgramError when something is missing or beyond the limits."""
    made = {**known}
    if {"weekdays", "every_days", "odd_even"} & given.keys():
        made = {key: value for key, value in made.items() if key not in programs.DAYS_KEYS} | _days(given, today)
    if "time" in given:
        made |= {"start_min": given["time"].hour * 60 + given["time"].minute}
        made.pop("start", None)
        made.pop("offset_min", None)
    elif "sun" in given:
        made |= {"start": given["sun"], "offset_min": given.get("offset_min", 0)}
        made.pop("start_min", None)
    elif "offset_min" in given and "start" in made:
        made["offset_min"] = given["offset_min"]
    if "duration" in given:
        made["run_time_s"] = programs.checked_run_time_s(given["duration"].total_seconds(), run_time_max_s)
    if "until" in given:
        made["until"] = programs.number_of(given["until"]) if given["until"] else 0
    if "skip_dates" in given:
        made["skip_dates"] = sorted({programs.number_of(day) for day in given["skip_dates"]})
    made |= {key: given[key] for key in ("enabled", "when_clock_lost", "smart") if key in given}
    if "run_time_s" not in made or not {"start_min", "start"} & made.keys() or not {*programs.DAYS_KEYS} & made.keys():
        raise ProgramError("program_incomplete")
    return {"enabled": True, "until": 0, "skip_dates": [], **made}


def _days(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    if "weekdays" in given:
        return {"weekdays": sorted({WEEKDAYS.index(day) for day in given["weekdays"]})}
    if "every_days" in given:
        first = given.get("from_date", today)
        return {"every_days": given["every_days"], "from_date": programs.number_of(first)}
    return {"odd_even": given["odd_even"]}


def told(hass: HomeAssistant, program: Program, name: str, now: datetime) -> dict[str, Any]:
    """The program as `get_programs` tells it, with the moment of its next start."""
    start_min = program.get("start_min", 0)
    by_sun = program.get("start", "clock") != "clock"
    return {
        "program": program["id"],
        "name": name,
        "enabled": program.get("enabled", True),
        **_told_days(program),
        **(
            {"sun": program["start"], "offset_min": program.get("offset_min", 0)}
            if by_sun
            else {"time": time(start_min // 60, start_min % 60).isoformat()}
        ),
        "duration_s": program["run_time_s"],
        "until": _told_date(program.get("until", 0)),
        "skip_dates": [_told_date(number) for number in program.get("skip_dates", ())],
        "when_clock_lost": program.get("when_clock_lost", "skip"),
        "smart": program.get("smart", False),
        "next_start": _next_start(hass, program, now),
    }


def _told_days(program: Program) -> dict[str, Any]:
    if "every_days" in program:
        return {"every_days": program["every_days"], "from_date": _told_date(program["from_date"])}
    if "odd_even" in program:
        return {"odd_even": program["odd_even"]}
    return {"weekdays": [WEEKDAYS[day] for day in program["weekdays"]]}


def _told_date(number: int) -> str | None:
    day = programs.date_of(number)
    return day.isoformat() if day else None


def _next_start(hass: HomeAssistant, program: Program, now: datetime) -> str | None:
    day = programs.next_day(program, now.date())
    while day is not None:
        start = suntimes.start_of(hass, program, day)
        if start is not None and start > now:
            return start.isoformat()
        day = programs.next_day(program, date.fromordinal(day.toordinal() + 1))
        if day is not None and (day - now.date()).days > programs.LOOK_AHEAD_DAYS:
            return None
    return None
