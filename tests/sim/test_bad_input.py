"""Every verb of `python -m sim`: what cannot be, what cannot be written and Ctrl-C are told in one clear line, and what was done is kept."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim import tune
from sim.__main__ import VERBS, main
from sim.cli import common

ROOT = Path(__file__).resolve().parent.parent.parent

# The shortest work of each verb that writes; {out} is a folder of the test
SHORT = {
    "season": ["--days", "2", "--site", "greensboro", "--out", "{out}"],
    "size": ["--site", "greensboro", "--panels", "1", "--batteries", "2000", "--jobs", "1", "--out", "{out}"],
    "tune": ["--site", "tunis", "--days", "2", "--ways", "smart,schedule", "--jobs", "1", "--out", "{out}"],
    "score": ["--sites", "greensboro,miami", "--days", "9"],
    "fleet": ["--boards", "2", "--days", "1", "--run-time", "0", "--jobs", "1"],
    "faults": ["--scenario", "valve_sticks_open", "--seeds", "2", "--jobs", "1"],
    "replay": ["--save", "{out}/life.log", "--days", "1", "--run-time", "0"],
}
WRITING = ("season", "size", "tune", "faults", "replay")

IMPOSSIBLE = [
    ("board", "--site atlantis", "no weather of a place called 'atlantis'"),
    ("season", "--site atlantis", "no weather of a place called 'atlantis'"),
    ("size", "--site atlantis", "no weather of a place called 'atlantis'"),
    ("score", "--sites greensboro,atlantis", "no weather of a place called 'atlantis'"),
    ("tune", "--site atlantis", "no weather of a place called 'atlantis'"),
    ("fleet", "--site atlantis", "no weather of a place called 'atlantis'"),
    ("replay", "--save x --site atlantis", "no weather of a place called 'atlantis'"),
    ("season", "--site brussels --year 1066", "not 1066"),
    ("size", "--site brussels --year 1066", "not 1066"),
    ("tune", "--site brussels --year 1066", "not 1066"),
    ("fleet", "--site brussels --year 1066", "not 1066"),
    ("season", "--panel -1", "a panel has"),
    ("season", "--panel nan", "a panel has"),
    ("size", "--panels 1,-2", "--panels"),
    ("size", "--panels 1,nan", "--panels"),
    ("size", "--batteries 0", "--batteries"),
    ("season", "--battery nan", "a battery has"),
    ("board", "--battery nan", "battery_pct"),
    ("board", "--battery 150", "battery_pct"),
    ("board", "--speed nan", "speed"),
    ("board", "--longitude nan", "longitude"),
    ("season", "--latitude nan", "latitude"),
    ("size", "--latitude inf", "latitude"),
    ("score", "--latitude nan", "latitude"),
    ("tune", "--longitude nan", "longitude"),
    ("fleet", "--latitude -91", "latitude"),
    ("season", "--area nan", "area"),
    ("season", "--run-time nan", "--run-time"),
    ("season", "--wake inf", "--wake"),
    ("season", "--days 0", "days"),
    ("size", "--run-time nan", "--run-time"),
    ("size", "--wake nan", "--wake"),
    ("size", "--shade nan", "shade"),
    ("score", "--days 0", "days"),
    ("tune", "--rate nan", "mm/h"),
    ("tune", "--adequacy nan", "adequacy"),
    ("fleet", "--run-time nan", "--run-time"),
    ("fleet", "--wake inf", "--wake"),
    ("fleet", "--days nan", "days"),
    ("fleet", "--boards 0", "boards"),
    ("fleet", "--jobs 0", "--jobs"),
    ("faults", "--seeds 0", "--seeds"),
    ("faults", "--scenario flood", "flood"),
    ("faults", "--jobs 0", "--jobs"),
    ("replay", "--save x --days nan", "days"),
    ("replay", "--save x --run-time inf", "--run-time"),
    ("replay", "--save x --wake nan", "--wake"),
    ("replay", "--save x --scenario flood", "flood"),
    ("replay", "", "give a recording"),
]


@pytest.fixture(autouse=True)
def _short_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tune, "POPULATION", 32)
    monkeypatch.setattr(tune, "GENERATIONS", 3)
    monkeypatch.chdir(tmp_path)


def short(verb: str, out: Path) -> list[str]:
    return [verb, *(word.format(out=out) for word in SHORT[verb])]


def assert_one_line(error: str, verb: str) -> None:
    assert error.startswith(f"sim {verb}: "), error
    assert error.count("\n") == 1, error


@pytest.mark.parametrize(("verb", "options", "words"), IMPOSSIBLE)
def test_what_cannot_be_is_told_in_one_line(
    verb: str, options: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, *options.split()]) == 2
    told = capsys.readouterr()
    assert_one_line(told.err, verb)
    assert words in told.err
    assert told.out == ""
    assert not [path for path in tmp_path.iterdir() if path.is_file()], "nothing was written"


def test_every_verb_is_told_of_something_that_cannot_be() -> None:
    assert {verb for verb, _, _ in IMPOSSIBLE} == set(VERBS)
    assert set(SHORT) == set(VERBS) - {"board"}, "a live board ends by Ctrl-C as it should: test_live.py"


@pytest.mark.parametrize("verb", ["faults", "replay"])
@pytest.mark.parametrize("text", ["", "not toml at all [", 'name = "x"\n', '\x00\x01"'])
def test_a_broken_scenario_is_told_in_one_line(
    verb: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    recording = ["--save", str(tmp_path / "life.log")] if verb == "replay" else []
    assert main([verb, *recording, "--scenario", str(path)]) == 4
    error = capsys.readouterr().err
    assert_one_line(error, verb)
    assert "broken.toml" in error
    assert not (tmp_path / "life.log").exists()


@pytest.mark.parametrize("verb", [verb for verb in SHORT if verb != "size"])
def test_ctrl_c_half_way_keeps_what_was_done(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[float] = []

    def once(_: common.Bar, part: float, _words: str = "") -> None:
        shown.append(part)
        if len(shown) == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(common.Bar, "__call__", once)
    assert main([*short(verb, tmp_path), "--json"]) == common.INTERRUPTED
    told = json.loads(capsys.readouterr().out)
    assert told["stopped"] is True


def run(verb: str, out: Path, *more: str, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim", *short(verb, out), *more]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=120, stderr=subprocess.PIPE, text=True, **how)


def no_file_may_grow() -> None:
    """As on a full disk, for each file of the process."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("verb", WRITING)
def test_a_file_that_cannot_be_written_is_told_in_one_line(verb: str, tmp_path: Path) -> None:
    report = ["--html", str(tmp_path / "x.html")] if verb == "faults" else []
    done = run(verb, tmp_path, *report, stdout=subprocess.DEVNULL, preexec_fn=no_file_may_grow)
    assert done.returncode == 4, done.stderr
    assert_one_line(done.stderr, verb)
    assert "File too large" in done.stderr


@pytest.mark.parametrize("verb", SHORT)
def test_output_that_finds_no_room_is_told_in_one_line(verb: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = run(verb, tmp_path, stdout=full)
    assert done.returncode == 4, done.stderr
    assert_one_line(done.stderr, verb)
    assert "No space left on device" in done.stderr
