"""Evapotranspiration and crop coefficients after FAO Irrigation and Drainage Paper 56 (Allen, Pereira, Raes, Smith 1998).

Rule: pure functions, each named with the paper's equation. Temperatures in C, pressures in kPa, radiation in MJ/m2 a day (or an hour), depths in mm,
latitude in degrees, wind in m/s at 2 m. No state, no time of its own.
"""

import math

SOLAR_MJ_M2_MIN = 0.0820  # solar constant
STEFAN_MJ_DAY = 4.903e-9  # Stefan-Boltzmann, MJ/(K4 m2 day)
ALBEDO = 0.23  # of the reference grass
MJ_PER_WH = 0.0036


def pressure_kpa(altitude_m: float) -> float:
    """Air pressure (eq. 7)."""
    return float(101.3 * ((293 - 0.0065 * altitude_m) / 293) ** 5.26)


def psychrometric(kpa: float) -> float:
    """Psychrometric constant in kPa/C (eq. 8)."""
    return 0.665e-3 * kpa


def saturation_kpa(temperature_c: float) -> float:
    """Saturation vapour pressure (eq. 11)."""
    return 0.6108 * math.exp(17.27 * temperature_c / (temperature_c + 237.3))


def slope_kpa_c(temperature_c: float) -> float:
    """Slope of the saturation vapour pressure (eq. 13)."""
    return 4098 * saturation_kpa(temperature_c) / (temperature_c + 237.3) ** 2


def mean_saturation_kpa(tmin_c: float, tmax_c: float) -> float:
    """Saturation vapour pressure of a day (eq. 12)."""
    return (saturation_kpa(tmin_c) + saturation_kpa(tmax_c)) / 2


def vapour_kpa(tmin_c: float, tmax_c: float, humidity_min_pct: float, humidity_max_pct: float) -> float:
    """Actual vapour pressure from the day's extremes (eq. 17)."""
    return (saturation_kpa(tmin_c) * humidity_max_pct + saturation_kpa(tmax_c) * humidity_min_pct) / 200


def wind_at_2_m(wind_m_s: float, height_m: float) -> float:
    """Wind brought from `height_m` to 2 m (eq. 47)."""
    return wind_m_s * 4.87 / math.log(67.8 * height_m - 5.42)


def sun_distance(day_of_year: int) -> float:
    """Inverse relative distance of the sun (eq. 23)."""
    return 1 + 0.033 * math.cos(2 * math.pi / 365 * day_of_year)


def declination_rad(day_of_year: int) -> float:
    """Declination of the sun (eq. 24)."""
    return 0.409 * math.sin(2 * math.pi / 365 * day_of_year - 1.39)


def sunset_rad(day_of_year: int, latitude_deg: float) -> float:
    """Hour angle of sunset (eq. 25): 0 in polar night, pi in polar day."""
    cosine = -math.tan(math.radians(latitude_deg)) * math.tan(declination_rad(day_of_year))
    return math.acos(max(-1.0, min(1.0, cosine)))


def daylight_h(day_of_year: int, latitude_deg: float) -> float:
    """Hours of daylight (eq. 34)."""
    return 24 / math.pi * sunset_rad(day_of_year, latitude_deg)


def extraterrestrial_mj(day_of_year: int, latitude_deg: float) -> float:
    """Radiation above the atmosphere in a day (eq. 21)."""
    latitude, declination = math.radians(latitude_deg), declination_rad(day_of_year)
    sunset = sunset_rad(day_of_year, latitude_deg)
    angles = sunset * math.sin(latitude) * math.sin(declination)
    angles += math.cos(latitude) * math.cos(declination) * math.sin(sunset)
    return max(0.0, 24 * 60 / math.pi * SOLAR_MJ_M2_MIN * sun_distance(day_of_year) * angles)


def solar_angle_rad(day_of_year: int, clock_h: float, longitude_west_deg: float, zone_west_deg: float) -> float:
    """Hour angle of the sun at a standard clock time (eq. 31-33)."""
    b = 2 * math.pi * (day_of_year - 81) / 364
    season_h = 0.1645 * math.sin(2 * b) - 0.1255 * math.cos(b) - 0.025 * math.sin(b)
    return math.pi / 12 * (clock_h + 0.06667 * (zone_west_deg - longitude_west_deg) + season_h - 12)


def extraterrestrial_hour_mj(day_of_year: int, latitude_deg: float, from_rad: float, to_rad: float) -> float:
    """Radiation above the atmosphere between two hour angles of the sun (eq. 28)."""
    latitude, declination = math.radians(latitude_deg), declination_rad(day_of_year)
    angles = (to_rad - from_rad) * math.sin(latitude) * math.sin(declination)
    angles += math.cos(latitude) * math.cos(declination) * (math.sin(to_rad) - math.sin(from_rad))
    return max(0.0, 12 * 60 / math.pi * SOLAR_MJ_M2_MIN * sun_distance(day_of_year) * angles)


def angstrom_mj(extraterrestrial: float, sunshine_h: float, daylight: float) -> float:
    """Solar radiation from hours of sunshine (eq. 35)."""
    return (0.25 + 0.50 * sunshine_h / daylight) * extraterrestrial


