"""Proofs: an exhaustive search over the shipped core, its hands, its books and its closer, against everything that the world may do to them.

Rule: what is proved is the code that the board runs, called here and never copied; only the hardware and the loop around it are ours.
`python -m tests.proofs.model --help`
"""

import sys
from pathlib import Path

FIRMWARE = str(Path(__file__).resolve().parents[2] / "firmware")
if FIRMWARE not in sys.path:  # run as a program, not by pytest
    sys.path.insert(0, FIRMWARE)
