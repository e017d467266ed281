"""The board's own smart watering as a policy of `score`: the very module that the firmware runs (`sprinkler.core.water`), a morning's decision a day.

Rule: it is told what a board is told, in a board's units: the weather of past days, late or never, a probe's percents, the place's months. The zone's working
storage is what a board may use up: half of its available water. It must not know how the lawn is judged.
"""

import numpy as np

from sim import score
from sim.provision import find_firmware
from sim.score import KC, STORAGE_MM, Known, Policy, Row, Table

find_firmware()
from sprinkler.core import water  # noqa: E402 - found just now
from sprinkler.core.localtime import day_number  # noqa: E402

ALLOWED_PCT = 50
RATE_UM_H = 15_000
GROUND = (round(STORAGE_MM * 100_000 / ALLOWED_PCT), ALLOWED_PCT, round(KC * 100), RATE_UM_H, 0)


def board(
    weather: bool = True,
    et0_bias: float = 0.0,
    probe: bool = False,
    noise: float = 0.05,
    probe_bias: float = 0.0,
    forecast: bool = False,
) -> Policy:
    """A board with one smart program each morning. `et0_bias` is a part of each told ET0; `noise` (standard deviation) and `probe_bias` are parts of the
    working storage, a positive one reads too dry. Without `weather` nobody tells it anything but the place's months; with `forecast` it is told what rain
    the day is to bring: 30 % wrong (standard deviation), and nothing on one rainy day in five."""
    lawns: list[list[list[int]]] = []

    def policy(known: Known) -> Table:
        count = known.depletion_mm.shape[0]
        today = _first_day(known) + known.day
        months = tuple(round(1000 * float(mm)) for mm in np.nan_to_num(known.seasons.month_et0_mm, nan=4.0))
        if known.day == 0:
            lawns[:] = [[water.opened(1, today, (GROUND,)) for _ in range(count)]]
            for books in lawns[0]:
                books[water.ZONES] = 0  # as for the other ways: the season begins with a full storage
        reads = known.depletion_mm + STORAGE_MM * (probe_bias + noise * known.random.standard_normal(count))
        hoped = known.seasons.rain_mm[known.day] * np.maximum(0, 1 + 0.3 * known.random.standard_normal(count))
        hoped = np.where(known.random.random(count) < 0.2, 0.0, hoped)
        depths = np.zeros(count)
        for i, books in enumerate(lawns[0]):
            water.settle(books, (GROUND,), months, today)
            if weather and not known.missing[i] and known.day >= known.late_days:
                et0, rain = known.told_et0_mm[i] * (1 + et0_bias), known.told_rain_mm[i]
                water.take_weather(books, ((today - known.late_days, round(et0 * 1000), round(rain * 1000)),))
            if forecast:
                expected = (today, water.month_et0(months, today), round(float(hoped[i]) * 1000))
                water.take_weather(books, (expected,))
            now = water.depletion_um(books, 1, GROUND, months, today)
            if probe:
                pct = round(100 - 100_000 * float(reads[i]) / GROUND[water.AVAILABLE])
                water.correct(books, 1, GROUND, now, min(100, max(0, pct)), today)
                now = water.depletion_um(books, 1, GROUND, months, today)
            need = water.need_um(now, GROUND, water.month_et0(months, today) * 3 // 2)
            if need < score.LEAST_MM * 1000:
                continue
            seconds = water.time_s(need, GROUND)
            given = water.applied_um(GROUND, seconds, water.UNKNOWN)
            water.note_irrigation(books, 1, given, known.day + 1, today)
            depths[i] = given / 1000
        return depths

    return policy


def _first_day(known: Known) -> int:
    """A day number that lies in the season's first month, so that months change when they do."""
    months = known.seasons.month[:, 0]
    changes = np.flatnonzero(months != months[0])
    if not len(changes):
        return day_number(2001, int(months[0]), 1)
    return day_number(2001, int(months[changes[0]]), 1) - int(changes[0])


ROWS = (
    Row("the board, good weather", board()),
    Row("the board, and the day's rain forecast", board(forecast=True)),
    Row("the board, ET0 15 % too high", board(et0_bias=0.15)),
    Row("the board, ET0 15 % too low", board(et0_bias=-0.15)),
    Row("the board, 10 % of days missing", board(), missing=0.1),
    Row("the board, news 3 days old", board(), late_days=3),
    Row("the board, nobody pushes", board(weather=False)),
    Row("the board, weather and probe", board(probe=True)),
    Row("the board, and probe 15 % too dry", board(probe=True, probe_bias=0.15)),
    Row("the board, and probe 15 % too wet", board(probe=True, probe_bias=-0.15)),
    Row("the board, ET0 15 % too high, probe", board(et0_bias=0.15, probe=True)),
    Row("the board, ET0 15 % too low, probe", board(et0_bias=-0.15, probe=True)),
    Row("the board, nobody pushes, probe", board(weather=False, probe=True)),
)
