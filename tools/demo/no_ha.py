"""Broker and board without Home Assistant: shown live in the terminal, with water to be had by typing; or checked without a person."""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.demo.errors import DemoError
from tools.demo.journey import ANSWER_S, RUN_TIME_S, ZONE, Steps
from tools.demo.progress import Progress
from tools.demo.session import Session
from tools.demo.witness import Witness

INVITATION = """
The board {device_id} talks to the broker on 127.0.0.1:{port}; what follows is the truth about its lawn, and what it says.

Type  run 1 20      water zone 1 for 20 seconds (and Enter)
      stop          close what is open
Logs  {logs}
End   Ctrl-C
"""
LOOK_S = 0.1


class Heard:
    """What the board has said so far, filled by the witness's thread."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = threading.Lock()
        self._said: list[tuple[str, dict[str, Any]]] = []

    def add(self, leaf: str, body: dict[str, Any]) -> None:
        """One more message."""
        with self._lock:
            self._said.append((leaf, body))

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """What came since the last take."""
        with self._lock:
            said, self._said = self._said, []
            return said


async def check(session: Session, progress: Progress) -> None:
    """Water zone 1 by a signed command; the board must close it by its own timer and say so. Raises CheckError."""
    heard, steps = Heard(), Steps(session.board, progress)
    witness = Witness(session.broker, session.board, heard.add)
    try:
        await _hear(heard, steps, _is_ready, "the board knows the time and zone 1 is closed, it says", time.time())
        asked_at = time.time()
        witness.run(ZONE, RUN_TIME_S)
        opened_at = await steps.moved("open", asked_at, ANSWER_S, "the valve is open, in truth")
        await _hear(heard, steps, _is_event("run_started", ""), "the run has started, the board says", asked_at)
        closed_at = await steps.moved("closed", opened_at, RUN_TIME_S + ANSWER_S, "the valve is closed again, in truth")
        steps.timed(closed_at - opened_at)
        await _hear(
            heard, steps, _is_event("run_finished", "completed"), "the run is completed, the board says", closed_at
        )
    finally:
        witness.close()


def _is_ready(leaf: str, body: dict[str, Any]) -> bool:
    return leaf == "state" and body["clock"] == "set" and body["zones"][ZONE - 1]["valve"] == "closed"


def _is_event(event: str, result: str) -> Callable[[str, dict[str, Any]], bool]:
    wanted = {"event": event, "zone": ZONE, "result": result}
    return lambda leaf, body: leaf == "event" and wanted.items() <= body.items()


async def _hear(
    heard: Heard, steps: Steps, is_it: Callable[[str, dict[str, Any]], bool], what: str, since: float
) -> None:
    """Wait for a certain message."""
    held = False
    while not held and time.time() - since < 2 * ANSWER_S:
        held = any(is_it(leaf, body) for leaf, body in heard.take())
        await asyncio.sleep(0 if held else LOOK_S)
    steps.hold(what, since, held=held)


async def show(session: Session, progress: Progress) -> None:
    """Show the lawn and what the board says, and do what is typed, until a process ends. Raises DemoError then."""
    heard = Heard()
    progress.say(
        INVITATION.format(device_id=session.board.device_id, port=session.broker.port, logs=session.processes.logs)
    )
    witness = Witness(session.broker, session.board, heard.add)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(PermissionError):  # an input that cannot be waited for, such as a file, is no keyboard
        loop.add_reader(sys.stdin, lambda: _typed(sys.stdin.readline(), witness, progress))
    ended = asyncio.create_task(session.processes.first_end())
    offset = 0
    try:
        while not ended.done():
            offset = _say_added(session.processes.log("board"), offset, progress)
            for leaf, body in heard.take():
                if leaf != "state":
                    progress.say(f"  {leaf}: {_short(body)}")
            await asyncio.wait({ended}, timeout=LOOK_S)
        raise DemoError(ended.result())
    finally:
        loop.remove_reader(sys.stdin)
        ended.cancel()
        witness.close()


def _typed(line: str, witness: Witness, progress: Progress) -> None:
    """Do what a person typed; an end of the input is none."""
    words = line.split()
    if not line:
        asyncio.get_running_loop().remove_reader(sys.stdin)
    elif words == ["stop"]:
        witness.stop()
    elif len(words) == 3 and words[0] == "run" and words[1].isdigit() and words[2].isdigit():
        witness.run(int(words[1]), int(words[2]))
    elif words:
        progress.say("type: run ZONE SECONDS, or stop")


def _say_added(log: Path, offset: int, progress: Progress) -> int:
    """Print what the simulator wrote since `offset`; the new offset."""
    with log.open() as file:
        file.seek(offset)
        for line in file:
            progress.say(line.rstrip("\n"))
        return file.tell()


def _short(body: dict[str, Any]) -> str:
    """The fields of a message that say something."""
    if "samples" in body:
        body = body["samples"][-1]
    return ", ".join(f"{key} {value}" for key, value in body.items() if value not in ("", 0, None) and key != "boot_id")
