"""docs/simulator.md says what the simulator does; docs/smart_watering.md how well the board waters."""

import json
import re
from pathlib import Path

import pytest

from sim import climate, score, smart, soil
from sim.__main__ import VERBS
from sim.cli import score as score_verb

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
SMART_PAGE = (ROOT / "docs/smart_watering.md").read_text(encoding="utf-8")


def test_every_verb_is_documented() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(VERBS)


def test_table_of_scores_is_what_score_says() -> None:
    seasons = score.seasons_of(climate.recorded("greensboro"), 104, 184)
    found = [score.judge(seasons, row) for row in (*score.ROWS, *smart.ROWS)]
    rows = [
        f"| {row.name} | {round(row.adequacy_pct, 1):g} | {round(row.efficiency_pct, 1):g} | {round(row.irrigation_mm)} |"
        for row in found
    ]
    assert "\n".join(rows) in PAGE


def test_table_of_smart_watering_is_what_score_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert score_verb.main(["--json"]) == 0
    climates = json.loads(capsys.readouterr().out)["climates"]
    for ways in zip(*(climate_told["policies"] for climate_told in climates), strict=True):
        cells = [f"{way['adequacy_pct']:.1f}, {way['efficiency_pct']:.1f}, {way['irrigation_mm']}" for way in ways]
        assert f"| {' | '.join([ways[0]['name'], *cells])} |" in SMART_PAGE


def test_places_and_pictures_are_there() -> None:
    for site in climate.sites():
        assert site.replace("_", " ").title() in PAGE
    for picture in re.findall(r"\]\((images/\S+?)\)", PAGE):
        assert (ROOT / "docs" / picture).exists()
    assert f"root zone ({soil.LOAM.root_m:g} m)" in PAGE
