"""Policy-years a second of `tune` beside a plain loop over the same lawn: python bench/tune_speed.py [TRIES]. Prints one JSON object.

Both let schedules live through the recorded seasons of Champion, Nebraska, a day a step, on one core; the plain loop is `sim.soil.step`, a call a day. CPU time
of this process, the two in turns, the fastest of three rounds each. That both find the same is a test (tests/sim/test_tune.py).
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from sim import climate, score, soil, tune

SEASON_DAYS, START_DAY = 184, 104
PLAIN_TRIES = 4
ROUNDS = 3


def plain(place: tune.Place, every_days: int, run_time_min: int) -> tuple[float, float]:
    """(water in mm a season, adequacy in %) of one schedule."""
    days, seasons = place.et0_mm.shape
    ground = place.ground
    water = wanted = got = 0.0
    et0, rain = place.et0_mm.tolist(), place.rain_mm.tolist()
    run_mm = run_time_min / 60 * place.rate_mm_h
    for season in range(seasons):
        bucket = soil.Bucket(tune.START * ground.available_mm, ground, tune.START * ground.evaporable_mm)
        for day in range(days):
            given = run_mm if day % every_days == 0 else 0.0
            water += given
            soil.step(bucket, 86_400, et0[day][season], rain[day][season], given, et0[day][season])
        wanted += bucket.wished_mm
        got += bucket.evaporated_mm
    return water / seasons, 100 * got / wanted


def fastest_s(work: Callable[[], object]) -> float:
    """CPU time."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def main() -> None:
    """Measure and print."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    seasons = score.seasons_of(climate.recorded("champion"), START_DAY, SEASON_DAYS)
    place = tune.Place(seasons.et0_mm, seasons.rain_mm, soil.LOAM)
    settings = np.array(
        [[1 + index % 14 for index in range(tries)], [5 + index % 100 for index in range(tries)]], float
    )
    years = place.et0_mm.size / 365
    plain_s = tuned_s = float("inf")
    for _ in range(ROUNDS):
        plain_s = min(plain_s, fastest_s(lambda: [plain(place, 1 + n % 14, 5 + n % 100) for n in range(PLAIN_TRIES)]))
        tuned_s = min(tuned_s, fastest_s(lambda: tune.live(place, "schedule", settings)))
    plain_rate, tuned_rate = PLAIN_TRIES * years / plain_s, tries * years / tuned_s
    print(
        json.dumps(
            {
                "step": "a day",
                "plain_policy_years_per_s": round(plain_rate),
                "tune_policy_years_per_s": round(tuned_rate),
                "ratio": round(tuned_rate / plain_rate, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
