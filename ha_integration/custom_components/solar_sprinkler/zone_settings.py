"""What a zone is like: its part of the settings on the wire, and the pause between cycles that its soil asks for.

Rule: pure functions. Soil and plant are words for a person and for what reckons with them; the board is told numbers only (docs/protocol.md).

Source: basic intake rates and allowable surface accumulation of the Irrigation Association's SWAT protocol for slopes up to 3 %, from memory, in
millimetres. They make a proposal, which a person confirms or changes.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from . import protocol

SOILS: Mapping[str, tuple[float, float]] = {  # name: intake rate in mm/h, mm that may stand on it before they run off
    "sand": (15.2, 10.2),
    "loamy_sand": (12.7, 9.1),
    "sandy_loam": (10.2, 8.4),
    "loam": (8.9, 7.6),
    "silty_clay": (3.8, 5.8),
    "clay": (2.5, 5.1),
}
PLANTS = ("cool_grass", "warm_grass", "flowers", "shrubs", "vegetables")
_AVAILABLE_MM_M = {"sand": 75, "loamy_sand": 85, "sandy_loam": 120, "loam": 130, "silty_clay": 130, "clay": 140}
_PLANTS = {  # depth of the roots in m, % of the available water that they take without stress, Kc in %
    "cool_grass": (0.6, 40, 95),
    "warm_grass": (0.6, 50, 85),
    "flowers": (0.4, 40, 80),
    "shrubs": (0.8, 50, 50),
    "vegetables": (0.4, 35, 105),
}
_GROUND = ("available_um", "allowed_depletion_pct", "kc_pct")
OFF: Mapping[str, int] = {"cycle_s": 0, "soak_s": 0, "skip_above_pct": 0, "application_rate_um_h": 0}

type ZoneSettings = Mapping[str, Any]


def of_zone(zones: Sequence[ZoneSettings], number: int) -> dict[str, Any]:
    """The settings of a zone; all off when there are none."""
    found = next((zone for zone in zones if zone.get("zone") == number), {})
    return {**OFF, **found}


def with_zone(zones: Sequence[ZoneSettings], number: int, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All zones' settings with those of one changed (None: taken away); a zone whose settings are all off is left out, as a message has little room."""
    changed = {**of_zone(zones, number), **changes, "zone": number}
    changed = {key: value for key, value in changed.items() if value is not None}
    others = [dict(zone) for zone in zones if zone.get("zone") != number]
    kept = [changed] if any(value for key, value in changed.items() if key != "zone") else []
    return sorted([*others, *kept], key=lambda zone: int(zone["zone"]))


def ground(soil: str | None, plant: str | None) -> dict[str, int | None]:
    """What smart watering must know of soil and plant; None for each where one of them is not told.

    Available water by soil: middle of FAO-56 table 19; turf by tables 12 and 22; vegetables as its small vegetables. Flowers and shrubs are in no table of
    it: usual figures of landscape irrigation, from memory.
    """
    if soil not in _AVAILABLE_MM_M or plant not in _PLANTS:
        return dict.fromkeys(_GROUND)
    roots_m, allowed_pct, kc_pct = _PLANTS[plant]
    return dict(zip(_GROUND, (round(_AVAILABLE_MM_M[soil] * roots_m * 1000), allowed_pct, kc_pct), strict=True))


def is_described(zones: Sequence[ZoneSettings], number: int) -> bool:
    """True if the board can reckon with the zone's water."""
    found = of_zone(zones, number)
    return bool(found.get("available_um") and found["application_rate_um_h"])


def proposed_cycle(soil: str | None, rate_mm_h: float) -> tuple[int, int]:
    """Minutes of a cycle and of the pause after it in which no water runs off; 0, 0 where soil takes all in, or nothing is known of it.

    cycle = accumulation / (rate - intake); in the pause the soil takes in what stands on it: accumulation / intake.
    """
    intake_mm_h, standing_mm = SOILS.get(soil or "", (0.0, 0.0))
    if not intake_mm_h or rate_mm_h <= intake_mm_h:
        return 0, 0
    cycle_min = int(60 * standing_mm / (rate_mm_h - intake_mm_h))
    shortest_min, longest_min = (limit // 60 for limit in protocol.CYCLE_S_LIMITS)
    if cycle_min >= longest_min:
        return 0, 0
    soak_min = ceil(60 * standing_mm / intake_mm_h)
    return max(shortest_min, cycle_min), min(soak_min, protocol.SOAK_S_LIMITS[1] // 60)
