"""Drift: the bound of the open time for unbounded time and for any drift of the board's clock, proved by induction with z3.
`python -m tests.proofs.drift --help`

The model search walks through all histories, but with a clock that is right and times that are small. Here times are any real numbers, and the
board's ticks may be wrong by a share `e`: true open time <= (cap + watchdog (1 + e)) / (1 - e), over all boots, when a turn of the loop ends within
the watchdog's time or the board is reset.

Rule: the rules below are those of core/safety.py (`watch_open`, `open_zone`) and of core/controller.py (`booted`, which resumes with what a checkpoint may
have lost taken off); test_drift.py holds them against the shipped functions on random states, and the constants are read from the shipped modules.

Exit codes: 0 proved, 1 not, 2 wrong usage.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import z3

from sim.port.session import WATCHDOG_US
from sprinkler import runs
from sprinkler.core import safety

CAP_S = safety.CAP_MS / 1000
WATCHDOG_S = WATCHDOG_US / 1_000_000
CHECKPOINT_S = runs.CHECKPOINT_MS / 1000
LOSS_S = safety.LIMITS[safety.CHECKPOINT_MS] / 1000  # what a resumption takes for used beyond the checkpoint
ROUNDED_S = 1.0  # a checkpoint counts whole seconds


class Run(NamedTuple):
    """A run over all boots, in seconds. `used` is what the board's clock counts, `spent` the true open time; `kept` is what the last checkpoint says of
    `used`."""

    open: Any
    granted: Any
    used: Any
    spent: Any
    kept: Any
    resumed: Any


def grant(asked: Any, cap: Any, smaller: Any = min) -> Any:
    """What is granted of `asked`: `safety.open_zone`."""
    return smaller(asked, cap)


def counted(used: Any, elapsed: Any) -> Any:
    """Open time used after a turn: `safety.watch_open`."""
    return used + elapsed


def is_over(used: Any, granted: Any) -> Any:
    """Whether the turn that counts to `used` closes the valve: `safety.watch_open`."""
    return used >= granted


def recalled(kept: Any, loss: Any, granted: Any, smaller: Any = min) -> Any:
    """Open time that a boot takes for used when the checkpoint says `kept`: `controller.booted`."""
    return smaller(kept + loss, granted)


def z3_min(a: Any, b: Any) -> Any:
    """`min` for z3."""
    return z3.If(a < b, a, b)


@dataclass(frozen=True)
class Rules:
    """The constants as z3 sees them, and mistakes that may be put in. `loss_counts`: a resumption takes off what the checkpoint may have missed."""

    cap: Any
    watchdog: Any
    checkpoint: Any
    loss: Any
    e: Any
    has_cap: bool = True
    has_end: bool = True
    loss_counts: bool = True


def names(suffix: str) -> Run:
    """A run of z3 variables."""
    reals = [z3.Real(f"{name}_{suffix}") for name in ("granted", "used", "spent", "kept")]
    return Run(z3.Bool(f"open_{suffix}"), *reals, z3.Bool(f"resumed_{suffix}"))


def transition(a: Run, b: Run, r: Rules) -> Any:
    """Everything that may happen between two turns of the loop. A turn takes `d` of true time, which the board counts as `d` times its drift."""
    asked, d, drift = z3.Reals("asked d drift")
    opens = z3.And(
        z3.Not(a.open),
        b.open,
        asked > 0,
        b.granted == (grant(asked, r.cap, z3_min) if r.has_cap else asked),
        *(x == 0 for x in (b.used, b.spent, b.kept)),
        z3.Not(b.resumed),
    )
    turn = z3.And(  # the watchdog's time is the longest that a turn may take; a longer one ends in a reset
        a.open,
        d > 0,
        d <= r.watchdog,
        drift >= 1 - r.e,
        drift <= 1 + r.e,
        b.used == counted(a.used, d * drift),
        b.spent == a.spent + d,
        b.granted == a.granted,
        b.resumed == a.resumed,
        z3.Or(
            z3.And(b.kept <= b.used, b.kept > b.used - ROUNDED_S, b.kept >= a.kept),
            z3.And(b.kept == a.kept, b.used - a.kept <= lost(r)),
        ),
    )
    goes_on = z3.And(turn, b.open == z3.Not(is_over(b.used, b.granted)) if r.has_end else b.open)
    took = recalled(a.kept, r.loss if r.loss_counts else 0, b.granted, z3_min)
    resumes = z3.And(  # hung for at most the watchdog's time, reset, closed, opened again: once
        a.open,
        d >= 0,
        d <= r.watchdog,
        z3.Not(a.resumed),
        b.resumed,
        b.granted <= a.granted,  # kept in whole seconds
        b.used == took,
        b.kept <= took,
        b.kept > took - ROUNDED_S,
        b.kept >= 0,
        took < b.granted,
        b.spent == a.spent + d,
        b.open,
    )
    ends = z3.And(a.open, z3.Not(b.open), d >= 0, d <= r.watchdog, b.spent == a.spent + d, *_same(a, b))
    return z3.Or(opens, goes_on, resumes, ends)


def lost(r: Rules) -> Any:
    """The most that the board may have counted since the checkpoint: one is made in the first turn that ends after its interval."""
    return r.checkpoint + ROUNDED_S + r.watchdog * (1 + r.e)


def _same(a: Run, b: Run) -> list[Any]:
    return [b.granted == a.granted, b.used == a.used, b.kept == a.kept, b.resumed == a.resumed]


def invariant(s: Run, r: Rules) -> Any:
    """What every state keeps: the board never counts less than (1 - e) of the true time, but for what the watchdog's time may add at the end."""
    behind = s.spent * (1 - r.e) <= s.used
    running = z3.Implies(
        s.open,
        z3.And(behind, s.used - s.kept <= lost(r), s.used < s.granted, s.used >= s.kept, s.kept >= 0, s.spent >= 0),
    )
    return z3.And(running, s.granted <= r.cap, bound(s, r))


