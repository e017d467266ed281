"""`python -m sim score`: ways of watering against each other."""

import argparse
import json
import time

from sim import climate, score, smart
from sim.cli import common
from sim.errors import SettingError
from sim.world import Scenario, weather_of

SUMMARY = "how well ways of watering serve a lawn: adequacy, efficiency and water, per climate"

EXAMPLES = """\
examples:
  python -m sim score                                   Greensboro, Tunis, Champion and Cordoba
  python -m sim score --sites brussels,seattle --start 05-01 --days 120 --json
  python -m sim score --latitude 48 --longitude 11 --seed 3

Adequacy: what the lawn got of what it wanted. Efficiency: what of the irrigation the storage took up. passed: the part of seasons with at least 80 % and 95 %,
of those that WaterSense's test (SWAT) admits; the formulas are from memory of its protocol. Each schedule is sized to the place's peak month; the rest know
yesterday's weather. "the board" is the firmware's own smart watering. South of the equator the season begins half a year later, unless --start says otherwise.
"""
SITES = "greensboro,tunis,champion,cordoba"


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("score", SUMMARY, EXAMPLES)
    parser.add_argument("--sites", metavar="LIST", help=f"of: {', '.join(climate.sites())} (default {SITES})")
    parser.add_argument("--latitude", metavar="DEG", type=float, help="made-up weather instead of a record")
    parser.add_argument(
        "--longitude", metavar="DEG", type=float, default=0.0, help="east is positive (default %(default)s)"
    )
    parser.add_argument("--start", metavar="MM-DD", help="first day (default 04-15, in the south 10-15)")
    parser.add_argument("--days", metavar="N", type=int, default=184, help="of a season (default %(default)s)")
    common.add_output(parser, "made-up weather, noise and missing days")
    return parser


def main(arguments: list[str]) -> int:
    """Score all policies in all climates; the exit code."""
    options = _parser().parse_args(arguments)
    if not 1 <= options.days <= 365:
        raise SettingError(f"a season has 1 to 365 days, not {options.days}")
    if options.latitude is not None and options.sites:
        raise SettingError("--sites and --latitude contradict each other: leave one out")
    bar, found = common.Bar("score"), []
    began_s, lived = time.perf_counter(), 0
    weathers = _weathers(options)
    with common.Stopper() as stopper:
        for number, weather in enumerate(weathers):
            bar(number / len(weathers), weather.place)
            start = options.start or ("04-15" if weather.latitude_deg >= 0 else "10-15")
            first = common.start_unix_s(start, 0) // 86_400 - climate.first_day()
            seasons = score.seasons_of(weather, first, options.days)
            rows = [score.judge(seasons, row, options.seed) for row in (*score.ROWS, *smart.ROWS)]
            lived += sum(row.seasons for row in rows)
            found.append((weather.place, start, seasons, rows))
            if stopper.asked:
                break
    bar.end()
    told = [_told(*each) for each in found]
    if options.json:
        print(json.dumps({"days": options.days, "seed": options.seed, "stopped": stopper.asked, "climates": told}))
    else:
        for climate_told in told:
            print(_words(climate_told))
        print(f"{lived} seasons in {time.perf_counter() - began_s:.1f} s")
    return common.INTERRUPTED if stopper.asked else 0


def _weathers(options: argparse.Namespace) -> list[climate.Weather]:
    if options.latitude is not None:
        return [weather_of(Scenario(seed=options.seed, latitude_deg=options.latitude, longitude_deg=options.longitude))]
    return [climate.recorded(site, seed=options.seed) for site in (options.sites or SITES).split(",")]


def _told(place: str, start: str, seasons: score.Seasons, rows: list[score.Score]) -> dict[str, object]:
    return {
        "place": place,
        "start": start,
        "seasons": seasons.et0_mm.shape[1],
        "et0_mm": round(float(seasons.et0_mm.sum(axis=0).mean())),
        "rain_mm": round(float(seasons.rain_mm.sum(axis=0).mean())),
        "policies": [
            {
                "name": row.name,
                "adequacy_pct": round(row.adequacy_pct, 1),
                "efficiency_pct": round(row.efficiency_pct, 1),
                "irrigation_mm": round(row.irrigation_mm),
                "passed": None if row.passed is None else round(row.passed, 2),
            }
            for row in rows
        ],
    }


def _words(told: dict[str, object]) -> str:
    lines = [
        f"{told['place']}, from {told['start']}: {told['seasons']} seasons, ET0 {told['et0_mm']} mm, rain {told['rain_mm']} mm",
        f"  {'':38}{'adequacy %':>12}{'efficiency %':>14}{'water mm':>10}{'passed':>8}",
    ]
    policies = told["policies"]
    assert isinstance(policies, list)
    for row in policies:
        passed = "-" if row["passed"] is None else f"{row['passed']:.0%}"
        lines.append(
            f"  {row['name']:38}{row['adequacy_pct']:>12.1f}{row['efficiency_pct']:>14.1f}{row['irrigation_mm']:>10}{passed:>8}"
        )
    return "\n".join([*lines, ""])
