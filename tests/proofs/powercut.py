"""Power cut: the supply fails at every step of the flash, on a real LittleFS, and again while the board recovers, and once more while it recovers from that.
`python -m tests.proofs.powercut --help`

A board lives through runs, settings, an outage and its end, and every block that it erases and page that it programs is written down. Then for each step, and
each way in which a step can be left, the flash is laid as it would be, the valves as they stood, and the whole firmware boots on it.

F1 the file system mounts
F2 every file is as it was before the operation that was cut, or as after it; only files that nothing relies on yet (`.new`, a proposal) may be neither
F3 within a second of the boot no water runs, and the board says so
F4 what was reported stands: the settings that were confirmed are in force, no total of water falls
F5 the board waters again, and its flash takes what that writes

Exit codes: 0 everything holds, 1 something does not (each case is printed with its step), 2 wrong usage, 130 ended by Ctrl-C: the figures say what held so far.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from unittest import mock

from littlefs import LittleFSError

import sim.board
from sprinkler import protocol, store
from tests.firmware.rig import Rig

from .littleflash import WAYS, LittleFlash, Step, apply, cut
from .scenes import acknowledge

LONG, SHORT = 52_000, 150
LOOSE = ("/backlog/new", store.PROPOSED)  # besides what ends with .new: nothing relies on it yet
LATER_MS = 10_000_000  # added to the counters of commands: the world of a recovery begins at the same time as that of the life before it
INTERRUPTED = 130
ROUNDS = 12  # of a life: LittleFS comes round its blocks and compacts its folders


class Mark(NamedTuple):
    """What stands at a step besides the flash: where water runs, and what the board has reported so far."""

    valves: tuple[bool, ...]
    settings: int
    totals: tuple[int, ...]


@dataclass
class Tape:
    """What one stretch of a board's life did to its flash, from `image` on."""

    image: bytes
    steps: list[Step]
    acts: list[tuple[dict[str, bytes], dict[str, bytes]]]


@dataclass
class Tally:
    """What became of the cuts."""

    cuts: Counter[int] = field(default_factory=Counter)  # by depth
    ways: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)  # which file was being written
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take up another one's."""
        self.cuts.update(other.cuts)
        self.ways.update(other.ways)
        self.files.update(other.files)
        self.broken += other.broken


def board(image: bytes | None, lives: int = 0) -> tuple[Rig, LittleFlash]:
    """A board of one zone on a flash that saw so many `lives` before."""
    flash = LittleFlash(image)
    with mock.patch.object(sim.board, "Flash", return_value=flash):
        rig = Rig(zones=1)
    rig.counter = LATER_MS * lives
    flash.chip.mark = lambda: mark(rig)
    return rig, flash


def mark(rig: Rig) -> Mark:
    """How it stands now."""
    states = [m for m in rig.broker.log if m.topic == rig.topic(protocol.STATE)]
    told = json.loads(states[-1].payload) if states else None
    if told is None or "desired_version" not in told:
        return Mark(tuple(zone.valve.open for zone in rig.world.zones), 0, (0,))
    return Mark(
        tuple(zone.valve.open for zone in rig.world.zones),
        told["desired_version"],
        tuple(zone["volume_ml"] for zone in told["zones"]),
    )


def record(live: Callable[[Rig], None], rig: Rig, flash: LittleFlash) -> Tape:
    """Let it live, and write down what its flash was told."""
    image, step, act = flash.image, len(flash.chip.steps), len(flash.acts)
    live(rig)
    steps = [s._replace(act=s.act - act) for s in flash.chip.steps[step:]]
    return Tape(image, steps, flash.acts[act:])


def round_of_life(number: int) -> Callable[[Rig], None]:
    """A run, a stopped run, settings, an outage that fills RTC memory, its end."""

    def live(rig: Rig) -> None:
        rig.command("run", zone=1, run_time_s=5)
        rig.run(15)
        days = {"weekdays": [0, 3], "start": "clock", "start_min": 600, "zone": 1}
        programs = [{"id": n, "run_time_s": 60 * n, **days} for n in range(1, 2 + number % 8)]
        rig.desired(number, programs, seasonal_adjust_pct=100 - number)
        rig.run(4)
        rig.board.network.wifi_up = False
        rig.run(190)
        rig.board.network.wifi_up = True
        rig.run(30)
        acknowledge(rig)
        rig.command("run", zone=1, run_time_s=60)
        rig.run(5)
        rig.command("stop", zone=1)
        rig.run(12)

    return live


