"""A board in real time at the end of a serial line, and the tools that speak over it, one after the other.

The serial line is a pseudo-terminal; the board is the whole firmware on the real interpreter with simulated hardware: its watchdog bites, its sleep is
deaf, and what is typed while it sleeps is lost, as on a wire. Hands press its reset button when a tool asks for it.
"""

import os
import select
import subprocess
import sys
import tempfile
import tty
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
    """A tool to run. `env` is added to the environment; `unplug_at` pulls the cable when it has written so much to the error stream's text."""

    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    typed: str | None = None


class Bench:
    """One board, and hands. `presses`: does anybody press reset when asked?"""

    def __init__(self, *, settings: Settings | None = None, zones: int = 1, erased: bool = False, presses: bool = True) -> None:
        self.timeline = LiveTime()
        self.world = World(Scenario(zones=zones), self.timeline)
        network = LiveNetwork(self.timeline, self.world.unix_s)
        self.board = RemoteBoard(self.world, settings=settings, hardware=Hardware(network=network), build=build())
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
        self.cut_when: Callable[[str], bool] | None = None  # told of each boot's calls and of what the tool says
        if erased:
            self.erase()

    def erase(self) -> None:
        """A board fresh from the chip's loader: an interpreter, and nothing else."""
        with self.board.image.path.open("r+b") as file:
            file.write(b"\xff" * SIZE)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.board.close()
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

    def run(self, *steps: Sequence[str] | Step, seconds: float = 100) -> list[Ran]:
        """Power the board on, run the tools one after the other, and end. Where the power goes, what runs is killed."""
        waiting = [step if isinstance(step, Step) else Step(step) for step in steps]
        process: subprocess.Popen[bytes] | None = None
        self.timeline.at(round(seconds * 1e6), self.timeline.stop)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:

            def collect() -> None:
                assert process is not None
                texts = [os.pread(file.fileno(), 1 << 20, 0).decode() for file in (out, err)]
                self.ran.append(Ran(waiting[0].arguments, process.wait(), *texts))

            def look() -> None:
                nonlocal process
                if process is None and waiting:
                    process = self._start(waiting[0], out, err)
                elif process is not None and process.poll() is not None:
                    collect()
                    process = None
                    waiting.pop(0)
                elif process is not None:
                    self._press_when_asked(os.pread(err.fileno(), 1 << 20, 0).decode())
                if not waiting:
                    self.timeline.stop()
                else:
                    self.timeline.at(self.timeline.now_us + LOOK_US, look)

            self.timeline.at(0, look)
            self.board.run()
            if process is not None:  # power or time went
                self.unplug()
                os.close(self.board_end)
                self.board_end = os.open(os.devnull, os.O_RDWR)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                collect()
        if self.timeline.failure is not None:
            raise self.timeline.failure
        return self.ran

    def _start(self, step: Step, out: object, err: object) -> subprocess.Popen[bytes]:
        for file in (out, err):
            os.ftruncate(file.fileno(), 0)  # type: ignore[attr-defined]
            os.lseek(file.fileno(), 0, os.SEEK_SET)  # type: ignore[attr-defined]
        self.asked = 0
        return subprocess.Popen(
            step.arguments,
            stdin=subprocess.DEVNULL,
            stdout=out,  # type: ignore[call-overload]
            stderr=err,
            cwd=ROOT,
            env={**os.environ, **step.env},
        )

    def _press_when_asked(self, said: str) -> None:
        asked = said.count("RESET button")
        if self.presses and asked > self.asked:
            self.asked = asked
            for after_us in (300_000, 2_300_000):
                self.timeline.at(self.timeline.now_us + after_us, self._press)

    def _press(self) -> None:
        self.pressed += 1
        self.board.reset_now()

    def provision(self, verb: str, *more: str, **env: str) -> Step:
        """A step: one of our verbs at this board's port."""
        return Step((*TOOL, verb, "--port", self.port, *more), env)

    def mpremote(self, *more: str) -> Step:
        """A step: mpremote at this board's port."""
        return Step((*MPREMOTE, "connect", self.port, *more))


def after(bench: Bench, tmp_path: Path, *, zones: int = 1) -> RemoteBoard:
    """Another board, in virtual time, with the flash that `bench` left, and every valve standing open."""
    board = RemoteBoard(World(Scenario(zones=zones)), build=build())
    with board.image.path.open("r+b") as file:
        file.write(bench.board.image.path.read_bytes())
    for zone in range(zones):
        board.world.move_valve(zone, opens=True)
    return board
