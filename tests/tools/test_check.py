"""./check: how outcomes are counted and said."""

import json
from pathlib import Path

import pytest

from tools import check, sections
from tools.sections import Outcome, Section

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite>
<testcase classname="tests.core.test_a" name="test_holds"/>
<testcase classname="tests.core.test_a" name="test_fails"><failure message="assert"/></testcase>
<testcase classname="tests.core.test_a" name="test_fails"><error message="clean-up failed too"/></testcase>
<testcase classname="tests.core.test_a" name="test_breaks"><error message="fixture"/></testcase>
<testcase classname="tests.core.test_a" name="test_waits"><skipped message="no board on --port"/></testcase>
</testsuite></testsuites>
"""


def test_a_report_is_counted_by_tests(tmp_path: Path) -> None:
    report = tmp_path / "core.xml"
    report.write_text(REPORT)
    outcome = Outcome(Section("core", ""))
    sections.count_report(outcome, report)
    assert (outcome.passed, outcome.failed) == (1, 2)
    assert outcome.skipped == [("tests.core.test_a::test_waits", "no board on --port")]
    assert not outcome.green


def test_a_section_without_tests_is_red_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "ROOT", tmp_path)
    outcome = Outcome(Section("moon", ""))
    sections.run_tests(outcome, [])
    assert outcome.problem == "no tests in tests/moon"
    assert not outcome.green


def test_the_summary_gives_each_skip_its_reason_and_ends_with_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome(Section("core", ""), passed=3, skipped=[("test_waits", "no board")])
    check.print_summary([outcome, Outcome(Section("sim", ""), passed=4, failed=1)], 1.5)
    lines = capsys.readouterr().out.splitlines()
    assert "skipped test_waits: no board" in lines
    assert lines[-1] == "7 passed, 1 failed, 1 skipped"


def test_fast_is_a_group_and_no_name_means_all() -> None:
    assert check.chosen([]) == list(sections.SECTIONS)
    assert [section.name for section in check.chosen(["fast"])][:2] == ["lint", "core"]
    assert [section.name for section in check.chosen(["sim", "core", "sim"])] == ["core", "sim"]


def test_an_unknown_section_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check.main(["moon"])
    assert ended.value.code == 2
    assert "moon" in capsys.readouterr().err


def test_json_says_what_the_table_says() -> None:
    outcome = Outcome(Section("core", ""), passed=3, failed=1, seconds=1.234)
    said = json.loads(check.as_json([outcome], 2.0))
    assert said["green"] is False
    assert said["sections"][0] | {"log": ""} == {
        "name": "core",
        "green": False,
        "seconds": 1.23,
        "passed": 3,
        "failed": 1,
        "skipped": [],
        "problem": "",
        "log": "",
    }


def test_every_folder_of_tests_has_its_section() -> None:
    named = {section.name for section in sections.SECTIONS if not section.commands}
    folders = {
        path.parent.relative_to(sections.ROOT / "tests").parts[0]
        for path in (sections.ROOT / "tests").glob("*/**/test_*.py")
    }
    assert folders - {"hil"} <= named
