"""Copy the one definition of the wire into the Home Assistant component, or check that the copy is exact.

usage: python tools/sync.py [--check]

Rule: copies bytes, interprets nothing. HACS installs only what lies inside the component's folder, so it needs a copy of its own.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "firmware/sprinkler/protocol.py"
COPY = ROOT / "ha_integration/custom_components/solar_sprinkler/protocol.py"


def is_exact(source: Path, copy: Path) -> bool:
    """True when `copy` exists and holds the very bytes of `source`."""
    return copy.is_file() and copy.read_bytes() == source.read_bytes()


def main(arguments: list[str] | None = None, source: Path = SOURCE, copy: Path = COPY) -> int:
    """Copy, or with --check only compare; returns 0 when both files are equal at the end, 1 when --check found a difference."""
    parser = argparse.ArgumentParser(
        description="Copy firmware/sprinkler/protocol.py into the Home Assistant component."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when the copy differs")
    wanted = parser.parse_args(arguments)
    if is_exact(source, copy):
        return 0
    if wanted.check:
        print(
            f"{copy.name} of the Home Assistant component differs from {source.name} of the firmware; run: python tools/sync.py"
        )
        return 1
    copy.write_bytes(source.read_bytes())
    print(f"copied {source.name} to {copy.parent.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
