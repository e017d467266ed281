"""How fast a board lives in virtual time, and what a day costs: python bench/sim_speed.py [DAYS]. Prints one JSON object.

A reference day is 96 wakes and one run of 20 minutes, MQTT over a broker in memory. CPU time of this process, so other programs disturb it little.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sim.garden import Program, plant
from sim.world import Scenario


def cpu_ms_per_day(program: Program, days: int) -> tuple[float, float]:
    """(CPU time of a board-day in ms, boots a day), the fastest of `days` days; the first day is not counted."""
    board, _ = plant(Scenario(zones=2), program, seed=1, device_id="00000001")
    board.run_for(86_400)
    boots, best_ms = board.chip.boots, float("inf")
    for _ in range(days):
        began_s = time.process_time()
        board.run_for(86_400)
        best_ms = min(best_ms, (time.process_time() - began_s) * 1000)
    return best_ms, (board.chip.boots - boots) / days


def main() -> None:
    """Measure and print."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    whole_ms, boots = cpu_ms_per_day(Program(), days)
    dry_ms, _ = cpu_ms_per_day(Program(run_time_s=0), days)
    print(
        json.dumps(
            {
                "board_days_per_s": round(1000 / whole_ms, 2),
                "day_ms": round(whole_ms, 1),
                "wake_ms": round(dry_ms / boots, 3),
                "run_of_20_min_ms": round(whole_ms - dry_ms, 1),
                "wakes_a_day": boots,
            }
        )
    )


if __name__ == "__main__":
    main()
