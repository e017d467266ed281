"""The checks that ./demo makes by itself, as commands."""

import re

import pytest

from tests.e2e.command import Command, in_a_thread
from tests.e2e.conftest import Checks

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHECK_S = 90.0
STEP = re.compile(r" *\d+\.\d\d s  \S.*")
AWAITED = re.compile(r" *\.\.\. s  \S.*")  # what is waited for, when that takes long
SINCE = re.compile(r"\S.*; seconds since then.*:")


def held(command: Command, *steps: str) -> None:
    """The command ends well, says each of these steps, and gives each its seconds."""
    exit_code = command.ended(CHECK_S)
    said = "\n".join([*command.lines, *command.errors])
    assert exit_code == 0, said
    others = [line for line in command.lines if not (STEP.fullmatch(line) or AWAITED.fullmatch(line))]
    assert [line for line in others if not SINCE.fullmatch(line)] == []
    measured = "\n".join(filter(STEP.fullmatch, command.lines))
    assert [step for step in steps if step not in measured] == []


@in_a_thread
def test_the_demo_waters_through_home_assistant_and_the_board_closes_by_its_own_timer(checks: Checks) -> None:
    held(
        checks.whole,
        "discovered over MQTT",
        "paired with its code",
        "the board granted 8 s",
        "the valve is open, in truth",
        "the valve is open, says Home Assistant",
        "water flows, says Home Assistant",
        "the board closed the valve by its own timer, in truth",
        "the run is completed, says Home Assistant",
        "the board's samples are there",
        "no error in the logs",
    )


@in_a_thread
def test_the_demo_waters_without_home_assistant(checks: Checks) -> None:
    held(
        checks.no_ha,
        "the valve is open, in truth",
        "the board closed the valve by its own timer, in truth",
        "the run is completed, the board says",
        "no error in the logs",
    )
