"""`season`: a garden through some days, and what is left when it is stopped or the disk is full."""

import csv
import json
import signal
from pathlib import Path

import pytest

from sim import season
from sim.__main__ import main
from sim.cli import common
from sim.errors import FileError
from sim.garden import Program
from sim.world import Scenario

SHORT = ["season", "--site", "greensboro", "--start", "06-01", "--days", "2", "--wake", "60", "--run-time", "5"]


def run(out: Path, *more: str) -> int:
    return main([*SHORT, "--out", str(out), *more])


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "season.csv").open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def test_season_tells_what_became_of_water_and_sun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "season.json").read_text(encoding="utf-8"))
    assert told["place"] == "Greensboro NC, USA"
    assert told["events"]["run_finished/completed"] == 2
    assert told["water_l"] == pytest.approx(2 * 5 * 8, rel=0.02)
    assert told["crashes"] == 0
    hours = rows(tmp_path)
    assert len(hours) == 48
    assert sum(float(hour["irrigation_mm"]) for hour in hours) == pytest.approx(told["irrigation_mm"], abs=0.06)
    assert sum(float(hour["rain_mm"]) for hour in hours) == pytest.approx(told["rain_mm"], abs=0.06)
    assert float(hours[0]["sun_w_m2"]) == 0 < float(hours[12]["sun_w_m2"])  # it starts at the place's midnight
    assert (tmp_path / "season.png").read_bytes().startswith(b"\x89PNG")


def test_season_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run(tmp_path / name, "--days", "1", "--format", "svg") == 0
    assert (tmp_path / "one/season.csv").read_bytes() == (tmp_path / "two/season.csv").read_bytes()
    assert (tmp_path / "one/season.json").read_bytes() == (tmp_path / "two/season.json").read_bytes()


def test_ctrl_c_half_way_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(common.Bar, "__call__", lambda *_: signal.raise_signal(signal.SIGINT))  # after the first day
    assert run(tmp_path, "--json") == common.INTERRUPTED
    told = json.loads(capsys.readouterr().out)
    assert told["stopped"]
    assert told["days"] == 1
    assert len(rows(tmp_path)) == 24
    assert (tmp_path / "season.png").exists()


def test_full_disk_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "season.csv").symlink_to("/dev/full")
    assert run(tmp_path) == 4
    error = capsys.readouterr().err
    assert (
        error == f"sim season: cannot write {tmp_path}/season.csv: No space left on device; the lines before are kept\n"
    )


def test_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "size.json"
    path.write_text("old", encoding="ascii")

    def fail(part: Path) -> None:
        part.write_text("half", encoding="ascii")
        raise OSError(28, "No space left on device")

    with pytest.raises(FileError, match="No space left on device; what was written before it is kept"):
        common.write(path, fail)
    assert path.read_text(encoding="ascii") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--site", "atlantis"], "no weather of a place called 'atlantis'; there are: "),
        (["--site", "tunis", "--year", "1900"], "the years 1992 to 2001, not 1900"),
        (["--soil", "cheese"], "no soil called 'cheese'; there are: sand, "),
        (["--grass", "hot"], "no grass called 'hot'; there are: cool, warm"),
        (["--panel", "-1"], "a panel has 0.1 to 20 W (0: none), not -1"),
        (["--battery", "0"], "a battery has 50 to 50000 mAh, not 0"),
        (["--feather", "x"], "no Feather called 'x'"),
        (["--weekdays", "mon,noday"], "no weekday called 'noday'"),
        (["--at", "25:00"], "a time of day is HH:MM"),
        (["--start", "02-30"], "a start is MM-DD"),
        (["--days", "0"], "1 to 3660 days, not 0"),
        (["--run-time", "500"], "a run lasts up to 120 minutes, not 500"),
    ],
)
def test_bad_wish_is_one_clear_line(
    more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", *more) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_folder_that_is_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(tmp_path / "file") == 4
    assert "cannot use" in capsys.readouterr().err


def test_board_without_sun_dies_and_is_counted_as_flat() -> None:
    scenario = Scenario(zones=1, panel_w=0, capacity_mah=50, battery_pct=60, feather="rev_f", clouds=False)
    garden = season.Season(season.Plan(scenario, Program(run_time_s=0, wake_interval_s=3600), 1))
    garden.run(lambda _: False)
    told = garden.summary()
    assert isinstance(told["flat_h"], int)
    assert 15 < told["flat_h"] < 24
    assert told["charge_min_pct"] == 0
