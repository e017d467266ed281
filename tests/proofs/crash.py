"""Crash: a reset before every bytecode and every call of the port, while the board boots, opens, closes, keeps its books and takes settings, and again
while it recovers. `python -m tests.proofs.crash --help`

Each crash is made in a copy of the process: the hardware dies, the firmware's frames unwind, and the whole firmware boots on what survived. What must
hold then is in aftermath.py.

Exit codes: 0 everything holds, 1 something does not (each case is printed with its place), 2 wrong usage, 130 ended by Ctrl-C: the figures say what
held so far.
"""

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from .aftermath import Witness, confirmed, judge, whole
from .cutter import CAUSES, HANGS, Cutter
from .scenes import BY_NAME, SCENES, Scene

LONG, SHORT = 60_000, 150  # crashes
# Of all scenes: points of two kinds, and how often something new would be left.
BYTECODES, CALLS, LEAVINGS = 297_000, 2_640, 380
INTERRUPTED = 130
FIRST_WEIGHT, CALL_WEIGHT = (
    40.0,
    20.0,
)  # how much more often a point is cut that leaves something new, or that is a call of the port
RECOVERY_POINTS = 8_000  # of a boot, until it is connected: one of them is cut
AGAIN = 0.2  # of the crashes have a second one in their recovery


class Campaign:
    """One worker's share of a scene: it cuts `share` of the points, and in each recovery about one more point, for `again` of them."""

    def __init__(self, scene: Scene, seed: int, share: float, again: float, report: int, *, sure: bool) -> None:
        self.scene, self.share, self.again = scene, share, again
        self.chance = Random(f"{scene.name} {seed}")
        self.report = report
        self._begun = (
            not sure
        )  # whose scene shall not go without a crash, however few are asked for: its first point is cut
        self._second = 0  # points of the recovery that pass before the second crash; 0: none

    def run(self) -> None:
        """The scene once through, with a copy at each cut; a copy ends in here as well, with its verdict, and never returns."""
        rig = self.scene.prepare()
        witness = Witness(rig)
        cutter = Cutter(rig.board, self._picks, self._deeper, self.chance)
        broken: list[str] = []
        sure = 0
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            with cutter.watching():
                self.scene.act(rig)
            sure = confirmed(rig)
            hangs = sum(where.startswith(HANGS) for where in cutter.where)
            broken += judge(rig, self.scene, cutter.depth, hangs)
            broken += whole(rig.board.chip.flash.files, self.scene, rig, sure)
        except Exception as error:  # noqa: BLE001 - whatever the firmware raises is a finding
            broken.append(f"{type(error).__name__}: {error}")
        finally:
            gc.enable()
        broken += [*witness.broken, *cutter.altered]
        self._write(cutter, broken)
        if cutter.depth:
            os._exit(0)

    def _picks(self, depth: int, kind: str, first: bool) -> Sequence[str]:
        """Every cause where what would survive is new; else one at some points, more often at calls of the port."""
        if depth:
            self._second -= 1
            return [self.chance.choice(CAUSES)] if self._second == 0 else ()
        if not self._begun:
            self._begun = True
            return [self.chance.choice(CAUSES)]
        if first and self.chance.random() < self.share * FIRST_WEIGHT:
            return CAUSES
        weight = CALL_WEIGHT if kind == "call" else 1.0
        return [self.chance.choice(CAUSES)] if self.chance.random() < self.share * weight else ()

    def _deeper(self) -> bool:
        self._second = self.chance.randrange(1, RECOVERY_POINTS) if self.chance.random() < self.again else 0
        return bool(self._second)

    def _write(self, cutter: Cutter, broken: list[str]) -> None:
        row = {
            "scene": self.scene.name,
            "depth": cutter.depth,
            "points": cutter.points,
            "leavings": cutter.leavings,
            "cut": cutter.crashes,
            "lost": cutter.lost_copies,
            "late": cutter.late(),
            "kind": [where.split()[2] for where in cutter.where],
            "where": cutter.where if broken else [],
            "broken": broken,
        }
        os.write(self.report, json.dumps(row).encode() + b"\n")  # at once, so that lines stay whole


