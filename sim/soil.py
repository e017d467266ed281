"""A root zone as a bucket: a pure function in millimetres and seconds.

Depletion is what is missing to field capacity. In one step evapotranspiration is taken first, then rain and irrigation fall; what the
ground cannot take up in time runs off, what is above field capacity drains. Nothing appears or vanishes:
d(storage) = rain + irrigation - evapotranspiration - runoff - drainage.
"""

from dataclasses import dataclass

TOTAL_AVAILABLE_MM = 80.0  # loam, 0.6 m of roots
READILY_AVAILABLE = 0.4  # part of it that the grass takes without stress
INFILTRATION_MM_H = 25.0
LATENT_HEAT_J_KG = 2.45e6


@dataclass(slots=True)
class Bucket:
    """One zone's soil: `depletion_mm` now, the rest are sums since the start, all in millimetres."""

    depletion_mm: float = 20.0
    evaporated_mm: float = 0.0
    runoff_mm: float = 0.0
    drained_mm: float = 0.0
    rain_mm: float = 0.0
    irrigation_mm: float = 0.0


def evapotranspiration_mm_s(irradiance_w_m2: float) -> float:
    """What well-watered grass evaporates, after Makkink, with the air taken as 20 C: 0.61 * 0.68 of the light's energy."""
    return 0.61 * 0.68 * irradiance_w_m2 / LATENT_HEAT_J_KG


def step(bucket: Bucket, seconds: float, demand_mm: float, rain_mm: float, irrigation_mm: float) -> None:
    """Let `seconds` pass, in which the air asks for `demand_mm` and `rain_mm` and `irrigation_mm` fall."""
    stress_from_mm = TOTAL_AVAILABLE_MM * READILY_AVAILABLE
    left = (TOTAL_AVAILABLE_MM - bucket.depletion_mm) / (TOTAL_AVAILABLE_MM - stress_from_mm)
    evaporated_mm = min(demand_mm * min(1.0, max(0.0, left)), TOTAL_AVAILABLE_MM - bucket.depletion_mm)
    supplied_mm = rain_mm + irrigation_mm
    taken_mm = min(supplied_mm, INFILTRATION_MM_H * seconds / 3600)
    depletion_mm = bucket.depletion_mm + evaporated_mm - taken_mm
    drained_mm = max(0.0, -depletion_mm)
    bucket.depletion_mm = max(0.0, depletion_mm)
    bucket.evaporated_mm += evaporated_mm
    bucket.runoff_mm += supplied_mm - taken_mm
    bucket.drained_mm += drained_mm
    bucket.rain_mm += rain_mm
    bucket.irrigation_mm += irrigation_mm
