"""Leak: water while every valve is closed, too little for a pipe that burst, enough to be a fault."""

import pytest

from sim import hydraulics
from sprinkler import protocol
from sprinkler.watching import seen_from_ml_min

from .rig import Rig

HOUR = 3600


@pytest.fixture
def sleeper():
    rig = Rig(responsive=False)
    rig.run(120)
    rig.desired(wake_interval_s=900)
    rig.run(2000)
    yield rig
    rig.board.stop()


@pytest.fixture
def fine_meter(monkeypatch):
    """A meter whose wheel turns at any flow; that of the simulator stands still below 0.3 l/min."""
    monkeypatch.setattr(hydraulics, "WHEEL_TURNS_ML_S", 0.01)


SLOW, DROPS = 0.01, 0.0015  # 80 and 12 ml/min


def leak(rig, opening, zone=1):
    """The closed valve of `zone` lets some water pass: `opening` as a part of 8 l/min."""
    rig.world.advance()
    rig.world.zones[zone - 1].valve.leak = opening
    rig.world.refresh_flows()


def acknowledge(rig):
    """Home Assistant has stored all that it knows of."""
    state = rig.state()
    rig.send(
        protocol.ACK, {"boot_id": state["boot_id"], "event": state["event"], "sample": state["sample"]}, retain=True
    )


def faults(rig):
    return [(e["zone"], e["reason"]) for e in rig.events("fault")]


def awake_s(rig, seconds):
    """How long the board is up within `seconds`, to half a second."""
    up = 0.0
    for _ in range(int(seconds * 2)):
        rig.run(0.5)
        up += 0.5 * (rig.board.session is not None)
    return up


def wakes(rig, seconds):
    """The lengths of the wakes within `seconds`."""
    found, length = [], 0.0
    for _ in range(int(seconds * 2)):
        rig.run(0.5)
        if rig.board.session is not None:
            length += 0.5
        elif length:
            found.append(length)
            length = 0.0
    return found


def test_a_sleeping_board_finds_a_slow_leak_within_the_hour_and_closes_everything_once_more(sleeper, fine_meter):
    leak(sleeper, SLOW)
    before = len(sleeper.board.bench.bridge.pulses)
    sleeper.run(HOUR + 120)
    assert (0, "leak") in faults(sleeper)
    assert "leak" in sleeper.state()["faults"]
    tried = list(sleeper.board.bench.bridge.pulses)[before:]
    assert {pulse.zone for pulse in tried} == {1, 2}
    assert not any(pulse.opens for pulse in tried)


def test_a_closed_garden_is_watched_for_ten_seconds_on_one_wake_an_hour(sleeper):
    lengths = wakes(sleeper, 4 * HOUR)
    long = [length for length in lengths if length >= 9]
    assert len(long) == 4, lengths
    assert max(lengths) <= 11
    assert len(lengths) == 16
    assert faults(sleeper) == []


def test_the_hours_watch_says_nothing_and_writes_nothing(sleeper):
    acknowledge(sleeper)
    sleeper.run(1000)
    writes, said = [], len(sleeper.broker.log)
    sleeper.board.chip.flash.on_write = lambda _step, _what, path: writes.append(path)
    for _ in range(8):
        acknowledge(sleeper)
        sleeper.run(HOUR / 8)
    assert writes == []
    told = [m.topic.rpartition("/")[2] for m in sleeper.broker.log[said:] if m.sender.startswith("sprinkler-")]
    assert sorted(set(told)) == ["availability", "state", "telemetry"]
    assert [a["state"] for a in sleeper.said(protocol.AVAILABILITY)[-4:]] == ["asleep"] * 4


def test_a_board_that_woke_for_its_hours_watch_wakes_next_when_it_said(sleeper):
    sleeper.run(HOUR)
    until = sleeper.said(protocol.AVAILABILITY)[-1]["until"]
    boots = len(sleeper.board.boots)
    sleeper.run(until - sleeper.now() + 3)
    assert len(sleeper.board.boots) == boots + 1


def test_a_leak_that_nobody_mends_does_not_keep_the_board_awake(sleeper, fine_meter):
    leak(sleeper, SLOW)
    sleeper.run(HOUR + 120)
    assert awake_s(sleeper, 2 * HOUR) < 240
    assert "leak" in sleeper.state()["faults"]
    assert faults(sleeper).count((0, "leak")) == 1, "it is told once"


