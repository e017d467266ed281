"""Cycles: how a program's run is divided. A late module, with those that need it.

Rule: pure in the settings. It must not know when anything starts.
"""

import struct

if False:  # for annotations
    from .settings import Settings

UNDECIDED = "?"  # instead of a reason: a smart program's start, whose run time `watering` names


def split(s: "Settings", zone: int, run_ms: int) -> tuple[int, int]:
    """The first of equal cycles that make up `run_ms`, and half of the seconds that remain."""
    cycle_s, soak_s, _ = struct.unpack(">HHB", s.zones[5 * zone - 5 : 5 * zone])
    if not cycle_s or not soak_s or run_ms <= cycle_s * 1000:
        return run_ms, 0
    count = (run_ms + cycle_s * 1000 - 1) // (cycle_s * 1000)
    part_s = (run_ms // 1000 + count - 1) // count
    return part_s * 1000, (run_ms // 1000 - part_s) // 2
