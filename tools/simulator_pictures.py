"""The pictures of docs/simulator.md and hardware/BOM.md, drawn anew. A season takes some minutes; the same code draws the same pictures."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tools.sections import ROOT, python

IMAGES = ROOT / "docs" / "images"
PAIRS = ("--panels", "0.5,1,2,3,6", "--batteries", "1200,2000,4400,6600")
SEASON = ("--site", "greensboro", "--start", "04-15", "--days", "183", "--weekdays", "mon,wed,fri", "--run-time", "35")
PICTURES = {  # the verb, and its options
    "season": ("season", *SEASON),
    "size": ("size", "--site", "sand_point", *PAIRS),
    "size-brussels": ("size", "--site", "brussels", *PAIRS),
    "size-greensboro": ("size", "--site", "greensboro", *PAIRS),
}


def main(arguments: list[str] | None = None) -> int:
    """Draw the pictures of these names (or all), and keep them; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulator_pictures",
        description=__doc__,
        epilog="exit codes: 0 drawn; 2 wrong usage; else that of the simulator's verb",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(PICTURES)} (all, if none is named)")
    names = parser.parse_args(arguments).names
    unknown = [name for name in names if name not in PICTURES]
    if unknown:
        parser.error(f"no picture called '{unknown[0]}'; there are: {', '.join(PICTURES)}")
    for name, (verb, *options) in PICTURES.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            done = python("-m", "sim", verb, *options, "--out", folder)
            print(done.stdout, flush=True)
            if done.returncode:
                return done.returncode
            shutil.copy(Path(folder) / f"{verb}.png", IMAGES / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
