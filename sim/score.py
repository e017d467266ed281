"""How well a way of watering serves a lawn: adequacy and efficiency after the test that EPA WaterSense took over for weather-based controllers (SWAT).

Rule: many seasons at once, a day a step: arrays have one element for each season. A policy sees what it could know in the morning (yesterday's weather, its own
books, a probe with its faults) and names a depth; the lawn is the judge. A day is one balance of the lawn's part, rain and irrigation; what is more than the
storage holds counts as irrigation's surplus first.

Formulas from memory of the protocol, on the working storage of the root zone, here 21.6 mm for fescue on loam: adequacy = (ETc - deficit) / ETc, efficiency =
(irrigation - surplus) / irrigation. A deficit is what the lawn wanted while the storage was empty, a surplus irrigation that found it full. WaterSense asks for
80 % and 95 %, over at least 30 days with 63.5 mm of ET0 and 10.2 mm of rain. Baselines are the peers' own formulas: OpenSprinkler's Zimmerman and ETo.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim import climate, fao56, sizing

type Table = NDArray[np.float64]

KC = 0.95  # cool-season turf, FAO-56 table 12
STORAGE_MM = 21.6
RAIN_SKIP_MM = 6.0
RUN_DAYS = (0, 2, 4)  # of a schedule: Monday, Wednesday, Friday
DRAWS_MIN = 20  # of the dice, where a record has fewer seasons
LEAST_MM = 2.0  # nobody opens a valve for less
ADEQUACY_PCT, EFFICIENCY_PCT = 80.0, 95.0
TESTED_DAYS, TESTED_ET0_MM, TESTED_RAIN_MM = 30, 63.5, 10.2


@dataclass(frozen=True, slots=True)
class Seasons:
    """Weather of all seasons of a place, by day and season; `month_et0_mm` is the mean of a day of each month, `weekday` Monday = 0."""

    place: str
    et0_mm: Table
    rain_mm: Table
    air_c: Table
    humidity_pct: Table
    month: NDArray[np.int64]
    weekday: NDArray[np.int64]
    month_et0_mm: Table

    @property
    def peak_mm(self) -> float:
        """What the lawn takes on a day of the month in which it takes the most."""
        return float(np.nanmax(self.month_et0_mm)) * KC


@dataclass
class Known:
    """What a policy may know in the morning of day `day`: weather of yesterday as it was told, the lawn's true depletion for a probe, and its own `books`."""

    seasons: Seasons
    day: int
    told_et0_mm: Table
    told_rain_mm: Table
    told_air_c: Table
    told_humidity_pct: Table
    missing: NDArray[np.bool_]
    depletion_mm: Table
    random: np.random.Generator
    books: dict[str, Table]
    late_days: int = 1  # how many days ago the told weather was

    def on_schedule(self) -> NDArray[np.bool_]:
        """Is this one of the schedule's days?"""
        return np.isin(self.seasons.weekday[self.day], RUN_DAYS)

    def book(self, name: str) -> Table:
        """A number per season that the policy keeps; it starts as 0."""
        return self.books.setdefault(name, np.zeros(self.depletion_mm.shape))


type Policy = Callable[[Known], Table]  # the depth of this morning's run in mm, 0: none


def fixed(known: Known) -> Table:
    """Three times a week what the peak month takes."""
    return np.where(known.on_schedule(), known.seasons.peak_mm * 7 / len(RUN_DAYS), 0.0)


def rain_skip(known: Known) -> Table:
    """The same, but not after a day of rain."""
    return np.where(known.told_rain_mm >= RAIN_SKIP_MM, 0.0, fixed(known))


def _scaled(known: Known, scale_pct: Table) -> Table:
    scaled: Table = fixed(known) * np.where(known.missing, 100, np.clip(scale_pct, 0, 200)) / 100
    return scaled


def zimmerman(known: Known) -> Table:
    """The same, scaled by yesterday's humidity, temperature and rain (OpenSprinkler); 100 % when the weather is missing."""
    fahrenheit = known.told_air_c * 9 / 5 + 32
    scale = 100 + (30 - known.told_humidity_pct) + 4 * (fahrenheit - 70) - 200 * known.told_rain_mm / 25.4
    return _scaled(known, scale)


