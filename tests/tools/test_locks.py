"""The lock files: hashes for everything, addresses for nothing."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = sorted([ROOT / "requirements.lock", *(ROOT / "tools").rglob("*.lock"), *(ROOT / "bench").glob("*.lock")])


def packages(lock: Path) -> dict[str, str]:
    """Name and version of every package that a lock pins."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^\s;]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_names_no_address_and_no_option(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_package_of_a_lock_has_a_hash(lock: Path) -> None:
    for block in re.split(r"\n(?=[a-z0-9])", lock.read_text()):
        assert block.startswith("#") or "--hash=sha256:" in block, block.splitlines()[0]


def test_the_lock_pins_what_pyproject_asks_for() -> None:
    pinned = packages(ROOT / "requirements.lock")
    for wanted in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        name, _, version = wanted.partition("==")
        assert name.lower() in pinned
        assert version in ("", pinned[name.lower()])


def test_playwright_shares_its_packages_with_the_environment() -> None:
    pinned = packages(ROOT / "requirements.lock")
    for name, version in packages(ROOT / "tools" / "browser.lock").items():
        assert pinned.get(name, version) == version


@pytest.mark.parametrize("lock", sorted((ROOT / "tools" / "home_assistant").glob("*.lock")), ids=lambda path: path.stem)
def test_a_lock_of_another_home_assistant_pins_the_one_that_it_is_called_after(lock: Path) -> None:
    assert packages(lock)["homeassistant"] == lock.stem
