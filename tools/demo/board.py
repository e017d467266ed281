"""The demo's board: the firmware's own code on a simulated board, and what truly happens on its lawn.

Truth comes from the simulator, never from what the firmware says.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.demo.broker import Broker
from tools.demo.errors import DemoError
from tools.demo.processes import Processes

LATITUDE, LONGITUDE = 36.07, -79.79
START_S = 20.0
LOOK_S = 0.02


@dataclasses.dataclass(frozen=True)
class Scene:
    """The lawn at the start, and how the board lives on it."""

    speed: float = 1  # of sun, soil and battery
    lawn_time: str = "11:00"  # solar time: a demo at midnight has sun on its panel too
    sleeps: bool = False  # between its wakes, as on a real lawn


@dataclasses.dataclass(frozen=True)
class Board:
    """A board that runs. Its pairing code is for its owner, not for logs."""

    folder: Path
    device_id: str
    pairing_code: str = dataclasses.field(repr=False)

    @property
    def truth(self) -> Path:
        """The simulator's record: a line of JSON at each move of a valve, ten a second while water runs."""
        return self.folder / "truth.jsonl"


async def start(folder: Path, broker: Broker, scene: Scene, processes: Processes, name: str = "board") -> Board:
    """Provision and start a new board in `folder`, as the process `name`."""
    folder.mkdir(mode=0o700, parents=True)
    password = folder / "broker_password"
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(broker.passwords["board"] + "\n")
    command: list[str | Path] = [sys.executable, "-m", "sim", "board", "--broker", f"127.0.0.1:{broker.port}"]
    command += ["--broker-user", "board", "--broker-password-file", password, "--data", folder]
    command += ["--truth", folder / "truth.jsonl", "--speed", str(scene.speed), "--lawn-time", scene.lawn_time]
    command += ["--latitude", str(LATITUDE), "--longitude", str(LONGITUDE)]
    command += ["--no-always-responsive"] if scene.sleeps else []
    await processes.start(name, *command)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while not (code := _first_line(folder / "pairing_code")):
                if processes.has_ended(name):
                    raise DemoError(await processes.first_end())
                await asyncio.sleep(LOOK_S)
            return Board(folder, _first_line(folder / "device_id"), code)
    raise DemoError(f"the board is not up after {START_S:.0f} s; see {processes.log(name)}")


def _first_line(path: Path) -> str:
    try:
        return path.read_text().partition("\n")[0]
    except FileNotFoundError:
        return ""


class Record:
    """Reads the record of what truly happens, as it grows."""

    def __init__(self, board: Board) -> None:
        """From the beginning on."""
        self._path = board.truth
        self._offset = 0

    def added(self) -> list[dict[str, Any]]:
        """The moments since the last look. A line that is not complete yet waits for the next one."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class Truth:
    """Follows what truly happens in one zone."""

    def __init__(self, board: Board, zone: int) -> None:
        """From the beginning of the record on."""
        self.zone = zone
        self.moments: list[dict[str, Any]] = []
        self._record = Record(board)

    def look(self) -> None:
        """Read what was added."""
        for moment in self._record.added():
            zone = next(zone for zone in moment["zones"] if zone["zone"] == self.zone)
            self.moments.append({"at": moment["wall_at"], **zone})

    @property
    def now(self) -> dict[str, Any]:
        """The last moment recorded; nothing before the first."""
        self.look()
        return self.moments[-1] if self.moments else {}

    async def until(self, valve: str, since: float, limit_s: float) -> float | None:
        """Wait until the valve is truly `valve` at a moment not before `since`; that moment, or None if none comes within `limit_s`."""
        return await self.until_holds(lambda moment: moment["valve"] == valve, since, limit_s)

    async def until_holds(self, holds: Callable[[dict[str, Any]], bool], since: float, limit_s: float) -> float | None:
        """Wait for a recorded moment not before `since` of which `holds` is true; when it was, or None if none comes within `limit_s`."""
        seen = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while True:
                    self.look()
                    for moment in self.moments[seen:]:
                        if moment["at"] >= since and holds(moment):
                            return float(moment["at"])
                    seen = len(self.moments)
                    await asyncio.sleep(LOOK_S)
        return None
