"""Water, as the independent meter sees it: what opens a valve, and what closes it."""

import pytest

from sim.port import EXCEPTION_RESET, HARD_RESET, SOFT_RESET, SOFT_WDT_RESET, WDT_RESET
from sprinkler import protocol

from .rig import START, Rig


@pytest.fixture
def rig():
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


def test_a_command_opens_the_zone_and_the_board_closes_it_on_its_own_timer(rig):
    command_id = rig.command("run", zone=1, run_time_s=60)
    rig.run(2)
    assert rig.open_zones() == [1]
    reply = rig.reply(command_id)
    assert reply["accepted"]
    assert reply["run_until"] == pytest.approx(rig.now() + 58, abs=2)
    rig.run(90)
    assert rig.open_zones() == []
    assert rig.opened_s() == pytest.approx(60, abs=1)
    (finished,) = rig.events("run_finished")
    assert finished["result"] == "completed"
    assert finished["volume_ml"] == pytest.approx(rig.litres() * 1000, rel=0.01)
    assert rig.zone()["evidence"] == "verified"


def test_the_board_closes_on_time_without_broker_and_reports_afterwards(rig):
    rig.command("run", zone=2, run_time_s=120)
    rig.run(5)
    rig.broker.stop()
    rig.run(200)
    assert rig.open_zones() == []
    assert rig.opened_s() == pytest.approx(120, abs=1)
    assert rig.events("run_finished") == []
    rig.broker.start()
    rig.run(90)
    assert rig.events("run_finished")[0]["duration_s"] == 120


def test_stop_closes_at_once(rig):
    rig.command("run", zone=1, run_time_s=600)
    rig.run(10)
    rig.command("stop", zone=0)
    rig.run(2)
    assert rig.open_zones() == []
    rig.run(10)
    assert rig.events("run_finished")[0]["result"] == "stopped"


def test_an_unsigned_stop_closes_too(rig):
    rig.command("run", zone=1, run_time_s=600)
    rig.run(10)
    rig.broker.publish(rig.topic(protocol.COMMAND), b'{"command": "stop"}')
    rig.run(2)
    assert rig.open_zones() == []


def test_two_zones_run_one_after_the_other(rig):
    rig.command("run", zone=2, run_time_s=30)
    rig.run(2)
    second = rig.command("run", zone=1, run_time_s=30)
    rig.run(15)
    assert rig.open_zones() == [2]
    assert rig.reply(second)["reason"] == "queued"
    rig.run(90)
    assert [zone for _, zone, is_open in rig.moves if is_open] == [2, 1]
    assert rig.litres(1) == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("cause", [HARD_RESET, SOFT_RESET, WDT_RESET, EXCEPTION_RESET, SOFT_WDT_RESET])
def test_a_reset_closes_before_anything_else(rig, cause):
    rig.command("run", zone=1, run_time_s=600)
    rig.run(30)
    rig.board.reset_now(cause)
    rig.run(1)
    assert rig.open_zones() == []
    rig.run(30)
    (finished,) = rig.events("run_finished")
    assert finished["result"] == "stopped"
    assert finished["reason"] == ("reset" if cause in (HARD_RESET, SOFT_RESET) else "watchdog")
    assert finished["duration_s"] >= 30, "what a reset may have lost is counted as open"


def test_a_power_cut_closes_at_the_next_boot_and_is_reported(rig):
    rig.command("run", zone=1, run_time_s=600)
    rig.run(90)
    rig.board.power_cut(off_s=5)
    rig.run(6.5)
    assert rig.open_zones() == []
    rig.run(60)
    assert rig.events("run_finished")[0]["reason"] == "reset"
    assert rig.litres() * 1000 - 9000 < rig.zone()["volume_ml"] <= rig.litres() * 1000, (
        "a minute's water is not counted, at most"
    )


def test_a_hang_ends_by_the_watchdog_with_the_valve_closed(rig):
    rig.command("run", zone=1, run_time_s=600)
    rig.run(30)
    rig.board.hang()
    rig.run(6)
    assert rig.open_zones() == []
    assert rig.board.boots[-1] == SOFT_WDT_RESET


