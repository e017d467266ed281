"""`python -m sim season`: one garden through a season."""

import argparse
import dataclasses
import json
from pathlib import Path

from sim import season
from sim.cli import common
from sim.garden import DAYS, Program
from sim.soil import GRASSES, SOILS
from sim.world import Scenario, weather_of

SUMMARY = "one zone through a season under a place's weather, with the real firmware: what became of soil, water, battery and sun"

EXAMPLES = """\
examples:
  python -m sim season --site greensboro --start 04-15 --days 183
  python -m sim season --site tunis --year 1995 --soil sandy_loam --grass warm --run-time 25 --weekdays mon,wed,fri
  python -m sim season --site sand_point --start 10-01 --days 150 --run-time 0 --panel 1 --out winter --format svg
  python -m sim season --latitude 48 --longitude 11 --days 30 --json

In the folder of --out: season.csv (an hour a line, written as it goes), season.json (what is printed by --json) and the picture. Soil and water are of the
zone as it truly is; satisfied_pct is what grass and soil gave to the air, of what a well-watered lawn would have given. A cell is flat when the board is off.
"""


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("season", SUMMARY, EXAMPLES)
    parser.add_argument("--start", metavar="MM-DD", default="04-15", help="first day (default %(default)s)")
    parser.add_argument("--days", metavar="N", type=int, default=183, help="how many (default %(default)s)")
    common.add_place(parser)
    lawn = parser.add_argument_group("lawn and program")
    lawn.add_argument("--soil", metavar="KIND", default="loam", help=f"{', '.join(SOILS)} (default %(default)s)")
    lawn.add_argument(
        "--grass", metavar="KIND", default="cool", help=f"{' or '.join(GRASSES)}-season (default %(default)s)"
    )
    lawn.add_argument(
        "--area", metavar="M2", type=float, default=30.0, help="of the zone, which gets 8 l/min (default %(default)s)"
    )
    lawn.add_argument(
        "--run-time", metavar="MIN", type=float, default=20.0, help="0: never waters (default %(default)s)"
    )
    lawn.add_argument(
        "--at", metavar="HH:MM", default="06:00", help="start, in the place's standard time (default %(default)s)"
    )
    lawn.add_argument("--weekdays", metavar="LIST", default=",".join(DAYS), help="such as mon,wed,fri (default: all)")
    power = parser.add_argument_group("power")
    power.add_argument("--panel", metavar="W", type=float, default=2.0, help="lying flat (default %(default)s)")
    power.add_argument("--battery", metavar="MAH", type=float, default=2000.0, help="(default %(default)s)")
    power.add_argument("--feather", metavar="REV", default="rev_g", help="rev_g or rev_f (default %(default)s)")
    power.add_argument(
        "--wake", metavar="MIN", type=float, default=15.0, help="between two wakes (default %(default)s)"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("sim-season"), help="(default ./%(default)s)")
    parser.add_argument("--format", choices=("png", "svg"), default="png", help="of the picture (default %(default)s)")
    common.add_output(parser, "made-up weather and noise")
    return parser


def _plan(options: argparse.Namespace) -> season.Plan:
    common.check_power(options.panel, options.battery)
    scenario = Scenario(
        zones=1,
        seed=options.seed,
        site=options.site,
        year=options.year,
        latitude_deg=options.latitude,
        longitude_deg=options.longitude,
        soil=options.soil,
        grass=options.grass,
        area_m2=options.area,
        panel_w=options.panel,
        capacity_mah=options.battery,
        feather=options.feather,
    )
    start_s = common.start_unix_s(options.start, weather_of(scenario).utc_s)
    scenario = dataclasses.replace(scenario, start_unix_s=start_s)
    program = Program(
        run_time_s=common.seconds(options.run_time, "--run-time"),
        start_min=common.clock_min(options.at),
        weekdays=common.weekdays(options.weekdays),
        wake_interval_s=common.seconds(options.wake, "--wake"),
    )
    return season.Plan(scenario, program, options.days, options.seed)


def main(arguments: list[str]) -> int:
    """Run a season; the exit code."""
    options = _parser().parse_args(arguments)
    plan = _plan(options)
    out = common.folder(options.out)
    garden = season.Season(plan)
    bar = common.Bar(garden.board.world.weather.place)
    with common.Stopper() as stopper, common.Lines(out / "season.csv") as lines:
        lines.add(",".join(season.Row._fields))

        def each(row: season.Row) -> bool:
            lines.add(",".join(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row))
            if row.hour % 24 == 23:
                bar((row.hour + 1) / 24 / plan.days, f"day {row.hour // 24 + 1}")
            return stopper.asked

        garden.run(each)
    bar.end()
    found = garden.summary() | {"seed": options.seed, "stopped": stopper.asked}
    print(json.dumps(found) if options.json else common.table(found), flush=True)
    common.write(
        out / "season.json", lambda path: path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    )
    _draw(options, garden, out)
    if stopper.asked:
        return common.INTERRUPTED
    if garden.crashes:
        raise season.CrashError(garden.crashes)
    return 0


def _draw(options: argparse.Namespace, garden: season.Season, out: Path) -> None:
    from sim import pictures  # matplotlib takes a second to load

    world, program = garden.board.world, garden.plan.program
    scenario = world.scenario
    runs = f"{program.run_time_s / 60:g} min at {options.at}" if program.run_time_s else "no program"
    title = (
        f"{world.weather.place}, from {pictures.date_of(scenario.start_unix_s + world.weather.utc_s)}: {scenario.soil.replace('_', ' ')}, {runs}, "
        f"{scenario.panel_w:g} W panel, {scenario.capacity_mah:g} mAh"
    )
    common.write(
        out / f"season.{options.format}",
        lambda path: pictures.draw_season(
            garden.rows, world.weather.utc_s, world.zones[0].soil.ground.available_mm, title, path, options.format
        ),
    )
