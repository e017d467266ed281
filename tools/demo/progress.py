"""Says what the demo does, step by step, each with the seconds it took, to a person or to a program."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

SILENCE_S = 2.0  # whoever waits longer is told for what
CLEAR_LINE = "\r\x1b[K"


class Progress:
    """The steps so far. Quiet, it only collects, and `finish` prints them as one JSON object."""

    def __init__(self, *, quiet: bool) -> None:
        """Start the clock."""
        self.quiet = quiet
        self.steps: list[dict[str, Any]] = []
        self._began = time.monotonic()
        self._expected: asyncio.TimerHandle | None = None
        self._line_begun = False

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step: its line is printed when it is done, also when it failed."""
        began = time.monotonic()
        held = False
        self.expect(what)
        try:
            yield
            held = True
        finally:
            self.record(what, time.monotonic() - began, held=held)

    def record(self, what: str, seconds: float, *, held: bool = True) -> None:
        """A step that was measured by itself."""
        self.steps.append({"step": what, "seconds": round(seconds, 3), "held": held})
        self.say(f"{seconds:7.2f} s  {'' if held else 'FAILED: '}{what}")

    def expect(self, what: str) -> None:
        """Tell what is waited for: at once on a terminal, where the next line replaces it; else when it takes long."""
        if self.quiet:
            return
        self._forget_expected()
        line = f"    ... s  {what}"
        if sys.stdout.isatty():
            print(line, end="", flush=True)
            self._line_begun = True
        else:
            with contextlib.suppress(RuntimeError):  # nothing runs that could wait
                self._expected = asyncio.get_running_loop().call_later(SILENCE_S, self.say, line)

    def say(self, text: str) -> None:
        """A line for a person."""
        if not self.quiet:
            self._forget_expected()
            print(text, flush=True)

    def finish(self, exit_code: int, problem: str, **more: Any) -> None:
        """The last words: the total, or the whole as JSON."""
        seconds = time.monotonic() - self._began
        if self.quiet:
            result = {
                "exit_code": exit_code,
                "problem": problem,
                "seconds": round(seconds, 2),
                **more,
                "steps": self.steps,
            }
            print(json.dumps(result, indent=2), flush=True)
        elif not problem:
            self.say(f"{seconds:7.2f} s  in all")

    def _forget_expected(self) -> None:
        if self._expected:
            self._expected.cancel()
            self._expected = None
        if self._line_begun:
            print(CLEAR_LINE, end="")
            self._line_begun = False
