"""The search over watering settings: its lawn is the simulator's, its result is repeatable, and bad wishes are one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from sim import climate, score, soil, tune
from sim.__main__ import main
from sim.crew import Crew
from sim.errors import SettingError


@pytest.fixture(autouse=True)
def _short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune, "POPULATION", 256)
    monkeypatch.setattr(tune, "GENERATIONS", 12)


def place_of(site: str, name: str = "loam") -> tune.Place:
    seasons = score.seasons_of(climate.recorded(site), 104, 120)
    return tune.Place(seasons.et0_mm, seasons.rain_mm, soil.Ground.of(name))


@pytest.mark.parametrize("name", ["sand", "loam", "clay"])
@pytest.mark.parametrize(("every_days", "run_time_min"), [(1, 10), (3, 60)])
def test_its_lawn_is_the_soil_of_the_simulator(name: str, every_days: int, run_time_min: int) -> None:
    place = place_of("cordoba", name)
    lived = tune.live(place, "schedule", np.array([[every_days], [run_time_min]], float))
    ground = place.ground
    taken_part = min(1.0, ground.infiltration_mm_h / place.rate_mm_h)
    got = wanted = drained = 0.0
    for season in range(place.et0_mm.shape[1]):
        bucket = soil.Bucket(tune.START * ground.available_mm, ground, tune.START * ground.evaporable_mm)
        for day, (et0, rain) in enumerate(zip(place.et0_mm[:, season], place.rain_mm[:, season], strict=True)):
            given = run_time_min / 60 * place.rate_mm_h * taken_part if day % every_days == 0 else 0.0
            stress = _stress(bucket, et0, rain + given)
            got += stress * ground.kcb * et0
            wanted += ground.kcb * et0
            soil.step(bucket, 86_400, et0, rain, given, et0)
        drained += bucket.drained_mm
    runs = -(-len(place.et0_mm) // every_days)
    water = runs * run_time_min / 60 * place.rate_mm_h
    assert lived.water_mm[0] == pytest.approx(water, rel=1e-4)
    assert lived.adequacy_pct[0] == pytest.approx(100 * got / wanted, abs=0.02)
    expected_lost = drained / place.et0_mm.shape[1] + water * (1 - taken_part)
    assert lived.lost_mm[0] == pytest.approx(expected_lost, rel=1e-3, abs=0.1)


def _stress(bucket: soil.Bucket, et0: float, supplied: float) -> float:
    from sim import fao56

    depletion = max(0.0, bucket.depletion_mm - supplied)
    fraction = fao56.depletion_fraction(bucket.ground.fraction, bucket.ground.kcb * et0)
    return fao56.stress_coefficient(depletion, bucket.ground.available_mm, fraction)


def test_the_best_schedule_is_no_worse_than_any_on_a_grid() -> None:
    place = place_of("greensboro")
    best = tune.tune(place, ["schedule"], 95, 0, Crew(), lambda _: False)[0]
    grid = np.array([[every, run] for every in range(1, 15) for run in range(1, 121, 3)], float).T
    lived = tune.live(place, "schedule", grid)
    enough = lived.water_mm[lived.adequacy_pct >= 95]
    assert best.adequacy_pct >= 94.95
    assert best.water_mm <= enough.min() + 0.1
    assert set(best.settings) == set(tune.WAYS["schedule"])


def test_what_a_probe_and_books_know_saves_water() -> None:
    found = tune.tune(place_of("greensboro"), list(tune.WAYS), 95, 0, Crew(), lambda _: False)
    water = {best.way: best.water_mm for best in found}
    assert water["probe"] < water["schedule"]
    assert water["smart"] < water["schedule"]


def test_a_stop_keeps_the_best_so_far() -> None:
    found = tune.tune(place_of("greensboro"), ["schedule", "smart"], 95, 0, Crew(), lambda _: True)
    assert [best.way for best in found] == ["schedule"]
    assert found[0].stopped


def test_processes_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told, pictures = [], []
    for jobs in ("1", "2"):
        words = ["--site", "greensboro", "--days", "20", "--ways", "smart", "--jobs", jobs, "--json"]
        assert main(["tune", *words, "--out", str(tmp_path)]) == 0
        told.append(json.loads(capsys.readouterr().out))
        pictures.append((tmp_path / "tune.png").read_bytes())
        assert json.loads((tmp_path / "tune.json").read_text()) == told[-1]
    assert told[0]["ways"] == told[1]["ways"]
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] == pictures[1]


def test_what_was_tried_is_kept_for_the_picture() -> None:
    best = tune.tune(place_of("greensboro"), ["schedule"], 95, 0, Crew(), lambda _: False)[0]
    water_mm, adequacy_pct = best.tried[:, 0], best.tried[:, 1] / 10
    near = (abs(water_mm - best.water_mm) <= 0.5) & (abs(adequacy_pct - best.adequacy_pct) <= 0.05)
    assert near.any(), "the chosen settings were tried"
    assert 100 < len(best.tried) <= best.tries
    assert not ((adequacy_pct >= 95.1) & (water_mm < best.water_mm - 1)).any(), "none that is enough takes less"


def test_a_way_that_was_not_begun_has_no_panel(tmp_path: Path) -> None:
    from sim import pictures

    found = tune.tune(place_of("greensboro"), ["schedule", "smart"], 95, 0, Crew(), lambda _: True)
    pictures.draw_tune(found, 95, "stopped", tmp_path / "tune.svg", "svg")
    drawn = (tmp_path / "tune.svg").read_text()
    assert "<svg" in drawn
    assert len(found) == 1


def test_what_cannot_be_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["--ways", "rain"],
        ["--adequacy", "10"],
        ["--rate", "0"],
        ["--site", "atlantis"],
        ["--soil", "snow"],
    ):
        assert main(["tune", *words]) == 2
        error = capsys.readouterr().err
        assert error.startswith("sim tune: ")
        assert error.count("\n") == 1
    with pytest.raises(SettingError):
        tune.Place(np.zeros((1, 1)), np.zeros((1, 1)), soil.LOAM, rate_mm_h=0)
