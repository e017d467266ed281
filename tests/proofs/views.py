"""Views: the searches that together are the proof. One search with everything at once would not end; each view takes some powers of the world together.

Rule: a table. `owed` are the promises that the firmware does not keep yet in that view: they are not judged there, and the report says so.
"""

from dataclasses import dataclass, replace

from .hardware import EXPANDER, EXPANDER_LATE, SOUND, STORAGE
from .nodes import Adversary
from .scale import GOOD_MV, MIDDLING_MV, NOISE_ML, TICK_MS, UNKNOWN_MV, Scale
from .shipped import Request

ALL_RESETS = ("power_on", "watchdog", "reset", "torn")
KEPT_RESETS = ("watchdog", "reset")  # RTC memory outlives them
BATTERIES = (GOOD_MV, MIDDLING_MV, UNKNOWN_MV)


@dataclass(frozen=True)
class View:
    """One search. `long`: only in the long form."""

    name: str
    what: str
    scale: Scale
    adversary: Adversary
    long: bool = False


def hand(scale: Scale, zone: int = 1) -> Request:
    """A run that a person asked for."""
    return ("run", zone, scale.hand * TICK_MS, 0)


def program(scale: Scale, zone: int = 1) -> Request:
    """A run that a program asked for: as long as may be."""
    return ("run", zone, scale.cap * TICK_MS, zone)


def _people(scale: Scale) -> tuple[tuple[Request, ...], ...]:
    """Requests lost, doubled, late, too long, and with a stop before or after."""
    run, stop = hand(scale), ("stop", 1)
    too_long = ("run", 1, (scale.cap + 1) * TICK_MS, 0)
    return (
        (),
        (run,),
        (run, run),
        (run, stop),
        (stop, run),
        (stop,),
        (("bare_stop",),),
        (("clear_fault", 0),),
        (too_long,),
    )


def _everyone(scale: Scale) -> tuple[tuple[Request, ...], ...]:
    auto, stop = program(scale), ("stop", 1)
    return (*_people(scale), (auto,), (auto, hand(scale)), (auto, stop), (hand(scale), auto))


def _both_zones(scale: Scale) -> tuple[tuple[Request, ...], ...]:
    one, two = hand(scale), program(scale, 2)
    return ((), (one,), (two,), (one, two), (("stop", 0),), (("stop", 1),), (("stop", 2),), (("clear_fault", 0),))


_ONE, _OFTEN, _BARE = Scale(), Scale(keep_every=2), Scale(meter=False)
_SELDOM = Scale(cap=8, checkpoint=2, keep_every=2)
_TWO, _TWO_BARE = Scale(zones=2, cap=4, keep_every=2), Scale(zones=2, meter=False)
_AUTO = ((), (program(_ONE),), (("stop", 1),), (("cut", 1, "wet"),))  # the last: the soil is wet enough
_SHORT_TWO = ((), (hand(_TWO),), (program(_TWO, 2),), (("stop", 0),))

_DAYS = Scale(cap=3, hand=1, keep_every=2, day=8)
_HELD = Scale(held=True, cap=4)
_HELD_TWO = Scale(zones=2, cap=3, keep_every=2, held=True)

