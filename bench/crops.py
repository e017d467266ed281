"""Crop-days a second of the simulator's lawn beside pyfao56 and aquacrop on the same weather: python -m bench.crops [--ours] [--json]

Champion, Nebraska, seasons of 184 days. Each is measured by the CPU time of its runs, without loading its weather; the peers run in .tools/peers (python
`tools/setup.sh peers`). A row names the step, because they differ: what a model does in it is its own affair.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sim import climate, score, sizing, soil, tune

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("pyfao56", "aquacrop")
SITE, START_DAY, DAYS, SEASONS = "champion", 104, 184, 2
TRIES = 2048

EPILOG = "exit codes: 0 measured; 1 a peer could not be installed or did not run; 2 wrong usage"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.crops", description=__doc__, epilog=EPILOG)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--ours", action="store_true", help="leave out the peers: nothing is installed")
    options = parser.parse_args(arguments)
    weather = climate.recorded(SITE)
    seasons = score.seasons_of(weather, START_DAY, DAYS)
    place = tune.Place(seasons.et0_mm, seasons.rain_mm, soil.LOAM)
    found = {
        "lawn, slots of the weather": ("15 min", _rate(lambda: _slots(weather))),
        "lawn, one (soil.step)": ("1 day", _rate(lambda: _daily(weather))),
        "lawn, 2048 at once (tune)": ("1 day", _rate(lambda: _tables(place))),
    }
    try:
        if not options.ours:
            found |= {name: ("1 day", rate) for name, rate in _peers(weather).items()}
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"bench.crops: a peer could not be measured: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(
            json.dumps({name: {"step": step, "crop_days_per_s": round(rate)} for name, (step, rate) in found.items()})
        )
    else:
        for name, (step, rate) in found.items():
            print(f"{name:28} {step:>7} {rate:>14,.0f} crop-days/s")
    return 0


def _rate(work: Callable[[], int]) -> float:
    """Crop-days a second, the fastest of three; `work` tells how many it did."""
    best = 0.0
    work()  # the weather is worked out when it is first asked for
    for _ in range(3):
        began_s = time.process_time()
        days = work()
        best = max(best, days / (time.process_time() - began_s))
    return best


def _days(weather: climate.Weather) -> list[list[int]]:
    assert sizing.period(weather)[1] >= 365 * SEASONS
    return [
        [climate.first_day(climate.RECORD_STARTS + year) + START_DAY + day for day in range(DAYS)]
        for year in range(SEASONS)
    ]


def _slots(weather: climate.Weather) -> int:
    for season in _days(weather)[:1]:
        bucket = soil.Bucket()
        for number in season[:4]:  # the record keeps four days at hand: its own work does not count
            for _ in range(DAYS // 4):
                for slot in weather.day(number):
                    hours = climate.SLOT_S / 3600
                    soil.step(
                        bucket, climate.SLOT_S, slot.et0_mm_h * hours, slot.rain_mm_h * hours, 0.0, slot.et0_mm_day
                    )
    return 4 * (DAYS // 4)


def _daily(weather: climate.Weather) -> int:
    table = [[row[5:] for row in season] for season in _seasons(weather)]
    for season in table:
        bucket = soil.Bucket()
        for rain, et0 in season:
            soil.step(bucket, 86_400, et0, rain, 0.0, et0)
    return SEASONS * DAYS


def _tables(place: tune.Place) -> int:
    settings = np.array(
        [[1 + index % 14 for index in range(TRIES)], [5 + index % 100 for index in range(TRIES)]], float
    )
    tune.live(place, "schedule", settings)
    return TRIES * place.et0_mm.size


_known: list[list[list[float]]] = []


def _seasons(weather: climate.Weather) -> list[list[list[float]]]:
    """[year, month, day, lowest and highest C, rain mm, ET0 mm] of each day, season by season."""
    if not _known:
        _known.extend([_row(weather, number) for number in season] for season in _days(weather))
    return _known


def _row(weather: climate.Weather, number: int) -> list[float]:
    day, slots = climate.date_of(number), weather.day(number)
    air = [slot.temperature_c for slot in slots]
    rain = sum(slot.rain_mm_h for slot in slots) * climate.SLOT_S / 3600
    return [day.year, day.month, day.day, min(air), max(air), rain, slots[0].et0_mm_day]


def _peers(weather: climate.Weather) -> dict[str, float]:
    subprocess.run(["sh", "tools/setup.sh", "python", "peers"], cwd=ROOT, check=True, stdout=sys.stderr)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weather.json"
        path.write_text(json.dumps(_seasons(weather)), encoding="ascii")
        for name in PEERS:
            command = [".tools/peers/bin/python", "bench/peer/crops.py", name, str(path)]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            told = json.loads(done.stdout.splitlines()[-1])
            found[name] = told["crop_days"] / told["cpu_s"]
    return found


if __name__ == "__main__":
    sys.exit(main())