def opensprinkler_eto(known: Known) -> Table:
    """The same, scaled by yesterday's ET0 less its rain, against the peak month's (OpenSprinkler); 100 % when the weather is missing."""
    scale = (known.told_et0_mm - known.told_rain_mm) / (known.seasons.peak_mm / KC) * 100
    return _scaled(known, scale)


def checkbook(et0_error: float = 0.0, bias: float = 0.0) -> Policy:
    """FAO-56: keeps the depletion in its books and fills up before it would run dry. `et0_error` is the standard deviation of each told day, `bias` of all."""

    def policy(known: Known) -> Table:
        monthly = known.seasons.month_et0_mm[known.seasons.month[known.day] - 1]
        error = 1 + bias + et0_error * known.random.standard_normal(known.depletion_mm.shape)
        et0 = np.where(known.missing, monthly, known.told_et0_mm) * np.maximum(0.0, error)
        rain = np.where(known.missing, 0.0, known.told_rain_mm)
        book = known.book("depletion_mm")
        book[:] = np.clip(book - rain + et0 * KC, 0.0, STORAGE_MM) if known.day else 0.0
        depth = np.where(book + 1.5 * monthly * KC > STORAGE_MM, book, 0.0)
        book -= depth
        return depth

    return policy


def soil_probe(noise: float = 0.05, bias: float = 0.0) -> Policy:
    """Fills up what a probe says is missing; `noise` (standard deviation) and `bias` are parts of the storage, a positive bias reads too dry."""

    def policy(known: Known) -> Table:
        read = known.depletion_mm + STORAGE_MM * (bias + noise * known.random.standard_normal(known.depletion_mm.shape))
        monthly = known.seasons.month_et0_mm[known.seasons.month[known.day] - 1]
        return np.where(read + 1.5 * monthly * KC > STORAGE_MM, np.clip(read, 0.0, STORAGE_MM), 0.0)

    return policy


@dataclass(frozen=True, slots=True)
class Row:
    """One way of watering and what its weather is like: `missing` is the part of days without news, `late_days` how old the news is."""

    name: str
    policy: Policy
    missing: float = 0.0
    late_days: int = 1


ROWS = (
    Row("fixed, 3 x a week", fixed),
    Row("fixed + rain skip", rain_skip),
    Row("Zimmerman", zimmerman),
    Row("OpenSprinkler ETo", opensprinkler_eto),
    Row("FAO checkbook", checkbook()),
    Row("FAO checkbook, 20 % ET error", checkbook(et0_error=0.2)),
    Row("FAO checkbook, 10 % of days missing", checkbook(), missing=0.1),
    Row("FAO checkbook, news 3 days old", checkbook(), late_days=3),
    Row("soil probe, 5 % noise", soil_probe()),
    Row("soil probe, 15 % too dry", soil_probe(bias=0.15)),
    Row("soil probe, 15 % too wet", soil_probe(bias=-0.15)),
)


@dataclass(frozen=True, slots=True)
class Score:
    """What a policy came to, over all seasons; `passed` is the part of seasons that WaterSense would pass, of those that it would test."""

    name: str
    adequacy_pct: float
    efficiency_pct: float
    irrigation_mm: float
    passed: float | None
    seasons: int


