"""Who asked for the water: what a stop ends, what a hand at the valve may have, and that no more is granted to either."""

from pathlib import Path

import pytest

from sim.faults import scenario
from sim.faults.campaign import live, outcome, story_of
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
