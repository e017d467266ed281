"""Starts the demo's processes and stops every one of them again, by its own group, whatever happens to the demo itself.

It knows nothing of what the processes are.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tools.demo.errors import DemoError

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_S = 15.0
PR_SET_PDEATHSIG = 1


class Processes:
    """Running processes by name, each in a group of its own, with its output in `logs`/<name>.log."""

    def __init__(self, logs: Path) -> None:
        """Logs go to the folder `logs`, which is made."""
        self.logs = logs
        self.logs.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Start `command` under `name` at the checkout's root; `env` adds to this process's environment."""
        with self.log(name).open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *map(str, command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    def log(self, name: str) -> Path:
        """Where the output of `name` goes."""
        return self.logs / f"{name}.log"

    def has_ended(self, name: str) -> bool:
        """Whether `name` ended by itself."""
        return self._running[name].returncode is not None

    async def first_end(self) -> str:
        """Wait until any process ends by itself; returns a sentence that says which, its last words, and where its log is."""
        waits = {asyncio.create_task(process.wait(), name=name) for name, process in self._running.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ended = done.pop()
        name = ended.get_name()
        return f"{name} ended with {ended.result()}: {self._last_words(name)} (more in {self.log(name)})"

    def _last_words(self, name: str) -> str:
        lines = [line.strip() for line in self.log(name).read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"

    async def listening(self, name: str, port: int, limit_s: float) -> None:
        """Wait until `name` listens on `port` of 127.0.0.1. Raises DemoError if it ends first, or after `limit_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not _listens(port):
                    if self.has_ended(name):
                        raise DemoError(await self.first_end())
                    await asyncio.sleep(0.02)
                return
        raise DemoError(f"{name} does not listen on port {port} after {limit_s:.0f} s; see {self.log(name)}")

    async def stop(self, name: str, *, kill: bool = False) -> None:
        """End `name` and all it started: politely, and by force after STOP_S or at once if `kill`."""
        process = self._running.pop(name)
        _signal_group(process, signal.SIGKILL if kill else signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            _signal_group(process, signal.SIGKILL)
            await process.wait()
        _signal_group(process, signal.SIGKILL)  # what it may have left behind in its group

    async def stop_all(self) -> None:
        """End every process, the last started first."""
        for name in reversed(list(self._running)):
            await self.stop(name)


@contextlib.asynccontextmanager
async def processes(logs: Path) -> AsyncIterator[Processes]:
    """Processes that have all ended when the block is left, however it is left."""
    started = Processes(logs)
    try:
        yield started
    finally:
        await asyncio.shield(started.stop_all())


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)  # start_new_session: the group carries the process's own id


def _end_with_parent() -> None:
    """In the child, on Linux: be told to end should the demo itself be killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