def recovers(rig: Rig) -> None:
    """From the first line of boot.py until it has watered again."""
    rig.run(13)
    rig.command("run", zone=1, run_time_s=5)
    rig.run(15)


def laid(tape: Tape, number: int, way: str, chance: Random) -> bytes:
    """The flash as a loss of power in step `number` leaves it."""
    image = bytearray(tape.image)
    for step in tape.steps[:number]:
        apply(image, step)
    cut(image, tape.steps[number], way, chance)
    return bytes(image)


class Cuts:
    """All cuts of a tape, and of the tapes of their recoveries: `shares` of the cuts are made at each depth."""

    def __init__(self, chance: Random, shares: Sequence[float]) -> None:
        self.chance, self.shares = chance, shares
        self.tally = Tally()

    def of(self, tape: Tape, where: str = "", depth: int = 0, part: tuple[int, int] = (0, 1)) -> None:
        """Cut `tape`; `part` (which, of how many) shares its steps among processes."""
        for number in range(part[0], len(tape.steps), part[1]):
            for way in WAYS:
                if self.chance.random() < self.shares[depth]:
                    self._one(tape, number, way, where, depth)

    def _one(self, tape: Tape, number: int, way: str, where: str, depth: int) -> None:
        step = tape.steps[number]
        before, after = tape.acts[step.act] if 0 <= step.act < len(tape.acts) else ({}, {})
        what = next((path for path in {**before, **after} if before.get(path) != after.get(path)), "(a folder)")
        place = f"{where}{' then ' * bool(depth)}step {number} of {len(tape.steps)} ({what}), {way}"
        self.tally.cuts[depth + 1] += 1
        self.tally.ways[way] += 1
        self.tally.files["/backlog" if what.startswith("/backlog") else what] += 1
        try:
            rig, flash = board(laid(tape, number, way, self.chance), depth + 1)
        except LittleFSError as error:
            self._broken(place, f"F1: it does not mount: {error}")
            return
        for words in whole(dict(flash.files), before, after):
            self._broken(place, words)
        for zone, is_open in enumerate(step.mark.valves):
            rig.world.move_valve(zone, opens=is_open)
        late: list[int] = []
        rig.board.on_boot = lambda port: port.session.at(
            port.session.timeline.now_us + 1_000_000, lambda: late.extend(rig.open_zones())
        )
        try:
            again = record(recovers, rig, flash)
        except Exception as error:  # noqa: BLE001 - whatever the firmware raises is a finding
            self._broken(place, f"{type(error).__name__}: {error}")
            return
        finally:
            rig.board.stop()
            flash.chip.mark = lambda: (
                None
            )  # littlefs-python holds the chip, and the chip must not hold the board, or none of them is ever freed
        for words in recovered(rig, step.mark, late):
            self._broken(place, words)
        if depth + 1 < len(self.shares):
            self.of(again, place, depth + 1)

    def _broken(self, place: str, words: str) -> None:
        self.tally.broken.append(f"{place}: {words}")


