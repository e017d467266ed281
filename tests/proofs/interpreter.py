"""Interpreter: resets at calls of the port, and power cuts at steps of the flash, while the real MicroPython runs the firmware on its own VfsLfs2.
`python -m tests.proofs.interpreter --help`

Rule: the scenes and the judge are those of the simulated crashes; only what runs the firmware is another.

Exit codes: 0 everything holds, 1 something does not, 2 wrong usage.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest import mock

from sim.port import HARD_RESET, SOFT_WDT_RESET, Port
from sim.remote import RemoteBoard
from tests.firmware import rig as rigs
from tests.firmware.rig import Rig
from tools.micropython.package import build

from .aftermath import Witness, confirmed, judge, whole
from .cutter import OFF_S
from .scenes import BY_NAME, Scene

CALL_SCENES = ("boot", "hand", "settings", "held")
FLASH_SCENES = ("hand", "settings", "away")
CAUSES = ("power", "watchdog", "reset")
LONG = {"calls": 600, "cuts": 400}
SHORT = {"calls": 6, "cuts": 5}


@contextmanager
def on_the_interpreter() -> Iterator[list[RemoteBoard]]:
    """Rigs that are made inside run on the interpreter; their boards."""
    with ExitStack() as stack:
        boards: list[RemoteBoard] = []

        def make(*args: Any, **arguments: Any) -> RemoteBoard:
            boards.append(stack.enter_context(RemoteBoard(*args, build=build(), **arguments)))
            return boards[-1]

        stack.enter_context(mock.patch.object(rigs, "SimulatedBoard", make))
        yield boards


class Ender:
    """Ends a boot at the call of the port with number `at` (from 1), counted over all boots."""

    def __init__(self, rig: Rig, at: int, cause: str) -> None:
        self.rig, self.at, self.cause = rig, at, cause
        self.calls = 0
        self.where = ""
        before = rig.board.on_boot

        def boots(port: Port) -> None:
            port.session.on_call = self._call
            if before is not None:
                before(port)

        rig.board.on_boot = boots
        if rig.board.session is not None:
            rig.board.session.on_call = self._call

    def _call(self, call: str) -> None:
        self.calls += 1
        if self.calls == self.at:
            self.where = f"{self.cause} at call {self.at}, {call}"
            if self.cause == "power":
                self.rig.board.power_cut(OFF_S)
            else:
                self.rig.board.reset_now(HARD_RESET if self.cause == "reset" else SOFT_WDT_RESET)


def crash(scene: Scene, at: int, cause: str) -> tuple[str, int, list[str]]:
    """One reset at a call: (where; "" when the scene has no such call, calls of the scene, what is broken)."""
    with on_the_interpreter() as boards:
        rig = scene.prepare()
        witness = Witness(rig)
        ender = Ender(rig, at, cause)
        scene.act(rig)
        calls = ender.calls
        ender.at = 0
        if not ender.where:
            return "", calls, []
        return ender.where, calls, _verdict(rig, scene, witness, boards[0])


def cut(scene: Scene, at: int) -> tuple[str, int, list[str]]:
    """One power cut in the middle of a step of the flash, likewise."""
    with on_the_interpreter() as boards:
        rig = scene.prepare()
        image = boards[0].image
        witness = Witness(rig)
        before = image.steps
        image.cut_at = at or None
        scene.act(rig)
        steps = image.steps - before
        if not at or image.cut_at is not None:
            image.cut_at = None
            return "", steps, []
        return f"power cut in flash step {at}", steps, _verdict(rig, scene, witness, boards[0])


def _verdict(rig: Rig, scene: Scene, witness: Witness, board: RemoteBoard) -> list[str]:
    sure = confirmed(rig)
    broken = list(judge(rig, scene, 1, 1))
    board.stop()
    broken += whole(board.image.files(), scene, rig, sure)
    broken += witness.broken
    if "Traceback" in board.text:
        broken.append(board.text)
    return broken


def run(calls: int, cuts: int, seed: int, *, progress: bool = False) -> dict[str, Any]:
    """So many crashes at calls and cuts of the flash, spread over the scenes; what they came to."""
    chance = Random(seed)
    made: Counter[str] = Counter()
    broken: list[str] = []
    known: dict[str, int] = {}
    for kind, number, names in (("calls", calls, CALL_SCENES), ("cuts", cuts, FLASH_SCENES)):
        for each in range(number):
            scene = BY_NAME[names[each % len(names)]]
            key = f"{kind} {scene.name}"
            if key not in known:
                known[key] = (crash(scene, 0, "power") if kind == "calls" else cut(scene, 0))[1]
            at = chance.randint(1, known[key])
            where, _, words = crash(scene, at, CAUSES[each % 3]) if kind == "calls" else cut(scene, at)
            made[kind] += bool(where)
            broken += [f"{scene.name}: {where}: {word}" for word in words]
            if progress:
                print(f"\r{made.total()} of {calls + cuts}", end="", file=sys.stderr, flush=True)
    return {"crashes_at_calls": made["calls"], "flash_cuts": made["cuts"], "of": known, "broken": broken}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became of them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.interpreter",
        description="Resets and power cuts while the real MicroPython runs the firmware.",
        epilog="example: python -m tests.proofs.interpreter --long",
    )
    parser.add_argument(
        "--long", action="store_true", help=f"the long form: {LONG['calls']} calls, {LONG['cuts']} cuts"
    )
    parser.add_argument("--calls", type=int, help=f"resets at calls of the port (short form: {SHORT['calls']})")
    parser.add_argument("--cuts", type=int, help=f"cuts at steps of the flash (short form: {SHORT['cuts']})")
    parser.add_argument("--seed", type=int, default=1, help="another one chooses others")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    form = LONG if options.long else SHORT
    calls, cuts = (
        form[n] if given is None else given for n, given in (("calls", options.calls), ("cuts", options.cuts))
    )
    began = time.monotonic()
    found = run(calls, cuts, options.seed, progress=sys.stderr.isatty())
    seconds = time.monotonic() - began
    if options.json:
        print(json.dumps({**found, "seconds": round(seconds, 1)}))
    else:
        print("\n".join(f"BROKEN {words}" for words in found["broken"]), end="\n" * bool(found["broken"]))
        print(
            f"on MicroPython: {found['crashes_at_calls']} resets at calls of the port, {found['flash_cuts']} power cuts on VfsLfs2, "
            f"{len(found['broken'])} broken, {seconds:.0f} s"
        )
    return int(bool(found["broken"]))


if __name__ == "__main__":
    sys.exit(main())
