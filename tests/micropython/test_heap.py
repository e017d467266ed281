"""The heap is a budget. Figures are printed in every run; the limits are the design's."""

from collections.abc import Callable

import pytest

from sim.broker import Broker
from sim.provision import Settings
from sim.remote import RemoteBoard
from tools.micropython.heap import as_on_a_board, table

HEAP_BYTES = 37_952  # of a board
CODE_BYTES = 11 * 1024 + 512  # closer and application, after everything was imported
DATA_BYTES = 6 * 1024  # what lives beside the code while nothing is being sent
SPARE_BYTES = 8 * 1024  # free at the worst moment

type Note = Callable[[str], None]


@pytest.fixture
def worst(peaks: dict[str, int]) -> dict[str, int]:
    """What the tests of the whole firmware, which ran before these, found alive at most."""
    if not peaks:
        pytest.skip("the tests that measure it were not chosen")
    return peaks


def test_what_is_resident_keeps_to_its_budget(note: Note):
    note(table())
    assert sum(as_on_a_board().modules.values()) <= CODE_BYTES


def test_live_data_keeps_to_its_budget(make_board: Callable[..., RemoteBoard], note: Note):
    """Connected and idle, less what the code takes and what an empty program does."""
    board = make_board(broker=Broker(), settings=Settings(always_responsive=True), zones=4)
    empty = make_board(zones=1, files={"/main.py": b"import time\ntime.sleep(60)\n"})
    board.run_for(40)
    empty.run_for(20)
    assert board.remote is not None
    assert empty.remote is not None
    running, idle = board.remote.heap(), empty.remote.heap()
    assert running is not None
    assert idle is not None
    data = running.used - idle.used - sum(as_on_a_board().modules.values())
    note(
        f"live data, connected and idle, four zones: {data} B; free: {running.free} B, largest piece {running.largest} B"
    )
    assert data <= DATA_BYTES


def test_the_application_comes_with_few_names_of_its_own():
    """The interpreter's list of names doubles when it is full: past 300 the next piece takes 2.2 KB."""
    assert as_on_a_board().names <= 300


def test_enough_is_free_at_the_worst_moment(worst: dict[str, int], note: Note):
    note("heap in use at most, while the whole firmware ran (bytes):")
    for test, peak in sorted(worst.items(), key=lambda item: -item[1])[:5]:
        note(f"{peak:>8}  {test}")
    name = max(worst, key=worst.__getitem__)
    assert HEAP_BYTES - worst[name] >= SPARE_BYTES, name
