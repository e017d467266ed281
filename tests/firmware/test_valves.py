"""Valves: a run that has ended stays ended, whatever of the board's memory is lost on the way."""

import pytest

from sim.port import WDT_RESET

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
