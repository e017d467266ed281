"""The fault campaign: the shipped firmware must pass it, spoiled firmware must not; lives are repeatable, and shrink to a story."""

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sim.__main__ import main
from sim.crew import Crew
from sim.faults import campaign, scenario
from sim.faults.campaign import Row, live, outcome, rows, story_of
from sim.faults.shrink import Shrinker, as_toml
from sim.faults.verdict import Verdict, judge

from .spoiled import SPOILED, Spoiled

ROOT = Path(__file__).resolve().parents[2]
AGREED = ("name", "seeds", "hours", "opens_beyond_cap", "unaccounted_ml", "missed_runs")
LONG = ("house_gone_for_weeks", "no_time_for_a_week", "dark_days")  # played by the long form alone


BRIEF = """area = "power"
story = "An hour with a short run and a power cut in it."
days = 0.05
[[program]]
zone = 1
start_min = 20
run_time_s = 30
[[fault]]
do = "power.cut"
when = "opens"
after_s = [1, 40]
off_s = [0.1, 9]
"""
REPEATED = """area = "people"
story = "Water is asked for again while it runs, among other things that do not matter."
days = 0.06
[board]
always_responsive = "yes"
[[fault]]
do = "person.runs"
at_h = 0.2
run_time_s = 60
[[fault]]
do = "person.runs"
when = "opens"
after_s = [30, 50]
run_time_s = 60
[[fault]]
do = "net.lost"
at_h = [0.3, 1]
times = 4
[[fault]]
do = "broker.drops"
at_h = [0.3, 1]
times = 3
"""


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    """A short scenario of one's own."""
    path = tmp_path / "brief.toml"
    path.write_text(BRIEF)
    return path


def played(name: str, seed: int = 0) -> Verdict:
    return outcome(scenario.load(name), seed).verdict


@pytest.mark.timeout(900)
@pytest.mark.parametrize("area", scenario.AREAS)
def test_whatever_breaks_no_water_runs_that_nobody_asked_for(area: str) -> None:
    names = [name for name in scenario.names() if scenario.load(name).area == area and name not in LONG]
    assert len(names) >= 4
    wrong = {name: verdict.story for name in names if not (verdict := played(name)).good}
    assert wrong == {}


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda spoiled: spoiled.name)
def test_spoiled_firmware_does_not_pass(spoiled: Spoiled) -> None:
    story = story_of(scenario.load(spoiled.scenario), spoiled.seed)
    story = dataclasses.replace(story, until_us=min(story.until_us, round(spoiled.until_h * 3.6e9)))
    with spoiled.applied() as files:
        verdict = judge(live(story, files))
    assert not verdict.good
    assert getattr(verdict, spoiled.figure) > 0


def test_the_same_seed_gives_the_same_log_byte_for_byte_in_any_process(brief: Path, tmp_path: Path) -> None:
    logs = []
    for number in (1, 2):
        path = tmp_path / f"{number}.log"
        wish = [
            sys.executable,
            "-m",
            "sim",
            "faults",
            "--scenario",
            "longest_run",
            "--seed",
            "5",
            "--json",
            "--log",
            str(path),
        ]
        done = subprocess.run(wish, cwd=ROOT, env={"PYTHONHASHSEED": str(number)}, stdout=subprocess.PIPE, check=True)
        logs.append(path.read_bytes())
        told = json.loads(done.stdout)["scenarios"][0]["log_sha256"]
        digest = hashlib.sha256(path.read_bytes().rstrip(b"\n")).hexdigest()
        assert told == hashlib.sha256(digest.encode()).hexdigest()
    assert logs[0] == logs[1]
    assert logs[0].count(b"\n") > 100


def test_another_seed_is_another_life(brief: Path) -> None:
    one = scenario.load(str(brief))
    assert outcome(one, 1).log_sha256 != outcome(one, 2).log_sha256


def test_a_life_that_went_wrong_shrinks_to_a_story_that_plays_again(brief: Path) -> None:
    spoiled = next(one for one in SPOILED if one.name == "repeats extend")
    story = story_of(scenario.parse(REPEATED, brief), 0)
    with spoiled.applied() as files:
        shrinker = Shrinker(story, files=files)
        small = shrinker.run()
        again = scenario.parse(as_toml(small), Path("again.toml"))
        verdict = judge(live(story_of(again, 0), files))
    assert sorted(deed.kind for deed in small.deeds) == ["person.runs", "person.runs"]
    assert len(story.deeds) == 9
    assert small.until_us < story.until_us
    assert verdict.opens_beyond_cap == 1


def test_shrinking_leaves_a_good_life_alone(brief: Path) -> None:
    story = story_of(scenario.load(str(brief)), 0)
    shrinker = Shrinker(story)
    assert shrinker.run() is story
    assert shrinker.tries == 1


