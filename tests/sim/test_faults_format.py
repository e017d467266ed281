"""A scenario's file: what it may say, and what is said of one that is broken."""

from pathlib import Path

import pytest

from sim.errors import SettingError
from sim.faults import calendar, scenario, script
from sim.faults.kinds import KINDS
from sim.faults.scenario import ScenarioError, parse

ROOT = Path(__file__).resolve().parents[2]
GOOD = 'area = "valve"\nstory = "Sand."\n'


def read(text: str) -> scenario.Scenario:
    return parse(text, Path("sand.toml"))


def test_at_least_forty_scenarios_cover_every_area() -> None:
    found = [scenario.load(name) for name in scenario.names()]
    assert len(found) >= 40
    assert {one.area for one in found} == set(scenario.AREAS)
    assert all(one.faults and len(one.story) > 15 for one in found)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("area = ", 0, "not TOML"),
        ('area = "garden"\nstory = "x"\n', 1, "area is one of network"),
        ('area = "valve"\n', 1, 'story = "..."'),
        (GOOD + "seeds = 3\n", 3, "knows no 'seeds'"),
        (GOOD + "days = 0\n", 3, "days must be"),
        (GOOD + 'starts = "June"\n', 3, "2027-06-14 00:00"),
        (GOOD + 'place = "Atlantis"\n', 3, "Europe/Berlin"),
        (GOOD + "[board]\nzones = 9\n", 4, "whole number from 1 to 4"),
        (GOOD + "[board]\nwings = 2\n", 4, "[board] knows no 'wings'"),
        (GOOD + "[[program]]\nzone = 3\nstart_min = 6\nrun_time_s = 60\n", 4, "zone must be 1 to 2"),
        (GOOD + "[[program]]\nzone = 1\n", 3, "a program needs"),
        (GOOD + '[[fault]]\ndo = "valve.explodes"\nat_h = 1\n', 4, "valve.swallows"),
        (GOOD + '[[fault]]\ndo = "rtc.lost"\nat_h = 1\n\n[[fault]]\ndo = "valve.leaks"\nat_h = 1\n', 8, "needs part"),
        (GOOD + '[[fault]]\ndo = "rtc.lost"\n', 4, "either at_h"),
        (GOOD + '[[fault]]\ndo = "rtc.lost"\nwhen = "rains"\n', 5, "opens, closes, boots, sleeps"),
        (GOOD + '[[fault]]\ndo = "rtc.lost"\nat_h = [5, 3]\n', 5, "at_h must be"),
        (GOOD + '[[fault]]\ndo = "rtc.lost"\nat_h = 1\nfor_s = 3\n', 6, "leave out for_s"),
        (GOOD + '[[fault]]\ndo = "reset"\nat_h = 1\ncause = "witch"\n', 6, "one of pin, watchdog"),
        (GOOD + '[[fault]]\ndo = "rtc.flips"\nat_h = 1\nbits = 1.5\n', 6, "whole number"),
        (GOOD + '[[fault]]\ndo = "rtc.lost"\nat_h = 1\nbits = 1\n', 6, "knows no 'bits'"),
    ],
)
def test_a_broken_file_is_told_by_its_line_and_what_to_do(text: str, line: int, words: str) -> None:
    with pytest.raises(ScenarioError) as told:
        read(text)
    assert words in str(told.value)
    assert str(told.value).startswith(f"sand.toml, line {line}: " if line else "sand.toml: ")


def test_an_unknown_scenario_is_told_with_those_that_there_are() -> None:
    with pytest.raises(SettingError, match="dst_spring_berlin"):
        scenario.load("dst")


def test_a_seed_draws_within_the_ranges_and_every_deed_by_itself() -> None:
    two = '[[fault]]\ndo = "rtc.flips"\nat_h = [2, 3]\nbits = [1, 9]\ntimes = 5\n[[fault]]\ndo = "power.cut"\nwhen = "opens"\noff_s = [1, 2]\ntimes = 2\n'
    deeds = script.draw(read(GOOD + two), 7)
    assert len(deeds) == 7
    assert all(2 <= deed.at_us / 3.6e9 <= 3 and 1 <= int(deed.values["bits"]) <= 9 for deed in deeds[:5])
    assert [deed.nth for deed in deeds[5:]] == [1, 2]
    assert deeds == script.draw(read(GOOD + two), 7) != script.draw(read(GOOD + two), 8)


def test_a_deed_written_down_is_the_same_deed() -> None:
    drawn = script.draw(
        read(
            GOOD
            + '[[fault]]\ndo = "flash.flips"\nwhen = "opens"\nafter_s = [0, 9]\nfile = "/journal.bin"\nbits = [1, 9]\n'
        ),
        3,
    )
    assert script.draw(read(GOOD + drawn[0].toml()), 0) == drawn


@pytest.mark.parametrize(
    ("place", "day", "minute", "at"),
    [
        ("America/New_York", (2027, 3, 14), 150, "2027-03-14T07:00"),  # 02:30 does not happen: at 03:00 summer time
        ("America/New_York", (2027, 11, 7), 90, "2027-11-07T05:30"),  # 01:30 comes twice: the first
        ("Europe/Berlin", (2027, 3, 28), 135, "2027-03-28T01:00"),
        ("Europe/Berlin", (2027, 10, 31), 150, "2027-10-31T00:30"),
        ("Australia/Lord_Howe", (2027, 10, 3), 135, "2027-10-02T15:30"),
        ("America/Santiago", (2027, 9, 5), 5, "2027-09-05T04:00"),  # no midnight
        ("Asia/Kolkata", (2027, 6, 1), 360, "2027-06-01T00:30"),
    ],
)
def test_the_judge_knows_when_a_program_starts_at_the_edges_of_summer_time(
    place: str, day: tuple[int, int, int], minute: int, at: str
) -> None:
    from datetime import UTC, date, datetime
    from zoneinfo import ZoneInfo

    moment = calendar.first_moment(date(*day), minute, ZoneInfo(place))
    assert datetime.fromtimestamp(moment, UTC).isoformat()[:16] == at


def test_every_kind_of_fault_and_every_field_stands_in_the_documents() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{name}` |")), "")
        assert kind.says in row, name
        assert all(f"`{field}`" in row for field in kind.fields), name


def test_every_kind_of_fault_is_played_by_a_scenario() -> None:
    played = {fault.kind for name in scenario.names() for fault in scenario.load(name).faults}
    assert set(KINDS) - played == set()
