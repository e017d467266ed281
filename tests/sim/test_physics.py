"""The physics against published values, and what must be conserved."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import battery, hydraulics, power, soil, sun, weather
from sim.errors import SettingError
from sim.timeline import VirtualTime
from sim.world import Scenario, World

JUNE_SOLSTICE_2026_S = 1_782_030_240  # 2026-06-21 08:24 UTC
DAY_S = 86_400


def noon_elevation(unix_s: float, latitude_deg: float, longitude_deg: float) -> float:
    """The highest elevation within a day of `unix_s`."""
    return max(sun.elevation_deg(unix_s + minute * 60, latitude_deg, longitude_deg) for minute in range(1440))


def test_sun_agrees_with_the_worked_example_of_nrel_spa() -> None:
    # Reda and Andreas, NREL/TP-560-34302, A.4: 2003-10-17 12:30:30 at UTC-7, declination -9.31434, elevation without refraction 39.87205
    declination, elevation = sun.solar_position(1_066_419_030, 39.742476, -105.1786)
    assert declination == pytest.approx(-9.31434, abs=0.02)
    assert elevation == pytest.approx(39.87205, abs=0.02)


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "highest_deg"),
    [
        (36.07, -79.79, 90 - 36.07 + 23.436),
        (51.48, 0.0, 90 - 51.48 + 23.436),
        (-33.87, 151.21, 90 - 33.87 - 23.436),
        (0, 0, 90 - 23.436),
    ],
)
def test_noon_sun_of_the_june_solstice_stands_at_its_known_height(
    latitude_deg: float, longitude_deg: float, highest_deg: float
) -> None:
    assert noon_elevation(JUNE_SOLSTICE_2026_S, latitude_deg, longitude_deg) == pytest.approx(highest_deg, abs=0.03)


def test_midnight_sun_shines_at_the_north_cape_in_june() -> None:
    lowest = min(sun.elevation_deg(JUNE_SOLSTICE_2026_S + minute * 60, 71.17, 25.78) for minute in range(1440))
    assert lowest > 4


def test_clear_sky_follows_haurwitz() -> None:
    assert sun.clear_sky_w_m2(90) == pytest.approx(1098 * math.exp(-0.059))
    assert sun.clear_sky_w_m2(30) == pytest.approx(1098 * 0.5 * math.exp(-0.059 / 0.5))
    assert sun.clear_sky_w_m2(-5) == 0


def test_cell_shows_the_published_open_circuit_voltages() -> None:
    published = (3.000, 3.640, 3.695, 3.733, 3.762, 3.793, 3.836, 3.909, 3.994, 4.088, 4.200)
    assert tuple(battery.open_circuit_v(tenth / 10) for tenth in range(11)) == pytest.approx(published)
    assert battery.open_circuit_v(0.25) == pytest.approx((3.695 + 3.733) / 2)


def test_panel_gives_the_measured_currents() -> None:
    assert battery.panel_a(1000, 2.0) == pytest.approx(0.338, abs=0.001)
    assert battery.panel_a(100, 2.0) == pytest.approx(0.036, abs=0.001)
    assert battery.panel_a(0, 2.0) == 0


def test_full_cell_takes_nothing_while_the_panel_feeds_the_board() -> None:
    drawn_a, into_cell_a = battery.charger_a(1.0, available_a=0.3, load_a=0.075)
    assert into_cell_a == pytest.approx(0, abs=1e-9)
    assert drawn_a == pytest.approx(0.075)


def test_two_open_zones_share_the_supply() -> None:
    alone = hydraulics.flows_ml_s((1.0, 0.0))
    both = hydraulics.flows_ml_s((1.0, 1.0))
    assert alone[0] == pytest.approx(8000 / 60)
    assert both[0] == both[1]
    assert alone[0] < sum(both) < 2 * alone[0]
    assert hydraulics.flows_ml_s((0.0, 0.0)) == (0, 0)
    assert hydraulics.flows_ml_s((1.0,), supply_bar=0) == (0,)


@given(
    kind=st.sampled_from(sorted(soil.SOILS)),
    part=st.floats(0, 1),
    steps=st.lists(st.tuples(st.floats(1, 3600), st.floats(0, 3), st.floats(0, 40), st.floats(0, 40)), max_size=30),
)
def test_soil_neither_makes_nor_loses_water(
    kind: str, part: float, steps: list[tuple[float, float, float, float]]
) -> None:
    ground = soil.Ground.of(kind)
    bucket = soil.Bucket(part * ground.available_mm, ground)
    before_mm = bucket.depletion_mm
    for seconds, et0_mm, rain_mm, irrigation_mm in steps:
        soil.step(bucket, seconds, et0_mm, rain_mm, irrigation_mm)
        assert 0 <= bucket.depletion_mm <= ground.available_mm + 1e-9
        assert 0 <= bucket.surface_mm <= ground.evaporable_mm
    gained = bucket.rain_mm + bucket.irrigation_mm - bucket.evaporated_mm - bucket.runoff_mm - bucket.drained_mm
    assert before_mm - bucket.depletion_mm == pytest.approx(gained, abs=1e-6)


def test_clogged_sprinklers_pass_less_and_a_burst_pipe_keeps_its_water_from_the_lawn() -> None:
    world = World(Scenario(clouds=False))
    valve = world.zones[0].valve
    assert valve.opening() == 0
    valve.open = True
    valve.clogged = 0.25
    assert (valve.opening(), valve.share()) == (0.75, 1)
    valve.clogged, valve.burst = 0.0, 3.0
    assert (valve.opening(), valve.share()) == (4, 0.25)
    whole, broken = hydraulics.flows_ml_s((1.0,))[0], hydraulics.flows_ml_s((4.0,))[0]
    assert whole < broken < 4 * whole  # the supply line gives in
    assert hydraulics.application_rate_mm_h(whole, 30) == pytest.approx(16)


def test_cold_doubles_the_resistance_of_the_cell() -> None:
    assert battery.internal_ohm(25) == pytest.approx(0.15)
    assert battery.internal_ohm(0) == pytest.approx(0.30)
    assert battery.terminal_v(0.5, -0.4, 0) == pytest.approx(battery.open_circuit_v(0.5) - 0.12)


def test_a_feather_before_revision_g_empties_the_cell_asleep() -> None:
    assert power.ASLEEP_MA["rev_f"] * 24 == pytest.approx(159, abs=1)  # mAh a day
    assert power.ASLEEP_MA["rev_g"] * 24 < 3


@given(
    start=st.floats(0, 100),
    panel_w=st.floats(0, 5),
    feather=st.sampled_from(sorted(power.ASLEEP_MA)),
    loads=st.lists(st.tuples(st.floats(0, 200), st.floats(1, 40_000)), min_size=1, max_size=12),
)
def test_charge_is_neither_made_nor_lost(
    start: float, panel_w: float, feather: str, loads: list[tuple[float, float]]
) -> None:
    world = World(Scenario(battery_pct=start, panel_w=panel_w, feather=feather, capacity_mah=500))
    before_mah = world.charge_mah
    assert isinstance(world.timeline, VirtualTime)
    for load_ma, seconds in loads:
        world.set_load_ma(load_ma)
        world.timeline.run_for(seconds)
        world.draw_mah(0.02)
        world.advance()
        assert 0 <= world.charge_mah <= 500
    assert world.charge_mah - before_mah == pytest.approx(world.charged_mah - world.drawn_mah, abs=1e-6)


@given(
    moves=st.lists(
        st.tuples(st.integers(0, 1), st.floats(0, 7200), st.floats(0, 1), st.floats(0, 4), st.floats(0.5, 5)),
        max_size=10,
    )
)
def test_every_drop_is_found_on_the_lawn_or_beside_it(
    moves: list[tuple[int, float, float, float, float]],
) -> None:
    world = World(Scenario(zones=2, site="greensboro"))
    assert isinstance(world.timeline, VirtualTime)
    for number, seconds, clogged, burst, supply_bar in moves:
        valve = world.zones[number].valve
        world.advance()
        world.supply_bar, valve.clogged, valve.burst = supply_bar, clogged, burst
        world.refresh_flows()
        world.move_valve(number, opens=not valve.open)
        world.timeline.run_for(seconds)
    world.advance()
    for zone in world.zones:
        found_ml = zone.soil.irrigation_mm * world.scenario.area_m2 * 1000 + zone.spilled_ml
        assert found_ml == pytest.approx(zone.meter_ml, abs=0.01)


def test_weather_depends_on_its_seed_and_its_time_only() -> None:
    hours = [1_800_000_000 + 3600 * hour for hour in range(24 * 60)]
    first = [(weather.clearness(7, hour), weather.rain_mm_h(7, hour)) for hour in hours]
    again = [(weather.clearness(7, hour), weather.rain_mm_h(7, hour)) for hour in reversed(hours)]
    assert first == again[::-1]
    assert first != [(weather.clearness(8, hour), weather.rain_mm_h(8, hour)) for hour in hours]
    assert all(0.1 <= clear <= 1 and rain >= 0 for clear, rain in first)
    assert any(rain > 0 for _, rain in first)


def days_of(world: World, days: int) -> None:
    """Let days pass, with water in the first zone for ten minutes of each hour."""
    timeline = world.timeline
    assert isinstance(timeline, VirtualTime)
    for _ in range(days * 24):
        world.move_valve(0, opens=True)
        timeline.run_for(600)
        world.move_valve(0, opens=False)
        timeline.run_for(3000)
    world.advance()


def test_all_water_that_passed_the_meter_is_found_in_the_lawn() -> None:
    world = World(Scenario(zones=2, seed=3))
    before_mm = world.zones[0].soil.depletion_mm
    days_of(world, 3)
    zone = world.zones[0]
    bucket = zone.soil
    area_m2 = world.scenario.area_m2
    assert zone.meter_ml == pytest.approx(3 * 24 * 600 * 8000 / 60)
    assert bucket.irrigation_mm * area_m2 * 1000 == pytest.approx(zone.meter_ml)
    assert before_mm - bucket.depletion_mm == pytest.approx(
        bucket.rain_mm + bucket.irrigation_mm - bucket.evaporated_mm - bucket.runoff_mm - bucket.drained_mm
    )
    assert world.zones[1].meter_ml == 0
    assert bucket.drained_mm + bucket.runoff_mm > 0


def test_all_charge_is_accounted_for() -> None:
    world = World(Scenario(battery_pct=50, seed=5))
    start_mah = world.charge_mah
    world.set_load_ma(20)
    days_of(world, 5)
    assert world.charged_mah > 100
    assert world.drawn_mah > 100
    assert world.charge_mah - start_mah == pytest.approx(world.charged_mah - world.drawn_mah)


def test_how_often_one_looks_changes_nothing_that_flows() -> None:
    seldom, often = World(Scenario(seed=2, clouds=False)), World(Scenario(seed=2, clouds=False))
    for world, looks in ((seldom, 1), (often, 500)):
        world.move_valve(1, opens=True)
        timeline = world.timeline
        assert isinstance(timeline, VirtualTime)
        for _ in range(looks):
            timeline.run_for(5000 / looks)
            world.advance()
    assert seldom.zones[1].meter_ml == pytest.approx(often.zones[1].meter_ml)
    assert seldom.charge_mah == pytest.approx(often.charge_mah, abs=0.01)


def test_speed_ages_the_lawn_and_not_the_water() -> None:
    slow, fast = World(Scenario(clouds=False)), World(Scenario(clouds=False, speed=100))
    for world in (slow, fast):
        world.move_valve(0, opens=True)
        timeline = world.timeline
        assert isinstance(timeline, VirtualTime)
        timeline.run_for(600)
    assert slow.truth()["zones"][0]["meter_ml"] == fast.truth()["zones"][0]["meter_ml"]  # type: ignore[index]
    assert fast.lawn_unix_s() - fast.scenario.start_unix_s == pytest.approx(60_000)
    assert fast.unix_s() - fast.scenario.start_unix_s == pytest.approx(600)


@pytest.mark.parametrize(
    "wrong", [{"zones": 0}, {"zones": 5}, {"latitude_deg": 91}, {"speed": 0}, {"battery_pct": 101}, {"area_m2": 0}]
)
def test_impossible_scenario_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        Scenario(**wrong)  # type: ignore[arg-type]
