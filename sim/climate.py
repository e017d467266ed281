"""The weather of a place in slots of a quarter of an hour: light, temperature, rain and what the air asks for. Records, or a generator.

Rule: a source is a pure function of the time (and its seed); a day is worked out when it is first asked for, and shared by all boards of a process. Whatever
the source knows only by the day is made hourly like this, and nothing of the day's sum is lost:
- sun: a daily record has none, so its sum comes from the range of temperature (FAO-56 eq. 50), spread like a clear sky's;
- temperature: a cosine between the day's extremes, warmest at 15:00;
- rain: one shower at an hour drawn from seed and date, at 2 mm/h, an hour at least and twelve at most;
- ET0: the record's own; from an hourly record Penman-Monteith (eq. 6); without wind and humidity Hargreaves (eq. 52). It is spread like the light.
"""

import csv
import functools
import math
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from sim import fao56, sun, weather
from sim.errors import FileError, SettingError

SLOT_S = 900
SLOTS = 86_400 // SLOT_S
DATA = Path(__file__).resolve().parent / "data"
RECORD_STARTS = 2027  # the simulated year that stands for a record's first, unless asked otherwise
_EPOCH = date(1970, 1, 1)
_KEPT_DAYS = 4


class Slot(NamedTuple):
    """A quarter of an hour; `et0_mm_day` is the whole day's."""

    light_w_m2: float
    temperature_c: float
    rain_mm_h: float
    et0_mm_h: float
    et0_mm_day: float


