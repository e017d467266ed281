"""A board in real time at the end of a serial line, and the tools that speak over it, one after the other.

The serial line is a pseudo-terminal; the board is the whole firmware on the real interpreter with simulated hardware: its watchdog bites, its sleep is
deaf, and what is typed while it sleeps is lost, as on a wire. Hands press its reset button when a tool asks for it.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import tty
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sim.board import Hardware
from sim.errors import Ending, PowerLoss
from sim.live import LiveNetwork
from sim.port import Port
from sim.provision import Settings
from sim.remote import RemoteBoard
from sim.remote.image import SIZE
from sim.remote.interpreter import ROOT
from sim.timeline import LiveTime
from sim.world import Scenario, World
from tools.micropython.package import build

LOOK_US = 20_000
NOISE = b"\x00\xfe\x8c\xf2rl\x9cl\xff"  # the chip's own loader speaks at another speed
TOOL = (sys.executable, "-m", "tools.provision")
MPREMOTE = (sys.executable, "-m", "mpremote")


@dataclass
class Ran:
    """A tool that has ended."""

    arguments: Sequence[str]
    code: int
    out: str
    err: str


@dataclass
class Step:
    """A tool to run; `env` is added to the environment."""

    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Until:
    """A time to wait for."""

    holds: Callable[[], bool]


type Act = Step | Until | Callable[[], None]


class Bench:
    """One board, and hands. `presses`: does anybody press reset when asked?"""

    def __init__(
        self, *, settings: Settings | None = None, zones: int = 1, erased: bool = False, presses: bool = True
    ) -> None:
        self.timeline = LiveTime()
        self.world = World(Scenario(zones=zones), self.timeline)
        self.network = LiveNetwork(self.timeline, self.world.unix_s)
        self.board = RemoteBoard(self.world, settings=settings, hardware=Hardware(network=self.network), build=build())
        self.board_end, self.cable_end = os.openpty()
        tty.setraw(self.cable_end)
        self.port = os.ttyname(self.cable_end)
        self.board.terminal = self.board_end
        self.board.on_boot = self._on_boot
        self.board.on_end = self._on_end
        self.presses = presses
        self.pressed = 0
        self.ran: list[Ran] = []
        self.unplugged = False
        self.command_lines = ""  # of everything that ran on this machine meanwhile
        self.power_goes_when: str | None = None  # the tool has said this
        self.cut_at: int | None = None  # the flash step, counted from the tool's start, at which the power goes
        if erased:
            self.erase()

    def erase(self) -> None:
        """A board fresh from the chip's loader: an interpreter, and nothing else."""
        with self.board.image.path.open("r+b") as file:
            file.write(b"\xff" * SIZE)
        chip = self.board.chip
        chip.sdk_access_point, chip.sdk_station_on, chip.sdk_station = True, False, None

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.board.close()
        self.network.shut()
        self.unplug()
        os.close(self.board_end)

    # --- the wire

    def unplug(self) -> None:
        """Pull the cable out of the computer: its port is gone. (The tests' own end only; a tool that has it open keeps it.)"""
        if not self.unplugged:
            self.unplugged = True
            os.close(self.cable_end)

    def _on_boot(self, _port: Port) -> None:
        ready = select.poll()
        ready.register(self.board_end, select.POLLIN)
        while ready.poll(0) and ready.poll(0)[0][1] & select.POLLIN:  # nobody heard it
            os.read(self.board_end, 4096)
        os.write(self.board_end, NOISE)

    def _on_end(self, ending: Ending) -> None:
        if isinstance(ending, PowerLoss):  # the cable was the supply: its serial chip is dead as well
            self.timeline.stop()

    # --- the tools

    def run(self, *acts: Act, seconds: float = 100) -> list[Ran]:
        """Power the board on, do one thing after the other, and end. Where the power goes, the tool is left alone with a dead cable."""
        waiting = list(acts)
        self.timeline.at(round(seconds * 1e6), self.timeline.stop)
        self._process: subprocess.Popen[bytes] | None = None
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:

            def look() -> None:
                self._next(waiting, out, err)
                if not waiting:
                    self.timeline.stop()
                else:
                    self.timeline.at(self.timeline.now_us + LOOK_US, look)

            self.timeline.at(0, look)
            self.board.run()
            if self._process is not None:
                self._cable_is_dead()
                self._collect(waiting[0], out, err)
        if self.timeline.failure is not None:
            raise self.timeline.failure
        return self.ran

    def _next(self, waiting: list[Act], out: IO[bytes], err: IO[bytes]) -> None:
        act = waiting[0]
        if isinstance(act, Until):
            if act.holds():
                waiting.pop(0)
        elif not isinstance(act, Step):
            waiting.pop(0)
            act()
        elif self._process is None:
            self._process = self._start(act, out, err)
        elif self._process.poll() is not None:
            self._collect(act, out, err)
            waiting.pop(0)
        else:
            said = os.pread(err.fileno(), 1 << 20, 0).decode(errors="replace")
            self._press_when_asked(said)
            self._looks += 1
            if self._looks % 10 == 0:
                self._see_command_lines()
            if self.power_goes_when is not None and self.power_goes_when in said and self.board.session is not None:
                self.power_goes_when = None
                self.board.session.end(PowerLoss())

    def _cable_is_dead(self) -> None:
        self.unplug()
        os.close(self.board_end)
        self.board_end = os.open(os.devnull, os.O_RDWR)

    def _collect(self, step: Act, out: IO[bytes], err: IO[bytes]) -> None:
        assert self._process is not None
        assert isinstance(step, Step)
        try:
            code = self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        texts = [os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace") for file in (out, err)]
        self.ran.append(Ran(step.arguments, code, *texts))
        self._process = None

    def _see_command_lines(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                self.command_lines += path.read_text(errors="replace")

    def _start(self, step: Step, out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        for file in (out, err):
            os.ftruncate(file.fileno(), 0)
            os.lseek(file.fileno(), 0, os.SEEK_SET)
        self._asked = self._looks = 0
        self._answered = False
        self.board.image.cut_at, self.cut_at = self.cut_at, None
        return subprocess.Popen(
            step.arguments,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=ROOT,
            env={**os.environ, **step.env},
        )

    def _press_when_asked(self, said: str) -> None:
        asked = said.count("RESET button")
        if self.presses and asked > self._asked:
            self._asked = asked
            for after_us in (300_000, 600_000):
                self.timeline.at(self.timeline.now_us + after_us, self._press)
        self._answered = "the board answers" in said

    def _press(self) -> None:
        if not self._answered:
            self.pressed += 1
            self.board.reset_now()

    def provision(self, verb: str, *more: str, **env: str) -> Step:
        """A step: one of our verbs at this board's port."""
        return Step((*TOOL, verb, "--port", self.port, *more), env)

    def mpremote(self, *more: str) -> Step:
        """A step: mpremote at this board's port."""
        return Step((*MPREMOTE, "connect", self.port, *more))
