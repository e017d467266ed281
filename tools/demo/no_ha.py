"""Broker and board without Home Assistant: shown live in the terminal, with water to be had by typing; or checked without a person."""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tools.demo.board import Board, Record
from tools.demo.errors import DemoError
from tools.demo.journey import ANSWER_S, RUN_TIME_S, ZONE, Steps
from tools.demo.progress import Progress
from tools.demo.session import Session
from tools.demo.witness import Witness

INVITATION = """
Below, "lawn" is what truly happens, and "board" is what board {device_id} says over MQTT (broker: 127.0.0.1:{port}).

Type  run 1 20      to water zone 1 for 20 seconds; the board closes it by its own timer
      stop          to close what is open
Logs  {logs}
End   Ctrl-C
"""
HELP = "type: run ZONE SECONDS (as in: run 1 20), or stop"
LOOK_S = 0.1
TOLD = ("announce", "availability", "telemetry", "event", "reply", "time_request")
FLOWING_S, RESTING_S = 2.0, 30.0  # between two lines about a lawn on which nothing moves
NOT_SHOWN = ("boot_id", "oldest", "n", "id", "at", "nonce", "protocol", "device_id", "hardware", "programs_max")


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
        progress.say(f"{RUN_TIME_S} s of water are asked for over MQTT; seconds since then:")
        asked_at = time.time()
        witness.run(ZONE, RUN_TIME_S)
        opened_at = await steps.opened(asked_at)
        await _hear(heard, steps, _is_event("run_started", ""), "the run has started, the board says", asked_at)
        closed_at = await steps.closed(opened_at)
        progress.say("the valve is closed; seconds since then (the board waits for the meter to stand still):")
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
    steps.progress.expect(what)
    held = False
    while not held and time.time() - since < 2 * ANSWER_S:
        held = any(is_it(leaf, body) for leaf, body in heard.take())
        await asyncio.sleep(0 if held else LOOK_S)
    steps.hold(what, since, held=held)


async def show(session: Session, progress: Progress) -> None:
    """Show the lawn and what the board says, and do what is typed, until a process ends. Raises DemoError then."""
    heard, lawn = Heard(), LawnLine(session.board)
    progress.say(
        INVITATION.format(device_id=session.board.device_id, port=session.broker.port, logs=session.processes.logs)
    )
    witness = Witness(session.broker, session.board, heard.add)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(PermissionError):  # an input that cannot be waited for, such as a file, is no keyboard
        loop.add_reader(sys.stdin, lambda: _typed(sys.stdin.readline(), witness, progress))
    ended = asyncio.create_task(session.processes.first_end())
    try:
        while not ended.done():
            for leaf, body in heard.take():
                if leaf in TOLD:
                    progress.say(f"{_clock(time.time())}  board  {leaf}{_short(body)}")
            for line in lawn.due():
                progress.say(line)
            await asyncio.wait({ended}, timeout=LOOK_S)
        raise DemoError(ended.result())
    finally:
        loop.remove_reader(sys.stdin)
        ended.cancel()
        witness.close()


class LawnLine:
    """The lawn in a line: whenever a valve moved, often while water runs, seldom else."""

    def __init__(self, board: Board) -> None:
        """Nothing is told yet."""
        self._record = Record(board)
        self._told_at = 0.0
        self._told_valves: list[str] = []

    def due(self) -> list[str]:
        """What is to be told now."""
        return [self._tell(moment) for moment in self._record.added() if self._is_news(moment)]

    def _is_news(self, moment: dict[str, Any]) -> bool:
        flowing = any(zone["flow_rate_ml_min"] for zone in moment["zones"])
        is_time = moment["wall_at"] - self._told_at >= (FLOWING_S if flowing else RESTING_S)
        return is_time or self._told_valves != [zone["valve"] for zone in moment["zones"]]

    def _tell(self, moment: dict[str, Any]) -> str:
        self._told_at = moment["wall_at"]
        self._told_valves = [zone["valve"] for zone in moment["zones"]]
        zones = "; ".join(_zone(zone) for zone in moment["zones"])
        return f"{_clock(moment['wall_at'])}  lawn   {zones}; sun {moment['sun_w_m2']:.0f} W/m2, battery {moment['battery_pct']:.0f} %"


def _zone(zone: dict[str, Any]) -> str:
    flow = f" {zone['flow_rate_ml_min'] / 1000:.1f} l/min," if zone["flow_rate_ml_min"] else ""
    return f"zone {zone['zone']} {zone['valve']}{flow} {zone['meter_ml'] / 1000:.2f} l, soil {zone['soil_pct']:.0f} %"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


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
        progress.say(HELP)


def _short(body: dict[str, Any]) -> str:
    """The fields of a message that say something to a person."""
    if "samples" in body:
        body = body["samples"][-1]
    told = {key: value for key, value in body.items() if key not in NOT_SHOWN and value not in ("", 0, None)}
    words = [
        f"{key} {value}" for key, value in told.items() if not (isinstance(value, list) and isinstance(value[0], str))
    ]
    return f": {', '.join(words)}" if words else ""