def test_no_boot_leaves_a_valve_open_that_someone_opened(rig):
    rig.world.move_valve(0, opens=True)
    rig.board.reset_now()
    rig.run(2)
    assert rig.open_zones() == []


def test_a_valve_that_sticks_open_is_a_fault_and_locks_the_zone(rig):
    rig.command("run", zone=1, run_time_s=30)
    rig.run(5)
    rig.world.zones[0].valve.sticks_open = True
    rig.run(120)
    assert "leak" in rig.zone()["faults"]
    assert rig.zone()["valve"] == "closing"
    assert [e["reason"] for e in rig.events("fault")] == ["leak"]
    rig.world.zones[0].valve.sticks_open = False
    rig.run(90)
    assert rig.open_zones() == []
    refused = rig.command("run", zone=1, run_time_s=30)
    rig.run(2)
    assert rig.reply(refused)["reason"] == "lockout"
    rig.board.power_cut()
    rig.run(30)
    assert "leak" in rig.zone()["faults"], "a lockout outlives a loss of power"
    rig.command("clear_fault", zone=1)
    again = rig.command("run", zone=1, run_time_s=30)
    rig.run(5)
    assert rig.reply(again)["accepted"]


def test_no_water_is_a_fault_within_half_a_minute(rig):
    rig.world.zones[0].valve.clogged = True
    rig.command("run", zone=1, run_time_s=600)
    rig.run(60)
    assert rig.open_zones() == []
    assert rig.events("run_finished")[0]["reason"] == "no_flow"
    assert rig.zone()["faults"] == ["no_flow"]


def test_nothing_opens_when_the_journal_cannot_be_written(rig):
    def full(_step, _what, _path):
        raise OSError(28)

    rig.board.chip.flash.on_write = full
    rig.command("run", zone=1, run_time_s=60)
    rig.run(20)
    assert rig.opened_s() == 0
    assert "storage" in rig.state()["faults"]
    rig.board.chip.flash.on_write = None
    rig.command("run", zone=1, run_time_s=60)
    rig.run(20)
    assert rig.open_zones() == [1]
    assert "storage" not in rig.state()["faults"]


def test_a_run_whose_pulse_gets_nowhere_ends_with_the_bridge_as_its_reason(rig):
    rig.board.bench.bus.absent.add(0x20)
    rig.command("run", zone=1, run_time_s=60)
    rig.run(20)
    rig.board.bench.bus.absent.clear()
    rig.run(120)
    ended = rig.events("run_finished")[-1]
    assert (ended["result"], ended["reason"]) == ("tripped", "sensor")
    assert "storage" not in rig.state()["faults"]


def test_a_missing_expander_opens_nothing_and_is_reported():
    rig = Rig()
    del rig.board.bench.bus.parts[0x20]
    rig.settle()
    rig.command("run", zone=1, run_time_s=60)
    rig.run(20)
    assert rig.opened_s() == 0
    assert "sensor" in rig.state()["faults"]
    assert rig.zone()["valve"] != "closed", "a valve whose closing pulse did not get out is not closed"
    rig.board.stop()


def test_a_single_zone_needs_no_expander():
    rig = Rig(zones=1)
    rig.settle()
    rig.command("run", zone=1, run_time_s=30)
    rig.run(60)
    assert rig.opened_s() == pytest.approx(30, abs=1)
    rig.board.stop()


def test_a_low_battery_refuses_to_open():
    rig = Rig(scenario={"battery_pct": 3, "panel_w": 0})
    rig.settle()
    refused = rig.command("run", zone=1, run_time_s=60)
    rig.run(5)
    assert rig.opened_s() == 0
    assert not rig.said(protocol.REPLY) or rig.reply(refused)["reason"] == "low_battery"
    rig.board.stop()


def program(start_min, zone=1, **changes):
    return {
        "id": zone,
        "zone": zone,
        "enabled": True,
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "start_min": start_min,
        "run_time_s": 60,
        "until": 0,
        "skip_dates": [],
        **changes,
    }


