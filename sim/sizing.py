"""Which panel and which cell keep a board alive at a place: every pair at once, hour by hour over all recorded years.

Rule: the load is what the real firmware draws, measured by letting it live a week without sun on a big cell; the weather is the place's; panel, charger and
cell are those of `sim.battery`, here for whole tables of panels and cells. The firmware would save energy as the cell runs low and this does not, so the
hours are on the safe side. A board dies below 3.0 V (or empty) and starts again above 3.3 V; dead it draws nothing.
"""

import itertools
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim import battery, climate
from sim.crew import Crew
from sim.errors import SettingError
from sim.garden import Program, plant
from sim.provision import Settings
from sim.world import Scenario, World

type Table = NDArray[np.float64]

SUNDAY_UNIX_S = 1_798_934_400  # 2027-01-03
SETTLE_DAYS = 365  # lived through before anything is counted: how full the cell was at first must not matter
PARTS = ("flow_meter", "soil_probe", "panel_sensor")  # what a board of one zone may do without
RESERVE_PCT = 15.0  # what a cell should never fall below: cold, age and dirt have their share
PAIRS_EACH = 2000
TENTHS = np.linspace(0.0, 1.0, 11)
OPEN_CIRCUIT_V = np.array(battery.OPEN_CIRCUIT_V)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of every pair: rows are panels, columns are cells. `charge_pct` holds the lowest of each day, by day, panel and cell."""

    panels_w: list[float]
    cells_mah: list[float]
    days: int
    dead_h: Table
    lowest_pct: Table
    charge_pct: Table
    load_mah_day: float
    sun_kwh_m2_day: float
    stopped: bool

    def best(self) -> tuple[int, int] | None:
        """The smallest panel, and with it the smallest cell, that was never dead and kept its reserve; None if there is none."""
        for panel in range(len(self.panels_w)):
            for cell in range(len(self.cells_mah)):
                if not self.dead_h[panel, cell] and self.lowest_pct[panel, cell] >= RESERVE_PCT:
                    return panel, cell
        return None


def measured_load_ma(
    program: Program, feather: str, join_s: float, *, without: Collection[str] = (), seed: int = 0
) -> Table:
    """Mean current by weekday (Monday = 0) and hour of the place's standard time, out of the real firmware; 7 x 24.

    `join_s` is what the Wi-Fi takes to join; `without` names parts of PARTS that the board does not have. Raises SettingError for another.
    """
    if unknown := sorted(set(without) - set(PARTS)):
        raise SettingError(f"no part called '{unknown[0]}' can be left out; there are: {', '.join(PARTS)}")
    settings = Settings(soil_probes="soil_probe" not in without, panel_sensor="panel_sensor" not in without)
    if "flow_meter" in without:
        settings.ul_per_pulse = 0
    scenario = Scenario(
        zones=1,
        seed=seed,
        longitude_deg=0,
        start_unix_s=SUNDAY_UNIX_S,  # a day to settle
        battery_pct=100,
        capacity_mah=50_000,
        panel_w=0,
        clouds=False,
        feather=feather,
    )
    board, _ = plant(scenario, program, seed=seed, device_id="10ad0001", settings=settings)
    board.network.join_us = round(join_s * 1_000_000)
    board.run_for(86_400)
    load = np.zeros((7, 24))
    every_day = program.run_time_s == 0 or len(program.weekdays) == 7
    for day in range(1 if every_day else 7):
        for hour in range(24):
            before_mah = _drawn_mah(board.world)
            board.run_for(3600)
            load[day, hour] = _drawn_mah(board.world) - before_mah
    if every_day:
        load[:] = load[0]
    return load


def _drawn_mah(world: World) -> float:
    world.advance()
    return world.drawn_mah


def hours_of(weather: climate.Weather, first_day: int, days: int) -> tuple[Table, Table]:
    """(light in W/m2, temperature in C) by the hour from a day, counted from 1970, on."""
    slots = [slot for day in range(days) for slot in weather.day(first_day + day)]
    per_hour = climate.SLOTS // 24
    light = np.array([slot.light_w_m2 for slot in slots]).reshape(-1, per_hour).mean(axis=1)
    air = np.array([slot.temperature_c for slot in slots]).reshape(-1, per_hour).mean(axis=1)
    return light, air


def simulate(
    light: Table,
    air: Table,
    load_ma: Table,
    panels_w: list[float],
    cells_mah: list[float],
    *,
    settle_days: int = 0,
    progress: Callable[[float], bool] = lambda _: False,
) -> Found:
    """Let every pair live through the hours; `load_ma` has one value for each. The first `settle_days` are not counted. `progress` stops it by True."""
    if not panels_w or not cells_mah or min(panels_w) < 0 or min(cells_mah) <= 0:
        raise SettingError("panels must have 0 W or more and cells more than 0 mAh")
    full_mah = np.array(cells_mah)[None, :]
    charge = np.full((len(panels_w), len(cells_mah)), 0.8)
    alive = np.ones_like(charge, dtype=bool)
    dead_h, lowest = np.zeros_like(charge), np.full_like(charge, np.inf)
    daily = np.full((len(light) // 24, *charge.shape), np.inf)
    rated_w = np.array(panels_w)[:, None]
    settle_h, stopped, hour = settle_days * 24, False, 0
    for hour in range(len(light)):
        ohm = battery.internal_ohm(air[hour])
        open_v = np.interp(charge, TENTHS, OPEN_CIRCUIT_V)
        into_a = battery.panel_a(light[hour], 2.0) * rated_w / 2.0 - np.where(alive, load_ma[hour] / 1000, 0.0)
        most_a = np.minimum(battery.CHARGE_SET_A, np.maximum(0.0, (battery.CHARGE_END_V - open_v) / ohm))
        into_a = np.minimum(into_a, most_a)
        terminal_v = open_v + into_a * ohm
        charge = np.clip(charge + into_a * 1000 / full_mah, 0.0, 1.0)
        alive = np.where(
            alive, (charge > 0) & (terminal_v >= battery.DIES_BELOW_V), terminal_v >= battery.STARTS_ABOVE_V
        )
        day = hour // 24
        np.minimum(daily[day], charge, out=daily[day])
        if hour >= settle_h:
            dead_h += ~alive
            np.minimum(lowest, charge, out=lowest)
        if hour % 240 == 239 and progress((hour + 1) / len(light)):
            stopped = True
            break
    days = max(0, (hour + 1 - settle_h) // 24)
    counted = slice(settle_days, settle_days + days)
    return Found(
        panels_w,
        cells_mah,
        days,
        dead_h,
        np.where(np.isfinite(lowest), lowest * 100, 0.0),
        daily[counted] * 100,
        float(load_ma.sum() * 24 / len(load_ma)),
        float(light[settle_h : hour + 1].mean() * 24 / 1000) if days else 0.0,
        stopped,
    )


def size(
    weather: climate.Weather,
    load_ma: Table,
    panels_w: list[float],
    cells_mah: list[float],
    *,
    shade: float = 0.0,
    crew: Crew | None = None,
    progress: Callable[[float], bool] = lambda _: False,
) -> Found:
    """Every pair through all years of a place; the last SETTLE_DAYS are put before them. `load_ma` is 7 x 24, `shade` the part of the sun that is lost.

    A `crew` shares the panels, where there are pairs enough: below PAIRS_EACH a process spends its time on calls, however few pairs it has.
    """
    first, days = period(weather)
    light, air = hours_of(weather, first, days)
    settle = SETTLE_DAYS * 24
    light, air = (np.concatenate([hours[-settle:], hours]) for hours in (light, air))
    weekdays = (first - SETTLE_DAYS + np.arange(days + SETTLE_DAYS) + 3) % 7  # 1970-01-01 was a Thursday
    currents = load_ma[weekdays].ravel()
    whole = _Pairs(light * (1 - shade), air, currents, panels_w, cells_mah)
    parts = max(1, min(len(panels_w), len(panels_w) * len(cells_mah) // PAIRS_EACH))
    edges = [len(panels_w) * part // parts for part in range(parts + 1)]
    shares = [replace(whole, panels_w=panels_w[low:high]) for low, high in itertools.pairwise(edges)]
    return _joined((crew or Crew()).do(_simulate, shares, progress))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """One process's work."""

    light: Table
    air: Table
    load_ma: Table
    panels_w: list[float]
    cells_mah: list[float]


def _simulate(pairs: _Pairs, tell: Callable[[float], bool]) -> Found:
    return simulate(
        pairs.light, pairs.air, pairs.load_ma, pairs.panels_w, pairs.cells_mah, settle_days=SETTLE_DAYS, progress=tell
    )


def _joined(shares: list[Found]) -> Found:
    """One table again. After a stop: of the panels that lived through everything, or else of those that came farthest."""
    days = max(share.days for share in shares)
    kept = [share for share in shares if share.days == days]
    return replace(
        kept[0],
        panels_w=[watt for share in kept for watt in share.panels_w],
        dead_h=np.concatenate([share.dead_h for share in kept]),
        lowest_pct=np.concatenate([share.lowest_pct for share in kept]),
        charge_pct=np.concatenate([share.charge_pct for share in kept], axis=1),
        stopped=any(share.stopped for share in shares),
    )


def period(weather: climate.Weather) -> tuple[int, int]:
    """(first day counted from 1970, number of days) of all that is recorded."""
    years = weather.years if isinstance(weather, climate.Daily) else 1
    first = climate.first_day()
    return first, climate.first_day(climate.RECORD_STARTS + years) - first
