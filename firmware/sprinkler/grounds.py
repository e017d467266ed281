"""Grounds: what smart watering must know of the zones and the place, from the settings. A late module, loaded while settings that describe a zone are read.

Rule: checks and packs. It must not know how water is reckoned.
"""

import struct

from . import protocol
from .errors import RefusedError
from .settings import GROUND_FORM, integer


def ground(zone: dict) -> bytes:
    """The ground of a zone (the JSON object), as `watering` unpacks it; zeros while soil or sprinklers are not told. Raises RefusedError."""
    available_um = zone["available_um"]
    if available_um or type(available_um) is not int:
        integer(available_um, protocol.AVAILABLE_UM_LIMITS)
    rate_um_h = zone.get("application_rate_um_h", 0)
    allowed_pct = integer(zone.get("allowed_depletion_pct", 50), protocol.ALLOWED_DEPLETION_PCT_LIMITS)
    kc_pct = integer(zone.get("kc_pct", 95), protocol.KC_PCT_LIMITS)
    area_dm2 = integer(zone.get("area_dm2", 0), protocol.AREA_DM2_LIMITS)
    if not available_um or rate_um_h < 10:
        return bytes(8)
    return struct.pack(GROUND_FORM, available_um // 10, allowed_pct, kc_pct, rate_um_h // 10, area_dm2)


def months(given: object) -> bytes:
    """The usual ET0 of a day of each month, in 1/10 mm. Raises RefusedError."""
    if given is None:
        return bytes((40,)) * 12
    if type(given) is not list or len(given) != 12:
        raise RefusedError("invalid")
    return bytes([integer(um, protocol.MONTH_ET0_UM_LIMITS) // 100 for um in given])
