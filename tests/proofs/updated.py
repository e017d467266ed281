"""Many boards with the whole firmware, each updated in a life of its own: asleep or awake, with messages lost, brokers that restart, resets, and power that
goes.

Rule: boards, broker and time are the simulator's; who offers is tests/firmware/updates.py. Whether a version holds is the dice's: one that does not loses its
power in each boot. Afterwards the flash is looked at, not what the board says.

python -m tests.proofs.updated [--boards N] [--seed N] [--bytes N] [--json]      exit code 1 if a board is neither old nor new
"""

import argparse
import json
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "firmware")) if path not in sys.path]

import chooser  # noqa: E402 - the firmware's

from sim.board import SimulatedBoard  # noqa: E402
from sim.broker import Broker  # noqa: E402
from sim.port import DEEPSLEEP_RESET, Port  # noqa: E402
from sim.provision import Settings  # noqa: E402
from sim.rom import DELIVERED, SLOT_BYTES, placeholder  # noqa: E402
from sim.world import Scenario, World  # noqa: E402
from tests.firmware.updates import Sender, application, fields  # noqa: E402

HOURS_MAX = 4
CALM_AFTER_S = 3600  # of trouble; then the world leaves the board alone


class Lossy(Sender):
    """Loses some of the blocks, and takes its time."""

    def __init__(self, dice: Random, board: SimulatedBoard, broker: Broker, image: bytes) -> None:
        super().__init__(board, broker, board.key, image)
        self._dice, self._loss = dice, dice.choice((0.0, 0.02, 0.2))
        self.delay_us = dice.choice((10_000, 60_000, 900_000))

    def block(self, number: int, at: int, data: bytes, *, key: bytes | None = None) -> None:
        """Sent, or lost."""
        if self._dice.random() >= self._loss:
            super().block(number, at, data, key=key)


@dataclass
class Fate:
    """What became of one board."""

    seed: int
    ended: str  # old, new, or what is wrong
    holds: bool
    sleeps: bool
    cuts: int
    seconds: float  # from the offer until it was told how it ended
    sent_bytes: int
    valve_closed: bool = True