def judge(seasons: Seasons, row: Row, seed: int = 0) -> Score:
    """Let a policy water all seasons of a place, each several times where there are few: then its dice fall differently."""
    recorded = seasons.et0_mm.shape[1]
    seasons = _repeated(seasons, -(-DRAWS_MIN // recorded))
    days, count = seasons.et0_mm.shape
    random = np.random.default_rng([seed, *row.name.encode()])
    depletion, books = np.zeros(count), dict[str, Table]()
    wanted, deficit, given, surplus = (np.zeros(count) for _ in range(4))
    for day in range(days):
        told = max(0, day - row.late_days)
        missing = np.less(random.random(count), np.full(count, row.missing))
        known = Known(
            seasons,
            day,
            seasons.et0_mm[told],
            seasons.rain_mm[told],
            seasons.air_c[told],
            seasons.humidity_pct[told],
            missing,
            depletion,
            random,
            books,
            row.late_days,
        )
        depth = row.policy(known)
        depth = np.where(depth >= LEAST_MM, depth, 0.0)
        crop = seasons.et0_mm[day] * KC
        dry = depletion + crop - seasons.rain_mm[day]  # what the day would leave without irrigation
        over = np.clip(depth - np.maximum(0.0, dry), 0.0, depth)
        after = np.maximum(0.0, dry) - (depth - over)
        taken = crop - np.maximum(0.0, after - STORAGE_MM)
        depletion = np.minimum(after, STORAGE_MM)
        wanted += crop
        deficit += crop - taken
        given += depth
        surplus += over
    adequacy = (wanted - deficit) / wanted
    efficiency = np.where(given > 0, (given - surplus) / np.maximum(given, 1e-9), 1.0)
    tested = (days >= TESTED_DAYS) & (seasons.et0_mm.sum(axis=0) >= TESTED_ET0_MM)
    tested &= seasons.rain_mm.sum(axis=0) >= TESTED_RAIN_MM
    good = (adequacy * 100 >= ADEQUACY_PCT) & (efficiency * 100 >= EFFICIENCY_PCT)
    return Score(
        row.name,
        100 * float((wanted - deficit).sum() / wanted.sum()),
        100 * float(1 - surplus.sum() / given.sum()) if given.sum() else 100.0,
        float(given.mean()),
        float(good[tested].mean()) if tested.any() else None,
        recorded,
    )


def _repeated(seasons: Seasons, times: int) -> Seasons:
    return Seasons(
        seasons.place,
        np.tile(seasons.et0_mm, times),
        np.tile(seasons.rain_mm, times),
        np.tile(seasons.air_c, times),
        np.tile(seasons.humidity_pct, times),
        np.tile(seasons.month, times),
        np.tile(seasons.weekday, times),
        seasons.month_et0_mm,
    )


def seasons_of(weather: climate.Weather, start_day_of_year: int, days: int) -> Seasons:
    """All seasons of a record that begin at a day of the year (from 0) and are complete. Without humidity it is taken from the night's dew (FAO-56 eq. 48)."""
    first, whole = sizing.period(weather)
    table = np.array([_day(weather, first + day) for day in range(whole)])
    # a typical year goes round, of a longer record only whole seasons count; 365.25, so that the start stays where it is
    last = whole - 1 if weather_is_one_year(weather) else whole - days
    starts = [start for year in range(whole // 365) if (start := start_day_of_year + round(year * 365.25)) <= last]
    index = np.array([[(start + day) % whole for start in starts] for day in range(days)])
    dates = [climate.date_of(first + day) for day in range(whole)]
    month = np.array([date.month for date in dates])
    weekday = (first + index + 3) % 7
    by_month = np.array([table[month == number, 0].mean() for number in range(1, 13)])
    et0, rain, air, humidity = (table[:, column][index] for column in range(4))
    return Seasons(weather.place, et0, rain, air, humidity, month[index], weekday, by_month)


def weather_is_one_year(weather: climate.Weather) -> bool:
    """Is it a typical or a made-up year, which may go round?"""
    return not isinstance(weather, climate.Daily)


def _day(weather: climate.Weather, number: int) -> tuple[float, float, float, float]:
    """(ET0 in mm, rain in mm, mean temperature in C, mean humidity in %) of a day."""
    slots = weather.day(number)
    air = [slot.temperature_c for slot in slots]
    mean = sum(air) / len(air)
    humidity = weather.humidity_pct(number)
    if humidity is None:
        humidity = min(100.0, 100 * fao56.saturation_kpa(min(air)) / fao56.saturation_kpa(mean))
    return slots[0].et0_mm_day, math.fsum(slot.rain_mm_h for slot in slots) * climate.SLOT_S / 3600, mean, humidity
