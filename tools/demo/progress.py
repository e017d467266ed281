"""Says what the demo does, step by step, each with the seconds it took, to a person or to a program."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any


class Progress:
    """The steps so far. Quiet, it only collects, and `finish` prints them as one JSON object."""

    def __init__(self, *, quiet: bool) -> None:
        """Start the clock."""
        self.quiet = quiet
        self.steps: list[dict[str, Any]] = []
        self._began = time.monotonic()

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step: its line is printed when it is done, also when it failed."""
        began = time.monotonic()
        held = False
        try:
            yield
            held = True
        finally:
            self.record(what, time.monotonic() - began, held=held)

    def record(self, what: str, seconds: float, *, held: bool = True) -> None:
        """A step that was measured by itself."""
        self.steps.append({"step": what, "seconds": round(seconds, 3), "held": held})
        self.say(f"{seconds:7.2f} s  {'' if held else 'FAILED: '}{what}")

    def say(self, text: str) -> None:
        """A line for a person."""
        if not self.quiet:
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