def work(tasks: Sequence[Campaign]) -> int:
    """Run campaigns one after the other in a process of its own; its process id."""
    process = os.fork()
    if process:
        return process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who began it
    try:
        for campaign in tasks:
            campaign.run()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - this process must end here
        print(f"crash: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def share_for(crashes: int) -> float:
    """The share of the points that one worker must cut to make about so many crashes of all scenes."""

    def made(share: float) -> float:
        news = min(1.0, share * FIRST_WEIGHT) * LEAVINGS * len(CAUSES)
        return (1 + AGAIN) * (share * BYTECODES + min(1.0, share * CALL_WEIGHT) * CALLS + news)

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if made(middle) < crashes else (low, middle)
    return high


def run(
    scenes: Sequence[Scene], crashes: int, seed: int, jobs: int, *, progress: bool = False
) -> tuple[list[dict[str, Any]], bool]:
    """Crash about `crashes` times if these are all scenes, in proportion to their points; a row for each crash and each scene, and whether all were made,
    for Ctrl-C ends it with what there is so far. Raises RuntimeError when a worker ends early."""
    share = share_for(max(0, crashes - len(SCENES)) // jobs)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "crashes"
        to_report = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        workers = [
            work([Campaign(scene, seed * jobs + job, share, AGAIN, to_report, sure=job == 0) for scene in scenes])
            for job in range(jobs)
        ]
        try:
            await_all(workers, lambda: report.read_bytes().count(b"\n"), crashes if progress else 0)
        except KeyboardInterrupt:
            for process in workers:
                os.kill(process, signal.SIGKILL)  # it was not waited for, so it is still there
                os.waitpid(process, 0)
            return read_rows(report), False
        finally:
            os.close(to_report)
        return read_rows(report), True


def await_all(workers: list[int], count: Callable[[], int], crashes: int) -> None:
    """Take each of `workers` away as it ends; say every two seconds how many of `crashes` (0: do not) were made."""
    while workers:
        process, status = os.waitpid(workers[0], os.WNOHANG if crashes else 0)
        if process:
            workers.pop(0)
            if status:
                raise RuntimeError("a worker of the campaign ended early; see above")
        else:
            time.sleep(2)
            print(f"\r{count()} of about {crashes} crashes", end="", file=sys.stderr, flush=True)
    if crashes:
        print(file=sys.stderr)


def read_rows(report: Path) -> list[dict[str, Any]]:
    """What was reported; the last line may lack its end."""
    return [json.loads(line) for line in report.read_text().splitlines(keepends=True) if line.endswith("\n")]


def table(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each scene."""
    found = []
    for scene in SCENES:
        mine = [row for row in rows if row["scene"] == scene.name]
        cut = [row for row in mine if row["depth"]]
        if not mine:
            continue
        kinds = Counter(row["kind"][-1] for row in cut)
        whole_scene = next((row for row in mine if not row["depth"]), NOT_ENDED)
        found.append(
            {
                "name": scene.name,
                "points": sum(whole_scene["points"].values()),
                "leavings": whole_scene["leavings"],
                "crashes": len(cut),
                "at_bytecodes": kinds["bytecode"],
                "at_calls": kinds["call"],
                "in_recovery": sum(row["depth"] > 1 for row in cut),
                "late_calls": sum(row["late"] for row in cut),
                "lost": sum(row["lost"] for row in mine),
                "broken": sum(bool(row["broken"]) for row in mine),
            }
        )
    return found


NOT_ENDED = {"points": {}, "leavings": 0}
HEAD = f"{'scene':<10} {'points':>7} {'leavings':>9} {'crashes':>8} {'bytecodes':>10} {'port calls':>11} {'in recovery':>12} {'late calls':>11} {'broken':>7}"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.crash",
        description="Reset the board before bytecodes and calls of the port, and see what becomes of it.",
        epilog="example: python -m tests.proofs.crash --long     (about half an hour on two processors)",
    )
    parser.add_argument("--long", action="store_true", help=f"the long form: about {LONG} crashes")
    parser.add_argument("--crashes", type=int, help=f"about so many (short form: {SHORT})")
    parser.add_argument("--scene", choices=sorted(BY_NAME), help="only this scene")
    parser.add_argument("--seed", type=int, default=1, help="another one chooses other points")
    parser.add_argument("--jobs", type=int, default=os.process_cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--list", action="store_true", help="list the scenes")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and where something broke."""
    options = _arguments(arguments)
    if options.list:
        print("\n".join(f"{scene.name:<10} {scene.what}" for scene in SCENES))
        return 0
    scenes = [scene for scene in SCENES if options.scene in (None, scene.name)]
    crashes = options.crashes or (LONG if options.long else SHORT)
    began = time.monotonic()
    rows, ended = run(scenes, crashes, options.seed, options.jobs, progress=options.long or sys.stderr.isatty())
    seconds = time.monotonic() - began
    figures = table(rows)
    broken = [row for row in rows if row["broken"]]
    code = 1 if broken or any(row["lost"] for row in rows) else 0 if ended else INTERRUPTED
    total = {"crashes": sum(row["crashes"] for row in figures), "broken": len(broken), "seconds": round(seconds, 1)}
    if options.json:
        print(json.dumps({"scenes": figures, "cases": broken[:50], "seed": options.seed, "ended": ended, **total}))
        return code
    print(HEAD)
    for row in figures:
        print(
            f"{row['name']:<10} {row['points']:>7} {row['leavings']:>9} {row['crashes']:>8} {row['at_bytecodes']:>10} {row['at_calls']:>11}"
            f" {row['in_recovery']:>12} {row['late_calls']:>11} {row['broken']:>7}"
        )
    for row in broken[:50]:
        print(
            "\n".join(
                [
                    f"{row['scene']}: {' then '.join(row['where']) or 'without a crash'}",
                    *(f"  => {b}" for b in row["broken"]),
                ]
            )
        )
    print(
        f"{total['crashes']} crashes, {total['broken']} broken, seed {options.seed}, {seconds:.0f} s{'' if ended else ', interrupted'}"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
