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
