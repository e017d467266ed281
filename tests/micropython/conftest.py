"""The interpreter for every test here, built if need be, and boards that run on it."""

import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sim.remote import FlashImage, RemoteBoard
from sim.remote.interpreter import ROOT
from tools.micropython.package import firmware_romfs


@pytest.fixture(scope="session", autouse=True)
def interpreter() -> None:
    """Bring .tools/micropython/mpy-e8266 up to date (milliseconds when it is)."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the 32-bit interpreter is built on Linux amd64 only")
    build = ["sh", "tools/micropython/build.sh", ".tools/micropython"]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(done.stderr.strip(), pytrace=False)


@pytest.fixture(scope="session")
def romfs() -> bytes:
    """The application's ROMFS image, as a board gets it."""
    return firmware_romfs(ROOT / "firmware")


@pytest.fixture
def image(tmp_path: Path) -> Iterator[FlashImage]:
    """An erased flash."""
    with FlashImage(tmp_path / "flash.bin") as flash:
        yield flash


@pytest.fixture
def make_board(romfs: bytes) -> Iterator[Callable[..., RemoteBoard]]:
    """Boards with the whole firmware; arguments are `RemoteBoard`'s."""
    with ExitStack() as boards:

        def make(**arguments: object) -> RemoteBoard:
            return boards.enter_context(RemoteBoard(**{"romfs": romfs, **arguments}))

        yield make
