"""The tests for a board's owner run, too: on the stand-in for the board, at the end of a pty."""

import sys
from collections.abc import Callable

from sim.provision import Settings
from tests.cable.cable import Bench, Step

REAL = (sys.executable, "-m", "pytest", "-q", "tests/hil", "-p", "no:cacheprovider", "--port")


def test_tests_for_a_real_board_pass_on_the_stand_in(bench: Callable[..., Bench]):
    board = bench(settings=Settings(zones=1, broker_port=9))
    (ran,) = board.run(Step((*REAL, board.port)))
    assert ran.code == 0, ran.out + ran.err
    assert "10 passed" in ran.out


def test_a_line_that_is_stuck_high_is_found(bench: Callable[..., Bench]):
    board = bench(settings=Settings(zones=1, broker_port=9))
    board.board.bench.stuck_high = {4}
    (ran,) = board.run(Step((*REAL, board.port)))
    assert ran.code == 1, ran.out
    assert "test_lines_that_move_a_valve_are_low" in ran.out
