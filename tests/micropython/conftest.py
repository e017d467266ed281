"""The interpreter for every test here, built if need be, and boards that run on it."""

import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sim.remote import FlashImage, RemoteBoard
from sim.remote.interpreter import ROOT
from tests.firmware import rig
from tools.micropython.package import build

COLLECT_EVERY = 1024  # bytes allocated; what is alive is then known to that


FIGURES = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, at the end of every run."""
    for text in terminalreporter.config.stash.get(FIGURES, []):
        terminalreporter.write_line(text)


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a figure for the end of the run."""
    return request.config.stash.setdefault(FIGURES, []).append


@pytest.fixture(scope="session", autouse=True)
def interpreter() -> None:
    """Bring .tools/micropython/mpy-e8266 up to date (milliseconds when it is)."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the 32-bit interpreter is built on Linux amd64 only")
    build = ["sh", "tools/micropython/build.sh", ".tools/micropython"]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(done.stderr.strip(), pytrace=False)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[FlashImage]:
    """An erased flash."""
    with FlashImage(tmp_path / "flash.bin") as flash:
        yield flash


@pytest.fixture(scope="session")
def peaks() -> dict[str, int]:
    """The most heap that each test of the whole firmware had in use, in bytes."""
    return {}


@pytest.fixture
def on_the_interpreter(
    monkeypatch: pytest.MonkeyPatch, peaks: dict[str, int], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Every board of tests/firmware's rig runs on the interpreter; how much heap it took goes to `peaks`."""
    boards: list[RemoteBoard] = []

    def make(*args: Any, **kwargs: Any) -> RemoteBoard:
        boards.append(RemoteBoard(*args, build=build(), collect=COLLECT_EVERY, **kwargs))
        return boards[-1]

    monkeypatch.setattr(rig, "SimulatedBoard", make)
    yield
    for board in boards:
        board.close()
        assert not board.raise_crashes or "Traceback" not in board.text, board.text
        peaks[request.node.name] = max(peaks.get(request.node.name, 0), *(heap.peak for heap in board.heaps))


@pytest.fixture
def make_board() -> Iterator[Callable[..., RemoteBoard]]:
    """Boards with the whole firmware; arguments are `RemoteBoard`'s."""
    with ExitStack() as boards:

        def make(**arguments: object) -> RemoteBoard:
            return boards.enter_context(RemoteBoard(build=build(), **arguments))

        yield make


type StartBroker = Callable[[Path], None]


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@pytest.fixture
def start_broker(free_port: int) -> Iterator[StartBroker]:
    """Start a real broker with a configuration file, which must say to listen at `free_port`; it ends with the test."""
    program = shutil.which("mosquitto", path=f"{ROOT}/.tools/bin:/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("mosquitto is not there: sh tools/setup.sh broker")
    processes = []

    def start(config: Path) -> None:
        processes.append(subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL))
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", free_port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        pytest.fail("mosquitto did not start")

    yield start
    for process in processes:
        process.terminate()
        process.wait(5)


@pytest.fixture
def broker_port(tmp_path: Path, free_port: int, start_broker: StartBroker) -> int:
    """A real broker that lets anyone in; its port."""
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {free_port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    start_broker(config)
    return free_port
