"""A recording is played again byte for byte, can be looked at, and says where a life went another way."""

import io
import json
from pathlib import Path

import pytest

from sim import replay
from sim.__main__ import main

SHORT = ["--days", "0.05", "--wake", "30", "--seed", "3"]


@pytest.fixture
def recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "life.log"
    assert main(["replay", "--save", str(path), *SHORT]) == 0
    assert "lines recorded" in capsys.readouterr().out
    return path


def test_a_life_is_played_again_byte_for_byte(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recording), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"]
    assert told["seed"] == 3
    assert told["lines"] == len(recording.read_text(encoding="utf-8").splitlines()) - 1
    assert replay.play(replay.load(recording).order).text() == recording.read_text(encoding="utf-8")


def test_the_first_line_that_differs_is_told(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = recording.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5] + " and more"
    recording.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["replay", str(recording)]) == 1
    out = capsys.readouterr().out
    assert "differs from line 5 on, with the same firmware" in out
    assert "and more" in out
    recording.write_text("\n".join(lines[:4]) + "\n", encoding="utf-8")
    assert main(["replay", str(recording)]) == 1
    assert "(nothing more)" in capsys.readouterr().out


def test_it_shows_only_what_is_asked_for(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recording), "--show", "--only", "boot", "--until", "0.4"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if " h  " in line]
    assert [line.split("  ")[-1] for line in shown] == ["boot 1"]


def test_it_steps_a_line_for_each_enter(
    recording: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\nq\n"))
    assert main(["replay", str(recording), "--step"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if " h  " in line]) == 3


def test_a_life_of_the_fault_campaign_is_recorded_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sim.faults import scenario

    path = tmp_path / "bad.log"
    assert main(["replay", "--save", str(path), "--scenario", scenario.names()[0], "--seed", "1"]) == 0
    assert main(["replay", str(path)]) == 0
    assert "the same, byte for byte" in capsys.readouterr().out


def test_what_is_no_recording_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.log"
    assert main(["replay", str(path)]) == 4
    path.write_text("hello\n", encoding="utf-8")
    assert main(["replay", str(path)]) == 4
    assert main(["replay"]) == 2
    assert main(["replay", "--save", str(tmp_path / "x"), "--scenario", "flood"]) == 2
    assert main(["replay", "--save", str(tmp_path / "no" / "x"), "--days", "0.001"]) == 4
    assert capsys.readouterr().err.count("\n") == 5
