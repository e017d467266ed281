"""Sensors: each optional but the battery; what fails is null and a fault, and the board goes on."""

import pytest

from sprinkler import protocol

from .rig import Rig


@pytest.fixture
def make():
    rigs: list[Rig] = []

    def make(**arguments):
        more = {name: arguments.pop(name) for name in tuple(arguments) if name in MORE}
        rigs.append(Rig(**arguments, more=more))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.board.stop()


MORE = {"temperature_sensor", "rain_switch", "rain_when_open", "analog_probe_zone", "soil_raw", "ds3231"}
ANALOG = {"analog_probe_zone": 1, "soil_raw": [[840, 390], [320, 1015]]}


def sample(rig):
    """The newest sample, after one more round of them."""
    rig.run(31)
    return rig.said(protocol.TELEMETRY)[-1]["samples"][-1]


def faults(rig):
    return rig.state()["faults"]


@pytest.mark.parametrize("air_c", [21.5, 0.5, -0.5, -17.25, 38.0])
@pytest.mark.parametrize("sensor", ["soil", "ds3231"])
def test_the_temperature_is_told_in_tenths_of_a_degree_below_zero_too(make, sensor, air_c):
    rig = make(temperature_sensor=sensor)
    rig.board.bench.air_c = air_c
    rig.settle()
    assert abs(sample(rig)["temperature_dc"] - air_c * 10) <= 1
    assert "temperature" in rig.said(protocol.ANNOUNCE)[-1]["features"]
    assert faults(rig) == []


@pytest.mark.parametrize(("sensor", "address"), [("soil", 0x36), ("ds3231", 0x68)])
def test_a_thermometer_that_does_not_answer_is_a_fault_and_the_rest_goes_on(make, sensor, address):
    rig = make(temperature_sensor=sensor)
    rig.board.bench.bus.absent.add(address)
    rig.settle()
    found = sample(rig)
    assert found["temperature_dc"] is None
    assert found["soil_pct"][1] is not None
    assert faults(rig) == ["sensor"]
    rig.board.bench.bus.absent.clear()
    assert sample(rig)["temperature_dc"] is not None
    assert faults(rig) == []


def test_a_thermometer_that_the_settings_file_cannot_mean_is_a_fault(make):
    rig = make(temperature_sensor="thermocouple")
    rig.settle()
    assert sample(rig)["temperature_dc"] is None
    assert faults(rig) == ["sensor"]


def test_a_board_without_thermometer_or_rain_switch_says_null_and_has_no_fault(make):
    rig = make()
    rig.settle()
    found = sample(rig)
    assert (found["temperature_dc"], found["rain"]) == (None, None)
    assert not {"temperature", "rain"} & set(rig.said(protocol.ANNOUNCE)[-1]["features"])
    assert faults(rig) == []


@pytest.mark.parametrize("wet", [True, False])
@pytest.mark.parametrize("when_open", [True, False])
@pytest.mark.parametrize("place", ["expander", "flow_pin"])
def test_the_rain_switch_is_told_on_either_pin_and_with_either_contact(make, place, when_open, wet):
    rig = make(rain_switch=place, rain_when_open=when_open, **({"ul_per_pulse": 0} if place == "flow_pin" else {}))
    bench = rig.board.bench
    bench.rain_pin = place == "flow_pin"
    bench.wet = wet != when_open  # the bench's contact closes when it is wet
    rig.settle()
    assert sample(rig)["rain"] is wet
    assert "rain" in rig.said(protocol.ANNOUNCE)[-1]["features"]
    assert faults(rig) == []


@pytest.mark.parametrize("settings", [{"rain_switch": "flow_pin"}, {"rain_switch": "roof"}])
def test_a_rain_switch_in_a_place_that_cannot_be_is_a_fault(make, settings):
    rig = make(**settings)
    rig.settle()
    assert sample(rig)["rain"] is None
    assert faults(rig) == ["sensor"]


def test_a_rain_switch_without_its_expander_is_a_fault(make):
    rig = make(zones=1, rain_switch="expander")
    rig.settle()
    assert sample(rig)["rain"] is None
    assert faults(rig) == ["sensor"]


def test_reading_the_rain_switch_disturbs_no_bridge(make):
    rig = make(rain_switch="expander")
    rig.settle()
    rig.command("run", zone=2, run_time_s=120)
    rig.run(100)
    assert rig.open_zones() == [2]
    rig.run(40)
    assert rig.open_zones() == []
    assert rig.zone(2)["evidence"] == "verified"


def test_an_analog_probe_is_read_between_its_two_calibration_points(make):
    rig = make(**ANALOG)
    rig.board.bench.analog_zone = 1
    rig.settle()
    found = sample(rig)["soil_pct"]
    assert found[0] == pytest.approx(100 * rig.board.bench.wetness(0), abs=2)
    assert found[1] == pytest.approx(100 * rig.board.bench.wetness(1), abs=2)
    assert faults(rig) == []


def test_an_analog_probe_is_refused_where_the_battery_has_the_adc(make):
    rig = make(battery_sensor="adc", **ANALOG)
    rig.settle()
    found = sample(rig)
    assert found["soil_pct"][0] is None
    assert found["soil_pct"][1] is not None
    assert found["battery_mv"] > 3000
    assert faults(rig) == ["sensor"]


def test_an_analog_probe_that_is_not_connected_is_a_fault(make):
    rig = make(**ANALOG)
    rig.board.bench.analog_zone = 1
    rig.board.bench.adc_broken = True
    rig.settle()
    assert sample(rig)["soil_pct"][0] is None
    assert faults(rig) == ["sensor"]


@pytest.mark.parametrize(
    "raw", [[[320, 1015], [400, 400]], [[320, 1015], [320]], [[320, 1015], "wet"], [[320, 1015], 7]]
)
def test_a_calibration_that_is_none_is_a_fault_of_that_probe_alone(make, raw):
    rig = make(soil_raw=raw)
    rig.settle()
    found = sample(rig)["soil_pct"]
    assert found[0] is not None
    assert found[1] is None
    assert faults(rig) == ["sensor"]


def test_a_zone_without_a_probe_is_null_and_no_fault(make):
    rig = make(soil_raw=[[], [320, 1015]])
    rig.settle()
    found = sample(rig)["soil_pct"]
    assert found[0] is None
    assert found[1] is not None
    assert faults(rig) == []


@pytest.mark.parametrize("responsive", [True, False])
def test_the_current_sensors_sleep_between_two_readings(make, responsive):
    rig = make(responsive=responsive)
    rig.settle()
    rig.run(100.3)
    parts = rig.board.bench.bus.parts
    assert parts[0x40].powered_down
    assert parts[0x41].powered_down
    assert sample(rig)["battery_mv"] > 3000
    assert faults(rig) == []


def test_a_panel_sensor_that_does_not_answer_is_a_fault_and_the_battery_is_still_read(make):
    rig = make()
    rig.board.bench.bus.absent.add(0x41)
    rig.settle()
    found = sample(rig)
    assert (found["solar_mv"], found["solar_ma"]) == (None, None)
    assert found["battery_mv"] > 3000
    assert faults(rig) == ["sensor"]


def test_a_lost_rain_switch_is_one_event_and_one_more_when_it_is_back(make):
    rig = make(rain_switch="expander", responsive=False)
    rig.settle()
    rig.board.bench.bus.absent.add(0x20)
    rig.run(4 * 3600)
    rig.board.bench.bus.absent.clear()
    rig.run(2000)
    assert [e["reason"] for e in rig.events("fault")] == ["sensor"]
    assert [e["reason"] for e in rig.events("fault_cleared")] == ["sensor"]
