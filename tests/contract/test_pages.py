"""The pages for people: what goes wrong has an entry, and every page is found from the README."""

import re
from pathlib import Path

import pytest

from sprinkler import protocol

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TROUBLES = (DOCS / "troubleshooting.md").read_text("utf-8")
REPAIRS = (DOCS / "home_assistant.md").read_text("utf-8")


@pytest.mark.parametrize("word", protocol.FAULTS)
def test_every_fault_has_its_entry_and_is_found_by_what_one_sees(word: str) -> None:
    assert f"\n## {word}\n" in REPAIRS
    assert f"(home_assistant.md#{word})" in TROUBLES


@pytest.mark.parametrize("word", re.findall(r"^## (\w+)$", REPAIRS, re.MULTILINE))
def test_every_repair_is_found_by_what_one_sees(word: str) -> None:
    assert f"(home_assistant.md#{word})" in TROUBLES


def test_every_page_is_linked_from_another_one() -> None:
    pages = {path.name for path in DOCS.glob("*.md")}
    texts = {
        path: path.read_text("utf-8") for path in [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "hardware" / "BOM.md"]
    }
    for page in pages:
        linked = [
            path
            for path, text in texts.items()
            if path.name != page and re.search(rf"\((?:docs/|\.\./docs/)?{page}", text)
        ]
        assert linked, page


def shown() -> list[str]:
    """Every name in code of the tables in docs/safety.md that means a test or a scenario."""
    page = (DOCS / "safety.md").read_text("utf-8")
    tables = page[page.index("## What can fail") :]
    scenarios = {path.stem for path in (ROOT / "sim" / "scenarios").glob("*.toml")}
    names = re.findall(r"`([a-z_0-9]+)`", tables)
    return sorted({name for name in names if name.startswith("test_") or name in scenarios or name.count("_") >= 2})


@pytest.mark.parametrize("name", shown())
def test_what_the_safety_page_stands_on_is_there(name: str) -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    scenario = ROOT / "sim" / "scenarios" / f"{name}.toml"
    assert scenario.exists() or re.search(rf"^(?:async )?def {name}\(", tests, re.MULTILINE), name


def test_the_safety_page_has_thirty_failures_and_all_provisions() -> None:
    page = (DOCS / "safety.md").read_text("utf-8")
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 30
    assert re.findall(r"^\| (5\.\d+) ", page, re.MULTILINE) == [f"5.{number}" for number in range(1, 14)]


MQTT_PAGE = (DOCS / "mqtt.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_[a-z_0-9]+)`", MQTT_PAGE))))
def test_what_the_page_of_mqtt_statements_stands_on_is_there(name: str) -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert re.search(rf"^(?:async )?def {name}\(", tests, re.MULTILINE), name


def test_every_mqtt_statement_has_a_test_or_a_reason() -> None:
    rows = re.findall(r"^\| (MQTT-.*?) \| .*? \| (.*) \|$", MQTT_PAGE, re.MULTILINE)
    assert len(rows) >= 30
    departed = MQTT_PAGE[MQTT_PAGE.index("## Where the board departs") :]
    for statement, shown_by in rows:
        assert "`test_" in shown_by or statement.removeprefix("MQTT-").split(",")[0] in departed, statement