class Weather:
    """A place's weather. `place` is for people; `utc_s` brings Unix time to the place's standard time."""

    def __init__(self, place: str, latitude_deg: float, longitude_deg: float, altitude_m: float, utc_h: int) -> None:
        self.place = place
        self.latitude_deg = latitude_deg
        self.longitude_deg = longitude_deg
        self.altitude_m = altitude_m
        self.utc_s = utc_h * 3600
        self._days: OrderedDict[int, list[Slot]] = OrderedDict()
        self._at, self._slot = -1, Slot(0.0, 0.0, 0.0, 0.0, 0.0)  # what was asked for last

    def slot(self, unix_s: float) -> Slot:
        """The quarter of an hour in which a moment lies."""
        index = int((unix_s + self.utc_s) // SLOT_S)
        if index != self._at:
            self._at, self._slot = index, self.day(index // SLOTS)[index % SLOTS]
        return self._slot

    def day(self, number: int) -> list[Slot]:
        """All slots of a day, counted from 1970-01-01 in the place's standard time."""
        slots = self._days.get(number)
        if slots is None:
            slots = self._days[number] = self._make(number, date_of(number))
            if len(self._days) > _KEPT_DAYS:
                self._days.popitem(last=False)
        return slots

    def humidity_pct(self, number: int) -> float | None:  # noqa: ARG002 - only an hourly record knows it
        """Mean relative humidity of a day, or None where it is not recorded."""
        return None

    def _make(self, number: int, day: date) -> list[Slot]:
        raise NotImplementedError

    def _middles(self, number: int) -> list[float]:
        """Unix seconds of the middles of a day's slots."""
        start_s = number * 86_400 - self.utc_s + SLOT_S / 2
        return [start_s + SLOT_S * index for index in range(SLOTS)]

    def _clear_sky(self, number: int) -> list[float]:
        return [
            sun.clear_sky_w_m2(sun.elevation_deg(middle, self.latitude_deg, self.longitude_deg))
            for middle in self._middles(number)
        ]


def _slots(light: Sequence[float], air: Sequence[float], rain: Sequence[float], et0_mm: float) -> list[Slot]:
    """Slots with the day's ET0 spread like the light, evenly over a day without any."""
    whole = sum(light)
    share = [w_m2 / whole if whole else 1 / SLOTS for w_m2 in light]
    per_hour = 3600 / SLOT_S
    return [
        Slot(w_m2, c, mm_h, et0_mm * part * per_hour, et0_mm)
        for w_m2, c, mm_h, part in zip(light, air, rain, share, strict=True)
    ]


def _air(tmin_c: float, tmax_c: float) -> list[float]:
    mean, half = (tmin_c + tmax_c) / 2, (tmax_c - tmin_c) / 2
    return [mean + half * math.cos(2 * math.pi * ((index + 0.5) * SLOT_S / 3600 - 15) / 24) for index in range(SLOTS)]


class Generated(Weather):
    """The seeded generator at any latitude; without clouds it never rains."""

    def __init__(self, seed: int, latitude_deg: float, longitude_deg: float, *, clouds: bool) -> None:
        place = f"a made-up place at {latitude_deg:g}, {longitude_deg:g}"
        super().__init__(place, latitude_deg, longitude_deg, 0, round(longitude_deg / 15))
        self.seed = seed
        self.clouds = clouds

    def _make(self, number: int, day: date) -> list[Slot]:
        light = self._clear_sky(number)
        rain = [0.0] * SLOTS
        if self.clouds:
            middles = self._middles(number)
            rain = [weather.rain_mm_h(self.seed, middle) for middle in middles]
            light = [w and w * weather.clearness(self.seed, at) for w, at in zip(light, middles, strict=True)]
        day_of_year = day.timetuple().tm_yday
        low, high = weather.temperatures_c(self.seed, number, day_of_year, self.latitude_deg)
        above = fao56.extraterrestrial_mj(day_of_year, self.latitude_deg)
        return _slots(light, _air(low, high), rain, fao56.hargreaves_mm(above, low, high))


class Hourly(Weather):
    """A typical year by the hour; every simulated year is the same. What was not recorded counts as no rain (`rain_missing` says how much)."""

    def __init__(self, head: Sequence[str], rows: list[list[str]]) -> None:
        super().__init__(head[0], float(head[1]), float(head[2]), float(head[3]), int(head[4]))
        self._hours = [
            (int(row[0]), int(row[1]) / 10, int(row[2]), int(row[3]) / 10, int(row[4] or 0) / 10) for row in rows
        ]
        self.rain_missing = sum(row[4] == "" for row in rows) / len(rows)

    def _of(self, day: date) -> Sequence[tuple[float, float, float, float, float]]:
        if (day.month, day.day) == (2, 29):
            day = date(day.year, 2, 28)
        start = (date(2027, day.month, day.day) - date(2027, 1, 1)).days * 24
        return self._hours[start : start + 24]

    def humidity_pct(self, number: int) -> float | None:
        """Mean relative humidity of a day."""
        return sum(hour[2] for hour in self._of(date_of(number))) / 24

    def _make(self, number: int, day: date) -> list[Slot]:  # noqa: ARG002 - each year is the same
        hours = self._of(day)
        light, air, rain = ([hour[column] for hour in hours for _ in range(SLOTS // 24)] for column in (0, 1, 4))
        return _slots(light, air, rain, self._et0_mm(day.timetuple().tm_yday, hours))

    def _et0_mm(self, day_of_year: int, hours: Sequence[tuple[float, float, float, float, float]]) -> float:
        low, high = min(hour[1] for hour in hours), max(hour[1] for hour in hours)
        vapour = sum(fao56.saturation_kpa(hour[1]) * hour[2] / 100 for hour in hours) / 24
        vapour = min(vapour, fao56.mean_saturation_kpa(low, high))
        wind = fao56.wind_at_2_m(sum(hour[3] for hour in hours) / 24, 10)
        solar = sum(hour[0] for hour in hours) * fao56.MJ_PER_WH
        clear = fao56.clear_sky_mj(fao56.extraterrestrial_mj(day_of_year, self.latitude_deg), self.altitude_m)
        net = fao56.net_radiation_mj(solar, clear, low, high, vapour)
        return fao56.penman_monteith_mm(low, high, net, wind, vapour, self.altitude_m)


class Daily(Weather):
    """Years of daily records; the year RECORD_STARTS stands for `year` (the first if None), and after the last comes the first again."""

    def __init__(self, head: Sequence[str], rows: list[list[str]], year: int | None, seed: int) -> None:
        super().__init__(head[0], float(head[1]), float(head[2]), float(head[3]), int(head[4]))
        self.seed = seed
        self.first_year = int(rows[0][0][:4])
        self.years = int(rows[-1][0][:4]) - self.first_year + 1
        if year is not None and not self.first_year <= year < self.first_year + self.years:
            last = self.first_year + self.years - 1
            raise SettingError(f"the record of {self.place} has the years {self.first_year} to {last}, not {year}")
        self._shift = (year or self.first_year) - RECORD_STARTS
        self._rows = {row[0]: row for row in rows}
        self.rain_missing = 0.0

    def _row(self, day: date) -> list[str]:
        year = self.first_year + (day.year + self._shift - self.first_year) % self.years
        row = self._rows.get(f"{year}-{day.month:02}-{day.day:02}")
        return row or self._rows[f"{year}-02-28"]

    def _make(self, number: int, day: date) -> list[Slot]:
        row = self._row(day)
        low, high, rain_mm = (int(word) / 10 for word in row[1:4])
        day_of_year = day.timetuple().tm_yday
        above = fao56.extraterrestrial_mj(day_of_year, self.latitude_deg)
        clear = self._clear_sky(number)
        whole = sum(clear)
        factor = fao56.radiation_from_temperature_mj(above, low, high) * 1e6 / SLOT_S / whole if whole else 0.0
        hours = min(12, max(1, math.ceil(rain_mm / 2)))
        first = int(weather.uniform(self.seed, 7, number) * (25 - hours)) * (SLOTS // 24)
        rain = [0.0] * SLOTS
        rain[first : first + hours * SLOTS // 24] = [rain_mm / hours] * (hours * SLOTS // 24)
        et0_mm = int(row[4]) / 10 if row[4] else fao56.hargreaves_mm(above, low, high)
        return _slots([w_m2 * factor for w_m2 in clear], _air(low, high), rain, et0_mm)


def date_of(day: int) -> date:
    """The date of a day counted from 1970."""
    return _EPOCH + timedelta(days=day)


def first_day(year: int = RECORD_STARTS) -> int:
    """1 January of a year as a day counted from 1970."""
    return (date(year, 1, 1) - _EPOCH).days


def sites() -> list[str]:
    """Names of the recorded places."""
    return sorted(path.stem for path in DATA.glob("*.csv"))


def recorded(site: str, year: int | None = None, seed: int = 0) -> Hourly | Daily:
    """The record of a place. Raises SettingError for a place or year that is not there, FileError for a record that cannot be read."""
    if site not in sites():
        raise SettingError(f"no weather of a place called '{site}'; there are: {', '.join(sites())}")
    path = DATA / f"{site}.csv"
    try:
        with path.open(encoding="ascii", newline="") as file:
            head = next(csv.reader([file.readline().removeprefix("# ")]))
            file.readline()
            rows = list(csv.reader(file))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    return Hourly(head, rows) if len(rows[0][0]) < 10 else Daily(head, rows, year, seed)


@functools.lru_cache(maxsize=32)
def shared(site: str, year: int | None, seed: int, latitude_deg: float, longitude_deg: float, clouds: bool) -> Weather:
    """One object for all boards of a process that have this weather."""
    if site:
        return recorded(site, year, seed)
    return Generated(seed, latitude_deg, longitude_deg, clouds=clouds)
