"""Where the sun stands and what reaches the ground under a clear sky: pure functions, degrees and W/m2.

Position: the low-precision formulas of the Astronomical Almanac (about 0.01 degree, 1950-2050). Irradiance: Haurwitz (1945), global
horizontal. Refraction is left out; clouds are the weather's.
"""

import math

UNIX_J2000_S = 946_728_000  # 2000-01-01 12:00 UTC


def solar_position(unix_s: float, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Declination and elevation of the sun's centre, in degrees; longitude counts to the east."""
    days = (unix_s - UNIX_J2000_S) / 86_400
    mean_longitude_deg = 280.460 + 0.985_647_4 * days
    anomaly = math.radians(357.528 + 0.985_600_3 * days)
    ecliptic_longitude = math.radians(mean_longitude_deg + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.000_000_4 * days)
    right_ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic_longitude), math.cos(ecliptic_longitude))
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic_longitude))
    sidereal_deg = 280.460_618_37 + 360.985_647_366_29 * days + longitude_deg
    hour_angle = math.radians(sidereal_deg) - right_ascension
    latitude = math.radians(latitude_deg)
    sine = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
        hour_angle
    )
    return math.degrees(declination), math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def elevation_deg(unix_s: float, latitude_deg: float, longitude_deg: float) -> float:
    """Elevation of the sun's centre above the horizon, in degrees."""
    return solar_position(unix_s, latitude_deg, longitude_deg)[1]


def clear_sky_w_m2(sun_elevation_deg: float) -> float:
    """Global horizontal irradiance under a clear sky; 0 at night."""
    if sun_elevation_deg <= 0:
        return 0.0
    cosine = math.sin(math.radians(sun_elevation_deg))
    return 1098 * cosine * math.exp(-0.059 / cosine)