def test_programs_run_from_the_boards_own_clock_without_broker():
    rig = Rig(responsive=False)
    rig.run(3)
    rig.desired(programs=[program(8 * 60 + 30), program(8 * 60 + 30, zone=2)])
    rig.run(30)
    rig.broker.stop()
    rig.run(3600)
    assert rig.litres(1) == pytest.approx(8, rel=0.05)
    assert rig.litres(2) == pytest.approx(8, rel=0.05)
    first_open = rig.moves[0][0]
    assert first_open - (START + 30 * 60) == pytest.approx(0, abs=30)
    rig.run(24 * 3600)
    assert len([m for m in rig.moves if m[2]]) == 4, "once a day each"
    rig.board.stop()


def test_a_sleep_that_is_too_short_starts_no_program_early():
    rig = Rig(responsive=False)
    rig.board.chip.clock.sleep_drift = -0.05  # MicroPython then believes that more time has passed than did
    rig.run(3)
    rig.desired(programs=[program(10 * 60)])
    rig.run(2.5 * 3600)
    assert rig.moves[0][0] - (START + 2 * 3600) == pytest.approx(0, abs=60)
    rig.board.stop()


def test_a_program_survives_a_loss_of_power():
    rig = Rig(responsive=False)
    rig.run(3)
    rig.desired(programs=[program(9 * 60)])
    rig.run(30)
    rig.broker.stop()
    rig.board.power_cut(off_s=60)
    rig.broker.start()
    rig.run(3600 * 1.2)
    assert rig.litres() == pytest.approx(8, rel=0.05)
    assert rig.state()["desired_version"] == 1
    rig.board.stop()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"watering_enabled": False}, "disabled"),
        ({"rain_delay_until": START + 7200}, "rain_delay"),
        ({"seasonal_adjust_pct": 5}, "adjusted_to_zero"),
    ],
)
def test_a_skipped_program_says_why(settings, reason):
    rig = Rig()
    rig.settle()
    rig.desired(programs=[program(8 * 60 + 5)], **settings)
    rig.run(600)
    assert rig.opened_s() == 0
    assert [e["reason"] for e in rig.events("run_skipped")] == [reason]
    rig.board.stop()


def test_the_seasonal_adjustment_changes_the_run_time():
    rig = Rig()
    rig.settle()
    rig.desired(programs=[program(8 * 60 + 5)], seasonal_adjust_pct=150)
    rig.run(600)
    assert rig.opened_s() == pytest.approx(90, abs=1)
    rig.board.stop()


def test_closing_one_zone_once_more_does_not_hide_that_another_one_runs():
    rig = Rig(ul_per_pulse=0)
    rig.run(30)
    rig.command("run", zone=2, run_time_s=600)
    rig.run(5)
    rig.command("stop", zone=1)
    rig.run(30)
    assert rig.open_zones() == [2]
    rig.board.power_cut()
    rig.run(60)
    assert [e["zone"] for e in rig.events("run_finished")] == [2]
    rig.board.stop()


def test_a_program_that_was_stopped_is_not_resumed_by_a_reset_before_the_journal_says_so():
    rig = Rig()
    rig.settle()
    rig.desired(programs=[program(8 * 60 + 2, run_time_s=600)])
    rig.run(300)
    rig.command("stop", zone=1)
    rig.run(2)
    rig.board.hang()
    rig.run(60)
    assert len([m for m in rig.moves if m[2]]) == 1
    rig.board.stop()


def test_a_program_resumes_once_after_a_watchdog_reset():
    rig = Rig()
    rig.settle()
    rig.desired(programs=[program(8 * 60 + 2, run_time_s=600)])
    rig.run(300)
    rig.board.hang()
    rig.run(700)
    assert len([m for m in rig.moves if m[2]]) == 2
    assert 540 <= rig.opened_s() <= 600, "never more than was granted, over all boots"
    rig.board.stop()
