"""`python -m sim size`: which panel and battery keep a board alive at a place."""

import argparse
import json
from pathlib import Path

from sim import sizing
from sim.cli import common
from sim.errors import SettingError
from sim.garden import DAYS, Program
from sim.world import Scenario, weather_of

SUMMARY = (
    "which panel and which battery keep a board alive at a place: hours dead for every pair, over all recorded years"
)

EXAMPLES = """\
examples:
  python -m sim size --site greensboro
  python -m sim size --site sand_point --panels 1,2,6 --batteries 2000,6600 --wake 60 --run-time 0
  python -m sim size --site brussels --without soil_probe,flow_meter
  python -m sim size --latitude 60 --longitude 25 --feather rev_f --shade 30 --json
  python -m sim size --site brussels --out brussels --format svg

The load is measured: the real firmware lives a day (a week, with weekdays) in virtual time. The panel lies flat. The firmware's saving on a low battery is
left out, so the hours are on the safe side. The pair that is chosen is the smallest panel, and with it the smallest battery, that is never dead and never
below 15 %. In the folder of --out: size.json and the picture. Exit code 0 also when no pair is good; then `best` is null.
"""


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("size", SUMMARY, EXAMPLES)
    common.add_place(parser)
    parser.add_argument("--panels", metavar="W,W", default="0.3,0.5,1,2,6", help="0.1 to 20 (default %(default)s)")
    parser.add_argument(
        "--batteries", metavar="MAH,MAH", default="500,1200,2000,4400,6600", help="(default %(default)s)"
    )
    parser.add_argument(
        "--shade", metavar="PCT", type=float, default=0.0, help="part of the sun that is lost (default %(default)s)"
    )
    parser.add_argument("--feather", metavar="REV", default="rev_g", help="rev_g or rev_f (default %(default)s)")
    parser.add_argument(
        "--without",
        metavar="LIST",
        default="",
        help=f"parts that the board does not have, of {', '.join(sizing.PARTS)} (default: it has all)",
    )
    parser.add_argument(
        "--wake", metavar="MIN", type=float, default=15.0, help="between two wakes (default %(default)s)"
    )
    parser.add_argument(
        "--join",
        metavar="S",
        type=float,
        default=4.0,
        help="seconds that the Wi-Fi takes to join (default %(default)s)",
    )
    parser.add_argument(
        "--run-time", metavar="MIN", type=float, default=20.0, help="watering; 0: never (default %(default)s)"
    )
    parser.add_argument("--weekdays", metavar="LIST", default=",".join(DAYS), help="such as mon,wed,fri (default: all)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("sim-size"), help="(default ./%(default)s)")
    parser.add_argument("--format", choices=("png", "svg"), default="png", help="of the picture (default %(default)s)")
    common.add_crew(parser)
    common.add_output(parser, "made-up weather and noise")
    return parser


def main(arguments: list[str]) -> int:
    """Size panel and battery; the exit code."""
    options = _parser().parse_args(arguments)
    panels = common.numbers(options.panels, "--panels (in W)", *common.PANEL_W)
    cells = common.numbers(options.batteries, "--batteries (in mAh)", *common.BATTERY_MAH)
    if not 0 <= options.shade < 100:
        raise SettingError(f"--shade must be 0 to below 100 per cent, not {options.shade:g}")
    scenario = Scenario(
        zones=1,
        seed=options.seed,
        latitude_deg=options.latitude,
        longitude_deg=options.longitude,
        site=options.site,
        year=options.year,
        feather=options.feather,
    )
    weather = weather_of(scenario)
    if not 0.1 <= options.join <= 15:
        raise SettingError(f"the Wi-Fi joins within 0.1 to 15 s, not {options.join:g}")
    program = Program(
        run_time_s=common.seconds(options.run_time, "--run-time"),
        weekdays=common.weekdays(options.weekdays),
        wake_interval_s=common.seconds(options.wake, "--wake"),
    )
    without = [part for part in options.without.split(",") if part]
    crew = common.crew(options)
    out = common.folder(options.out)
    bar = common.Bar(weather.place)
    with common.Stopper() as stopper:

        def progress(part: float) -> bool:
            bar(part)
            return stopper.asked

        bar(0.0, "measuring what the firmware draws")
        load_ma = sizing.measured_load_ma(program, options.feather, options.join, without=without, seed=options.seed)
        found = sizing.size(weather, load_ma, panels, cells, shade=options.shade / 100, crew=crew, progress=progress)
    bar.end()
    result = _result(found, weather.place) | {"seed": options.seed}
    print(json.dumps(result) if options.json else _words(found, weather.place), flush=True)
    common.write(out / "size.json", lambda path: path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8"))
    if found.days:
        _draw(options, found, weather.place, out)
    return common.INTERRUPTED if found.stopped else 0


def _result(found: sizing.Found, place: str) -> dict[str, object]:
    best = found.best()
    chosen = {"panel_w": found.panels_w[best[0]], "battery_mah": found.cells_mah[best[1]]} if best else None
    return {
        "place": place,
        "days": found.days,
        "stopped": found.stopped,
        "load_mah_day": round(found.load_mah_day, 1),
        "sun_kwh_m2_day": round(found.sun_kwh_m2_day, 2),
        "panels_w": found.panels_w,
        "batteries_mah": found.cells_mah,
        "dead_h": found.dead_h.astype(int).tolist(),
        "lowest_pct": found.lowest_pct.round(1).tolist(),
        "best": chosen,
    }


def _words(found: sizing.Found, place: str) -> str:
    lines = [
        f"{place}: {found.days} days, {found.sun_kwh_m2_day:.2f} kWh/m2 of sun a day, the board draws {found.load_mah_day:.0f} mAh a day",
        "hours dead (lowest charge):",
        " " * 10 + "".join(f"{mah:>13g} mAh" for mah in found.cells_mah),
    ]
    for panel, watt in enumerate(found.panels_w):
        cells = zip(found.dead_h[panel], found.lowest_pct[panel], strict=True)
        lines.append(f"{watt:>8g} W" + "".join(f"{f'{dead:.0f} h ({low:.0f} %)':>17}" for dead, low in cells))
    best = found.best()
    if found.stopped:
        lines.append("stopped early: these are not all the days")
    elif best is None:
        lines.append(
            "none of these keeps the board alive with 15 % in reserve; try larger ones, or longer sleeps (--wake)"
        )
    else:
        lines.append(f"the smallest that does: {found.panels_w[best[0]]:g} W with {found.cells_mah[best[1]]:g} mAh")
    return "\n".join(lines)


def _draw(options: argparse.Namespace, found: sizing.Found, place: str, out: Path) -> None:
    from sim import pictures  # matplotlib takes a second to load

    title = f"{place}: {found.load_mah_day:.0f} mAh a day, {found.sun_kwh_m2_day:.1f} kWh/m² of sun a day"
    common.write(out / f"size.{options.format}", lambda path: pictures.draw_size(found, title, path, options.format))
