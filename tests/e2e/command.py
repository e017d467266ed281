"""The command ./demo as a person runs it: in a process of its own, told to end by Ctrl-C."""

import asyncio
import contextlib
import functools
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
END_S = 30.0


def in_a_thread[**P](test: Callable[P, None]) -> Callable[P, Coroutine[None, None, None]]:
    """A test that waits for processes, beside the event loop of the house that other tests share: Home Assistant hangs up on whoever does not answer it for a
    minute."""

    @functools.wraps(test)
    async def run(*args: P.args, **kwargs: P.kwargs) -> None:
        await asyncio.to_thread(test, *args, **kwargs)

    return run


class Command:
    """./demo with some arguments. Its lines are read as they come."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """Start it; it writes below `folder` only."""
        command = ["./demo", "--data", str(folder), *arguments]
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C in the terminal that runs the tests is theirs to handle.
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        self.folder = folder
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._said = threading.Condition()
        streams = ((self._process.stdout, self.lines), (self._process.stderr, self.errors))
        self._readers = [threading.Thread(target=self._read, args=stream, daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._said:
                lines.append(line.rstrip("\n"))
                self._said.notify_all()
        stream.close()

    def until_said(self, text: str, limit_s: float) -> bool:
        """Wait until a line holds `text`."""
        with self._said:
            return self._said.wait_for(lambda: any(text in line for line in self.lines), limit_s)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to ./demo alone, as Ctrl-C reaches it alone: what it starts has groups of its own."""
        self._process.send_signal(number)

    def ended(self, limit_s: float = END_S) -> int:
        """Wait for its end; the exit code. Raises subprocess.TimeoutExpired."""
        exit_code = self._process.wait(limit_s)
        for reader in self._readers:
            reader.join(limit_s)
        return exit_code

    def close(self) -> None:
        """Make sure that it has ended."""
        if self._process.poll() is None:
            self.signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.ended()
            return
        self._process.kill()
        self.ended()


@contextlib.contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[Command]:
    """./demo, ended with the block."""
    command = Command(folder, *arguments)
    try:
        yield command
    finally:
        command.close()


def processes_of(folder: Path) -> list[str]:
    """The command lines of all running processes that name `folder`: whatever a demo starts does."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    mine = str(os.getpid())
    return [line for line in listed.stdout.splitlines() if str(folder) in line and line.split()[0] != mine]


def none_left(folder: Path, limit_s: float = 5.0) -> bool:
    """Wait until no process of that folder is left; what was killed is gone a moment later."""
    deadline = time.monotonic() + limit_s
    while processes_of(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
