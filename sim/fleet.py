"""Many boards in one process, each with its own garden, broker, noise and virtual time; several processes share a fleet.

Rule: a board's life depends on the seed and its number alone, so however the fleet is cut into processes, its log is the same, byte for byte. That is why
each has a time of its own: in a shared one the working time of one board would make the others late by microseconds. They go on in turns of SLICE_S.
"""

import gc
import hashlib
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.board import SimulatedBoard
from sim.broker import Message
from sim.crew import Crew
from sim.errors import SettingError
from sim.garden import Program, plant
from sim.timeline import VirtualTime
from sim.world import Scenario

TIDY_BOOTS = 64  # an ended boot is a knot of objects that only the collector unties; younger ones than that cost more than they free
CLUSTER_SHARES = 64
SLICE_S = 21_600  # virtual seconds that a board goes on for before the next has its turn

DAILY = Program()

type Progress = Callable[[float], bool]  # told the part that is done; True: stop here


@dataclass(frozen=True, slots=True)
class Order:
    """What to simulate: `boards` boards for `days` days, all under the weather of `scenario`."""

    boards: int
    days: float
    scenario: Scenario
    program: Program = DAILY
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.boards <= 100_000:
            raise SettingError(f"a fleet has 1 to 100000 boards, not {self.boards}")
        if not 0 < self.days <= 3660:
            raise SettingError(f"days must be above 0 and at most 3660, not {self.days:g}")


@dataclass(frozen=True, slots=True)
class Share:
    """What one process found: sums over its boards, and each board's log as a digest by its number."""

    board_days: float
    boots: int
    messages: int
    meter_ml: float
    crashes: int
    flat: int
    cpu_s: float
    bytes_per_board: float
    digests: dict[int, bytes]
    stopped: bool


def memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096
    except OSError:
        return 0


class _Fleet:
    """The boards of one process."""

    def __init__(self, order: Order, numbers: range, log: Callable[[int, Message], None] | None) -> None:
        self.order = order
        self.messages = self._boots = 0
        self._tidy_boots = max(TIDY_BOOTS, len(numbers) // 4)
        self._digests = {number: hashlib.sha256() for number in numbers}
        self._log = log
        self.boards = [self._board(number) for number in numbers]

    def _board(self, number: int) -> SimulatedBoard:
        order = self.order
        board, _ = plant(
            order.scenario,
            order.program,
            seed=order.seed * 1_000_003 + number,
            device_id=f"{number + 1:08x}",
            timeline=VirtualTime(),
        )
        digest = self._digests[number]

        def note(message: Message) -> None:
            self.messages += 1
            digest.update(b"%d %s " % (message.at_us, message.topic.encode()))
            digest.update(message.payload)
            if self._log is not None:
                self._log(number, message)

        assert board.broker is not None
        board.broker.subscribe("#", note)
        board.on_end = lambda _: self._ended()
        board.raise_crashes = False
        first_us = order.program.wake_interval_s * 1_000_000 * number // order.boards
        board.timeline.at(first_us, board.power_on)  # no town switches its boards on at one moment
        return board

    def _ended(self) -> None:
        self._boots += 1

    def run(self, progress: Progress) -> tuple[float, bool]:
        """Let the days pass; (board-days that did, whether it was stopped before the end)."""
        whole_s = self.order.days * 86_400
        all_s, at_s, passed_s = whole_s * len(self.boards), 0.0, 0.0
        tidy_at = self._tidy_boots
        while at_s < whole_s:
            before_s, at_s = at_s, min(whole_s, at_s + SLICE_S)
            for board in self.boards:
                board.run_until(round(at_s * 1_000_000))
                passed_s += at_s - before_s
                if self._boots >= tidy_at:
                    gc.collect()
                    tidy_at = self._boots + self._tidy_boots
                if progress(passed_s / all_s):
                    return passed_s / 86_400, True
        return passed_s / 86_400, False

    def digests(self) -> dict[int, bytes]:
        """Each board's log as a digest."""
        return {number: digest.digest() for number, digest in self._digests.items()}


def run_share(
    order: Order,
    numbers: range,
    progress: Progress = lambda _: False,
    log: Callable[[int, Message], None] | None = None,
) -> Share:
    """Simulate those boards of the fleet in this process."""
    warm_up(order)
    gc.collect()
    gc.freeze()  # what every board shares is not looked through again and again
    before_bytes = memory_bytes()
    began_s = time.process_time()
    fleet = _Fleet(order, numbers, log)
    board_days, stopped = fleet.run(progress)
    cpu_s = time.process_time() - began_s
    used_bytes = max(0, memory_bytes() - before_bytes)
    boards = fleet.boards
    for board in boards:
        board.world.advance()
    share = Share(
        board_days=board_days,
        boots=sum(board.chip.boots for board in boards),
        messages=fleet.messages,
        meter_ml=sum(zone.meter_ml for board in boards for zone in board.world.zones),
        crashes=sum(len(board.crashes) for board in boards),
        flat=sum(board.flat for board in boards),
        cpu_s=cpu_s,
        bytes_per_board=used_bytes / len(boards),
        digests=fleet.digests(),
        stopped=stopped,
    )
    gc.unfreeze()
    return share


def warm_up(order: Order) -> None:
    """Load the firmware's modules and the weather, which all boards share, by the first minute of one board."""
    plant(order.scenario, order.program, seed=0, device_id="00000000")[0].run_for(60)


def _share(item: tuple[Order, range], tell: Progress) -> Share:
    return run_share(*item, tell)


def cut(boards: int, parts: int) -> list[range]:
    """The numbers of a fleet's boards in equal shares."""
    parts = min(parts, boards)
    edges = [boards * part // parts for part in range(parts + 1)]
    return [range(low, high) for low, high in itertools.pairwise(edges)]


def run(order: Order, crew: Crew, progress: Progress) -> list[Share]:
    """Simulate the fleet: a share for each process, or CLUSTER_SHARES for a cluster, so that a lost worker costs little. Raises as `Crew.do` does."""
    shares = cut(order.boards, CLUSTER_SHARES if crew.scheduler else crew.jobs)
    return crew.do(_share, [(order, numbers) for numbers in shares], progress)


def log_digest(shares: list[Share]) -> str:
    """One digest of all logs, in the order of the boards' numbers."""
    digests = {number: digest for share in shares for number, digest in share.digests.items()}
    return hashlib.sha256(b"".join(digests[number] for number in sorted(digests))).hexdigest()


class Stopwatch:
    """Wall time of a `with`, in `seconds`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Stopwatch:
        self._began_s = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began_s


def summary(order: Order, shares: list[Share], wall_s: float) -> dict[str, object]:
    """What a fleet did, for people and programs."""
    board_days = sum(share.board_days for share in shares)
    return {
        "boards": order.boards,
        "days": order.days,
        "seed": order.seed,
        "jobs": len(shares),
        "stopped": any(share.stopped for share in shares) or sum(len(share.digests) for share in shares) < order.boards,
        "board_days": round(board_days, 3),
        "seconds": round(wall_s, 3),
        "board_days_per_s": round(board_days / wall_s, 2),
        "core_board_days_per_s": round(board_days / max(1e-9, sum(share.cpu_s for share in shares)), 2),
        "bytes_per_board": round(sum(share.bytes_per_board for share in shares) / max(1, len(shares))),
        "boots": sum(share.boots for share in shares),
        "messages": sum(share.messages for share in shares),
        "water_l": round(sum(share.meter_ml for share in shares) / 1000, 1),
        "crashes": sum(share.crashes for share in shares),
        "flat": sum(share.flat for share in shares),
        "log_sha256": log_digest(shares),
    }