def test_the_fault_goes_with_the_leak(sleeper, fine_meter):
    leak(sleeper, SLOW)
    sleeper.run(HOUR + 120)
    leak(sleeper, 0.0)
    sleeper.run(HOUR + 120)
    assert sleeper.state()["faults"] == []
    assert [(e["zone"], e["reason"]) for e in sleeper.events("fault_cleared")] == [(0, "leak")]


def test_a_leak_that_the_closing_ends_is_told_and_is_over_in_the_same_wake(sleeper, fine_meter):
    leak(sleeper, SLOW)
    while (0, "leak") not in faults(sleeper):
        sleeper.run(1)
    boots = len(sleeper.board.boots)
    leak(sleeper, 0.0)
    sleeper.run(30)
    assert sleeper.state()["faults"] == []
    assert len(sleeper.board.boots) == boots


def test_a_leak_that_is_too_fast_to_be_a_drip_locks_the_zones(sleeper):
    leak(sleeper, 0.05)
    sleeper.run(HOUR + 120)
    assert sleeper.zone(1)["faults"] == ["leak"]


def test_drops_below_what_was_told_are_no_fault_and_cost_no_night(sleeper, fine_meter):
    leak(sleeper, DROPS)
    assert awake_s(sleeper, 2 * HOUR) < 150
    assert faults(sleeper) == []


def test_a_jolt_of_the_wheel_is_no_leak(sleeper, fine_meter):
    sleeper.run(200)
    while sleeper.board.session is None:
        sleeper.run(0.1)
    leak(sleeper, 0.05)
    sleeper.run(0.5)  # 3.5 ml
    leak(sleeper, 0.0)
    sleeper.run(2 * HOUR)
    assert faults(sleeper) == []


def test_a_leak_is_found_while_the_board_stays_awake_and_ends_there(request, fine_meter):
    rig = Rig()
    request.addfinalizer(rig.board.stop)
    rig.run(120)
    leak(rig, SLOW)
    rig.run(30)
    assert (0, "leak") in faults(rig)
    before = len(rig.board.bench.bridge.pulses)
    rig.run(800)
    assert len(rig.board.bench.bridge.pulses) - before <= 2, "not all the time"
    leak(rig, 0.0)
    rig.run(60)
    assert rig.state()["faults"] == []


def test_a_run_by_hand_waters_in_spite_of_a_slow_leak(request, fine_meter):
    rig = Rig()
    request.addfinalizer(rig.board.stop)
    rig.run(120)
    leak(rig, SLOW, zone=2)
    rig.run(60)
    rig.command("run", zone=1, run_time_s=60)
    rig.run(3)
    assert rig.open_zones() == [1]
    rig.run(120)
    assert rig.events("run_finished")[-1]["result"] == "completed"


@pytest.mark.parametrize(("ul_per_pulse", "ml_min"), [(2222, 27), (6000, 36), (10000, 60), (1000, 30), (100, 36)])
def test_the_smallest_flow_is_reckoned_from_the_meters_pulses(ul_per_pulse, ml_min):
    assert seen_from_ml_min(ul_per_pulse) == ml_min


@pytest.mark.parametrize("ul_per_pulse", [2222, 10000])
def test_the_smallest_flow_is_seen_and_is_told(request, fine_meter, ul_per_pulse):
    rig = Rig(ul_per_pulse=ul_per_pulse)
    request.addfinalizer(rig.board.stop)
    rig.board.bench.pulses_per_litre = 1_000_000 / ul_per_pulse
    rig.run(60)
    (announce,) = {a["leak_from_ml_min"] for a in rig.said(protocol.ANNOUNCE)}
    tiny = 1e-6
    leak(rig, announce / 60 * 1.02 / (hydraulics.flows_ml_s([tiny])[0] / tiny))
    rig.run(60)
    assert (0, "leak") in faults(rig)


def test_without_a_meter_nothing_is_watched():
    rig = Rig(responsive=False, ul_per_pulse=0)
    rig.run(2000)
    assert max(wakes(rig, HOUR)) < 9
    assert rig.said(protocol.ANNOUNCE)[-1]["leak_from_ml_min"] is None
    rig.board.stop()
