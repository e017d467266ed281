"""Coil: the current of a valve's pulse, where the battery's INA219 may look at it."""

from types import SimpleNamespace

import pytest

import closer
from sim.parts.bridge import coil_ma
from sim.zone import HELD_OHM, LATCHING_OHM
from sprinkler import protocol

from .rig import Rig

NOMINAL_MA = round(coil_ma(LATCHING_OHM))


def rig_with(request, **settings):
    settings = {"pulse_ma": NOMINAL_MA, "battery_sensor": "ina219"} | settings
    ul_per_pulse = settings.pop("ul_per_pulse", 0)
    held = settings.pop("held", False)
    rig = Rig(ul_per_pulse=ul_per_pulse, held=held, more=settings)
    request.addfinalizer(rig.board.stop)
    return rig


@pytest.fixture
def rig(request):
    rig = rig_with(request)
    rig.run(40)
    return rig


def faults(rig):
    return [e["reason"] for e in rig.events("fault")]


def test_without_a_meter_closed_is_sensed(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    assert (rig.zone(1)["valve"], rig.zone(1)["evidence"]) == ("closed", "sensed")
    assert rig.events("run_finished")[-1]["result"] == "completed"
    assert faults(rig) == []


def test_as_many_closing_pulses_are_given_as_without_a_look(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(5)
    before = len(rig.board.bench.bridge.pulses)
    rig.run(30)
    assert len(list(rig.board.bench.bridge.pulses)[before:]) == 3


def test_the_look_makes_no_pulse_wider(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    assert all(59_000 <= pulse.width_us <= 61_000 for pulse in rig.board.bench.bridge.pulses), "to the millisecond"


def test_a_broken_wire_opens_nothing_for_long_and_is_a_fault(rig):
    rig.world.zones[0].valve.coil_ohm = 0
    rig.command("run", zone=1, run_time_s=600)
    rig.run(5)
    assert "sensor" in rig.state()["faults"]
    assert rig.zone(1)["valve"] != "open"
    assert rig.events("run_finished") == [], "it is not known to be closed"


def test_a_wire_that_breaks_while_water_runs_is_never_called_closed_until_it_is_mended(rig):
    rig.command("run", zone=1, run_time_s=20)
    rig.run(5)
    rig.world.zones[0].valve.coil_ohm = 0
    rig.run(300)
    assert rig.open_zones() == [1]
    assert rig.zone(1)["valve"] == "closing"
    assert "sensor" in rig.state()["faults"]
    rig.world.zones[0].valve.coil_ohm = LATCHING_OHM
    rig.run(200)
    assert rig.open_zones() == []
    assert (rig.zone(1)["valve"], rig.zone(1)["evidence"]) == ("closed", "sensed")
    assert rig.state()["faults"] == []


def test_a_short_circuit_is_a_fault(rig):
    rig.world.zones[0].valve.coil_ohm = 0.2
    rig.command("run", zone=1, run_time_s=600)
    rig.run(5)
    assert "sensor" in rig.state()["faults"]
    assert rig.open_zones() == []


def test_one_zones_good_pulse_does_not_hide_another_ones_broken_wire(request):
    rig = rig_with(request, ul_per_pulse=2222)
    rig.run(20)
    rig.world.zones[0].valve.coil_ohm = 0
    rig.command("run", zone=1, run_time_s=60)
    rig.run(60)
    rig.command("run", zone=2, run_time_s=10)
    rig.run(30)
    assert "sensor" in rig.state()["faults"]


def test_a_meter_proves_more_than_a_current_does(request):
    rig = rig_with(request, ul_per_pulse=2222)
    rig.run(20)
    rig.world.zones[0].valve.coil_ohm = 0
    rig.command("run", zone=1, run_time_s=60)
    rig.run(120)
    assert rig.events("run_finished")[-1]["reason"] == "no_flow"
    assert rig.zone(1)["valve"] == "closed"
    assert "sensor" in rig.state()["faults"]
    rig.command("run", zone=2, run_time_s=10)
    rig.run(30)
    assert rig.zone(2)["evidence"] == "verified"


def test_a_sensor_that_is_gone_stops_no_pulse(rig):
    rig.command("run", zone=1, run_time_s=20)
    rig.run(5)
    rig.board.bench.bus.absent.add(0x40)
    rig.run(60)
    assert rig.open_zones() == []
    assert rig.zone(1)["evidence"] == "assumed"


def test_a_closer_that_lets_nobody_look_on_works_as_before(request, monkeypatch):
    monkeypatch.delattr(closer, "LOOK_MS")
    monkeypatch.setattr(closer, "_looked", None)
    rig = rig_with(request)
    old = rig.board.chip.flash.files["/closer.py"].replace(b"LOOK_MS", b"NO_LOOK_MS")
    rig.board.chip.flash.files["/closer.py"] = old
    rig.run(40)
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    assert rig.zone(1)["evidence"] == "assumed"


def test_a_held_valve_shows_its_current_while_it_opens(request):
    rig = rig_with(request, held=True, pulse_ma=round(coil_ma(HELD_OHM)))
    rig.run(20)
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    assert (rig.zone(1)["evidence"], faults(rig)) == ("assumed", []), "letting go draws nothing"
    rig.world.zones[0].valve.coil_ohm = 0
    rig.command("run", zone=1, run_time_s=60)
    rig.run(10)
    assert "sensor" in faults(rig)
    assert rig.zone(1)["valve"] == "closed"


def test_a_check_tells_the_current(rig):
    rig.command("check_valve", zone=1)
    rig.run(30)
    assert rig.said(protocol.HEALTH)[-1]["pulse_ma"] == pytest.approx(NOMINAL_MA, rel=0.1)


def test_without_the_setting_nobody_looks(request):
    rig = rig_with(request, pulse_ma=0)
    rig.run(40)
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    assert rig.zone(1)["evidence"] == "assumed"
    assert rig.said(protocol.HEALTH)[-1]["pulse_ma"] is None


class Wires:
    """What the closer needs of the port; `levels` are the rises and falls of a line, with their time in ms."""

    def __init__(self):
        self.now_ms = 0
        self.edges = []
        self.time = SimpleNamespace(
            sleep_ms=self._pass, ticks_ms=lambda: self.now_ms, ticks_diff=lambda a, b: a - b, sleep_us=lambda us: None
        )
        pin = lambda number, *_, value=None: lambda level=0: self.edges.append((number, level, self.now_ms))  # noqa: E731
        self.machine = SimpleNamespace(Pin=pin)
        pin.OUT = 1

    def _pass(self, ms):
        self.now_ms += ms

    def width_ms(self, pin):
        (rise,) = [at for number, level, at in self.edges if number == pin and level]
        return [at for number, level, at in self.edges if number == pin and not level][-1] - rise


@pytest.mark.parametrize("took_ms", [0, 5, 30, 48])
def test_the_time_of_a_look_is_the_pulses_own(took_ms):
    wires = Wires()
    config = SimpleNamespace(ZONES=1, CLOSE_MS=60)
    closer.pulse(wires.machine, wires.time, config, 1, False, lambda: wires.time.sleep_ms(took_ms))
    assert wires.width_ms(closer.CLOSE_PIN) == 60


@pytest.mark.parametrize("error", [OSError(110), MemoryError(), TypeError(), ZeroDivisionError()])
def test_what_a_look_raises_ends_no_pulse(error):
    def look():
        raise error

    wires = Wires()
    closer.pulse(wires.machine, wires.time, SimpleNamespace(ZONES=1, CLOSE_MS=60), 1, False, look)
    assert wires.width_ms(closer.CLOSE_PIN) == 60


def test_a_pulse_that_is_shorter_than_the_wait_for_the_look_keeps_its_width():
    wires = Wires()
    closer.pulse(wires.machine, wires.time, SimpleNamespace(ZONES=1, CLOSE_MS=8), 1, False, lambda: None)
    assert wires.width_ms(closer.CLOSE_PIN) == 8
