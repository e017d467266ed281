"""What is made from the data in hardware/: the tables of BOM.md and the wiring diagrams. python -m tools.hardware [--check]

Rule: arranges and adds up, and knows no figure of its own; they stand in parts.toml, wiring.toml and power.toml, which the simulator reads as well. Each
table lies between two marks, such as `<!-- power -->` and `<!-- /power -->`, and nothing else of the page is touched. Exit codes: 0 all is (now) right,
1 with --check: it is not, 2 wrong usage, 3 the wiring cannot be built.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tools import wiring
from tools.sections import ROOT

HARDWARE = ROOT / "hardware"
PAGE = HARDWARE / "BOM.md"
WAKES, STARTING_S, CONNECTED_S = 96, 1.6, 4.0  # a day of the default 900 s, and what a wake lasts (reported)
RUN_S = 1200
BUILDS = ("minimal", "recommended", "three zones")
DIAGRAMS = {"one": "One zone", "many": "Two to four zones (two are drawn; zone 3 and 4 likewise on GP2 and GP3)"}
WATCH_S = 24 * 8.5  # of closed valves, once an hour
DAY_S = 86_400

type Row = tuple[str, float, float]


def draws() -> dict[str, dict[str, str | float]]:
    """The table of currents, row by row: what, ma, when, source, measure."""
    return tomllib.loads((HARDWARE / "power.toml").read_text("utf-8"))


def day() -> list[Row | str]:
    """A reference day of a recommended build, as (what, mA, s); a word is a line that adds up what stands above it."""
    ma = {name: float(row["ma"]) for name, row in draws().items()}
    starting_s, connected_s = WAKES * STARTING_S, WAKES * CONNECTED_S
    asleep_s = DAY_S - starting_s - connected_s - RUN_S - WATCH_S
    return [
        ("asleep", ma["feather_rev_g_asleep"], asleep_s),
        (f"{WAKES} wakes, radio off", ma["awake"], starting_s),
        (f"{WAKES} wakes, radio on", ma["radio"], connected_s),
        "no watering, no sensors",
        ("one run of 20 minutes, awake, radio on", ma["radio"], RUN_S),
        "with that run",
        ("both INA219, powered down but for readings", 2 * ma["current_sensor"], DAY_S),
        ("flow meter, while awake", ma["flow_meter"], starting_s + connected_s + RUN_S + WATCH_S),
        ("the hour's watch of closed valves, radio on", ma["radio"], WATCH_S),
        "and a flow meter",
        ("one soil probe, always on", ma["soil_probe"], DAY_S),
        "one zone, all sensors",
    ]


def more() -> list[Row]:
    """What other builds and habits add to that day."""
    ma = {name: float(row["ma"]) for name, row in draws().items()}
    asleep_s = DAY_S - WAKES * (STARTING_S + CONNECTED_S) - RUN_S - WATCH_S
    return [
        ("a Feather before revision G", ma["feather_rev_f_asleep"] - ma["feather_rev_g_asleep"], asleep_s),
        ("each further soil probe", ma["soil_probe"], DAY_S),
        ("expander of two to four zones", ma["expander"], DAY_S),
        ("DS3231", ma["ds3231"], DAY_S),
        ("held valve instead of a latching one, that run", ma["held_coil"], RUN_S),
        ("always responsive, modem sleep, instead of sleep and wakes", ma["modem_sleep"], DAY_S),
    ]


def _cells(row: Row) -> str:
    what, ma, seconds = row
    return f"| {what} | {ma:g} | {seconds:.0f} | {ma * seconds / 3600:.1f} |"


def power() -> str:
    """The budget: a day's charge, adding up, then what other builds add, then where each figure is from and how to measure it."""
    lines, total = ["| state | mA | s a day | mAh a day |", "|---|---|---|---|"], 0.0
    for row in day():
        if isinstance(row, str):
            lines.append(f"| **{row}** | | | **{total:.1f}** |")
        else:
            lines.append(_cells(row))
            total += row[1] * row[2] / 3600
    lines += ["", "| added by | mA | s a day | mAh a day |", "|---|---|---|---|", *map(_cells, more())]
    lines += ["", "| figure | mA | from | measured in five minutes by |", "|---|---|---|---|"]
    lines += [f"| {row['what']} | {row['ma']:g} | {row['source']} | {row['measure']} |" for row in draws().values()]
    return "\n".join(lines)


def parts() -> str:
    """What to buy for three builds, with the sums."""
    rows = tomllib.loads((HARDWARE / "parts.toml").read_text("utf-8"))["part"]
    lines = [f"| part | number | for | {' | '.join(BUILDS)} | USD each |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        counts = " | ".join(str(count or "") for count in row["quantity"])
        lines.append(f"| {row['what']} | {row['number']} | {row['for']} | {counts} | {row['usd']:.2f} |")
    sums = [sum(row["usd"] * row["quantity"][build] for row in rows) for build in range(len(BUILDS))]
    lines.append(f"| **sum, USD** | | | {' | '.join(f'**{round(each)}**' for each in sums)} | |")
    return "\n".join(lines)


def choices() -> str:
    """Each part's figures, what may stand in its place, where its price is from; then the tools."""
    table = tomllib.loads((HARDWARE / "parts.toml").read_text("utf-8"))
    lines = ["| part | figures | instead | price from |", "|---|---|---|---|"]
    lines += [f"| {row['what']} | {row['figures']} | {row['alternative']} | {row['price']} |" for row in table["part"]]
    return "\n".join([*lines, "", "Tools: " + "; ".join(row["what"] for row in table["tool"]) + "."])


def connections() -> str:
    """Every net of the larger build, pin by pin; what differs with one zone stands in the file."""
    lines = ["| net | joins |", "|---|---|"]
    many = wiring.read(HARDWARE / "wiring.toml", "many")
    names = {part.key: part.name for part in many.parts}
    for net in many.nets:
        pins = (pin.partition(".") for pin in net.pins)
        lines.append(f"| {net.name} | {', '.join(f'{names[part]} {pin}' for part, _, pin in pins)} |")
    return "\n".join(lines)


def filled(page: str, tables: Iterable[tuple[str, str]]) -> str:
    """The page with each (mark, table) in its place. Raises ValueError where a mark is not there exactly once."""
    for mark, table in tables:
        pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
        page, count = pattern.subn(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"hardware/BOM.md must have <!-- {mark} --> and <!-- /{mark} --> once, not {count} times")
    return page


def made() -> dict[Path, str]:
    """Every file that is made from the data, with its content. Raises WiringError."""
    tables = [("parts", parts()), ("choices", choices()), ("connections", connections()), ("power", power())]
    files = {PAGE: filled(PAGE.read_text("utf-8"), tables)}
    for build, title in DIAGRAMS.items():
        files[HARDWARE / f"wiring-{build}.svg"] = wiring.draw(wiring.read(HARDWARE / "wiring.toml", build), title)
    return files


def main(arguments: list[str]) -> int:
    """Write all that is made, or check it; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.hardware", description="Tables and diagrams of hardware/, from data."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if something is not up to date"
    )
    options = parser.parse_args(arguments)
    try:
        files = made()
    except wiring.WiringError as error:
        print(f"hardware/wiring.toml: {error}", file=sys.stderr)
        return 3
    old = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in old:
        if options.check:
            print(f"hardware/{path.name} is not up to date; run: python -m tools.hardware", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
    return int(options.check and bool(old))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
