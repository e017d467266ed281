"""What was built before is taken again only when the same sources would make it again."""

import shutil
from pathlib import Path

import pytest

from sim.provision import FIRMWARE
from tools.micropython import kept

MADE = {"romfs": b"\x00image", "meanings": b"{}"}


class Maker:
    """Builds the same every time, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, bytes]:
        self.times += 1
        return MADE


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    copy = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, copy)
    return copy


def test_the_same_sources_are_built_once_wherever_they_lie(shelf: Path, firmware: Path):
    maker = Maker()
    assert [kept.parts(folder, maker, shelf) for folder in (firmware, FIRMWARE)] == [MADE, MADE]
    assert maker.times == 1


@pytest.mark.parametrize("file", ["boot.py", "sprinkler/core/safety.py"])
def test_one_byte_of_a_source_makes_another_build(shelf: Path, firmware: Path, file: str):
    maker = Maker()
    kept.parts(firmware, maker, shelf)
    path = firmware / file
    path.write_bytes(path.read_bytes() + b"\n")
    kept.parts(firmware, maker, shelf)
    assert maker.times == 2


def test_a_module_of_another_name_makes_another_build(firmware: Path):
    before = kept.key(firmware)
    (firmware / "sprinkler" / "link.py").rename(firmware / "sprinkler" / "chain.py")
    assert kept.key(firmware) != before


def test_the_bundler_itself_has_a_say(firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = kept.key(firmware)
    bundler = tmp_path / "bundler"
    shutil.copytree(kept.BUNDLER, bundler)
    names = bundler / "bundler" / "known_names.txt"
    names.write_text(names.read_text() + "sprinkle\n")
    monkeypatch.setattr(kept, "BUNDLER", bundler)
    assert kept.key(firmware) != before


def test_what_is_damaged_is_built_again(shelf: Path, firmware: Path):
    maker = Maker()
    kept.parts(firmware, maker, shelf)
    (file,) = shelf.iterdir()
    file.write_bytes(file.read_bytes()[:40])
    assert kept.parts(firmware, maker, shelf) == MADE
    assert maker.times == 2


def test_where_nothing_can_be_kept_it_is_built_all_the_same(tmp_path: Path, firmware: Path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    maker = Maker()
    assert [kept.parts(firmware, maker, blocked / "shelf") for _ in range(2)] == [MADE, MADE]
    assert maker.times == 2


def test_the_shelf_does_not_grow_for_ever(shelf: Path, firmware: Path):
    for number in range(kept.KEPT_MAX + 2):
        (firmware / "boot.py").write_text(f"# {number}\n")
        kept.parts(firmware, Maker(), shelf)
    assert len(list(shelf.iterdir())) == kept.KEPT_MAX
