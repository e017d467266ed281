"""The deciding core on the board's interpreter: every test of tests/core, and a long history that must come out the same."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from sim.remote import FlashImage, run_script
from sim.remote.interpreter import ROOT
from tools.micropython.package import compile_mpy, make_romfs

CORE_TESTS = sorted((ROOT / "tests" / "core").glob("test_*.py"))
HISTORY = Path(__file__).with_name("core_history.py")
# Larger than a board's, whose is test_heap's question; but the port's collector numbers blocks of 16 B in 16 bits, and from 1 MB on frees what is in use
ROOMY = 1000 * 1024

RUNNER = """
import sys
import {module} as tests
for name in sorted(dir(tests)):
    if name.startswith("test_"):
        try:
            getattr(tests, name)()
            print("passed", name)
        except Exception as error:
            print("failed", name)
            sys.print_exception(error)
"""


def functions(path: Path) -> list[str]:
    """The tests in a file, read without importing it."""
    body = ast.parse(path.read_text()).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@pytest.fixture(scope="module")
def core_romfs() -> bytes:
    """Firmware and core tests with their asserts and line numbers."""
    firmware = ROOT / "firmware"
    files = {
        path.relative_to(firmware).with_suffix(".mpy").as_posix(): compile_mpy(path, path.name, optimisation=0)
        for path in (firmware / "sprinkler").rglob("*.py")
    }
    for path in (*CORE_TESTS, HISTORY):
        files[path.with_suffix(".mpy").name] = compile_mpy(path, path.name, optimisation=0)
    return make_romfs(files)


@pytest.fixture
def core_image(image: FlashImage, core_romfs: bytes) -> FlashImage:
    """A flash with them."""
    image.put_romfs(core_romfs)
    return image


@pytest.fixture(scope="module")
def outcomes(core_romfs: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each core test file printed."""
    with FlashImage(tmp_path_factory.mktemp("core") / "flash.bin") as flash:
        flash.put_romfs(core_romfs)
        return {
            path.stem: run_script(RUNNER.format(module=path.stem), image=flash.path, heap=ROOMY, mount=False).check()
            for path in CORE_TESTS
        }


@pytest.mark.parametrize(
    ("file", "name"),
    [(path.stem, name) for path in CORE_TESTS for name in functions(path)],
    ids=lambda value: value.removeprefix("test_"),
)
def test_core(outcomes: dict[str, str], file: str, name: str):
    assert f"passed {name}\n" in outcomes[file], outcomes[file]


def test_a_long_history_comes_out_the_same_as_under_cpython(core_image: FlashImage):
    here = subprocess.run(
        [sys.executable, HISTORY],
        env={"PYTHONPATH": str(ROOT / "firmware")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    there = run_script("import core_history", image=core_image.path, heap=ROOMY, mount=False).check()
    assert here.count("\n") > 1000
    assert there == here


def test_the_core_needs_no_more_than_a_boards_heap(core_image: FlashImage):
    assert run_script("import core_history", image=core_image.path, mount=False).code == 0
