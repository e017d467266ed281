"""Sun: when it rises and sets, in integers.

Rule: a day number and a place in, a minute of UTC out, within three minutes up to latitude 65. It must not know time zones or programs.
Source: the low-precision sun of the Astronomical Almanac (0.01 degree from 1950 to 2050). Angles are 65536ths of a turn, sines 16384ths.
"""

NO_SUN = -99999  # it does not rise, or does not set, that day
_HORIZON = -238  # sine of -0.833 degree: refraction, and half the sun's disc
_TURN = 65535


def sun_min(day: int, latitude_cdeg: int, longitude_cdeg: int, rising: bool) -> int:
    """The minute of sunrise (or sunset) after 00:00 UTC of `day`, for the noon that is nearest to 12:00 UTC less the longitude's four minutes a degree
    (so it may lie on a neighbouring date). NO_SUN in a polar day or night.
    """
    latitude = latitude_cdeg * 8192 // 4500
    sin_latitude, cos_latitude = _sin(latitude), _sin(latitude + 16384)
    east = longitude_cdeg * 8192 // 4500
    at_min = 720 - longitude_cdeg // 25
    for _ in range(3):  # the sun moves on between noon and its rise: what counts is its place then
        anomaly, longitude = _mean_sun(day, at_min)
        centre = (349 * _sin(anomaly) + 4 * _sin(2 * anomaly)) >> 14
        longitude += centre
        sin_declination = 6517 * _sin(longitude) >> 14
        cos_declination = _root(268435456 - sin_declination * sin_declination)
        across = cos_latitude * cos_declination >> 14
        need = _HORIZON - (sin_latitude * sin_declination >> 14)
        if not -across < need < across:
            return NO_SUN
        half = _arc(need, across)
        equation = ((449 * _sin(2 * longitude) - 10 * _sin(4 * longitude)) >> 14) - centre
        at_min = 720 - ((east + equation + (half if rising else -half)) * 45 + 1024) // 2048
    return at_min


def _mean_sun(day: int, minute: int) -> tuple[int, int]:
    """Mean anomaly and mean longitude at `minute` of `day`."""
    fours = day // 1461  # years of the Julian calendar: so that products stay small
    rest = day - fours * 1461
    part = (minute - 720) * 1246 // 10000
    anomaly = 65086 + (rest * 179423 - fours * 6922) // 1000 + part
    longitude = 51056 + (rest * 179432 + fours * 5606) // 1000 + part
    return anomaly & _TURN, longitude & _TURN


def _sin(angle: int) -> int:
    """Sine, by a polynomial of the seventh order (Abramowitz and Stegun 4.3.97 has its like); 1 in 10000 or better."""
    angle &= _TURN
    sign = 1
    if angle > 32768:
        angle = 65536 - angle
        sign = -1
    if angle > 16384:
        angle = 32768 - angle
    square = angle * angle >> 14
    curve = 10583 - ((square * (1302 - (square * 71 >> 14))) >> 14)
    return sign * ((angle * (25736 - (square * curve >> 14)) + 8192) >> 14)


def _root(square: int) -> int:
    """The root of a number near 15000 squared, by Newton."""
    root = 15700
    for _ in range(3):
        root = (root + square // root) >> 1
    return root


def _arc(need: int, across: int) -> int:
    """The angle from 0 to half a turn whose cosine is need / across, by halving."""
    low, high = 0, 32768
    while high - low > 1:
        middle = (low + high) >> 1
        if _sin(middle + 16384) * across > need << 14:
            low = middle
        else:
            high = middle
    return high