def test_json_has_the_agreed_keys_first_and_nothing_went_wrong(brief: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--scenario", str(brief), "--seeds", "3", "--jobs", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [tuple(row)[:6] for row in found["scenarios"]] == [AGREED]
    assert found["scenarios"][0]["seeds"] == 3
    assert found["total"]["hours"] == pytest.approx(3 * 1.2)
    assert found["good"]


def test_processes_give_what_one_process_gives(brief: Path) -> None:
    chosen = [scenario.load(str(brief))]
    alone, together = (campaign.run(chosen, range(6), Crew(jobs), lambda _: False) for jobs in (1, 2))
    assert alone == together


def test_a_campaign_that_is_stopped_keeps_what_it_did(brief: Path) -> None:
    done = campaign.run([scenario.load(str(brief))], range(50), Crew(), lambda part: part > 0.03)
    assert [one.seed for one in done] == [0, 1]


def test_a_wrong_life_ends_in_one_and_names_the_command_that_shrinks_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = Verdict(hours=1, opens_beyond_cap=1, story=["zone 1 was open for ever"])
    monkeypatch.setattr(campaign, "outcome", lambda one, seed: campaign.Outcome(one.name, seed, sick, ""))
    assert main(["faults", "--scenario", "longest_run", "--seeds", "2", "--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert "zone 1 was open for ever" in told
    assert "--scenario longest_run --seed 1 --shrink" in told


ONCE_WRONG = (  # lives with nothing left to draw, and the seed of their noise; what was wrong: the judge, unless it says firmware
    ("battery_unplugged_for_hours", 4),  # the moment until a board with power again has closed
    ("many_hands", 16),  # a stop that was sent before a run, and heard with it
    ("four_zones_in_turn", 28),  # a valve that obeyed late had used up what the next run was granted
    ("valve_opened_by_hand", 8),  # what was left of a run: a tenth of a second
    ("broker_frozen", 17),  # the script: a fault that overlapped another went on for good
    ("wifi_flaps", 7),  # likewise
    ("stop_storm_signed", 5),  # a start that waited behind a run until a stop ended both
    ("settings_change_in_mid_run", 14),  # firmware: a program moved away and back in its run started again
    ("settings_change_while_waiting", 43),  # firmware: a program moved while it waited for another zone started twice
    ("watchdog_while_open", 82),  # firmware: a minute without a crash was forgotten by the next one, ten seconds later
    ("power_cut_anytime", 51),  # power that was taken away twice
    ("stop_storm_unsigned", 29),  # a start that a stop ended within half a second
    (
        "hang_before_the_watchdog",
        0,
    ),  # the script: what hangs before the program arms its watchdog is the SDK, whose own ends it
    ("journal_unreadable", 13),  # firmware: a program whose run was cut started again, settings and journal lost
)


@pytest.mark.parametrize(("name", "seed"), ONCE_WRONG)
def test_a_life_that_once_went_wrong_is_well(name: str, seed: int) -> None:
    assert outcome(scenario.load(str(Path(__file__).parent / "once_wrong" / f"{name}.toml")), seed).verdict.story == []


def test_missed_starts_are_not_counted_where_the_cause_forbids_watering() -> None:
    stuck, free = scenario.load("valve_sticks_closed"), scenario.load("longest_run")
    missed = Verdict(starts=4, missed_runs=3, untold_runs=1)
    found = rows([stuck, free], [campaign.Outcome(one.name, 0, missed, "") for one in (stuck, free)])
    assert [row.as_json()["missed_runs"] for row in found] == [0, 3]
    assert found[0].as_json()["forbidden_runs"] == 3
    assert found[0].as_json()["untold_runs"] == 1
    assert campaign.summary(found, 0.0)["total"]["untold_runs"] == 2


def test_the_page_shows_every_scenario_and_needs_no_other_file() -> None:
    from sim.faults.report import page

    chosen = [scenario.load(name) for name in ("longest_run", "valve_sticks_closed")]
    sick = Verdict(hours=1, starts=2, missed_runs=1, metered_ml=5e4, unaccounted_ml=2e4, story=["20 l <ran>"])
    found = [Row(one, (campaign.Outcome(one.name, 3, sick, ""),)) for one in chosen]
    text = page(found, campaign.summary(found, 0.0))
    assert text.count("<svg") == 2
    assert not [tag for tag in ("<script", "<link", "<img", " src=", "@import") if tag in text]
    assert "20 l &lt;ran&gt;" in text
    assert "<th>untold</th>" in text
    assert all(one.name in text and one.story in text for one in chosen)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "0"], "--seeds must be"),
        (["--shrink"], "name one --scenario"),
        (["--scenario", "witchcraft"], "no scenario called"),
        (["--scenario", "longest_run", "--scenario", "longest_run"], "named twice"),
        (["--scenario", "longest_run", "--area", "valve"], "no scenario of the area"),
    ],
)
def test_wrong_usage_is_two_and_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", *arguments]) == 2
    assert words in capsys.readouterr().err
