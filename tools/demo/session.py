"""One demo from an empty folder to a paired board, and down again: the order of things, and nothing of how each is done."""

import contextlib
import dataclasses
import fcntl
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tools.demo import board, broker, home_assistant, onboarding, ports
from tools.demo.api import Api
from tools.demo.errors import RefusedError
from tools.demo.lawn import Lawn, find
from tools.demo.processes import Processes, processes
from tools.demo.progress import Progress

HTTP_PORT, MQTT_PORT = 8123, 1883
DISCOVERY_S = 30.0
MARK = ".solar-sprinkler-demo"  # in a folder that a demo may empty; locked while one runs


@dataclasses.dataclass(frozen=True)
class Options:
    """What a person may choose. A port that is None is the next free one."""

    folder: Path
    http_port: int | None = None
    mqtt_port: int | None = None
    scene: board.Scene = dataclasses.field(default_factory=board.Scene)
    home_assistant: str = ""  # a version beside the one of this environment


@dataclasses.dataclass(frozen=True)
class Session:
    """A demo that runs."""

    folder: Path
    processes: Processes
    broker: broker.Broker
    board: board.Board
    http_port: int
    home_assistant: str = ""


@contextlib.contextmanager
def own(folder: Path) -> Iterator[None]:
    """Hold `folder` for one demo alone, emptied of the one before.

    Raises RefusedError while another demo holds it, or if it holds something that is not a demo's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / MARK
    if any(folder.iterdir()) and not mark.exists():
        raise RefusedError(f"{folder} is not empty and not a demo's; name an empty or a new folder with --data")
    with mark.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError(
                f"a demo already runs in {folder}; stop it, or name another folder with --data"
            ) from None
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry != mark:
                entry.unlink()
        yield


@contextlib.asynccontextmanager
async def start(options: Options, progress: Progress) -> AsyncIterator[Session]:
    """Broker and board. All has ended when the block is left."""
    with own(options.folder):
        mqtt_port = ports.choose(MQTT_PORT, options.mqtt_port, "--mqtt-port")
        http_port = ports.choose(HTTP_PORT, options.http_port, "--http-port", taken=(mqtt_port,))
        async with processes(options.folder / "logs") as running:
            with progress.step(f"broker on 127.0.0.1:{mqtt_port}"):
                prepared = broker.prepare(options.folder / "broker", mqtt_port)
                await broker.start(prepared, running)
            with progress.step("board, with the firmware's own code"):
                started = await board.start(options.folder / "board", prepared, options.scene, running)
            yield Session(options.folder, running, prepared, started, http_port, options.home_assistant)


@contextlib.asynccontextmanager
async def with_home_assistant(session: Session, progress: Progress) -> AsyncIterator[tuple[Api, Lawn]]:
    """Home Assistant beside a running session: started, onboarded, connected to the broker, paired with the board."""
    port, folder = session.http_port, session.folder / "home-assistant"
    home_assistant.write_config(folder, port)
    python: str | Path = sys.executable
    if session.home_assistant:
        with progress.step(f"Home Assistant {session.home_assistant} is there"):
            python = await home_assistant.set_up(session.home_assistant)
    with progress.step("the firmware is built, for the update entity"):
        await home_assistant.carry_firmware()
    with progress.step(f"Home Assistant on http://127.0.0.1:{port}"):
        await home_assistant.start(folder, port, session.processes, python)
    async with Api.at(f"http://127.0.0.1:{port}") as api:
        with progress.step("account made"):
            await onboarding.make_account(api)
        with progress.step("Home Assistant has started everything"):
            await onboarding.until_running(api, session.home_assistant)
        with progress.step("broker added to Home Assistant"):
            await onboarding.add_broker(api, session.broker)
        lawn = await pair(api, session.board, progress)
        yield api, lawn


async def pair(api: Api, started: board.Board, progress: Progress) -> Lawn:
    """Accept the board that Home Assistant has discovered; returns what it shows of it."""
    with progress.step(f"board {started.device_id} discovered over MQTT"):
        form = await onboarding.discovered(api, started.device_id, DISCOVERY_S)
    with progress.step("board paired with its code"):
        await onboarding.finish(api, form, {"pairing_code": started.pairing_code})
        return await find(api, started.device_id)
