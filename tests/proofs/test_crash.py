"""The short form of crash anywhere: seeded points of every scene, and the harness itself can fail."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.crash import SHORT

pytestmark = pytest.mark.timeout(600)  # a search that shares its processor with others is slow, not hanging
ROOT = Path(__file__).resolve().parents[2]


def crash(*arguments: str) -> tuple[int, dict]:
    command = [sys.executable, "-m", "tests.proofs.crash", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_wherever_a_reset_comes_the_water_is_off_nothing_is_torn_and_the_board_waters_again():
    code, told = crash()
    assert told["cases"] == []
    assert code == 0
    assert SHORT * 0.7 <= told["crashes"] <= SHORT * 1.5, "about as many as asked for"
    assert all(scene["points"] > 1000 and scene["crashes"] > 0 and scene["lost"] == 0 for scene in told["scenes"])
    assert sum(scene["at_calls"] for scene in told["scenes"]) > 10
    assert sum(scene["in_recovery"] for scene in told["scenes"]) > 3


def test_a_seed_chooses_the_same_points_again():
    first, second = (crash("--scene", "hand", "--crashes", "60", "--jobs", "1")[1] for _ in range(2))
    del first["seconds"], second["seconds"]
    assert first == second


def test_ctrl_c_keeps_what_was_crashed_so_far():
    command = [sys.executable, "-m", "tests.proofs.crash", "--json", "--long", "--jobs", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as going:
        said = ""
        while not re.search(r"[1-9]\d* of about", said):
            said += going.stderr.read(1)
        going.send_signal(signal.SIGINT)
        told = json.loads(going.communicate()[0])
    assert going.returncode == 130
    assert not told["ended"]
    assert told["crashes"] > 0
    assert told["broken"] == 0
