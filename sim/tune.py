"""Searches the watering settings that keep a lawn with the least water: thousands of settings live through all seasons of a place at once.

Rule: the lawn is that of `sim.soil`, a day a step (water falls in the morning, then the air takes its part), here for whole tables: a row for each try, a
column for each season. A try is judged by its water and by its adequacy: what the grass got of what it wanted. What the settings mean is the firmware's:
`every_days` and `run_time_min` are a program's, `skip_above_pct` and `allowed_depletion_pct` a zone's. The optimiser is scipy's differential evolution, on
ISLANDS populations that know nothing of each other, so that the result does not depend on who works on which.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim import soil
from sim.crew import Crew
from sim.errors import SettingError

type Table = NDArray[np.floating]

SHORT = np.float32  # a day's balance wants no more digits, and twice as many fit the processor's cache

ISLANDS = 2
POPULATION = 1024  # so many, because tables of a few rows would spend their time on calls
GENERATIONS = 25
SHORT_MM = 1000.0  # what a per cent of missing adequacy counts as: more than any water
AHEAD_DAYS = 1.5  # the board waters what would be used up within
ROOM = 0.6  # of what is allowed, that a smart run leaves used up (firmware/sprinkler/core/water.py)
LEAST_MM = 2.0
WIDTH = 2048  # tries that live at once
START = 0.5  # of the available water is used up at first

# way: its settings, each with its lowest and highest value
WAYS: dict[str, dict[str, tuple[int, int]]] = {
    "schedule": {"every_days": (1, 14), "run_time_min": (1, 120)},
    "probe": {"every_days": (1, 14), "run_time_min": (1, 120), "skip_above_pct": (0, 100)},
    "smart": {"allowed_depletion_pct": (5, 95)},
}


@dataclass(frozen=True, slots=True)
class Place:
    """A lawn and its weather: all seasons by day and season, ground, and what the sprinklers give."""

    et0_mm: Table
    rain_mm: Table
    ground: soil.Ground
    rate_mm_h: float = 15.0

    def __post_init__(self) -> None:
        if not 1 <= self.rate_mm_h <= 200:
            raise SettingError(f"sprinklers give 1 to 200 mm/h, not {self.rate_mm_h:g}")


@dataclass(frozen=True, slots=True)
class Lived:
    """What became of every try, per season on average: rows of one number each. `lost_mm` drained or ran off."""

    water_mm: Table
    adequacy_pct: Table
    lost_mm: Table


@dataclass(frozen=True, slots=True)
class Best:
    """The best settings of one way, and what they come to; `tries` is how many settings were tried, `tried` what came of them: a row for each pair of
    water in mm and adequacy in tenths of a per cent, both whole."""

    way: str
    settings: dict[str, int]
    water_mm: float
    adequacy_pct: float
    lost_mm: float
    cost: float
    tries: int
    tried: NDArray[np.int32]
    stopped: bool


@dataclass(frozen=True, slots=True)
class Search:
    """One island's work."""

    place: Place
    way: str
    adequacy_pct: float
    seed: int
    island: int
    population: int
    generations: int


def live(place: Place, way: str, settings: Table) -> Lived:
    """Let every column of `settings` (rows in the order of WAYS) live through all seasons."""
    parts = [_live(place, way, settings[:, at : at + WIDTH]) for at in range(0, settings.shape[1], WIDTH)]
    return Lived(*(np.concatenate([getattr(part, name) for part in parts]) for name in Lived.__slots__))


def _live(place: Place, way: str, settings: Table) -> Lived:
    days, seasons = place.et0_mm.shape
    et0, rain = place.et0_mm.astype(SHORT), place.rain_mm.astype(SHORT)
    lawn = _Lawn(place.ground, (settings.shape[1], seasons))
    depths = _depths(place, way, np.rint(settings)[:, :, None].astype(SHORT))
    taken_part = min(1.0, place.ground.infiltration_mm_h / place.rate_mm_h)
    water = np.zeros_like(lawn.depletion)
    for day in range(days):
        depth = depths(day, lawn.depletion)
        water += depth
        lawn.day(et0[day], rain[day], depth * taken_part)
    wanted = place.ground.kcb * place.et0_mm.sum()
    lost = lawn.drained + water * (1 - taken_part)
    return Lived(water.mean(axis=1), 100 * lawn.got.sum(axis=1) / wanted, lost.mean(axis=1))


class _Lawn:
    """`soil.step` for tables, a day at once, in place: a new table for each result would cost as much as the sums."""

    def __init__(self, ground: soil.Ground, shape: tuple[int, int]) -> None:
        self.ground = ground
        self.depletion = np.full(shape, START * ground.available_mm, SHORT)
        self.surface = np.full(shape, START * ground.evaporable_mm, SHORT)
        self.drained, self.got = np.zeros(shape, SHORT), np.zeros(shape, SHORT)
        self._a, self._b = np.empty(shape, SHORT), np.empty(shape, SHORT)

    def day(self, et0: Table, rain: Table, taken: Table) -> None:
        ground, depletion, surface, a, b = self.ground, self.depletion, self.surface, self._a, self._b
        total = ground.available_mm
        np.add(taken, rain, out=a)
        depletion -= a
        surface -= a
        np.maximum(surface, 0.0, out=surface)
        np.minimum(depletion, 0.0, out=a)
        self.drained -= a
        depletion -= a
        np.subtract(ground.evaporable_mm, surface, out=a)  # eq. 74, 71
        a *= (ground.kc_max - ground.kcb) / (ground.evaporable_mm - ground.readily_evaporable_mm)
        np.clip(a, 0.0, min(ground.kc_max - ground.kcb, ground.exposed * ground.kc_max), out=a)
        a *= et0
        fraction = np.clip(ground.fraction + 0.04 * (5 - ground.kcb * et0), 0.1, 0.8)  # of table 22
        np.subtract(total, depletion, out=b)  # eq. 84
        b *= 1 / ((1 - fraction) * total)
        np.clip(b, 0.0, 1.0, out=b)
        b *= ground.kcb * et0
        self.got += b
        b += a
        depletion += b
        np.minimum(depletion, total, out=depletion)
        a *= 1 / ground.exposed
        surface += a
        np.minimum(surface, ground.evaporable_mm, out=surface)


