"""A short life in a short heap: the long one is `python -m tests.micropython.life`, a month of wakes and two days awake."""

from collections.abc import Callable

import pytest

from sim.remote import FlashImage, run_script
from tests.micropython import life

# Free at the worst moment, and in one piece (docs/design.md, decision 8)
FREE_BYTES = 8192
LARGEST_BYTES = 2048


def test_the_short_heap_begins_with_what_is_said(image: FlashImage):
    image.put_files({"/empty": b""})
    printed = run_script(
        "import gc\ngc.collect()\nprint(gc.mem_free())", image=image.path, heap=life.SHORT_HEAP
    ).check()
    assert abs(int(printed) - life.START_BYTES) <= 64


def test_a_short_life_never_runs_out_of_a_short_heap(note: Callable[[str], None]):
    asleep, awake = life.sleeping(30), life.awake(1)
    note(f"from {life.START_BYTES} B free at a bare prompt, 4 zones, 8 programs: at worst")
    note(f"  30 wakes: {asleep}")
    note(f"  1 hour awake: {awake}")
    assert min(asleep.free, awake.free) >= FREE_BYTES
    assert min(asleep.largest, awake.largest) >= LARGEST_BYTES


@pytest.mark.parametrize("boots", [1, 40])
def test_a_full_backlog_is_told_within_three_wakes_of_a_short_heap(note: Callable[[str], None], boots: int):
    worst, left = life.telling(boots, 3)
    note(f"  a full backlog of {boots} boots is told: {worst}")
    assert left == 0
    assert worst.free >= FREE_BYTES
    assert worst.largest >= LARGEST_BYTES
