"""Who asked for the water, and which starts had to be made: what a stop ends, what a hand at the valve may have, and that no more is granted to either."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sim.faults import scenario
from sim.faults.campaign import live, outcome, story_of
from sim.faults.grants import Grants
from sim.faults.house import Stop, Version
from sim.faults.life import Life
from sim.faults.truth import Opening
from sim.faults.verdict import Verdict, judge

from .spoiled import SPOILED

STOP_THEN_RUN = """area = "people"
story = "A stop waits at the broker for a sleeper, and a run that was asked for after it."
days = 0.1
program = []
[[fault]]
do = "person.stops"
at_h = 0.7
[[fault]]
do = "person.runs"
at_h = {run_h}
run_time_s = 60
expires_s = 3600
"""
HAND = """area = "valve"
story = "Someone turns a knob."
days = 0.4
[[fault]]
do = "valve.opened_by_hand"
at_h = {at_h}
zone = 1
"""
BEGIN_S = datetime(2027, 6, 14, tzinfo=UTC).timestamp()
SIX_S = BEGIN_S + 6 * 3600
PROGRAM = {"id": 2, "zone": 2, "weekdays": list(range(7)), "start_min": 360, "run_time_s": 150}


def opening(zone: int, from_s: float, until_s: float) -> Opening:
    """Of a zone (from 1), by seconds after six."""
    return Opening(zone - 1, *(round((6 * 3600 + moment_s) * 1e6) for moment_s in (from_s, until_s)))


def missed(openings: list[Opening], stops: list[Stop]) -> int:
    """How many starts of zone 2 at six are judged as missed."""
    life = SimpleNamespace(
        story=SimpleNamespace(scenario=SimpleNamespace(start=datetime(2027, 6, 14, tzinfo=UTC), clock_off_s=0.0)),
        world=SimpleNamespace(scenario=SimpleNamespace(start_unix_s=BEGIN_S), unix_s=lambda: BEGIN_S + 12 * 3600),
        truth=SimpleNamespace(openings=openings, swapped=lambda _: False, pushes=lambda *_, **__: []),
        house=SimpleNamespace(asks={}, stopped=stops, versions=[Version(BEGIN_S, {}, (PROGRAM,))]),
        excused=[],
    )
    return sum(open_s is None for _, open_s in Grants(cast(Life, life)).starts())


def stop(zone: int, at_s: float) -> Stop:
    return Stop(zone, SIX_S + at_s, SIX_S + at_s + 0.1)


BUSY = [opening(1, -60, 200), opening(1, 206, 320)]  # two runs, and the six seconds between them


def test_a_start_that_nothing_hindered_is_missed() -> None:
    assert missed([], []) == missed(BUSY, []) == 1


def test_a_stop_ends_a_start_that_waits_behind_another_zone() -> None:
    assert missed(BUSY, [stop(0, 320)]) == missed(BUSY, [stop(2, 320)]) == 0


@pytest.mark.parametrize(
    ("openings", "stopped"),
    [
        (BUSY, stop(1, 320)),  # another zone's
        (BUSY, stop(0, -30)),  # before its time
        (BUSY, stop(0, 400)),  # a minute and a half after the zone before it was done
        ([], stop(0, 320)),  # nothing was watered
        ([opening(1, -60, 100), opening(1, 200, 320)], stop(0, 320)),  # there was room between two runs
        ([opening(2, -500, -400), opening(1, 40, 320)], stop(0, 320)),  # the other zone began later
    ],
)
def test_no_other_stop_excuses_a_missed_start(openings: list[Opening], stopped: Stop) -> None:
    assert missed(openings, [stopped]) == 1


def of(text: str, files: dict[str, bytes] | None = None) -> Verdict:
    return judge(live(story_of(scenario.parse(text, Path("own.toml")), 0), files))


def test_a_stop_ends_what_was_asked_for_before_it() -> None:
    after, before = STOP_THEN_RUN.format(run_h=0.8), STOP_THEN_RUN.format(run_h=0.6)
    assert (of(after).opens, of(after).story) == (1, [])
    assert of(before).opens == 0
    spoiled = next(one for one in SPOILED if one.name == "a stop does nothing")
    with spoiled.applied() as files:
        assert of(before, files).opens_beyond_cap == 1


@pytest.mark.parametrize("seed", [10, 14, 21])
def test_what_remains_of_a_programs_time_is_not_granted_to_a_hand(seed: int) -> None:
    assert outcome(scenario.load("valve_opened_by_hand"), seed).verdict.story == []


@pytest.mark.parametrize("at_h", [5.9, 5.9999, 6.02])
def test_a_hand_at_the_valve_around_a_programs_start_takes_nothing_from_the_program(at_h: float) -> None:
    found = of(HAND.format(at_h=at_h))
    assert (found.starts, found.missed_runs, found.short_runs, found.story) == (2, 0, 0, [])


def test_a_hand_is_no_start_of_a_program() -> None:
    spoiled = next(one for one in SPOILED if one.name == "never waters")
    with spoiled.applied() as files:
        assert of(HAND.format(at_h=6.2), files).missed_runs == 2


def test_a_board_that_leaves_a_valve_to_the_hand_that_opened_it_is_wrong() -> None:
    spoiled = next(one for one in SPOILED if one.name == "no pulse closes")
    with spoiled.applied() as files:
        assert of(HAND.format(at_h=7), files).opens_beyond_cap > 0
