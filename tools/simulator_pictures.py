"""The pictures of docs/simulator.md: python -m tools.simulator_pictures [season] [size]. A season takes some minutes; the same code draws the same pictures."""

import shutil
import sys
import tempfile
from pathlib import Path

from tools.sections import ROOT, python

IMAGES = ROOT / "docs" / "images"
PICTURES = {
    "season": (
        "--site",
        "greensboro",
        "--start",
        "04-15",
        "--days",
        "183",
        "--weekdays",
        "mon,wed,fri",
        "--run-time",
        "35",
    ),
    "size": ("--site", "sand_point", "--panels", "0.5,1,2,3,6", "--batteries", "1200,2000,4400,6600"),
}


def main(verbs: list[str]) -> int:
    """Let these verbs (or all) draw, and keep their pictures; the exit code."""
    unknown = [verb for verb in verbs if verb not in PICTURES]
    if unknown:
        print(f"no picture called '{unknown[0]}'; there are: {', '.join(PICTURES)}", file=sys.stderr)
        return 2
    for verb, options in PICTURES.items():
        if verbs and verb not in verbs:
            continue
        with tempfile.TemporaryDirectory() as folder:
            done = python("-m", "sim", verb, *options, "--out", folder)
            print(done.stdout, flush=True)
            if done.returncode:
                return done.returncode
            shutil.copy(Path(folder) / f"{verb}.png", IMAGES / f"{verb}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
