"""Valves: a run that has ended stays ended, whatever of the board's memory is lost on the way."""

import pytest

from sim.port import EXCEPTION_RESET, HARD_RESET, SOFT_RESET, SOFT_WDT_RESET, WDT_RESET

from .rig import Rig
from .test_watering import program


@pytest.fixture
def rig():
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


def water(rig, seconds, run_time_s=600):
    """A program opens zone 1; `seconds` of water later this returns."""
    rig.desired(programs=[program(8 * 60 + 2, run_time_s=run_time_s)])
    while not rig.open_zones():
        rig.run(1)
    rig.run(seconds)


def openings(rig):
    return len([move for move in rig.moves if move[2]])


def spoil_rtc_memory(rig):
    """A brown-out that the chip reports as a watchdog reset."""
    rig.board.chip.rtc_memory = b"\x00" * 40
    rig.board.reset_now(WDT_RESET)


def test_a_stopped_run_is_not_opened_again_when_rtc_memory_is_lost_before_the_journal_says_so(rig):
    water(rig, 100)
    rig.command("stop", zone=1)
    rig.run(1)
    assert rig.open_zones() == []
    spoil_rtc_memory(rig)
    rig.run(60)
    assert openings(rig) == 1


def test_no_run_gets_more_water_than_was_granted_when_rtc_memory_is_lost(rig):
    water(rig, 58)  # the ledger on flash is a minute behind at most
    spoil_rtc_memory(rig)
    rig.run(900)
    assert rig.opened_s() <= 600


def test_a_resumption_that_could_not_be_written_down_is_not_tried_again_after_the_next_reset(rig):
    water(rig, 100)
    rig.board.reset_now(WDT_RESET)
    failures = []

    def fail_twice(_step, _what, path):
        failures.append(path)
        if (
            len(failures) == 2
        ):  # first that nothing is open, then that the run goes on; the board's next act is its last
            rig.board.session.on_call = lambda _call: rig.board.reset_now(WDT_RESET)
        raise OSError(28)

    rig.board.chip.flash.on_write = fail_twice
    while len(failures) < 2:
        rig.run(0.5)
    rig.board.chip.flash.on_write = None
    rig.run(60)
    assert openings(rig) == 1


# Held valves: open only while they are driven


@pytest.fixture
def held():
    rig = Rig(held=True)
    rig.settle()
    yield rig
    rig.board.stop()


def test_a_held_valve_is_open_while_it_is_driven_and_draws_current(held):
    before_ma = held.world.truth()["battery_ma"]
    held.command("run", zone=2, run_time_s=60)
    held.run(5)
    assert held.open_zones() == [2]
    assert held.world.truth()["battery_ma"] < before_ma - 200
    held.run(90)
    assert held.opened_s() == pytest.approx(60, abs=1)
    assert held.world.held_ma == 0
    assert held.events("run_finished")[0]["result"] == "completed"
    assert held.zone(2)["evidence"] == "verified"


def test_a_board_with_held_valves_gives_no_closing_pulse(held):
    assert not held.board.bench.bridge.pulses, "a pulse in the other direction would open it"


@pytest.mark.parametrize("cause", [HARD_RESET, SOFT_RESET, WDT_RESET, SOFT_WDT_RESET, EXCEPTION_RESET])
@pytest.mark.parametrize("zones", [1, 2])
def test_every_reset_lets_go_of_a_held_valve(cause, zones):
    held = Rig(held=True, zones=zones)
    held.settle()
    held.command("run", zone=zones, run_time_s=600)
    held.run(30)
    assert held.open_zones() == [zones]
    held.board.reset_now(cause)
    held.run(0.4)
    assert held.open_zones() == []
    assert held.board.bench.expander.driven_high_mask == 0 or zones == 1
    held.run(30)
    assert held.events("run_finished")[0]["duration_s"] >= 30
    held.board.stop()


def test_a_held_valve_closes_at_the_moment_the_supply_fails(held):
    held.command("run", zone=1, run_time_s=600)
    held.run(30)
    held.board.power_cut(off_s=3600)
    assert held.open_zones() == []
    held.run(10)


def test_a_loop_that_hangs_lets_go_of_a_held_valve_within_the_watchdogs_time(held):
    held.command("run", zone=1, run_time_s=600)
    held.run(30)
    held.board.hang()
    held.run(5)
    assert held.open_zones() == []
    assert held.opened_s() < 36


def test_a_held_valve_closes_though_the_expander_is_gone(held):
    held.command("run", zone=1, run_time_s=30)
    held.run(10)
    held.board.bench.bus.absent.add(0x20)
    held.run(40)
    assert held.open_zones() == []
    assert held.opened_s() == pytest.approx(30, abs=1)


def test_stopping_one_held_zone_does_not_let_go_of_another():
    held = Rig(held=True, ul_per_pulse=0)
    held.run(30)
    held.command("run", zone=2, run_time_s=60)
    held.run(5)
    held.command("stop", zone=1)
    held.run(30)
    assert held.open_zones() == [2]
    held.run(40)
    assert held.opened_s() == pytest.approx(60, abs=1)
    held.board.stop()


def test_without_a_meter_one_release_is_taken_for_closed():
    held = Rig(held=True, ul_per_pulse=0)
    held.run(8)
    held.command("run", zone=1, run_time_s=30)
    held.run(2)
    assert held.open_zones() == [1], "the boot's closing took one release, not three"
    held.run(34)
    assert held.zone()["evidence"] == "assumed"
    held.board.stop()


