"""mpremote, the tool for the cable, with the interpreter at the other end of a serial line."""

import os
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.remote import FlashImage
from sim.remote.interpreter import AS_ON_A_BOARD, command
from tools.micropython.package import build

Mpremote = Callable[..., str]


@pytest.fixture
def mpremote(image: FlashImage) -> Iterator[Mpremote]:
    """Run mpremote on a board without hardware; what it prints."""
    image.put_files({"/boot.py": b"print('booted')"})
    board_end, cable_end = os.openpty()
    tty.setraw(cable_end)
    board = subprocess.Popen(
        command(AS_ON_A_BOARD, image=image.path), stdin=board_end, stdout=board_end, stderr=subprocess.DEVNULL
    )

    def run(*arguments: str) -> str:
        line = [sys.executable, "-m", "mpremote", "connect", os.ttyname(cable_end), *arguments]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    board.kill()
    board.wait()
    os.close(board_end)
    os.close(cable_end)


def test_mpremote_runs_code(mpremote: Mpremote):
    assert mpremote("exec", "import sys; print(sys.platform)") == "esp8266\n"


def test_mpremote_copies_files(mpremote: Mpremote, image: FlashImage, tmp_path: Path):
    source = tmp_path / "large.py"
    source.write_text("print('large')\n" + "#" * 5000)
    mpremote("cp", str(source), ":large.py", "+", "soft-reset")
    assert mpremote("exec", "import large") == "large\n"
    assert image.files()["/large.py"] == source.read_bytes()


def test_mpremote_deploys_a_romfs(mpremote: Mpremote, image: FlashImage, tmp_path: Path):
    source = tmp_path / "application.romfs"
    source.write_bytes(build().romfs)
    mpremote("romfs", "deploy", str(source))
    assert image.romfs().startswith(build().romfs)
    assert "app.mpy" in mpremote("exec", "import os; print(os.listdir('/rom/sprinkler'))")
