"""Safe mode: firmware that crashes again and again keeps its valves closed, and can be reached."""

from collections.abc import Iterator

import pytest

from sim.port import HARD_RESET, PWRON_RESET, SOFT_RESET, SOFT_WDT_RESET, Port
from sprinkler import protocol

from .rig import Rig
from .test_watering import program


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.board.raise_crashes = False
    yield rig
    rig.board.stop()


def poison(port: Port) -> None:
    """Reading the signal's strength, as each sample does, raises what nobody expects."""

    def call(name: str) -> None:
        if name == "wlan.status":
            raise AttributeError("poison")

    port.session.on_call = call


def crash(rig: Rig) -> None:
    """Crash until the board is in safe mode, and let it connect."""
    rig.board.on_boot = poison
    rig.board.reset_now(HARD_RESET)
    rig.run(60)
    assert rig.state()["safe_mode"] is True


def test_the_second_crash_in_a_row_leads_to_safe_mode_with_everything_closed(rig):
    rig.settle()
    assert rig.state()["safe_mode"] is False
    rig.command("run", zone=1, run_time_s=600)
    rig.run(10)
    boots = len(rig.board.boots)
    crash(rig)
    assert rig.board.boots[boots:] == [HARD_RESET, SOFT_WDT_RESET, SOFT_WDT_RESET]
    assert rig.open_zones() == []
    assert {zone["valve"] for zone in rig.state()["zones"]} == {"closed"}
    rig.run(900)
    assert rig.board.boots[boots + 3 :] == [], "there it stays, connected"


def test_in_safe_mode_nothing_opens_whoever_asks(rig):
    rig.settle()
    rig.desired(programs=[program(8 * 60 + 20)])
    crash(rig)
    opened_s = rig.opened_s()
    refused = rig.command("run", zone=1, run_time_s=60)
    rig.run(5)
    assert rig.reply(refused)["reason"] == "safe_mode"
    rig.board.bench.press_button(down=True)
    rig.run(2)
    rig.board.bench.press_button(down=False)
    rig.run(1800)
    assert rig.opened_s() == opened_s
    assert [(event["program"], event["reason"]) for event in rig.events("run_skipped")] == [
        (0, "safe_mode"),
        (1, "safe_mode"),
    ]


def test_a_run_that_a_crash_cut_off_is_not_resumed_in_safe_mode(rig):
    rig.settle()
    rig.desired(programs=[program(605)])
    rig.run(7200 + 330)
    assert rig.open_zones() == [1]
    opened_s = rig.opened_s()
    for _ in range(2):
        rig.board.reset_now(SOFT_WDT_RESET)
        rig.run(4)
    rig.run(120)
    assert rig.state()["safe_mode"] is True
    assert rig.open_zones() == []
    assert rig.opened_s() < opened_s + 2


def test_a_restart_by_command_leaves_safe_mode(rig):
    rig.settle()
    crash(rig)
    rig.board.on_boot = None
    rig.command("restart")
    rig.run(20)
    assert rig.board.boots[-1] == SOFT_RESET
    assert rig.state()["safe_mode"] is False
    rig.command("run", zone=1, run_time_s=60)
    rig.run(3)
    assert rig.open_zones() == [1]


def test_what_the_crash_was_is_kept(rig):
    rig.settle()
    crash(rig)
    assert rig.board.chip.flash.files["/crash.txt"] == b"AttributeError poison"


def test_a_crash_now_and_then_is_no_reason_for_safe_mode(rig):
    rig.settle()
    for _ in range(5):
        rig.board.reset_now(SOFT_WDT_RESET)
        rig.run(70)
    assert rig.state()["safe_mode"] is False


@pytest.mark.parametrize("cause", [PWRON_RESET, HARD_RESET])
def test_a_flat_cell_or_a_person_is_no_crash(rig, cause):
    rig.settle()
    for _ in range(3):
        rig.board.reset_now(cause)
        rig.run(5)
    rig.run(1200)
    assert rig.state()["safe_mode"] is False


def test_settings_that_make_the_board_crash_are_not_loaded_and_new_ones_are_taken(rig):
    rig.desired(version=3)
    rig.settle()
    assert rig.state()["desired_version"] == 3
    crash(rig)
    assert rig.state()["desired_version"] == 0
    rig.desired(version=4)
    rig.run(5)
    assert rig.state()["desired_version"] == 4
    rig.board.on_boot = None
    rig.command("restart")
    rig.run(20)
    assert rig.state()["desired_version"] == 4


def test_a_sleeper_can_be_looked_at_for_ten_minutes_then_sleeps_on_in_safe_mode():
    rig = Rig(responsive=False)
    rig.board.raise_crashes = False
    rig.settle()
    crash(rig)
    rig.run(500)
    assert rig.board.session is not None
    rig.run(120)
    assert rig.board.session is None
    boots = len(rig.board.boots)
    rig.run(7200)
    assert len(rig.board.boots) > boots + 3
    assert rig.state()["safe_mode"] is True
    restart = rig.command("restart", expires_at=int(rig.now()) + 7200)
    rig.board.on_boot = None
    rig.run(2000)
    assert rig.reply(restart)["accepted"]
    assert rig.state()["safe_mode"] is False
    rig.board.stop()


def test_once_a_day_a_sleeper_is_tried_without_safe_mode_and_stays_well():
    rig = Rig(responsive=False)
    rig.board.raise_crashes = False
    rig.settle()
    crash(rig)
    rig.board.on_boot = None
    rig.run(2 * 86400)
    assert rig.said(protocol.STATE)[-1]["safe_mode"] is False
    rig.board.stop()


def test_crashes_among_other_quick_boots_lead_to_safe_mode_after_the_rest(rig):
    """The closer rests before the application sees the last crash."""
    rig.settle()
    rig.board.reset_now(PWRON_RESET)
    rig.run(3)
    rig.board.on_boot = poison
    rig.board.reset_now(PWRON_RESET)
    rig.run(1300)
    assert rig.state()["safe_mode"] is True
    rig.run(500)
    assert rig.board.session is not None, "and it can be looked at"
