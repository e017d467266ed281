"""When the sun rises and sets. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.localtime import day_number
from sprinkler.core.sun import NO_SUN, sun_min


def test_at_the_equator_day_and_night_share_the_day():
    for month in range(1, 13):
        day = day_number(2027, month, 21)
        rise, fall = sun_min(day, 0, 0, True), sun_min(day, 0, 0, False)
        assert 335 <= rise <= 370, (month, rise)
        assert 724 <= fall - rise <= 730, (month, fall - rise)


def test_noon_follows_the_equation_of_time():
    for month, day, noon_min in ((2, 11, 734), (5, 14, 716), (7, 26, 726), (11, 3, 704)):  # its four extremes
        number = day_number(2027, month, day)
        assert abs((sun_min(number, 4000, 0, True) + sun_min(number, 4000, 0, False)) // 2 - noon_min) <= 1


def test_fifteen_degrees_east_are_an_hour_earlier():
    day = day_number(2027, 9, 1)
    for rising in (True, False):
        here = sun_min(day, 4500, 0, rising)
        assert abs(sun_min(day, 4500, 1500, rising) - (here - 60)) <= 1
        assert abs(sun_min(day, 4500, -1500, rising) - (here + 60)) <= 1


def test_the_longest_day_is_in_june_in_the_north_and_in_december_in_the_south():
    def length(latitude_cdeg, month):
        day = day_number(2027, month, 21)
        return sun_min(day, latitude_cdeg, 0, False) - sun_min(day, latitude_cdeg, 0, True)

    assert length(6000, 6) > 18 * 60 > 6 * 60 > length(6000, 12)
    assert length(-6000, 12) > 18 * 60 > 6 * 60 > length(-6000, 6)


def test_polar_day_and_night_have_neither():
    for month in (6, 12):
        for latitude_cdeg in (7000, -7000, 9000, -9000):
            for rising in (True, False):
                assert sun_min(day_number(2027, month, 21), latitude_cdeg, 1900, rising) == NO_SUN


def test_no_number_outgrows_a_small_integer():
    for day in (0, 36524):
        for longitude_cdeg in (-18000, 18000):
            assert -720 <= sun_min(day, 6500, longitude_cdeg, True) <= 2160
