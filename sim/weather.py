"""Clouds and rain out of a seed: pure functions of the seed and the time, so that nothing is stored and any moment can be asked for.

A plain generator for any latitude, not a climate: one day in four is wet, with an exponential amount (mean 8 mm) within three hours, under clouds. The
mean temperature falls with the square of the latitude and swings with the season by 0.3 C a degree; both are rough figures, not sourced. Records of real
sites are in `sim.data`.
"""

import math

_MASK = (1 << 64) - 1
RAIN_S = 3 * 3600


def uniform(seed: int, kind: int, index: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments (splitmix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + kind * 0xD1B54A32D192ED03 + index * 0x8CB92BA72F3D8DD7) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((x ^ (x >> 31)) >> 11) / (1 << 53)


def rain_mm_h(seed: int, unix_s: float) -> float:
    """Rain intensity; constant during a shower of three hours."""
    day = int(unix_s // 86_400)
    if uniform(seed, 1, day) >= 0.25:
        return 0.0
    start_s = day * 86_400 + uniform(seed, 2, day) * (86_400 - RAIN_S)
    if not start_s <= unix_s < start_s + RAIN_S:
        return 0.0
    return -8.0 * math.log(1.0 - uniform(seed, 3, day)) / (RAIN_S / 3600)


def clearness(seed: int, unix_s: float) -> float:
    """The part of the clear sky's light that comes through: 0.15 under rain clouds to 1; it drifts from hour to hour."""
    if rain_mm_h(seed, unix_s) > 0:
        return 0.15
    hour = unix_s / 3600
    index = int(hour // 1)
    part = hour - index
    day_mood = uniform(seed, 4, int(unix_s // 86_400))  # a fair or a dull day
    here, there = uniform(seed, 5, index), uniform(seed, 5, index + 1)
    cloud = (here + (there - here) * part) * (1.2 - day_mood)
    return 1.0 - 0.75 * min(1.0, max(0.0, cloud - 0.15))


def temperatures_c(seed: int, day: int, day_of_year: int, latitude_deg: float) -> tuple[float, float]:
    """Lowest and highest temperature of a day (counted from 1970); a fair day has the wider range."""
    mean = 28 - 0.0075 * latitude_deg * latitude_deg
    warmest = 205 if latitude_deg >= 0 else 22  # a month after the solstice
    mean += 0.3 * abs(latitude_deg) * math.cos(2 * math.pi * (day_of_year - warmest) / 365)
    mean += 6 * (uniform(seed, 6, day) - 0.5)
    half = 3 + 4 * uniform(seed, 4, day)
    return mean - half, mean + half
