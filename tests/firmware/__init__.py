"""The firmware on the stand-in port. What is here is also used by programs outside of pytest, so it finds the firmware by itself."""

import sys
from pathlib import Path

FIRMWARE = str(Path(__file__).resolve().parents[2] / "firmware")
if FIRMWARE not in sys.path:
    sys.path.insert(0, FIRMWARE)