@dataclass
class Board:
    """One board in its own world."""

    seed: int
    size: int
    cuts: int = 0
    open_boots: int = 0
    slots: list[int] = field(default_factory=list)

    def live(self) -> Fate:
        """Offer it a firmware, let things happen, look at what is left."""
        dice = Random(f"update {self.seed}")
        sleeps, holds = dice.random() < 0.5, dice.random() < 0.75
        world = World(Scenario(zones=1, clouds=False, seed=self.seed))
        broker = Broker(keep_log=False)
        board = SimulatedBoard(world, broker, settings=Settings(always_responsive=not sleeps), seed=self.seed)
        board.on_boot = self._booted
        self._world, image = world, placeholder("0.2.0", self.size)
        sender = Lossy(dice, board, broker, image)
        board.run_for(dice.uniform(20, 90))
        began_us = world.timeline.now_us
        sender.offer()
        took_s = self._trouble(dice, board, broker, sender, holds=holds)
        fate = self._look(board, sender, image, holds=holds, sleeps=sleeps, took_s=took_s or 0.0)
        board.stop()
        assert began_us <= world.timeline.now_us
        return fate

    def _booted(self, port: Port) -> None:
        self._port = port
        if port.session.cause == DEEPSLEEP_RESET:  # it slept with its valve verified closed: no pulse is due
            return
        self._world.move_valve(0, opens=True)  # whatever it was: each boot must close it

        def look() -> None:
            if port.session.ended is None:  # another reset came in between: the next boot is looked at
                self.open_boots += self._world.zones[0].valve.open

        self._world.timeline.at(self._world.timeline.now_us + 1_000_000, look)

    def _trouble(
        self, dice: Random, board: SimulatedBoard, broker: Broker, sender: Sender, *, holds: bool
    ) -> float | None:
        """Let time pass until the update is over, with what happens on a lawn. Seconds that it took."""
        begun_us = board.timeline.now_us
        while board.timeline.now_us - begun_us < HOURS_MAX * 3600e6:
            gone_s = (board.timeline.now_us - begun_us) / 1e6
            on_trial = bool(fields(board)[chooser.TRIAL])
            if not holds and on_trial and board.session is not None:
                self._cut(board, 5.0)
            elif gone_s < CALM_AFTER_S and not on_trial and dice.random() < 0.1:
                dice.choice((self._cut, self._drop, self._outage, self._reset))(board, dice.uniform(1, 60))
            board.run_for(dice.uniform(2, 20) if holds or not on_trial else 8)
            if sender.told[-1]["offer"] and sender.told[-1]["state"] in (
                "installed",
                "rolled_back",
                "failed",
                "refused",
            ):
                return (board.timeline.now_us - begun_us) / 1e6
        return None

    def _cut(self, board: SimulatedBoard, off_s: float) -> None:
        self.cuts += 1
        board.power_cut(off_s)

    def _drop(self, board: SimulatedBoard, _seconds: float) -> None:
        assert board.broker is not None
        board.broker.drop(f"sprinkler-{board.device_id}")

    def _outage(self, board: SimulatedBoard, seconds: float) -> None:
        assert board.broker is not None
        board.broker.stop()
        board.run_for(seconds)
        board.broker.start()

    def _reset(self, board: SimulatedBoard, _seconds: float) -> None:
        board.reset_now()

    def _look(
        self, board: SimulatedBoard, sender: Sender, image: bytes, *, holds: bool, sleeps: bool, took_s: float
    ) -> Fate:
        found = application(board)
        ended = "new" if found == image else "old" if found == DELIVERED else "in between"
        mounted = self._port.vfs.mounted.get("/app", -1)
        if fields(board)[chooser.TRIAL] or mounted != fields(board)[chooser.ACTIVE] * SLOT_BYTES:
            ended = f"not at rest ({ended}, {sender.told[-1]})"
        return Fate(
            self.seed, ended, holds, sleeps, self.cuts, took_s, sender.sent_bytes, valve_closed=not self.open_boots
        )


def many(boards: int, seed: int, size: int) -> list[Fate]:
    """The fates of so many boards; progress goes to the error stream."""
    fates = []
    for number in range(boards):
        fates.append(Board(seed * 100_000 + number, size).live())
        if sys.stderr.isatty() or (number + 1) % 100 == 0:
            print(f"\r{number + 1} of {boards} boards", end="", file=sys.stderr, flush=True)
    return fates


def summary(fates: list[Fate]) -> dict[str, Any]:
    """Counted."""
    new = [fate for fate in fates if fate.ended == "new" and fate.seconds]
    quick = sorted(fate.seconds for fate in new)
    return {
        "boards": len(fates),
        "new": sum(fate.ended == "new" for fate in fates),
        "old": sum(fate.ended == "old" for fate in fates),
        "in_between": [(fate.seed, fate.ended) for fate in fates if fate.ended not in ("old", "new")],
        "valve_open_after_a_boot": sum(not fate.valve_closed for fate in fates),
        "power_cuts": sum(fate.cuts for fate in fates),
        "median_s": statistics.median(quick) if quick else 0,
        "slowest_s": quick[-1] if quick else 0,
        "median_bytes": statistics.median(fate.sent_bytes for fate in new) if new else 0,
    }


def main() -> int:
    """Let them live, print what became of them; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000, help="how many (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bytes", type=int, default=16_000, help="size of the image (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = summary(many(options.boards, options.seed, options.bytes))
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"\n{found['boards']} boards, {found['power_cuts']} losses of power in mid-update: {found['new']} ended as new, {found['old']} as old, "
            f"{len(found['in_between'])} in between; valve open a second after a boot: {found['valve_open_after_a_boot']}\n"
            f"an update of {options.bytes} B takes {found['median_s']:.0f} s (median; slowest {found['slowest_s']:.0f} s) and "
            f"{found['median_bytes']:.0f} B of blocks"
        )
    return 1 if found["in_between"] or found["valve_open_after_a_boot"] else 0


if __name__ == "__main__":
    sys.exit(main())