def test_a_held_valve_that_does_not_fall_shut_is_a_leak(held):
    held.command("run", zone=1, run_time_s=30)
    held.run(5)
    held.world.zones[0].valve.sticks_open = True
    held.run(120)
    assert held.zone()["faults"] == ["leak"]
    assert held.zone()["valve"] == "closing"


def test_a_held_program_resumes_once_after_a_watchdog_reset(held):
    water(held, 100)
    held.board.hang()
    held.run(600)
    assert openings(held) == 2
    assert 540 <= held.opened_s() <= 600


# A check of a valve


def checked(rig, zone=1, seconds=20):
    """Ask for a check; the reply and, if there is one, the verdict."""
    command_id = rig.command("check_valve", zone=zone)
    rig.run(seconds)
    return rig.reply(command_id), rig.zone(zone)["check"]


def swap_wires(rig, zone):
    """The coil of `zone` is connected the other way round, and nobody told the board."""
    rig.board.bench.bridge.swapped_mask = 1 << zone - 1


def test_a_sound_valve_is_ok_and_the_check_is_a_run_of_five_seconds(rig):
    reply, check = checked(rig, 2)
    assert reply["accepted"]
    assert check["verdict"] == "ok"
    assert check["at"] == pytest.approx(rig.now(), abs=20)
    assert 300 < check["volume_ml"] < 700
    assert rig.opened_s() == pytest.approx(5, abs=0.6)
    (event,) = rig.events("checked")
    assert (event["zone"], event["reason"], event["volume_ml"]) == (2, "ok", check["volume_ml"])
    assert rig.zone(1)["check"] is None
    assert rig.zone(2)["evidence"] == "verified"


def test_a_check_is_known_after_a_sleep():
    rig = Rig(responsive=False)
    rig.run(60)
    rig.command("check_valve", zone=1, expires_at=int(rig.now()) + 3600)
    rig.run(1000)
    assert rig.zone()["check"]["verdict"] == "ok"
    rig.run(1000)
    assert len(rig.board.boots) == 3
    assert rig.zone()["check"]["verdict"] == "ok"
    rig.board.stop()


def test_a_valve_that_does_not_open_is_no_flow(rig):
    rig.world.zones[0].valve.sticks_closed = True
    assert checked(rig)[1]["verdict"] == "no_flow"


def test_a_broken_wire_to_the_coil_is_no_flow(rig):
    rig.world.zones[0].valve.coil_ohm = 0
    assert checked(rig)[1]["verdict"] == "no_flow"


def test_a_valve_that_does_not_close_is_a_leak(rig):
    rig.command("check_valve", zone=1)
    rig.run(3)
    rig.world.zones[0].valve.sticks_open = True
    rig.run(20)
    assert rig.zone()["check"]["verdict"] == "leak"


@pytest.mark.parametrize("zones", [1, 2])
def test_swapped_wires_show_as_water_while_closed_and_none_while_open(zones):
    rig = Rig(zones=zones)
    swap_wires(rig, 1)
    rig.run(60)
    assert rig.open_zones() == [1]
    assert "leak" in rig.zone()["faults"]
    reply, check = checked(rig)
    assert reply["accepted"]
    assert check["verdict"] == "swapped"
    rig.board.stop()


def test_without_a_meter_a_check_says_so():
    rig = Rig(ul_per_pulse=0)
    rig.run(40)
    _, check = checked(rig, seconds=40)
    assert (check["verdict"], check["volume_ml"]) == ("unmetered", None)
    assert rig.opened_s() == pytest.approx(5, abs=0.6)
    rig.board.stop()


def test_no_check_while_another_zone_waters(rig):
    rig.command("run", zone=1, run_time_s=60)
    rig.run(5)
    reply, check = checked(rig, 2)
    assert (reply["accepted"], reply["reason"], check) == (False, "busy", None)
    assert rig.open_zones() == [1]


def test_a_locked_zone_that_is_closed_is_not_checked(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(5)
    rig.world.zones[0].valve.sticks_open = True
    rig.run(60)
    rig.world.zones[0].valve.sticks_open = False
    rig.run(90)
    reply, _ = checked(rig)
    assert reply["reason"] == "lockout"


def test_no_check_on_a_battery_that_could_not_close_again():
    rig = Rig(scenario={"battery_pct": 5, "panel_w": 0})
    swap_wires(rig, 1)
    rig.run(60)
    before = rig.board.bench.bridge.pulses.copy()
    rig.command("check_valve", zone=1)
    rig.run(10)
    assert not [p for p in list(rig.board.bench.bridge.pulses)[len(before) :] if p.zone == 1 and not p.opens]
    rig.board.stop()


def test_a_check_that_is_stopped_has_no_verdict(rig):
    rig.command("check_valve", zone=1)
    rig.run(2)
    rig.command("stop", zone=1)
    rig.run(20)
    assert rig.zone()["check"] is None
    assert rig.events("checked") == []
    assert rig.open_zones() == []


def test_a_reset_during_a_check_closes_and_leaves_no_verdict(rig):
    rig.command("check_valve", zone=1)
    rig.run(2)
    assert rig.open_zones() == [1]
    rig.board.reset_now()
    rig.run(30)
    assert rig.open_zones() == []
    assert rig.zone()["check"] is None
    assert rig.events("run_finished")[0]["reason"] == "reset"


def test_a_held_valve_is_checked_like_any_other(held):
    assert checked(held)[1]["verdict"] == "ok"
    assert held.opened_s() == pytest.approx(5, abs=0.6)
