"""A board's flash through an update and through a roll back, with the power cut at its every operation.

Rule: what runs is shipped code: chooser.py, and the firmware's modules offer, loading, updating, trial and slots, on stand-ins of the port. Here is only
what is around them: a broker that always answers, a self-test that always holds (or a version that never does), and the moments at which the power goes. One
flash operation is a sector erased, a page written, or a file written or renamed; a cut leaves the first two half done.

python -m tests.proofs.slots [--bytes N] [--json]      every cut, and every pair of cuts, of an update and of a roll back; exit code 1 if a board was lost
"""

import argparse
import copy
import hashlib
import json
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "firmware")) if path not in sys.path]

import chooser  # noqa: E402 - the firmware's

from sim.chip import Chip  # noqa: E402
from sim.flash import Flash  # noqa: E402
from sim.port.files import Files, OsModule  # noqa: E402
from sim.port.rom import UctypesModule, VfsModule, erase_sector  # noqa: E402
from sim.rom import SLOT_BYTES, Rom, placeholder  # noqa: E402
from sprinkler import loading, offer, protocol, slots, trial, updating  # noqa: E402
from sprinkler.core import controller  # noqa: E402
from sprinkler.core.safety import LIMITS  # noqa: E402

OLDER, OLD = placeholder("0.0.9", 9_000), placeholder("0.1.0", 8_000)
BOOTS_MAX = 30
TURNS_MAX = 2_000


def list_nothing(_app: object) -> list[str]:
    """A self-test that holds."""
    return []


class Cut(BaseException):
    """The power went."""


class Restart(BaseException):
    """The board restarts."""


@dataclass
class State:
    """What outlives a loss of power."""

    files: dict[str, bytes]
    rom: bytes

    @classmethod
    def delivered(cls) -> State:
        """Slot 0 has OLD and is the application; slot 1 still has what an earlier update left there."""
        record = chooser.fresh(len(OLD), hashlib.sha256(OLD).digest())
        content = OLD.ljust(SLOT_BYTES, b"\xff") + OLDER.ljust(SLOT_BYTES, b"\xff")
        return cls({chooser.RECORD: chooser.packed(record)}, content)


@dataclass
class Life:
    """One board. `cut_in`: the power goes in the middle of the operation after so many; None: it stays. `holds`: the new version does."""

    state: State
    image: bytes
    holds: bool = True
    cut_in: int | None = None
    operations: int = 0
    booted: list[str] = field(default_factory=list)  # which image each boot ran: old, new, or none

    def __post_init__(self) -> None:
        self.chip = Chip(b"\x5a\x17\xe0\x01", Flash())
        self.chip.flash.files = dict(self.state.files)
        self.chip.rom = Rom()
        self.chip.rom.content = bytearray(self.state.rom)
        self.chip.rom.step = lambda what, where: self._operation()
        self.chip.flash.on_write = lambda number, what, path: self._operation()
        self.session: Any = SimpleNamespace(chip=self.chip, enter=lambda call: None, block=lambda us: None)

    def _operation(self) -> None:
        self.operations += 1
        if self.cut_in is not None:
            if self.cut_in == 0:
                self.cut_in = None
                raise Cut
            self.cut_in -= 1

    def left(self) -> State:
        """What is on its flash now."""
        return State(dict(self.chip.flash.files), bytes(self.chip.rom.content))

    # --- one boot

    def choose(self) -> tuple[int, int | None]:
        """Run the chooser: what it says, and which slot it mounted."""
        path: list[str] = ["", "/lib"]
        vfs = VfsModule(self.session, path)
        said = chooser.choose(vfs, OsModule(self.session), path, Files(self.session).open, True)
        return said, vfs.mounted["/app"] // SLOT_BYTES if "/app" in vfs.mounted else None

    def _app(self, said: int) -> Any:
        """As much of the application as an update sees."""
        modules: dict[str, Any] = {
            "vfs": VfsModule(self.session, []),
            "uctypes": UctypesModule(self.session),
            "esp": SimpleNamespace(flash_erase=lambda sector: erase_sector(self.session, sector)),
            "sys": SimpleNamespace(implementation=("micropython", (1, 29, 0, ""), "", 10758)),
            "closer": SimpleNamespace(API=1),
        }
        board = SimpleNamespace(
            slots=said,
            load=modules.__getitem__,
            modules={},
            open_file=Files(self.session).open,
            os=OsModule(self.session),
            feed=lambda: None,
            uptime_ms=lambda: 0,
            drop=lambda name: None,
            flash_writes=0,
            reset=self._restart,
        )
        self.published: list[tuple[str, dict[str, Any]]] = []
        link = SimpleNamespace(room=lambda: True, up=lambda: False, quiet=lambda: self.holds, close=lambda: None)
        outbox = SimpleNamespace(publish=lambda leaf, text, retain: self.published.append((leaf, json.loads(text))))
        memory = SimpleNamespace(power_mode=0, crashes=0, save_rtc=lambda board: None)
        return SimpleNamespace(
            board=board,
            link=link,
            outbox=outbox,
            memory=memory,
            battery_mv=4000,
            safe_mode=False,
            state=controller.asleep(1, [0] * 4, LIMITS),
            rest=SimpleNamespace(restart_wanted=False),
            update=None,
        )

    @staticmethod
    def _restart() -> None:
        raise Restart

    def boot(self, *, offered: int | None) -> str:
        """One boot to its end: "restart", "cut", or "quiet" once there is nothing left to do."""
        try:
            said, slot = self.choose()
            self.booted.append(self._running(slot))
            with mock.patch.object(trial, "check", list_nothing):
                return self._live(self._app(said), said, offered)
        except Cut:
            return "cut"
        except Restart:
            return "restart"

    def _running(self, slot: int | None) -> str:
        if slot is None:
            return "none"
        content = bytes(self.chip.rom.content[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES])
        known = {"new": self.image, "old": OLD, "older": OLDER}
        return next((name for name, image in known.items() if content.startswith(image)), "half")

    def _live(self, app: Any, said: int, offered: int | None) -> str:
        if said & ~chooser.SLOT_1:
            app.update = slots.begin(0)
        if offered is not None and self.booted[-1] == "old":
            body = json.dumps(self._offer(offered)).encode()
            offer.hear(app, memoryview(body), len(body))
        now_ms = 0
        for _ in range(TURNS_MAX):
            if app.update is None:
                return "restart" if app.rest.restart_wanted else "quiet"
            now_ms = max(now_ms + 1, app.update[slots.U_DUE])
            if app.update[slots.U_STEP] == slots.LOADING:
                loading.ask(app, now_ms)
                self._answer(app)
            elif app.update[slots.U_STEP] in (slots.TESTING, slots.TRYING):
                trial.follow(app, now_ms)
            else:
                updating.follow(app, now_ms)
        raise AssertionError(f"it never ends: {app.update}")

    def _answer(self, app: Any) -> None:
        leaf, asked = self.published[-1]
        if leaf == protocol.UPDATE_REQUEST:
            data = self.image[asked["at"] : asked["at"] + asked["bytes"]]
            payload = struct.pack(">II", asked["offer"], asked["at"]) + data
            loading.take(app, memoryview(payload), len(payload))

    def _offer(self, number: int) -> dict[str, Any]:
        return {
            "offer": number,
            "version": "0.2.0",
            "hardware": protocol.HARDWARE,
            "mpy": 6,
            "interpreter_min": "1.25.0",
            "closer_api": 1,
            "size": len(self.image),
            "sha256": hashlib.sha256(self.image).hexdigest(),
        }

    # --- boot after boot

    def until_quiet(self, *, offered: int | None = 1) -> None:
        """Boot again and again until nothing is left to do and no cut is due."""
        for _ in range(BOOTS_MAX):
            if self.boot(offered=offered) == "quiet" and self.cut_in is None:
                return
        raise AssertionError(f"it does not come to rest: {self.booted}")

    def until_cut(self, *, offered: int | None = 1) -> bool:
        """Boot until the power goes. False: it came to rest before."""
        for _ in range(BOOTS_MAX):
            ended = self.boot(offered=offered)
            if ended == "cut":
                return True
            if ended == "quiet":
                return False
        raise AssertionError(f"it does not come to rest: {self.booted}")


