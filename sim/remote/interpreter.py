"""The interpreter's program: where it is, and how to run one script in it.

Rule: starts and ends processes. It does not know what travels over a wire.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sim.errors import SimError

ROOT = Path(__file__).resolve().parents[2]
BOARD_HEAP = 38 * 1024  # bytes of C heap, of which 37 952 are MicroPython's


class InterpreterError(SimError):
    """The interpreter is missing, or ended in a way that no board does."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A script's end: exit code (0 done, 1 it raised) and all that it printed."""

    code: int
    output: str

    def check(self) -> str:
        """The output. Raises InterpreterError with it when the script raised."""
        if self.code != 0:
            raise InterpreterError(f"the script ended with {self.code}:\n{self.output}")
        return self.output


def find_interpreter() -> Path:
    """The program: $SPRINKLER_MICROPYTHON, or what tools/setup.sh made. Raises InterpreterError when there is none."""
    program = Path(os.environ.get("SPRINKLER_MICROPYTHON", ROOT / ".tools/micropython/mpy-e8266"))
    if not os.access(program, os.X_OK):
        raise InterpreterError(f"no MicroPython at {program}; run: sh tools/setup.sh micropython")
    return program


@dataclass(frozen=True, slots=True)
class Options:
    """How an interpreter is started; tools/micropython/port/main.c says it in full.

    script: a file of the host instead of boot.py and main.py. heap: bytes of C heap. mount: mount the file system. collect:
    collect garbage whenever so many bytes were allocated, so that `Heap.peak` is the most that was ever alive (0: as on a board).
    """

    script: Path | None = None
    heap: int = BOARD_HEAP
    mount: bool = True
    collect: int = 0


AS_ON_A_BOARD = Options()


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """This thread and the processes that it starts stay on the processor where they are. Two that talk in turn, each waiting for the other, lose half of
    their time where each has a processor of its own: it must be woken for every word."""
    allowed = os.sched_getaffinity(0)
    here = int(Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()[36])
    if allowed == {here}:  # by another board of this thread, maybe, which will let go of it
        yield
        return
    os.sched_setaffinity(0, {here})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def command(options: Options, *, image: Path | None = None, wire: int | None = None) -> list[str]:
    """The command line of an interpreter."""
    line = [str(find_interpreter()), "--heap", str(options.heap)]
    if image is not None:
        line += ["--flash", str(image)]
    if wire is not None:
        line += ["--wire", str(wire)]
    if options.script is not None:
        line += ["--script", str(options.script)]
    if options.collect:
        line += ["--collect", str(options.collect)]
    if not options.mount:
        line.append("--bare")
    return line


def run_script(
    source: str | Path,
    *,
    image: Path | None = None,
    heap: int = BOARD_HEAP,
    mount: bool | None = None,
    timeout_s: float = 60.0,
) -> Finished:
    """Run a script (its text, or a file) without hardware: clock and flash work, the rest raises OSError.

    `image` is the flash (default: an erased one, forgotten at the end); its file system is mounted, unless `mount=False`.
    The script takes the place of boot.py and main.py.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = source if isinstance(source, Path) else Path(folder) / "script.py"
        if isinstance(source, str):
            path.write_text(source)
        done = subprocess.run(
            command(Options(script=path, heap=heap, mount=image is not None if mount is None else mount), image=image),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise InterpreterError(f"MicroPython ended with {done.returncode}:\n{done.stdout.decode(errors='replace')}")
    return Finished(done.returncode, done.stdout.decode().replace("\r\n", "\n"))
