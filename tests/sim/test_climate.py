"""Weather from records and from the generator."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import climate
from sim.errors import SettingError

FIRST_DAY = (date(2027, 1, 1) - date(1970, 1, 1)).days


def sums(weather: climate.Weather, days: int = 365) -> tuple[float, float, float]:
    """(rain in mm, ET0 in mm, sun in kWh/m2 a day) of a year."""
    slots = [slot for day in range(days) for slot in weather.day(FIRST_DAY + day)]
    hours = climate.SLOT_S / 3600
    rain, et0 = sum(slot.rain_mm_h for slot in slots) * hours, sum(slot.et0_mm_h for slot in slots) * hours
    return rain, et0, sum(slot.light_w_m2 for slot in slots) * hours / 1000 / days


def test_every_record_is_complete_and_has_its_source() -> None:
    sources = (climate.DATA / "SOURCES.md").read_text(encoding="utf-8")
    assert len(climate.sites()) == 10
    for site in climate.sites():
        assert f"| {site}.csv |" in sources
        weather = climate.recorded(site)
        assert all(len(weather.day(FIRST_DAY + day)) == climate.SLOTS for day in (0, 58, 59, 364))
        for slot in weather.day(FIRST_DAY + 180):
            assert 0 <= slot.light_w_m2 < 1200
            assert -40 < slot.temperature_c < 50
            assert slot.rain_mm_h >= 0
            assert slot.et0_mm_h >= 0


def test_greensboro_has_the_rain_of_its_typical_year() -> None:
    rain, et0, sun = sums(climate.recorded("greensboro"))
    assert rain == pytest.approx(834.5, abs=0.1)
    assert 1000 < et0 < 1250
    assert sun == pytest.approx(4.29, abs=0.01)


def test_winter_is_dark_at_sand_point() -> None:
    weather = climate.recorded("sand_point")
    december = sum(slot.light_w_m2 for day in range(334, 365) for slot in weather.day(FIRST_DAY + day))
    june = sum(slot.light_w_m2 for day in range(151, 181) for slot in weather.day(FIRST_DAY + day))
    assert december < june / 7.5


@pytest.mark.parametrize("site", ["tunis", "champion", "seattle"])
def test_daily_record_keeps_its_sums_when_it_is_made_hourly(site: str) -> None:
    weather = climate.recorded(site)
    assert isinstance(weather, climate.Daily)
    rows = [weather._row(date.fromordinal(date(2027, 1, 1).toordinal() + day)) for day in range(365)]
    rain, et0, _ = sums(weather)
    assert rain == pytest.approx(sum(int(row[3]) for row in rows) / 10)
    if site != "seattle":
        assert et0 == pytest.approx(sum(int(row[4]) for row in rows) / 10)
    for day in (10, 200):
        air = [slot.temperature_c for slot in weather.day(FIRST_DAY + day)]
        assert min(air) == pytest.approx(int(rows[day][1]) / 10, abs=0.1)
        assert max(air) == pytest.approx(int(rows[day][2]) / 10, abs=0.1)


def test_year_of_a_daily_record_can_be_chosen() -> None:
    first, third = climate.recorded("tunis"), climate.recorded("tunis", year=1994)
    assert isinstance(first, climate.Daily)
    assert first.first_year == 1992
    assert sums(first) != sums(third)
    later = [slot.temperature_c for slot in first.day(FIRST_DAY + 365 + 366)]  # 2029 of a record that begins with 2027
    assert later == [slot.temperature_c for slot in third.day(FIRST_DAY)]
    with pytest.raises(SettingError, match="1992 to 2001, not 1950"):
        climate.recorded("tunis", year=1950)


def test_unknown_place_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"'atlantis'; there are: brussels, .*tunis"):
        climate.recorded("atlantis")


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), seed=st.integers(0, 99), day=st.integers(0, 364))
def test_generator_makes_a_possible_day_anywhere(latitude: float, longitude: float, seed: int, day: int) -> None:
    slots = climate.Generated(seed, latitude, longitude, clouds=True).day(FIRST_DAY + day)
    assert slots == climate.Generated(seed, latitude, longitude, clouds=True).day(FIRST_DAY + day)
    for slot in slots:
        assert 0 <= slot.light_w_m2 < 1100
        assert -75 < slot.temperature_c < 60
        assert 0 <= slot.rain_mm_h < 100
        assert 0 <= slot.et0_mm_day < 15
    assert sum(slot.et0_mm_h for slot in slots) / 4 == pytest.approx(slots[0].et0_mm_day)


def test_clear_sky_has_no_rain() -> None:
    assert sums(climate.Generated(3, 40, 0, clouds=False))[0] == 0
    assert sums(climate.Generated(3, 40, 0, clouds=True))[0] > 300
