"""When a program starts on a date, in local time: by the clock, or by the sun, which the board reckons for itself within a few minutes."""

from datetime import date, datetime, time, timedelta

from astral import Observer
from astral.sun import sunrise, sunset

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .programs import Program


def start_of(hass: HomeAssistant, program: Program, day: date) -> datetime | None:
    """The start on that local date; None where the sun does not rise or set on it."""
    zone_info = dt_util.get_default_time_zone()
    kind = program.get("start", "clock")
    if kind == "clock":
        minutes = program.get("start_min", 0)
        return datetime.combine(day, time(minutes // 60, minutes % 60), zone_info)
    observer = Observer(hass.config.latitude, hass.config.longitude)
    try:
        at: datetime = (sunrise if kind == "sunrise" else sunset)(observer, day, tzinfo=zone_info)
    except ValueError:  # a polar day or night
        return None
    at += timedelta(minutes=program.get("offset_min", 0))
    return at.replace(second=0, microsecond=0)
