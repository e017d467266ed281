"""How fast a board lives in virtual time, what a day costs, and what of it is the deciding core's: python -m bench.sim_speed [DAYS] [--json]

A reference day is 96 wakes and one run of 20 minutes, MQTT over a broker in memory. CPU time of this process, so other programs disturb it little; the
fastest of DAYS days counts. `core alone` is what the application asks the core on such a day, asked again of the core by itself.
"""

import argparse
import collections
import json
import sys
import time

from bench import core_day
from sim.board import SimulatedBoard
from sim.garden import Program, plant
from sim.world import Scenario

EPILOG = "exit codes: 0 measured; 2 wrong usage"


def _board(program: Program) -> SimulatedBoard:
    """A board that has lived its first day, which is not counted."""
    board, _ = plant(Scenario(zones=2), program, seed=1, device_id="00000001")
    board.run_for(86_400)
    return board


def cpu_ms_per_day(board: SimulatedBoard, days: int) -> tuple[float, float]:
    """(CPU time of a board-day in ms, boots a day), the fastest of `days` days."""
    boots, best_ms = board.chip.boots, float("inf")
    for _ in range(days):
        began_s = time.process_time()
        board.run_for(86_400)
        best_ms = min(best_ms, (time.process_time() - began_s) * 1000)
    return best_ms, (board.chip.boots - boots) / days


def measure(days: int) -> dict[str, object]:
    """All figures."""
    board = _board(Program())
    whole_ms, boots = cpu_ms_per_day(board, days)
    dry_ms, _ = cpu_ms_per_day(_board(Program(run_time_s=0)), days)
    asked = core_day.asked_in_a_day(board)
    core_ms = core_day.cpu_ms(asked)
    kinds = collections.Counter(function.__name__ for function, _, _ in asked)
    return {
        "board_days_per_s": round(1000 / whole_ms, 2),
        "day_ms": round(whole_ms, 1),
        "wake_ms": round(dry_ms / boots, 3),
        "run_of_20_min_ms": round(whole_ms - dry_ms, 1),
        "wakes_a_day": boots,
        "core_alone_board_days_per_s": round(1000 / core_ms, 1),
        "core_alone_day_ms": round(core_ms, 2),
        "core_calls": dict(kinds.most_common()),
    }


def _words(found: dict[str, object]) -> str:
    calls = found["core_calls"]
    assert isinstance(calls, dict)
    most = ", ".join(f"{name} {count}" for name, count in list(calls.items())[:4])
    return "\n".join(
        (
            f"a board's day    {found['day_ms']} ms of CPU time: {found['board_days_per_s']} board-days/s and core",
            f"  a wake         {found['wake_ms']} ms; {found['wakes_a_day']:g} a day",
            f"  20 min of run  {found['run_of_20_min_ms']} ms",
            f"core alone       {found['core_alone_day_ms']} ms: {found['core_alone_board_days_per_s']} board-days/s",
            f"  it is asked    {sum(calls.values())} times a day: {most}, ...",
        )
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sim_speed", description=__doc__, epilog=EPILOG)
    parser.add_argument("days", metavar="DAYS", type=int, nargs="?", default=3, help="that are measured (default 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.days < 1:
        parser.error("DAYS wants 1 or more")
    found = measure(options.days)
    print(json.dumps(found) if options.json else _words(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