def _depths(place: Place, way: str, settings: Table) -> Callable[[int, Table], Table]:
    """What each try waters on a day, in mm, given what its root zone lacks; the settings stand in columns of one."""
    total = place.ground.available_mm
    if way == "smart":
        allowed = settings[0] / 100 * total
        ahead = float(AHEAD_DAYS * place.ground.kcb * place.et0_mm.mean())

        def smart(_: int, depletion: Table) -> Table:
            need = np.where(depletion + ahead > allowed, depletion - ROOM * allowed, 0.0)
            return np.where(need >= LEAST_MM, need, 0.0)

        return smart
    every, run = settings[0], settings[1] / 60 * place.rate_mm_h
    if way == "schedule":
        return lambda day, _: np.where(day % every == 0, run, 0.0)
    dry_enough = (1 - settings[2] / 100) * total  # the probe's per cent are of the available water
    return lambda day, depletion: np.where((day % every == 0) & (depletion > dry_enough), run, 0.0)


def search(order: Search, tell: Callable[[float], bool]) -> Best:
    """One population evolves; a stop keeps the best so far."""
    from scipy.optimize import differential_evolution

    tries, generation, stopped = 0, 0, False
    tried: list[NDArray[np.int32]] = []

    def cost(settings: Table) -> Table:
        nonlocal tries
        tries += settings.shape[1]
        lived = live(order.place, order.way, settings)
        tried.append(_pairs(np.column_stack((lived.water_mm, 10 * lived.adequacy_pct))))
        short_pct: Table = np.maximum(0.0, order.adequacy_pct - lived.adequacy_pct)
        return lived.water_mm + SHORT_MM * short_pct

    def step(*_: object, **__: object) -> bool:
        nonlocal generation, stopped
        generation += 1
        stopped = tell(generation / order.generations)
        return stopped

    bounds = WAYS[order.way]
    found = differential_evolution(
        lambda settings: cost(settings.reshape(len(bounds), -1)),
        list(bounds.values()),
        popsize=order.population // len(bounds),
        maxiter=order.generations,
        rng=np.random.default_rng([order.seed, order.island]),
        integrality=[True] * len(bounds),
        updating="deferred",
        vectorized=True,
        polish=False,
        tol=1e-4,
        callback=step,
    )
    values = np.rint(found.x)
    lived = live(order.place, order.way, values[:, None])
    return Best(
        order.way,
        dict(zip(bounds, values.astype(int).tolist(), strict=True)),
        float(lived.water_mm[0]),
        float(lived.adequacy_pct[0]),
        float(lived.lost_mm[0]),
        float(found.fun),
        tries,
        _pairs(np.concatenate(tried)),
        stopped,
    )


def _pairs(rows: Table | NDArray[np.int32]) -> NDArray[np.int32]:
    """Each pair once, as whole numbers."""
    return np.unique(np.rint(rows).astype(np.int32), axis=0)


def check(ways: list[str], adequacy_pct: float) -> None:
    """Raises SettingError for a way that is not in WAYS, or an adequacy that nobody wants."""
    if unknown := [way for way in ways if way not in WAYS]:
        raise SettingError(f"no way of watering called '{unknown[0]}'; there are: {', '.join(WAYS)}")
    if not 50 <= adequacy_pct <= 100:
        raise SettingError(f"an adequacy to keep is 50 to 100 per cent, not {adequacy_pct:g}")


def tune(
    place: Place, ways: list[str], adequacy_pct: float, seed: int, crew: Crew, progress: Callable[[float], bool]
) -> list[Best]:
    """The best of each way; ways that were not begun before a stop are missing. Raises as `check` does."""
    check(ways, adequacy_pct)
    effort = POPULATION, GENERATIONS
    orders = [Search(place, way, adequacy_pct, seed, island, *effort) for way in ways for island in range(ISLANDS)]
    found = crew.do(search, orders, progress)
    return [
        _joined([best for best in found if best.way == way]) for way in ways if any(best.way == way for best in found)
    ]


def _joined(islands: list[Best]) -> Best:
    best = min(islands, key=lambda one: (one.cost, tuple(one.settings.values())))
    return Best(
        best.way,
        best.settings,
        best.water_mm,
        best.adequacy_pct,
        best.lost_mm,
        best.cost,
        sum(one.tries for one in islands),
        _pairs(np.concatenate([one.tried for one in islands])),
        any(one.stopped for one in islands),
    )
