"""Scale: the firmware's times made small, so that all states can be visited. One tick stands for one step of the loop.

Rule: every comparison of the firmware keeps both of its outcomes; no rule depends on how long a second is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sprinkler import runs
from sprinkler.core import controller, safety

TICK_MS = 1000  # the journal counts whole seconds
FLOW_ML, NOISE_ML = 3, 1  # of an open valve in a tick; of a meter that shivers

GOOD_MV, MIDDLING_MV, LOW_MV, UNKNOWN_MV = 4000, 3450, 3000, 0
OPEN_MV, CLOSE_MV = 3550, 3350


@dataclass(frozen=True)
class Scale:
    """All times in ticks. `late`: how much longer than a tick a turn of the loop may take. `day`: what a day's openings cost; 0: days are left out."""

    zones: int = 1
    meter: bool = True
    held: bool = False  # valves that are open only while they are driven
    cap: int = 5
    hand: int = 2  # length of a run by hand; programs ask for the cap
    watchdog: int = 1
    late: int = 0
    checkpoint: int = 1
    keep_every: int = 4
    stuck_sleep_tries: int = 3
    day: int = 0
    day_openings: int = 2

    @property
    def limits(self) -> tuple[int, ...]:
        """In the order of core/safety.py."""
        lost = self.checkpoint + self.watchdog + self.late
        ticks = (1, 1, 2)  # settle, check, longest pause
        settle_ms, check_ms, retry_ms = (n * TICK_MS for n in ticks)
        head = (self.cap * TICK_MS, TICK_MS, OPEN_MV, CLOSE_MV, settle_ms, check_ms, retry_ms)
        tries = 1 if self.held else 2  # without a meter
        days = (self.day * TICK_MS, *(self.day_openings if self.day else 250,) * 4, *(0,) * 4)
        return (*head, 2, 2 * TICK_MS, 1, 4, int(self.meter), tries, TICK_MS, lost * TICK_MS, *days)

    @property
    def bound(self) -> int:
        """Ticks of true open time that a run may have beyond its grant: the watchdog's time and one turn of the loop."""
        return self.watchdog + 1 + self.late


@contextmanager
def scaled(scale: Scale) -> Iterator[None]:
    """Let the modules' own constants shrink as well, and come back."""
    small = (
        (controller, "STOP_GAP_MS", TICK_MS),
        (controller, "FORGET_LEAK_MS", TICK_MS),
        (safety, "DOUBT_MS", TICK_MS),
        (safety, "QUEUE_MAX_MS", 3 * TICK_MS),
        (safety, "STUCK_SLEEP_TRIES", scale.stuck_sleep_tries),
        (runs, "CHECKPOINT_MS", scale.checkpoint * TICK_MS),
        (runs, "_KEEP_EVERY", scale.keep_every),
    )
    before = [(module, name, getattr(module, name)) for module, name, _ in small]
    for module, name, value in small:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
