"""Faults of one kind that overlap: each lasts for its time, and when all are over the world is as it was."""

from types import SimpleNamespace
from typing import Any

import pytest

from sim.faults.hold import hold


class World:
    """What faults hold an attribute of."""

    mute = False


def overlapping() -> tuple[World, Any]:
    world, life = World(), SimpleNamespace(held={})
    return world, lambda value: hold(life, world, "mute", value)


@pytest.mark.parametrize("first", [0, 1])
def test_a_fault_goes_on_when_one_that_overlaps_it_is_over_and_not_longer(first: int) -> None:
    world, fault = overlapping()
    ends = [fault(True), fault(True)]
    ends[first]()
    assert world.mute is True
    ends[1 - first]()
    assert world.mute is False


def test_of_two_faults_the_later_has_its_value_until_it_is_over() -> None:
    world, fault = overlapping()
    early, late = fault(1), fault(2)
    assert world.mute == 2
    late()
    assert world.mute == 1
    early()
    assert world.mute is False


def test_a_fault_for_good_outlasts_another() -> None:
    world, fault = overlapping()
    fault(1)
    fault(2)()
    assert world.mute == 1


def test_what_changes_between_two_faults_is_kept() -> None:
    world, fault = overlapping()
    fault(1)()
    world.mute = 7  # type: ignore[assignment]
    fault(1)()
    assert world.mute == 7
