"""A board's life in a short heap: a month of wakes, two days awake with a network that comes and goes. Run it: python -m tests.micropython.life

Four zones, eight programs, and a backlog that fills its flash: for the first two thirds there is no network, then Home Assistant is back and acknowledges.
The firmware is the whole one, on the real interpreter, in virtual time. The heap is cut so that START_BYTES are free at a bare prompt; garbage is
collected whenever 1 KB was allocated, so what is reported is what is alive. Exit codes: 0 done; 1 the board ran out of memory or restarted; 2 wrong usage.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sim.board import SimulatedBoard
from sim.broker import Broker, Message
from sim.garden import ACK_DELAY_US
from sim.port import DEEPSLEEP_RESET, PWRON_RESET
from sim.provision import Settings
from sim.remote import RemoteBoard
from sim.remote.frames import Heap
from sim.world import Scenario, World
from tests.firmware.folder import Flash, fill
from tools.micropython.package import build

START_BYTES = 30_000  # free at a bare prompt, its file system mounted; with a board's whole heap it is some 36 480
SHORT_HEAP = 32_272  # of C heap, which leaves that
COLLECT_EVERY = 1024
WAKE_S = 900


@dataclass(frozen=True, slots=True)
class Worst:
    """The heap at its worst, over all boots; `names` that came with the program at the end."""

    free: int
    largest: int
    names: int
    boots: int

    def __str__(self) -> str:
        return f"free {self.free} B, largest piece {self.largest} B, {self.names} names, {self.boots} boots"


def _settings() -> dict[str, object]:
    zones = [{"zone": zone, "cycle_s": 60, "soak_s": 60, "skip_above_pct": 90} for zone in range(1, 5)]
    return {"tz_rule": "CET-1CEST,M3.5.0,M10.5.0/3", "zones": zones, "wake_interval_s": WAKE_S}


def _programs() -> list[dict[str, object]]:
    dates = [20270700 + day for day in range(1, 9)]
    return [
        {
            "id": number + 1,
            "zone": number % 4 + 1,
            "weekdays": [0, 1, 2, 3, 4, 5, 6],
            "start_min": 540 + 97 * number,
            "run_time_s": 180,
            "until": 20281231,
            "skip_dates": dates,
        }
        for number in range(8)
    ]


class Life:
    """One board, and someone who acknowledges while `present`."""

    def __init__(self, *, awake: bool, heap: int = SHORT_HEAP) -> None:
        self.broker = Broker()
        world = World(Scenario(zones=4, clouds=False))
        settings = Settings(always_responsive=awake, ul_per_pulse=2222)
        self.board = RemoteBoard(
            world, self.broker, settings=settings, seed=1, build=build(), heap=heap, collect=COLLECT_EVERY
        )
        self.present = True
        self._due: set[int] = set()  # boots of which more is stored than was said
        from sprinkler import protocol

        self._protocol = protocol
        for leaf in (protocol.EVENT, protocol.TELEMETRY):
            self.broker.subscribe(self._topic(leaf), self._hear)
        self._stored: dict[int, dict[str, int]] = {}

    def _topic(self, leaf: str) -> str:
        return self._protocol.topic(self.board.device_id, leaf)

    def _hear(self, message: Message) -> None:
        told = json.loads(message.payload)
        rows = told.get("samples", [told])
        kind = "sample" if "samples" in told else "event"
        boot_id = told["boot_id"]
        stored = self._stored.setdefault(boot_id, {"boot_id": boot_id, "event": 0, "sample": 0})
        stored[kind] = max(stored[kind], *(row["n"] for row in rows))
        if self.present and not self._due:
            timeline = self.board.timeline
            timeline.at(timeline.now_us + ACK_DELAY_US, self._acknowledge)
        if self.present:
            self._due.add(boot_id)

    def _acknowledge(self) -> None:
        due, self._due = sorted(self._due), set()
        for boot_id in due if self.present else ():
            self.tell(self._protocol.ACK, self._stored[boot_id])

    def tell(self, leaf: str, content: Mapping[str, object]) -> None:
        """Retain a signed message."""
        from sprinkler.auth import sign

        topic = self._topic(leaf)
        self.broker.publish(
            topic, sign(self.board.key, topic, json.dumps(content, separators=(",", ":")).encode()), retain=True
        )

    def begin(self) -> None:
        """Power on, settings and programs, and all that can be said of a zone. Raises RuntimeError if they do not come into force."""
        self.board.run_for(20)
        self.tell(self._protocol.DESIRED, {"version": 1, "settings": _settings(), "programs": _programs()})
        self.board.run_for(20)
        if not self.settled():
            self.board.run_for(WAKE_S + 20)  # it slept
        if not self.settled():
            raise RuntimeError(f"the settings are not in force: {self.board.text[-400:]}")

    def fill_backlog(self, boots: int) -> None:
        """Lay as many segments on flash as it holds, of so many boots, and let the power fail."""
        folder = Flash()
        fill(folder, boots)
        self.board.chip.flash.files.update(folder.files)
        self.board.power_cut()

    def segments(self) -> int:
        """How many lie there."""
        return sum("/backlog/" in path for path in self.board.chip.flash.files)

    def settled(self) -> bool:
        """Are the settings that it was told in force?"""
        state = json.loads(self.broker.retained[self._topic(self._protocol.STATE)].payload)
        return bool(state["desired_version"] == 1)

    def heaps(self) -> list[Heap]:
        """Of the boots so far, and of this one."""
        now = self.board.remote.heap() if self.board.remote is not None else None
        return [*self.board.heaps, *([now] if now is not None else [])]

    def worst(self) -> Worst:
        """Raises RuntimeError if the board has restarted by itself, or printed an error."""
        heaps = self.heaps()
        causes = set(self.board.boots) - {PWRON_RESET, DEEPSLEEP_RESET}
        if causes or re.search("Error", self.board.text):
            raise RuntimeError(f"restarted by {sorted(causes)}: {self.board.text[-400:]}")
        usable = heaps[-1].used + heaps[-1].free
        return Worst(
            usable - max(heap.peak for heap in heaps),
            min(heap.tightest for heap in heaps),
            max(heap.names for heap in heaps),
            len(self.board.boots),
        )

    def close(self) -> None:
        """Stop the board."""
        self.board.close()


def sleeping(wakes: int, *, progress: bool = False) -> Worst:
    """A life of so many wakes, a quarter of an hour apart: two thirds without a network, then with Home Assistant."""
    life = Life(awake=False)
    try:
        life.begin()
        for wake in range(wakes):
            life.board.network.wifi_up = wake >= wakes * 2 // 3
            life.board.run_for(WAKE_S)
            _tell(progress, wake, wakes, 96, life.board, life)
        return life.worst()
    finally:
        life.close()


def telling(boots: int, wakes: int) -> tuple[Worst, int]:
    """Wakes that find a full backlog of so many boots, and Home Assistant back: the worst, and how many segments are left."""
    life = Life(awake=False)
    try:
        life.begin()
        life.fill_backlog(boots)
        for _ in range(wakes):
            life.board.run_for(WAKE_S)
        return life.worst(), life.segments()
    finally:
        life.close()


def awake(hours: float, *, progress: bool = False) -> Worst:
    """A life of so many hours that never sleeps: two thirds without a network, then one that fails for a minute in every ten."""
    life = Life(awake=True)
    try:
        life.begin()
        tens = max(3, round(hours * 6))
        for ten in range(tens):
            life.board.network.wifi_up = ten >= tens * 2 // 3
            life.board.run_for(540)
            life.present = ten % 6 != 0
            life.board.network.wifi_up = False
            life.board.run_for(60)
            _tell(progress, ten, tens, 36, life.board, life)
        life.board.network.wifi_up = True
        life.board.run_for(300)
        return life.worst()
    finally:
        life.close()


def _tell(progress: bool, done: int, total: int, every: int, board: SimulatedBoard, life: Life) -> None:
    if progress and done % every == every - 1:
        print(
            f"{100 * (done + 1) // total:>4} %   {len(board.boots)} boots   {life.worst()}", file=sys.stderr, flush=True
        )


def main() -> int:
    """Run both lives and print what was measured; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.micropython.life",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python -m tests.micropython.life                       all of it, some minutes\n"
        "  python -m tests.micropython.life --wakes 96 --hours 2  a day of wakes, two hours awake",
    )
    parser.add_argument(
        "--wakes", type=int, default=2880, help="a quarter of an hour apart (default: 2880, a month; 0: none)"
    )
    parser.add_argument("--hours", type=float, default=48, help="always awake (default: 48; 0: none)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    since = time.monotonic()
    found: dict[str, Worst] = {}
    try:
        if options.wakes > 0:
            found[f"{options.wakes} wakes"] = sleeping(options.wakes, progress=True)
        if options.hours > 0:
            found[f"{options.hours:g} hours awake"] = awake(options.hours, progress=True)
    except RuntimeError as error:
        print(f"life: {error}", file=sys.stderr)
        return 1
    if options.json:
        rows = {name: {key: getattr(worst, key) for key in Worst.__slots__} for name, worst in found.items()}
        print(json.dumps({"start_bytes": START_BYTES, "seconds": round(time.monotonic() - since), **rows}))
    else:
        for name, worst in found.items():
            print(f"{name}, from {START_BYTES} B free: at worst {worst}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