def clear_sky_mj(extraterrestrial: float, altitude_m: float) -> float:
    """Solar radiation under a clear sky (eq. 37)."""
    return (0.75 + 2e-5 * altitude_m) * extraterrestrial


def radiation_from_temperature_mj(extraterrestrial: float, tmin_c: float, tmax_c: float, k: float = 0.16) -> float:
    """Solar radiation from the day's range of temperature (eq. 50); k is 0.16 inland, 0.19 at a coast. Never above 75 % of `extraterrestrial`."""
    return min(0.75, k * math.sqrt(max(0.0, tmax_c - tmin_c))) * extraterrestrial


def net_longwave_mj(tmin_c: float, tmax_c: float, vapour: float, clearness: float) -> float:
    """Net outgoing long-wave radiation of a day (eq. 39); `clearness` is Rs / Rso, at most 1."""
    kelvins = ((tmax_c + 273.16) ** 4 + (tmin_c + 273.16) ** 4) / 2
    return float(STEFAN_MJ_DAY * kelvins * (0.34 - 0.14 * math.sqrt(vapour)) * (1.35 * min(1.0, clearness) - 0.35))


def net_radiation_mj(solar: float, clear_sky: float, tmin_c: float, tmax_c: float, vapour: float) -> float:
    """Net radiation of a day (eq. 38-40). Under a polar night's sky the clearness is taken as 0.7."""
    clearness = solar / clear_sky if clear_sky > 0 else 0.7
    return (1 - ALBEDO) * solar - net_longwave_mj(tmin_c, tmax_c, vapour, clearness)


def penman_monteith_mm(
    tmin_c: float,
    tmax_c: float,
    net_mj: float,
    wind_m_s: float,
    vapour: float,
    altitude_m: float,
    soil_heat_mj: float = 0.0,
) -> float:
    """Reference evapotranspiration ET0 of a day (eq. 6), not below 0."""
    mean_c = (tmin_c + tmax_c) / 2
    slope, gamma = slope_kpa_c(mean_c), psychrometric(pressure_kpa(altitude_m))
    deficit = mean_saturation_kpa(tmin_c, tmax_c) - vapour
    above = 0.408 * slope * (net_mj - soil_heat_mj) + gamma * 900 / (mean_c + 273) * wind_m_s * deficit
    return max(0.0, above / (slope + gamma * (1 + 0.34 * wind_m_s)))


def penman_monteith_hour_mm(
    temperature_c: float, net_mj: float, wind_m_s: float, vapour: float, altitude_m: float, soil_heat_mj: float
) -> float:
    """Reference evapotranspiration of an hour (eq. 53), not below 0."""
    slope, gamma = slope_kpa_c(temperature_c), psychrometric(pressure_kpa(altitude_m))
    deficit = saturation_kpa(temperature_c) - vapour
    above = 0.408 * slope * (net_mj - soil_heat_mj) + gamma * 37 / (temperature_c + 273) * wind_m_s * deficit
    return max(0.0, above / (slope + gamma * (1 + 0.34 * wind_m_s)))


def hargreaves_mm(extraterrestrial: float, tmin_c: float, tmax_c: float) -> float:
    """ET0 of a day from its temperatures alone (eq. 52), not below 0."""
    mean_c = (tmin_c + tmax_c) / 2
    return max(0.0, 0.0023 * (mean_c + 17.8) * math.sqrt(max(0.0, tmax_c - tmin_c)) * 0.408 * extraterrestrial)


def coefficient_max(kcb: float, wind_m_s: float, humidity_min_pct: float, height_m: float) -> float:
    """The most that crop and wet soil together can take, as a part of ET0 (eq. 72)."""
    climate = 0.04 * (wind_m_s - 2) - 0.004 * (humidity_min_pct - 45)
    return float(max(1.2 + climate * (height_m / 3) ** 0.3, kcb + 0.05))


def cover(kcb: float, kc_max: float, height_m: float, kc_min: float = 0.15) -> float:
    """Part of the ground that the crop covers (eq. 76)."""
    return float(max(0.0, (kcb - kc_min) / (kc_max - kc_min)) ** (1 + 0.5 * height_m))


def surface_reduction(surface_depletion_mm: float, readily_mm: float, total_mm: float) -> float:
    """Kr: how well the upper soil still evaporates (eq. 74), 0 ... 1."""
    if surface_depletion_mm <= readily_mm:
        return 1.0
    return max(0.0, (total_mm - surface_depletion_mm) / (total_mm - readily_mm))


def evaporation_coefficient(kr: float, kcb: float, kc_max: float, exposed: float) -> float:
    """Ke: evaporation from the soil as a part of ET0 (eq. 71); `exposed` is the part that is wet and bare."""
    return min(kr * (kc_max - kcb), exposed * kc_max)


def depletion_fraction(table: float, crop_mm_day: float) -> float:
    """p: part of the available water that a crop takes without stress, on a day on which it takes so much (footnote of table 22)."""
    return max(0.1, min(0.8, table + 0.04 * (5 - crop_mm_day)))


def stress_coefficient(depletion_mm: float, total_mm: float, fraction: float) -> float:
    """Ks: how far a dry root zone slows the crop (eq. 84), 0 ... 1."""
    if depletion_mm <= fraction * total_mm:
        return 1.0
    return max(0.0, (total_mm - depletion_mm) / ((1 - fraction) * total_mm))
