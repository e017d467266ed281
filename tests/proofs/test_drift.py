"""The bound of the open time is proved, can fail, and speaks of the code that is shipped."""

import json

import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from sprinkler.core import controller, safety, state
from tests.proofs import drift

OPEN_MS = st.integers(0, 2 * safety.CAP_MS)
CAPS = st.integers(1, 2 * safety.CAP_MS)


def limits(cap_ms: int = safety.CAP_MS) -> tuple[int, ...]:
    return (cap_ms, *safety.LIMITS[1:])


def opened(granted_ms: int, open_ms: int) -> list[object]:
    """The core's state with zone 1 of two open."""
    s = list(controller.asleep(2, [0, 0], limits()))
    z = state.base(1)
    s[z + state.PHASE], s[z + state.GRANTED_MS], s[z + state.OPEN_MS] = state.OPEN, granted_ms, open_ms
    return s


def test_the_bound_is_proved_for_any_time_any_drift_and_any_number_of_boots():
    assert [p.claim for p in drift.proofs(drift.rules()) if not p.proved] == []


@pytest.mark.parametrize("mistake", ["has_cap", "has_end", "loss_counts"])
def test_a_mistake_in_the_rules_is_not_proved(mistake):
    found = drift.proofs(drift.rules(**{mistake: False}))
    assert any(not p.proved and p.counterexample not in ("", "z3 does not know") for p in found)


def test_the_rules_allow_a_run_that_lasts_as_long_as_the_bound_says():
    """Else the induction might be true of nothing."""
    r, a, b = drift.rules(e=0.1), drift.names("0"), drift.names("1")
    solver = z3.Solver()
    solver.add(drift.invariant(a, r), drift.transition(a, b, r))
    solver.add(b.spent * (1 - r.e) > r.cap + r.watchdog * (1 - r.e) * 99 / 100)
    assert solver.check() == z3.sat


@given(asked_ms=st.integers(1, 3 * safety.CAP_MS), cap_ms=CAPS)
def test_what_is_granted_is_what_the_rules_say(asked_ms, cap_ms):
    s = opened(0, 0)
    safety.open_zone(s, 1, asked_ms, 0, limits(cap_ms), [])
    assert s[state.base(1) + state.GRANTED_MS] == drift.grant(asked_ms, min(cap_ms, safety.CAP_MS))


@given(granted_ms=OPEN_MS, open_ms=OPEN_MS, elapsed_ms=st.integers(0, 20_000))
def test_a_turn_counts_and_ends_as_the_rules_say(granted_ms, open_ms, elapsed_ms):
    """On the shipped step, with water flowing and a good battery: nothing but the deadline ends the run."""
    s = opened(granted_ms, open_ms)
    after, _, _ = controller.step(tuple(s), elapsed_ms, (4000, 5), [], limits())
    used = drift.counted(open_ms, elapsed_ms)
    z = state.base(1)
    assert after[z + state.OPEN_MS] == used
    assert (after[z + state.PHASE] != state.OPEN) == drift.is_over(used, granted_ms)
    assert after[z + state.GRANTED_MS] == granted_ms, "no turn adds to a grant"


@given(
    granted_ms=OPEN_MS,
    open_ms=OPEN_MS,
    elapsed_ms=st.integers(0, 20_000),
    battery_mv=st.sampled_from((0, 3000, 3400, 4000)),
    flow_ml=st.integers(0, 50),
    request=st.sampled_from((None, ("run", 1, 9_000_000, 1), ("run", 1, 60_000, 0), ("stop", 1), ("cut", 1, "wet"), ("check", 1))),
)  # fmt: skip
def test_whatever_comes_a_turn_may_end_a_run_earlier_but_never_later(
    granted_ms, open_ms, elapsed_ms, battery_mv, flow_ml, request
):
    s = tuple(opened(granted_ms, open_ms))
    after, _, _ = controller.step(s, elapsed_ms, (battery_mv, flow_ml), [request] if request else [], limits())
    z = state.base(1)
    if after[z + state.PHASE] == state.OPEN:
        assert not drift.is_over(drift.counted(open_ms, elapsed_ms), granted_ms)
        assert after[z + state.GRANTED_MS] == granted_ms
        assert after[z + state.OPEN_MS] == drift.counted(open_ms, elapsed_ms)


@given(granted_ms=OPEN_MS, kept_ms=OPEN_MS, resumed=st.integers(0, 1))
def test_a_boot_takes_for_used_what_the_rules_say(granted_ms, kept_ms, resumed):
    s = controller.booted(2, [0, 0], (1, 1, granted_ms, kept_ms, resumed), "watchdog", limits())
    loss_ms = limits()[safety.CHECKPOINT_MS]
    assert s[state.base(1) + state.OPEN_MS] == drift.recalled(kept_ms, loss_ms, granted_ms)
    if resumed:
        assert not safety.may_resume(list(s), 1, limits()), "once"


def test_the_command_prints_what_is_proved(capsys):
    assert drift.main([]) == 0
    text = capsys.readouterr().out
    assert "each step keeps the invariant" in text
    assert "NOT PROVED" not in text
    assert drift.main(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert all(p["proved"] for p in told["proofs"])
    assert told["bound_s"]["0"] == pytest.approx(safety.CAP_MS / 1000 + 3.2)