VIEWS = (
    View(
        "hand",
        "runs by hand, every battery, every reset",
        _ONE,
        Adversary(_people(_ONE), BATTERIES, resets=ALL_RESETS, rests=True),
    ),
    View(
        "program",
        "programs, which may resume; RTC memory outlives the resets",
        _OFTEN,
        Adversary(_AUTO, (GOOD_MV, UNKNOWN_MV), resets=KEPT_RESETS),
    ),
    View(
        "program, power cuts",
        "programs, and resets that lose or spoil RTC memory",
        _ONE,
        Adversary(_AUTO, resets=ALL_RESETS),
    ),
    View(
        "bare",
        "no meter; a pulse may show its current",
        _BARE,
        Adversary((*_everyone(_BARE), (("sensed", 1),)), resets=KEPT_RESETS),
    ),
    View(
        "liar",
        "a meter that says nothing, or shivers",
        _ONE,
        Adversary(((), (hand(_ONE),)), lies=(0, NOISE_ML)),
    ),
    View(
        "leak",
        "a valve opens by itself",
        _ONE,
        Adversary(
            ((), (hand(_ONE),), (("clear_fault", 0),), (("check", 1),), (("leak",),)),
            (GOOD_MV, UNKNOWN_MV),
            leaks=True,
        ),
    ),
    View(
        "storage",
        "flash refuses to be written",
        _SELDOM,
        Adversary(((), (program(_SELDOM),)), resets=("watchdog",), broken=(SOUND, STORAGE), sleeps=False),
    ),
    View("two", "two zones in turn", _TWO, Adversary(_SHORT_TWO, resets=("watchdog",), sleeps=False)),
    View(
        "held",
        "valves that are open only while they are driven; resets that leave them driven",
        _HELD,
        Adversary(((), (program(_HELD),), (("stop", 1),)), resets=("power_on", "watchdog")),
    ),
    View(
        "held, two",
        "two of them in turn; the part that selects them may not answer",
        _HELD_TWO,
        Adversary(
            ((), (hand(_HELD_TWO),), (program(_HELD_TWO, 2),), (("stop", 1),)),
            resets=("watchdog",),
            broken=(SOUND, EXPANDER),
            sleeps=False,
        ),
    ),
    View(
        "two, bare",
        "two zones without a meter",
        _TWO_BARE,
        Adversary(((), (hand(_TWO_BARE),), (program(_TWO_BARE, 2),), (("stop", 1),)), resets=("watchdog",)),
    ),
    View(
        "two, leak",
        "a valve opens by itself, perhaps while the other one waters",
        _TWO,
        Adversary(
            ((), (hand(_TWO),), (("check", 1),), (("check", 2),), (("leak",),)),
            resets=("watchdog",),
            leaks=True,
            sleeps=False,
        ),
    ),
    View(
        "expander",
        "the part that selects the zones does not answer",
        _TWO,
        Adversary(
            ((), (hand(_TWO),)),
            resets=("watchdog",),
            broken=(SOUND, EXPANDER, EXPANDER_LATE),
            sleeps=False,
        ),
    ),
    View(
        "days",
        "a zone opens so often in a day, over resets and losses of power",
        _DAYS,
        Adversary(
            ((), (program(_DAYS),), (("check", 1),)),
            resets=("power_on", "watchdog"),
            sticky=False,
            sleeps=False,
        ),
    ),
)


def _wide(scale: Scale) -> Scale:
    return replace(scale, cap=8, hand=3, watchdog=2, checkpoint=2, keep_every=3)


_LONG_ONE, _LATE = _wide(_ONE), Scale(cap=6, late=1, keep_every=2)
LONG_VIEWS = (
    View(
        "long: everyone",
        "every request; turns may be late",
        _LATE,
        Adversary(_everyone(_LATE), (GOOD_MV, UNKNOWN_MV), resets=KEPT_RESETS),
        long=True,
    ),
    View(
        "long: hand",
        "runs by hand, every reset, a slow watchdog",
        _LONG_ONE,
        Adversary(_people(_LONG_ONE), BATTERIES, resets=ALL_RESETS, rests=True, leaks=True),
        long=True,
    ),
    View(
        "long: liar",
        "a meter that says anything, every request",
        _ONE,
        Adversary(_everyone(_ONE), lies=(0, NOISE_ML), resets=KEPT_RESETS),
        long=True,
    ),
    View(
        "long: two",
        "two zones, programs and people, every reset that keeps RTC memory",
        Scale(zones=2),
        Adversary(_both_zones(Scale(zones=2)), (GOOD_MV, UNKNOWN_MV), resets=KEPT_RESETS, rests=True),
        long=True,
    ),
    View(
        "long: two, bare",
        "two zones without a meter, programs and people",
        _TWO_BARE,
        Adversary(_both_zones(_TWO_BARE), resets=KEPT_RESETS),
        long=True,
    ),
)