def whole(found: dict[str, bytes], before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[str]:
    """F2. Of two files that one operation changes (a rename) both are old or both are new."""
    kept, *choices = ({path: files[path] for path in files if _counts(path)} for files in (found, before, after))
    if kept not in choices:
        odd = [p for p in {*kept, *choices[0]} if kept.get(p) not in (choices[0].get(p), choices[1].get(p))]
        yield f"F2: torn: {', '.join(sorted(odd)) or 'a mixture of old and new'}"


def _counts(path: str) -> bool:
    return not path.endswith(".new") and path not in LOOSE


def recovered(rig: Rig, known: Mark, late: Sequence[int]) -> Iterator[str]:
    """F3, F4, F5."""
    if late:
        yield f"F3: valve {late} is open a second after a boot"
    states = rig.said(protocol.STATE)
    if not states:
        yield "F3: it never says how it is"
        return
    if states[-1]["desired_version"] < known.settings:
        yield f"F4: settings {known.settings} were confirmed, {states[-1]['desired_version']} are in force"
    for total, zone in zip(known.totals, states[0]["zones"], strict=True):
        if zone["volume_ml"] < total:
            yield f"F4: {total} ml were reported, now {zone['volume_ml']} ml"
    if "storage" in states[-1]["faults"]:
        yield "F5: its flash does not take what it writes"
    if not 4 < rig.opened_s() < 9.5:
        yield f"F5: asked for 5 s of water it gave {rig.opened_s():.1f} s"
    if rig.open_zones():
        yield "F5: it is still open"


def cut_life(first: int, rounds: int, shares: Sequence[float], seed: int, part: tuple[int, int]) -> Tally:
    """Cut `rounds` of a life, after `first` rounds that only wear the flash."""
    rig, flash = board(None)
    rig.settle()
    for number in range(1, first + 1):
        round_of_life(number)(rig)
    cuts = Cuts(Random(f"{seed} {first} {part[0]}"), shares)
    for number in range(first + 1, first + rounds + 1):
        cuts.of(record(round_of_life(number), rig, flash), f"round {number}, ", part=part)
    return cuts.tally


PARTS = 4  # of a round: each is one task
PER_ROUND, PER_RECOVERY = 120.0, 78.0  # cuts that there are, about: steps x ways


def shares_for(cuts: int, rounds: int) -> tuple[float, float, float]:
    """How much of each depth makes about so many cuts: everything at the first, as far as may be; then the recoveries; then theirs."""
    first = min(1.0, cuts / (3 * PER_ROUND * rounds))
    left = max(0.0, cuts / (first * PER_ROUND * rounds) - 1)
    second = min(1.0, left / PER_RECOVERY * 0.8)
    third = min(1.0, left * 0.2 / (second * PER_RECOVERY * PER_RECOVERY)) if second else 0.0
    return first, second, third


def run(cuts: int, seed: int, jobs: int, *, progress: bool = False) -> tuple[Tally, bool]:
    """About `cuts` cuts, on `jobs` processes; and whether all of them were made, for Ctrl-C ends it with what there is so far."""
    rounds = ROUNDS if cuts > 2000 else 3
    tally = Tally()
    shares = shares_for(cuts, rounds)
    first = 0 if cuts > 2000 else seed % ROUNDS
    with ProcessPoolExecutor(jobs, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
        begun = [
            pool.submit(cut_life, first + each, 1, shares, seed, (part, PARTS))
            for each in range(rounds)
            for part in range(PARTS)
        ]
        try:
            for done, each in enumerate(as_completed(begun), 1):
                tally.add(each.result())
                if progress:
                    made = f"{done} of {len(begun)} parts, {tally.cuts.total()} of about {cuts} cuts"
                    print(f"{made}, {len(tally.broken)} broken", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            return tally, False
    return tally, True


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.powercut",
        description="Cut the power at each step of the flash, on a real LittleFS, nested twice.",
        epilog="example: python -m tests.proofs.powercut --long",
    )
    parser.add_argument("--long", action="store_true", help=f"the long form: about {LONG} cuts")
    parser.add_argument("--cuts", type=int, help=f"about so many (short form: {SHORT})")
    parser.add_argument("--seed", type=int, default=1, help="another one chooses other steps and bits")
    parser.add_argument("--jobs", type=int, default=os.process_cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args(arguments)


def figures_of(tally: Tally, seed: int, seconds: float, *, ended: bool) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "cuts": tally.cuts.total(),
        "by_depth": {str(depth): tally.cuts[depth] for depth in (1, 2, 3)},
        "by_way": dict(tally.ways),
        "by_file": dict(tally.files),
        "broken": len(tally.broken),
        "cases": sorted(tally.broken)[:50],
        "seed": seed,
        "ended": ended,
        "seconds": round(seconds, 1),
    }


def show(tally: Tally, seed: int, seconds: float, *, ended: bool) -> None:
    """The same for the eye."""
    for name, counter in (("cut", tally.ways), ("file", tally.files)):
        for what, count in counter.most_common():
            print(f"{name:<5} {what:<24} {count:>7}")
    for place in sorted(tally.broken)[:50]:
        print(f"BROKEN {place}")
    depths = tally.cuts
    print(
        f"{depths.total()} cuts ({depths[1]} of a life, {depths[2]} of recoveries, {depths[3]} of theirs), "
        f"{len(tally.broken)} broken, seed {seed}, {seconds:.0f} s{'' if ended else ', interrupted'}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became of the cuts."""
    options = _arguments(arguments)
    began = time.monotonic()
    cuts = options.cuts or (LONG if options.long else SHORT)
    tally, ended = run(cuts, options.seed, options.jobs, progress=options.long or sys.stderr.isatty())
    seconds = time.monotonic() - began
    if options.json:
        print(json.dumps(figures_of(tally, options.seed, seconds, ended=ended)))
    else:
        show(tally, options.seed, seconds, ended=ended)
    return 1 if tally.broken else 0 if ended else INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