def bound(s: Run, r: Rules) -> Any:
    """The theorem."""
    return s.spent * (1 - r.e) <= r.cap + r.watchdog * (1 + r.e)


def rules(*, e: float | None = None, **mistakes: bool) -> Rules:
    """The shipped constants; with any drift below 1 when `e` is None, so far as the loss of a checkpoint allows a resumption."""
    exact = [z3.RealVal(str(x)) for x in (CAP_S, WATCHDOG_S, CHECKPOINT_S, LOSS_S)]
    return Rules(*exact, z3.Real("e") if e is None else z3.RealVal(str(e)), **mistakes)


@dataclass(frozen=True)
class Proof:
    """What z3 said. `counterexample`: a step that breaks it, "" when it is proved."""

    claim: str
    proved: bool
    seconds: float
    counterexample: str = ""


def prove(claim: str, assumptions: Sequence[Any], conclusion: Any) -> Proof:
    """Whether `conclusion` follows: no assignment makes the assumptions true and it false."""
    solver = z3.Solver()
    solver.set("timeout", 60_000)
    solver.add(*assumptions, z3.Not(conclusion))
    began = time.monotonic()
    answer = solver.check()
    story = str(solver.model()) if answer == z3.sat else ("" if answer == z3.unsat else "z3 does not know")
    return Proof(claim, answer == z3.unsat, time.monotonic() - began, story)


def drift_allowed(r: Rules) -> Any:
    """The drifts for which what a resumption takes off covers what was counted since the checkpoint and what a hang has hidden."""
    return z3.And(r.e >= 0, r.e < 1, lost(r) + r.watchdog * (1 + r.e) <= r.loss)


def proofs(r: Rules) -> list[Proof]:
    """The induction: it begins true, each step keeps it, and it implies the bound."""
    a, b = names("0"), names("1")
    start = z3.And(z3.Not(a.open), a.spent == 0, a.granted == 0)
    return [
        prove("no run: the invariant holds", [drift_allowed(r), start], invariant(a, r)),
        prove(
            "each step keeps the invariant", [drift_allowed(r), invariant(a, r), transition(a, b, r)], invariant(b, r)
        ),
        prove("the invariant implies the bound", [drift_allowed(r), invariant(a, r)], bound(a, r)),
    ]


def bound_s(e: float) -> float:
    """Longest true open time of a run in seconds, for a clock that is wrong by the share `e` at most."""
    return (CAP_S + WATCHDOG_S * (1 + e)) / (1 - e)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is proved."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.drift", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    found = proofs(rules())
    widest = (LOSS_S - CHECKPOINT_S - ROUNDED_S) / (2 * WATCHDOG_S) - 1
    if options.json:
        rows = [{"claim": p.claim, "proved": p.proved, "seconds": round(p.seconds, 3)} for p in found]
        bounds = {str(e): round(bound_s(e), 2) for e in (0, 0.01, 0.05, 0.1)}
        print(json.dumps({"proofs": rows, "drift_max": widest, "bound_s": bounds}))
    else:
        for p in found:
            print(f"{p.claim:<36} {'proved' if p.proved else 'NOT PROVED'}  {p.seconds:.2f} s {p.counterexample}")
        print(f"cap {CAP_S:.0f} s, watchdog {WATCHDOG_S} s, checkpoint {CHECKPOINT_S:.0f} s, taken off {LOSS_S:.0f} s")
        for e in (0, 0.01, 0.05, 0.1):
            print(f"a clock that is wrong by {e:>4.0%}: open for {bound_s(e):8.1f} s at most")
        print(f"for every drift up to {widest:.0%}, any time, any number of boots")
    return int(not all(p.proved for p in found))


if __name__ == "__main__":
    sys.exit(main())
