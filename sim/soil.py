"""A lawn's root zone by FAO-56 with two crop coefficients: what the grass takes and what the upper soil evaporates. Millimetres and seconds.

Rule: pure in its arguments; nothing appears or vanishes: d(storage) = rain + irrigation - evaporated - runoff - drained. In one step, whatever its length,
water falls first (as in the paper's example 38), then the air takes its part. What the ground cannot take up in time runs off; what is above field
capacity drains.

Sources: FAO-56 table 19 (middle of each range) for field capacity, wilting point, readily and totally evaporable water; tables 17 and 22 for turf. Rates of
infiltration are the upper ends of what FAO's irrigation manuals give for bare soil, from memory: grass takes water better than that. Roots: 0.6 m, within
the 0.5 to 1.0 of table 22.
"""

from dataclasses import dataclass, field

from sim import fao56
from sim.errors import SettingError

WIND_M_S, HUMIDITY_MIN_PCT = 2.0, 45.0  # of the paper's standard climate, for Kc max
HEIGHT_M = 0.1

# name: field capacity, wilting point (m3/m3), readily and totally evaporable mm of the upper 0.1 m, infiltration in mm/h
SOILS = {
    "sand": (0.12, 0.045, 4.5, 9.0, 50.0),
    "loamy_sand": (0.15, 0.065, 6.0, 11.5, 40.0),
    "sandy_loam": (0.23, 0.11, 8.0, 17.5, 30.0),
    "loam": (0.25, 0.12, 9.0, 19.0, 25.0),
    "silt_loam": (0.29, 0.15, 9.5, 21.5, 20.0),
    "silt": (0.32, 0.17, 9.5, 24.0, 15.0),
    "silt_clay_loam": (0.335, 0.205, 9.5, 24.5, 10.0),
    "silty_clay": (0.36, 0.23, 10.0, 25.0, 8.0),
    "clay": (0.36, 0.22, 10.0, 25.5, 5.0),
}
GRASSES = {"cool": (0.90, 0.40), "warm": (0.80, 0.50)}  # basal coefficient in mid season, p


@dataclass(frozen=True, slots=True)
class Ground:
    """What a lawn grows on: `Ground.of("loam")`."""

    field_capacity: float
    wilting_point: float
    readily_evaporable_mm: float
    evaporable_mm: float
    infiltration_mm_h: float
    kcb: float
    fraction: float
    root_m: float = 0.6
    kc_max: float = field(init=False)
    exposed: float = field(init=False)

    def __post_init__(self) -> None:
        if not 0.05 <= self.root_m <= 2:
            raise SettingError(f"roots must be 0.05 to 2 m deep, not {self.root_m:g}")
        kc_max = fao56.coefficient_max(self.kcb, WIND_M_S, HUMIDITY_MIN_PCT, HEIGHT_M)
        object.__setattr__(self, "kc_max", kc_max)
        object.__setattr__(self, "exposed", 1 - fao56.cover(self.kcb, kc_max, HEIGHT_M))

    @staticmethod
    def of(soil: str = "loam", grass: str = "cool", root_m: float = 0.6) -> Ground:
        """A ground from the tables. Raises SettingError for a soil or grass that is not in them."""
        if soil not in SOILS:
            raise SettingError(f"no soil called '{soil}'; there are: {', '.join(SOILS)}")
        if grass not in GRASSES:
            raise SettingError(f"no grass called '{grass}'; there are: {', '.join(GRASSES)}")
        return Ground(*SOILS[soil], *GRASSES[grass], root_m)

    @property
    def available_mm(self) -> float:
        """TAW: what lies between field capacity and wilting point (eq. 82)."""
        return 1000 * (self.field_capacity - self.wilting_point) * self.root_m


LOAM = Ground.of()


@dataclass(slots=True)
class Bucket:
    """One zone's soil: `depletion_mm` of the root zone and `surface_mm` of the upper soil now; the rest are sums since the start."""

    depletion_mm: float = 20.0
    ground: Ground = LOAM
    surface_mm: float = 10.0
    evaporated_mm: float = 0.0
    wished_mm: float = 0.0  # what the grass would have taken without stress
    runoff_mm: float = 0.0
    drained_mm: float = 0.0
    rain_mm: float = 0.0
    irrigation_mm: float = 0.0

    def __post_init__(self) -> None:
        self.depletion_mm = min(self.depletion_mm, self.ground.available_mm)
        self.surface_mm = min(self.surface_mm, self.ground.evaporable_mm)

    @property
    def available(self) -> float:
        """How full the root zone is: 0 at wilting point ... 1 at field capacity."""
        return 1 - self.depletion_mm / self.ground.available_mm


def step(
    bucket: Bucket, seconds: float, et0_mm: float, rain_mm: float, irrigation_mm: float, et0_mm_day: float = 5.0
) -> None:
    """Let `seconds` pass, in which `rain_mm` and `irrigation_mm` fall and the air asks for `et0_mm`; `et0_mm_day` is the whole day's."""
    ground = bucket.ground
    total_mm = ground.available_mm
    supplied_mm = rain_mm + irrigation_mm
    depletion_mm, surface_mm = bucket.depletion_mm, bucket.surface_mm
    if supplied_mm:
        taken_mm = min(supplied_mm, ground.infiltration_mm_h * seconds / 3600)
        bucket.runoff_mm += supplied_mm - taken_mm
        depletion_mm -= taken_mm
        surface_mm = max(0.0, surface_mm - taken_mm)
        if depletion_mm < 0:
            bucket.drained_mm -= depletion_mm
            depletion_mm = 0.0
        bucket.rain_mm += rain_mm
        bucket.irrigation_mm += irrigation_mm
    if et0_mm:
        kr = fao56.surface_reduction(surface_mm, ground.readily_evaporable_mm, ground.evaporable_mm)
        soil_mm = fao56.evaporation_coefficient(kr, ground.kcb, ground.kc_max, ground.exposed) * et0_mm
        fraction = fao56.depletion_fraction(ground.fraction, ground.kcb * et0_mm_day)
        grass_mm = fao56.stress_coefficient(depletion_mm, total_mm, fraction) * ground.kcb * et0_mm
        evaporated_mm = min(soil_mm + grass_mm, total_mm - depletion_mm)
        depletion_mm += evaporated_mm
        surface_mm = min(ground.evaporable_mm, surface_mm + soil_mm / ground.exposed)
        bucket.evaporated_mm += evaporated_mm
        bucket.wished_mm += soil_mm + ground.kcb * et0_mm
    bucket.depletion_mm, bucket.surface_mm = depletion_mm, surface_mm
