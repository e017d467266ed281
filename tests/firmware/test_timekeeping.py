"""What sets the clock, and what is learned from it: the pure parts, on the host alone."""

from types import SimpleNamespace

import pytest

from sim import ntp
from sprinkler.clock import EPOCH_S
from sprinkler.store import Memory
from sprinkler.timekeeping import EARLIEST_S, heard, set_right

NOW_S = 1_800_000_000 - EPOCH_S


@pytest.fixture
def board():
    board = SimpleNamespace(now_s=NOW_S)
    board.clock_s = lambda: board.now_s
    board.set_clock = lambda seconds: setattr(board, "now_s", seconds)
    return board


@pytest.fixture
def clock():
    return SimpleNamespace(error_s=None, nonce="x", asks=2, fresh=False, has_part=False, failed=False)


@pytest.fixture
def memory():
    memory = Memory()
    memory.synced_s = NOW_S - 3600
    return memory


def reply(seconds):
    return ntp.answer(b"\x1b" + bytes(47), seconds + EPOCH_S)


def test_the_error_is_how_far_the_clock_was_ahead(board, clock, memory):
    set_right(clock, board, memory, NOW_S - 7)
    assert clock.error_s == 7
    assert board.now_s == memory.synced_s == NOW_S - 7
    set_right(clock, board, memory, NOW_S + 3)
    assert clock.error_s == -10


def test_setting_an_unset_clock_measures_nothing(board, clock, memory):
    memory.synced_s = 0
    memory.estimated = 1
    set_right(clock, board, memory, NOW_S + 90000)
    assert clock.error_s is None
    assert memory.sleep_drift == 0
    assert memory.estimated == 0


@pytest.mark.parametrize(
    ("slept_s", "off_s", "taken"),
    [(0, 600, True), (0, 601, False), (21600, 2700, True), (21600, 2800, False), (65535, 2800, False)],
)
def test_a_time_server_may_move_the_clock_by_what_a_sleep_may_be_off(board, clock, memory, slept_s, off_s, taken):
    memory.unsynced_s = slept_s
    heard(clock, board, memory, reply(NOW_S + off_s))
    assert (board.now_s == NOW_S + off_s) is taken


@pytest.mark.parametrize(
    "spoiled", [b"", reply(NOW_S)[:47], b"\x1b" + reply(NOW_S)[1:], reply(NOW_S)[:1] + b"\0" + reply(NOW_S)[2:]]
)
def test_what_is_no_answer_of_a_server_is_ignored(board, clock, memory, spoiled):
    board.now_s -= 5
    heard(clock, board, memory, spoiled)
    assert board.now_s == NOW_S - 5


def test_the_era_of_2036_is_understood(board, clock, memory):
    late_s = 2_100_000_000 - EPOCH_S
    board.now_s = late_s - 5
    heard(clock, board, memory, reply(late_s))
    assert board.now_s == late_s


def test_no_board_lived_before_the_earliest_time():
    assert EARLIEST_S + EPOCH_S < 1_780_000_000
