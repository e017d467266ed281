"""Cutter: ends a boot before any one bytecode or call of the port, each time in a copy of this process, while the original goes on as if nothing was.

Rule: the hardware dies first. What the firmware does on its way out (`finally` runs in Python, not on a board) reaches nothing, and is counted. The
copy then boots what survived, in the same world. It must not know what ought to hold.

A point is a bytecode of the paths (or a call of the port) together with what would survive there: a loop that turns a thousand times and changes neither
flash nor RTC memory nor a pin is cut once at each of its bytecodes.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from types import CodeType
from typing import Any

from sim.board import SimulatedBoard
from sim.parts.bench import CLOSE, ENABLE, OPEN
from sim.port import HARD_RESET, SOFT_WDT_RESET, Port
from sim.port.session import WATCHDOG_US, Session

TOOL = 4  # of sys.monitoring; free for anyone
FIRMWARE = "/firmware/"
CLOSER = ("boot", "chooser", "closer")
PATHS = (
    *("app", "backlog", "beginning", "board", "commands", "desired", "errors", "inbox", "parts", "planner", "planning"),
    *("parting", "programs", "proposed", "provisioned", "reading", "recall", "rest", "resting", "retelling"),
    *("runs", "segments", "settings", "starting", "store", "turning"),
    *("core/controller", "core/safety", "core/state"),
)
OFF_S = 0.001  # a longer loss of power is a time in which nothing can close a valve
PULSE_US = 90_000  # a boost and a pulse
IN_WAITS = 0.5  # of the cuts at a wait are made in the middle of it
CAUSES = ("power", "watchdog", "reset", "torn")
HANGS = ("watchdog", "torn")  # the loop hangs before them: no time at all, or as long as the watchdog lets it


def on_paths(code: CodeType) -> bool:
    """Whether a reset at each bytecode of this code is tried: what boots, opens, closes, keeps and sets."""
    name = code.co_filename.replace("\\", "/")
    if name.startswith("flash:"):
        return name[len("flash:") :].strip("/").removesuffix(".py") in CLOSER
    return FIRMWARE in name and name.rpartition("/sprinkler/")[2].removesuffix(".py") in PATHS


class Cutter:
    """Cuts one board's boots. `picks(depth, kind, first)` says with which causes this point is cut (`first`: what would survive here is new),
    `deeper()` of each crash whether its recovery may be cut as well."""

    def __init__(
        self,
        board: SimulatedBoard,
        picks: Callable[[int, str, bool], Sequence[str]],
        deeper: Callable[[], bool],
        chance: Random,
    ) -> None:
        self.board = board
        self.depth = 0
        self.deepest = 1
        self.where: list[str] = []  # of each crash: cause and place
        self.late_calls = 0
        self.altered: list[str] = []  # what changed although the hardware was dead
        self.points = {"bytecode": 0, "call": 0}
        self.crashes = 0
        self.lost_copies = 0
        self._picks = picks
        self._deeper = deeper
        self._chance = chance
        self._seen: set[Any] = set()
        self._left_before: set[Any] = set()
        self._scope: dict[CodeType, bool] = {}
        self._left: Any = None
        self._late: Session | None = None  # of the boot that was cut last
        self._was_on_boot = board.on_boot
        board.on_boot = self._on_boot
        if board.session is not None:
            board.session.on_call = self._at_call

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Cut what runs inside."""
        monitoring = sys.monitoring
        instruction = monitoring.events.INSTRUCTION
        monitoring.use_tool_id(TOOL, "cutter")
        monitoring.register_callback(TOOL, instruction, self._at_bytecode)
        monitoring.set_events(TOOL, instruction)
        try:
            yield
        finally:
            monitoring.set_events(TOOL, 0)
            monitoring.register_callback(TOOL, instruction, None)
            monitoring.free_tool_id(TOOL)
            self.deepest = self.depth
            self._listen(False)

    def _listen(self, on: bool) -> None:
        session = self.board.session
        if session is not None:
            session.on_call = self._at_call if on else None

    def survivors(self) -> tuple[Any, ...]:
        """What a reset would leave: writing steps of the flash, RTC memory, the levels of the bridge's pins, the valves."""
        board = self.board
        pins = board.bench._outputs
        valves = tuple(zone.valve.open for zone in board.world.zones)
        return board.chip.flash.steps, board.chip.rtc_memory, pins[OPEN], pins[CLOSE], pins[ENABLE], valves

    def _on_boot(self, port: Port) -> None:
        if self._left is not None:
            flash, rtc = self.survivors()[:2]
            if (flash, rtc) != self._left[:2]:
                self.altered.append(f"after {self.where[-1]}: {self._left} became {self.survivors()}")
            self._left = None
        if self.depth < self.deepest:
            port.session.on_call = self._at_call
        if self._was_on_boot is not None:
            self._was_on_boot(port)

    def _at_bytecode(self, code: CodeType, offset: int) -> Any:
        known = self._scope.get(code)
        if known is None:
            known = self._scope[code] = on_paths(code)
        if not known:
            return sys.monitoring.DISABLE
        session = self.board.session
        if self.depth < self.deepest and session is not None and session.ended is None:
            self._reach("bytecode", (code, offset))
            if session.ended is not None:
                raise session.ended
        return None

    def _at_call(self, call: str) -> None:
        if self.depth < self.deepest:
            frame = sys._getframe(1)
            while frame.f_back is not None and not on_paths(frame.f_code):
                frame = frame.f_back
            self._reach("call", (call, frame.f_code, frame.f_lasti))

    def _reach(self, kind: str, place: tuple[Any, ...]) -> None:
        left = self.survivors()
        point = (left, place)
        if point in self._seen:
            return
        self._seen.add(point)
        self.points[kind] += 1
        first = left not in self._left_before
        self._left_before.add(left)
        depth = self.depth
        for cause in self._picks(depth, kind, first):
            self._cut(cause, kind, place)
            if self.depth != depth:  # this is the copy
                return
            if depth:
                self._rest()  # one more crash in a recovery is enough

    def _rest(self) -> None:
        """Cut no more in this process: every bytecode would still be told of, which takes most of the time."""
        self.deepest = self.depth
        sys.monitoring.set_events(TOOL, 0)
        self._listen(False)

    @property
    def leavings(self) -> int:
        """In how many ways the points differ in what would survive."""
        return len(self._left_before)

    def _cut(self, cause: str, kind: str, place: tuple[Any, ...]) -> None:
        """Go on twice: here without a crash, and in a copy with one."""
        fraction = self._chance.random()
        self.crashes += 1
        copy = os.fork()
        if copy:
            _, status = os.waitpid(copy, 0)
            self.lost_copies += status != 0
            return
        self.depth += 1
        if self.depth == 1 and self._deeper():
            self.deepest = 2
        else:
            self._rest()
        self.crashes = self.lost_copies = 0
        self.points = dict.fromkeys(self.points, 0)
        self._seen = set()
        self.where.append(f"{cause} at {kind} {_name(place)}")
        timeline = self.board.timeline
        if (
            place[0] == "wait" and fraction < IN_WAITS
        ):  # in the middle of it, or of the next one: of a pulse, most of all
            timeline.at(timeline.now_us + round(PULSE_US * fraction / IN_WAITS), lambda: self._end(cause))
            return
        if cause in HANGS:
            timeline.spend(round(WATCHDOG_US * fraction))
        self._end(cause)

    def _end(self, cause: str) -> None:
        """Dead from here on."""
        board = self.board
        self._late = board.session
        if cause == "power":
            board.power_cut(OFF_S)
        elif cause == "reset":
            board.reset_now(HARD_RESET)
        else:
            if cause == "torn" and board.chip.rtc_memory:
                spoiled = bytearray(board.chip.rtc_memory)
                spoiled[self._chance.randrange(len(spoiled))] ^= 1 << self._chance.randrange(8)
                board.chip.rtc_memory = bytes(spoiled)
            board.reset_now(SOFT_WDT_RESET)
        self._left = self.survivors()

    def late(self) -> int:
        """Calls that came after the hardware was dead; none did anything."""
        return self._late.late_calls if self._late is not None else 0


def _name(place: tuple[Any, ...]) -> str:
    *call, code, offset = place
    position = next((line for start, end, line in code.co_lines() if start <= offset < end), None)
    file = code.co_filename.rpartition("/")[2]
    return " ".join([*call, f"{file}:{position or code.co_firstlineno} {code.co_qualname}+{offset}"])
