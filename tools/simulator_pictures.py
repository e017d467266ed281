"""The pictures of docs/simulator.md and hardware/BOM.md: python -m tools.simulator_pictures [NAME...]. A season takes some minutes; the same code draws the
same pictures."""

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


def main(names: list[str]) -> int:
    """Draw these (or all), and keep their pictures; the exit code."""
    unknown = [name for name in names if name not in PICTURES]
    if unknown:
        print(f"no picture called '{unknown[0]}'; there are: {', '.join(PICTURES)}", file=sys.stderr)
        return 2
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
    sys.exit(main(sys.argv[1:]))