@dataclass
class Found:
    """What was counted. `lost` tells of each board that did not start, or ended as neither the one nor the other."""

    operations: int = 0
    cuts: int = 0
    pairs: int = 0
    boots: int = 0
    lost: list[str] = field(default_factory=list)


def image(size: int) -> bytes:
    """A new version of that size."""
    return placeholder("0.2.0", size)


def search(size: int, *, holds: bool, every: int = 1, progress: Callable[[int, int], None] | None = None) -> Found:
    """Cut the power at each operation, and then at each of what follows (each `every`-th pair)."""
    new, found = image(size), Found()
    whole = Life(State.delivered(), new, holds)
    whole.until_quiet()
    found.operations = whole.operations
    _judge(found, whole, holds, "undisturbed")
    for first in range(whole.operations):
        life = Life(State.delivered(), new, holds, cut_in=first)
        if not life.until_cut():
            continue
        found.cuts += 1
        left = life.left()
        for second in _seconds(left, new, holds, every, first):
            again = Life(copy.copy(left), new, holds, cut_in=second)
            if second is not None and not again.until_cut():
                continue
            found.pairs += second is not None
            again.until_quiet()
            _judge(found, again, holds, f"cut at {first}, then at {second}")
        if progress is not None:
            progress(first + 1, whole.operations)
    return found


def _seconds(left: State, new: bytes, holds: bool, every: int, first: int) -> Iterator[int | None]:
    yield None
    rest = Life(copy.copy(left), new, holds)
    rest.until_quiet()
    yield from range(first % every, rest.operations, every)


def _judge(found: Found, life: Life, holds: bool, when: str) -> None:
    found.boots += len(life.booted)
    wrong = {"none", "half", "older"} & set(life.booted)
    end = "new" if holds else "old"
    if wrong or life.booted[-1] != end:
        found.lost.append(f"{when}: {life.booted}")


def main() -> int:
    """Search both, print what was found; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=8_500, help="size of the image (default %(default)s)")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="of pairs of cuts only each N-th (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = {}
    for name, holds in (("update", True), ("roll back", False)):

        def show(done: int, of: int, name: str = name) -> None:
            print(f"\r{name}: {done} of {of} operations", end="" if done < of else "\n", file=sys.stderr, flush=True)

        results[name] = search(options.bytes, holds=holds, every=options.every, progress=show)
    if options.json:
        print(json.dumps({name: vars(found) for name, found in results.items()}))
    for name, found in () if options.json else results.items():
        print(
            f"{name}: {found.operations} flash operations, {found.cuts} cuts, {found.pairs} second cuts, {found.boots} boots; "
            f"boards that did not start, or ended in between: {len(found.lost)}"
        )
        print("".join(f"  {line}\n" for line in found.lost[:10]), end="")
    return 1 if any(found.lost for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
