"""`python -m sim tune`: which watering settings keep a lawn with the least water."""

import argparse
import json
import time
from pathlib import Path

from sim import climate, score, soil, tune
from sim.cli import common
from sim.errors import SettingError
from sim.world import Scenario, weather_of

SUMMARY = "which watering settings keep a lawn with the least water, for a climate and a soil"

EXAMPLES = """\
examples:
  python -m sim tune --site greensboro --soil loam
  python -m sim tune --site tunis --soil sand --grass warm --adequacy 90 --json --out tunis
  python -m sim tune --latitude 48 --longitude 11 --start 05-01 --days 120 --ways schedule,smart
  python -m sim tune --site cordoba --scheduler tcp://192.168.1.5:8786

For each way of watering the settings with the least water among those that give the grass at least --adequacy of what it wants, over all recorded seasons:
schedule (every_days, run_time_min), probe (the same, and skip_above_pct), smart (allowed_depletion_pct). Where none does, the one that comes nearest.
South of the equator the season begins half a year later, unless --start says otherwise. In the folder of --out: tune.json, and a picture of all that was
tried, water against adequacy.
"""


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("tune", SUMMARY, EXAMPLES)
    common.add_place(parser)
    parser.add_argument("--soil", metavar="NAME", default="loam", help=f"{', '.join(soil.SOILS)} (default %(default)s)")
    parser.add_argument("--grass", metavar="NAME", default="cool", help="cool or warm season (default %(default)s)")
    parser.add_argument(
        "--rate", metavar="MM", type=float, default=15.0, help="what the sprinklers give an hour (default %(default)s)"
    )
    parser.add_argument("--start", metavar="MM-DD", help="first day (default 04-15, in the south 10-15)")
    parser.add_argument("--days", metavar="N", type=int, default=184, help="of a season (default %(default)s)")
    parser.add_argument(
        "--adequacy", metavar="PCT", type=float, default=95.0, help="that the grass must get (default %(default)s)"
    )
    parser.add_argument("--ways", metavar="LIST", default=",".join(tune.WAYS), help="(default %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("sim-tune"), help="(default ./%(default)s)")
    parser.add_argument("--format", choices=("png", "svg"), default="png", help="of the picture (default %(default)s)")
    common.add_crew(parser)
    common.add_output(parser, "made-up weather and the search")
    return parser


def main(arguments: list[str]) -> int:
    """Tune; the exit code."""
    options = _parser().parse_args(arguments)
    if not 1 <= options.days <= 365:
        raise SettingError(f"a season has 1 to 365 days, not {options.days}")
    scenario = Scenario(
        seed=options.seed,
        latitude_deg=options.latitude,
        longitude_deg=options.longitude,
        site=options.site,
        year=options.year,
        soil=options.soil,
        grass=options.grass,
    )
    weather = weather_of(scenario)
    start = options.start or ("04-15" if weather.latitude_deg >= 0 else "10-15")
    first = common.start_unix_s(start, 0) // 86_400 - climate.first_day()
    seasons = score.seasons_of(weather, first, options.days)
    place = tune.Place(seasons.et0_mm, seasons.rain_mm, soil.Ground.of(options.soil, options.grass), options.rate)
    crew, ways = common.crew(options), options.ways.split(",")
    tune.check(ways, options.adequacy)
    out = common.folder(options.out)
    bar, began_s = common.Bar(weather.place), time.perf_counter()
    with common.Stopper() as stopper:

        def progress(part: float) -> bool:
            bar(part)
            return stopper.asked

        found = tune.tune(place, ways, options.adequacy, options.seed, crew, progress)
    bar.end()
    told = _told(options, weather.place, start, place, found, time.perf_counter() - began_s)
    told["stopped"] = stopper.asked
    print(json.dumps(told) if options.json else _words(told), flush=True)
    common.write(out / "tune.json", lambda path: path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8"))
    if found:
        _draw(options, told, found, out)
    return common.INTERRUPTED if stopper.asked else 0


def _told(
    options: argparse.Namespace, name: str, start: str, place: tune.Place, found: list[tune.Best], seconds: float
) -> dict[str, object]:
    days, seasons = place.et0_mm.shape
    years = sum(best.tries for best in found) * days * seasons / 365
    return {
        "place": name,
        "soil": options.soil,
        "start": start,
        "days": days,
        "seasons": seasons,
        "et0_mm": round(float(place.et0_mm.sum(axis=0).mean())),
        "rain_mm": round(float(place.rain_mm.sum(axis=0).mean())),
        "adequacy_pct": options.adequacy,
        "seed": options.seed,
        "seconds": round(seconds, 2),
        "policy_years_per_s": round(years / seconds),
        "ways": [
            {
                "way": best.way,
                "settings": best.settings,
                "water_mm": round(best.water_mm, 1),
                "adequacy_pct": round(best.adequacy_pct, 1),
                "lost_mm": round(best.lost_mm, 1),
                "tries": best.tries,
            }
            for best in found
        ],
    }


def _draw(options: argparse.Namespace, told: dict[str, object], found: list[tune.Best], out: Path) -> None:
    from sim import pictures  # matplotlib takes a second to load

    title = f"{told['place']}, {told['soil']}, {told['seasons']} seasons of {told['days']} days: ET0 {told['et0_mm']} mm, rain {told['rain_mm']} mm"
    common.write(
        out / f"tune.{options.format}",
        lambda path: pictures.draw_tune(found, options.adequacy, title, path, options.format),
    )


def _words(told: dict[str, object]) -> str:
    lines = [
        f"{told['place']}, {told['soil']}, from {told['start']}: {told['seasons']} seasons, ET0 {told['et0_mm']} mm, rain {told['rain_mm']} mm",
        f"  {'':10}{'water mm':>10}{'adequacy %':>12}{'lost mm':>9}   settings",
    ]
    ways = told["ways"]
    assert isinstance(ways, list)
    for way in ways:
        settings = ", ".join(f"{name} {value}" for name, value in way["settings"].items())
        short = "  (falls short)" if way["adequacy_pct"] < float(str(told["adequacy_pct"])) - 0.05 else ""
        lines.append(
            f"  {way['way']:10}{way['water_mm']:>10.0f}{way['adequacy_pct']:>12.1f}{way['lost_mm']:>9.0f}   {settings}{short}"
        )
    lines.append(f"{told['policy_years_per_s']} policy-years a second")
    return "\n".join(lines)
