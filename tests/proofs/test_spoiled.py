"""Every mutant outside the model is caught, and by what it is said to be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs import mutants, spoiled

pytestmark = pytest.mark.timeout(600)  # a search that shares its processor with others is slow, not hanging
ROOT = Path(__file__).resolve().parents[2]


def test_every_mistake_is_caught_and_the_command_says_by_what():
    command = [sys.executable, "-m", "tests.proofs.spoiled", "--without-model", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert told["missed"] == []
    assert done.returncode == 0
    assert told["caught"] == len(spoiled.SPOILED)


def test_there_are_more_than_thirty_and_no_two_of_a_name():
    names = [each.name for each in (*spoiled.SPOILED, *mutants.MUTANTS)]
    assert len(names) == len(set(names)) >= 50


@pytest.mark.parametrize("scene", ["boot", "hand", "woken", "swapped", "program"])
def test_a_catcher_says_nothing_of_the_firmware_as_it_is(scene):
    assert spoiled.Scene(scene).look() == ""


@pytest.mark.parametrize(("scene", "dies"), [("hand", "in a pulse"), ("hand", "while it runs"), ("woken", "while it runs"),
                                             ("program", "with RTC memory spoiled")])  # fmt: skip
def test_nor_when_the_board_dies_in_it(scene, dies):
    assert spoiled.Scene(scene, dies).look() == ""


def test_a_mistake_that_no_longer_fits_the_closer_is_an_error():
    with pytest.raises(ValueError, match="0 times"):
        spoiled._closer(("no such line", ""))()
