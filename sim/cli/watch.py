"""What a person or a program sees of a live board: ground truth, never what the firmware says.

Rule: watches by events of the timeline; it changes nothing.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from sim.board import SimulatedBoard
from sim.errors import FileError

FLOWING_US = 100_000
RESTING_US = 2_000_000
CLEAR, HOME, BELOW = "\x1b[2J", "\x1b[H", "\x1b[J"


def snapshot(board: SimulatedBoard) -> dict[str, Any]:
    """Ground truth of world and board, ready for JSON; `wall_at` is this machine's clock."""
    truth: dict[str, Any] = dict(board.world.truth())
    session = board.session
    asleep_until_s = board.world.scenario.start_unix_s + board.asleep_until_us / 1_000_000
    truth["board"] = {
        "device_id": board.device_id,
        "awake": session is not None,
        "asleep_until": 0 if session is not None else round(asleep_until_s),
        "joined": session is not None and session.joined(),
        "boots": board.chip.boots,
        "crashes": len(board.crashes),
    }
    truth["wall_at"] = round(time.time(), 3)
    return truth


def every(board: SimulatedBoard, period_us: Callable[[], int], callback: Callable[[], None]) -> None:
    """Call `callback` now, and again after each `period_us()`."""

    def tick() -> None:
        callback()
        board.timeline.at(board.timeline.now_us + period_us(), tick)

    board.timeline.at(board.timeline.now_us, tick)


def _at_moves(board: SimulatedBoard, callback: Callable[[], None]) -> None:
    """Call `callback` as an event of its own right after a valve moved: what fails in it must not be taken for the firmware's."""

    def moved(_zone: int) -> None:
        board.timeline.at(board.timeline.now_us, callback)

    board.world.on_valve.append(moved)


def water_runs(board: SimulatedBoard) -> bool:
    """Does any zone let water through?"""
    return any(zone.flow_ml_s > 0 for zone in board.world.zones)


def record_truth(board: SimulatedBoard, path: Path) -> Callable[[], None]:
    """Append a line of ground truth to `path` at each move of a valve, ten times a second while water runs, else every two seconds.

    Returns what writes one more line: the end of the story.
    """
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write ground truth to {path}: {error.strerror}") from error

    written_us = -RESTING_US

    def write() -> None:
        nonlocal written_us
        written_us = board.timeline.now_us
        try:
            _print_json(snapshot(board), file)
        except OSError as error:
            raise FileError(f"cannot write ground truth to {path}: {error.strerror}") from error

    def write_if_due() -> None:
        if water_runs(board) or board.timeline.now_us - written_us >= RESTING_US:
            write()

    _at_moves(board, write)
    every(board, lambda: FLOWING_US, write_if_due)
    return write


def show_json(board: SimulatedBoard) -> None:
    """A line of ground truth a second, and at each move of a valve, to the standard output."""
    _at_moves(board, lambda: _print_json(snapshot(board), sys.stdout))
    every(board, lambda: 1_000_000, lambda: _print_json(snapshot(board), sys.stdout))


def show_lines(board: SimulatedBoard) -> None:
    """Plain lines for a log: one at each move of a valve, one every ten seconds."""

    def say() -> None:
        print(" | ".join(_summary(snapshot(board))), flush=True)

    _at_moves(board, say)
    every(board, lambda: 10_000_000, say)


def show_screen(board: SimulatedBoard, title: Iterable[str]) -> None:
    """A screen that is drawn anew every half second; `title` stays on top."""
    print(CLEAR, end="")
    head = list(title)

    def draw() -> None:
        lines = [*head, "", *_summary(snapshot(board)), "", "Ctrl-C ends it."]
        print(HOME + "".join(line + "\x1b[K\n" for line in lines) + BELOW, end="", flush=True)

    every(board, lambda: 500_000, draw)


def _summary(truth: dict[str, Any]) -> list[str]:
    board = truth["board"]
    lawn_time = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(truth["lawn_at"]))
    if board["awake"]:
        state = "awake" + ("" if board["joined"] else ", not on Wi-Fi")
    else:
        state = f"asleep until {time.strftime('%H:%M:%S', time.localtime(board['asleep_until']))}"
    lines = [
        f"board {state}, boot {board['boots']}" + (f", {board['crashes']} crashes" if board["crashes"] else ""),
        f"sun {truth['sun_w_m2']:.0f} W/m2, panel {truth['solar_ma']:.0f} mA (lawn time {lawn_time})",
        f"battery {truth['battery_mv'] / 1000:.2f} V, {truth['battery_pct']:.1f} %, {truth['battery_ma']:+.0f} mA",
    ]
    lines.extend(
        f"zone {zone['zone']} {zone['valve']:6} {zone['flow_rate_ml_min'] / 1000:4.1f} l/min {zone['meter_ml'] / 1000:8.2f} l"
        f"  soil {zone['soil_pct']:.0f} %"
        for zone in truth["zones"]
    )
    return lines


def _print_json(value: dict[str, Any], file: TextIO) -> None:
    print(json.dumps(value, separators=(",", ":")), file=file, flush=True)
