"""Measurements beside others, on request. Not tests: nothing here says that a figure is good enough (see README.md)."""

import sys

from sim.provision import FIRMWARE

if str(FIRMWARE) not in sys.path:
    sys.path.insert(0, str(FIRMWARE))
