"""tools/setup.sh with parts of its own: what it promises of every part, whatever the part does."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

PART = """\
ready_lamp() { [ -e "$TOOLS/lamp/lit" ]; }
make_lamp() {
  say "lamp"
  mkdir "$STAGE/lamp"
  echo made >> "$ROOT/made"
  while [ -e "$ROOT/slow" ]; do sleep 0.05; done
  : > "$STAGE/lamp/lit"
  put "$STAGE/lamp" "$TOOLS/lamp"
}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose only part is called lamp."""
    root = tmp_path / "checkout"
    (root / "tools" / "setup").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup.sh", root / "tools")
    (root / "tools" / "setup" / "lamp.sh").write_text(PART)
    return root


def begin(root: Path) -> subprocess.Popen[str]:
    """Start a set-up in a group of its own."""
    return subprocess.Popen(
        ["sh", "tools/setup.sh", "lamp"], cwd=root, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def run(root: Path) -> tuple[int, str]:
    """Run a set-up to its end; its exit code and what it said."""
    process = begin(root)
    said = process.communicate(timeout=30)[1]
    return process.returncode, said


def times_made(root: Path) -> int:
    return len((root / "made").read_text().splitlines())


def entries(root: Path) -> list[str]:
    return sorted(entry.name for entry in (root / ".tools").iterdir())


def until_building(root: Path) -> None:
    deadline = time.monotonic() + 20
    while not (root / "made").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_part_that_is_ready_is_not_made_again(checkout: Path) -> None:
    assert run(checkout) == (0, "setup: lamp\n")
    assert run(checkout) == (0, "")
    assert times_made(checkout) == 1


def test_an_interrupted_part_leaves_nothing_half_made(checkout: Path) -> None:
    (checkout / "slow").touch()
    process = begin(checkout)
    until_building(checkout)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert entries(checkout) == ["bin", "place"]


def test_a_set_up_that_was_killed_does_not_block_the_next(checkout: Path) -> None:
    (checkout / "slow").touch()
    process = begin(checkout)
    until_building(checkout)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    (checkout / "slow").unlink()
    assert run(checkout)[0] == 0
    assert entries(checkout) == ["bin", "lamp", "place"]


def test_two_at_once_make_a_part_once(checkout: Path) -> None:
    (checkout / "slow").touch()
    both = [begin(checkout), begin(checkout)]
    until_building(checkout)
    (checkout / "slow").unlink()
    for process in both:
        process.communicate(timeout=30)
    assert [process.returncode for process in both] == [0, 0]
    assert times_made(checkout) == 1


def test_a_checkout_that_moved_is_set_up_anew(checkout: Path) -> None:
    run(checkout)
    moved = checkout.rename(checkout.parent / "moved")
    assert run(moved)[0] == 0
    assert times_made(moved) == 2


def test_tools_that_a_second_checkout_links_to_stay_the_firsts(checkout: Path) -> None:
    run(checkout)
    second = checkout.parent / "second"
    shutil.copytree(checkout / "tools", second / "tools")
    (second / ".tools").symlink_to(checkout / ".tools")
    assert run(second) == (0, "")
    assert run(checkout) == (0, "")
    assert times_made(checkout) == 1


def test_an_unknown_part_is_refused_by_name(checkout: Path) -> None:
    done = subprocess.run(
        ["sh", "tools/setup.sh", "lantern"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no part called 'lantern'" in done.stderr
