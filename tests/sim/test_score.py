"""`score`: the judge, the baselines, and what they come to at Greensboro."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sim import climate, score, smart
from sim.__main__ import main


@pytest.fixture(scope="module")
def greensboro() -> score.Seasons:
    return score.seasons_of(climate.recorded("greensboro"), 104, 184)


@pytest.fixture(scope="module")
def tunis() -> score.Seasons:
    return score.seasons_of(climate.recorded("tunis"), 104, 184)


def seasons(et0_mm: list[float], rain_mm: list[float]) -> score.Seasons:
    days = len(et0_mm)
    column = (days, 1)
    whole = np.ones(column, dtype=np.int64)
    tables = (
        np.array(et0_mm).reshape(column),
        np.array(rain_mm).reshape(column),
        np.full(column, 20.0),
        np.full(column, 50.0),
    )
    return score.Seasons("a table", *tables, whole, np.zeros(column, dtype=np.int64), np.full(12, 5.0))


def judged(et0_mm: list[float], rain_mm: list[float], depths_mm: list[float]) -> score.Score:
    row = score.Row("by hand", lambda known: np.full(known.depletion_mm.shape, depths_mm[known.day]))
    return score.judge(seasons(et0_mm, rain_mm), row)


def test_lawn_that_gets_what_it_takes_wants_and_wastes_nothing() -> None:
    found = judged([10, 10, 10], [0, 0, 0], [9.5, 9.5, 9.5])
    assert (found.adequacy_pct, found.efficiency_pct, found.irrigation_mm) == (100, 100, pytest.approx(28.5))


def test_lawn_without_water_lives_on_its_storage() -> None:
    found = judged([20, 20, 20], [0, 0, 0], [0, 0, 0])
    assert found.adequacy_pct == pytest.approx(100 * score.STORAGE_MM / 57)
    assert (found.efficiency_pct, found.irrigation_mm) == (100, 0)


def test_water_on_a_full_storage_is_surplus() -> None:
    found = judged(
        [10, 10], [0, 30], [0, 20]
    )  # 9.5 mm are missing, then 19 less the rain: it would have been full by itself
    assert found.efficiency_pct == 0
    found = judged([10, 10], [0, 0], [0, 20])
    assert found.efficiency_pct == pytest.approx(95)


def test_a_run_of_less_than_two_millimetres_is_not_begun() -> None:
    assert judged([10], [0], [1.9]).irrigation_mm == 0


def test_many_seasons_at_once_are_judged_as_each_by_itself(tunis: score.Seasons) -> None:
    assert tunis.et0_mm.shape == (184, 10)
    for row in (score.ROWS[0], score.ROWS[2], score.ROWS[4]):
        alone = []
        for year in range(10):
            tables = ("et0_mm", "rain_mm", "air_c", "humidity_pct", "month", "weekday")
            one = replace(tunis, **{name: getattr(tunis, name)[:, [year]] for name in tables})
            alone.append(score.judge(one, row).irrigation_mm)
        assert score.judge(tunis, row).irrigation_mm == pytest.approx(np.mean(alone))


def test_same_seed_gives_the_same_score(greensboro: score.Seasons) -> None:
    noisy = score.ROWS[5]
    assert score.judge(greensboro, noisy, 1) == score.judge(greensboro, noisy, 1)
    assert score.judge(greensboro, noisy, 1) != score.judge(greensboro, noisy, 2)


def test_peers_formulas_give_their_own_numbers() -> None:
    table = seasons([6, 6], [5, 5])
    known = score.Known(
        table, 0, table.et0_mm[0], table.rain_mm[0], table.air_c[0], table.humidity_pct[0],
        np.zeros(1, dtype=bool), np.zeros(1), np.random.default_rng(0), {},
    )  # fmt: skip
    run_mm = 5.0 * score.KC * 7 / 3
    assert score.fixed(known) == pytest.approx(run_mm)
    # 100 + (30 - 50) + 4 (68 - 70) - 200 * 5 / 25.4
    assert score.zimmerman(known) == pytest.approx(run_mm * (100 - 20 - 8 - 39.37) / 100, abs=0.01)
    assert score.opensprinkler_eto(known) == pytest.approx(run_mm * (6 - 5) / 5)
    assert score.rain_skip(replace(known, told_rain_mm=np.array([6.0]))) == 0
    assert score.zimmerman(replace(known, missing=np.ones(1, dtype=bool))) == pytest.approx(run_mm)


def test_books_water_less_than_schedules_of_equal_adequacy(greensboro: score.Seasons) -> None:
    found = {row.name: score.judge(greensboro, row) for row in score.ROWS}
    books, plain = found["FAO checkbook"], found["fixed, 3 x a week"]
    assert books.adequacy_pct >= 95
    assert books.efficiency_pct >= 98
    assert books.irrigation_mm < found["OpenSprinkler ETo"].irrigation_mm < plain.irrigation_mm
    assert plain.adequacy_pct > 99
    assert plain.efficiency_pct < 75
    assert found["Zimmerman"].adequacy_pct == pytest.approx(91, abs=2)
    assert found["soil probe, 15 % too dry"].efficiency_pct < found["soil probe, 5 % noise"].efficiency_pct - 5
    assert books.passed == 1
    assert plain.passed == 0


def test_board_waters_enough_and_wastes_little_with_good_weather_and_with_a_wrong_probe(greensboro, tunis) -> None:
    for seasons_of_place in (greensboro, tunis):
        found = {row.name.removeprefix("the board, "): score.judge(seasons_of_place, row) for row in smart.ROWS}
        for name in ("good weather", "and the day's rain forecast", "weather and probe"):
            assert found[name].adequacy_pct >= 95, name
            assert found[name].efficiency_pct >= 98, name
        for name in (
            "and probe 15 % too dry",
            "and probe 15 % too wet",
            "ET0 15 % too high, probe",
            "ET0 15 % too low, probe",
        ):
            assert found[name].adequacy_pct >= 95, name
            assert found[name].efficiency_pct >= 93, name
        for other in (score.judge(seasons_of_place, row) for row in score.ROWS):
            if other.adequacy_pct >= 95 and "probe" not in other.name:
                assert found["good weather"].irrigation_mm < other.irrigation_mm, other.name


def test_board_that_nobody_tells_of_the_weather_is_better_than_a_schedule(greensboro: score.Seasons) -> None:
    found = {row.name: score.judge(greensboro, row) for row in (*score.ROWS[:1], *smart.ROWS)}
    alone, plain = found["the board, nobody pushes"], found["fixed, 3 x a week"]
    assert alone.adequacy_pct >= 95
    assert alone.irrigation_mm < plain.irrigation_mm
    assert alone.efficiency_pct > plain.efficiency_pct


def test_too_little_rain_admits_no_test() -> None:
    assert judged([10] * 40, [0] * 40, [9.5] * 40).passed is None


def test_score_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--sites", "seattle,greensboro", "--days", "60"]) == 0
    assert "Seattle WA, USA, from 04-15: 4 seasons" in capsys.readouterr().out
    assert main(["score", "--latitude", "-30", "--json", "--days", "90"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["climates"][0]["start"] == "10-15"
    assert len(told["climates"][0]["policies"]) == len(score.ROWS) + len(smart.ROWS)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sites", "mars"], "no weather of a place called 'mars'"),
        (["--days", "400"], "1 to 365 days, not 400"),
        (["--start", "13-01"], "a start is MM-DD"),
        (["--sites", "tunis", "--latitude", "3"], "contradict each other"),
    ],
)
def test_bad_score_is_one_clear_line(more: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", *more]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
