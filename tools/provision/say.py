"""What is told while it happens, on the error stream; the result alone goes to the output, as text or as JSON.

Rule: no secret comes here but the pairing code that `verify` was asked for.
"""

import json
import sys
import time
from typing import Any, TextIO

SILENCE_S = 2.0  # whoever waits longer is told how far it is


class Say:
    """Steps and progress of one command."""

    def __init__(self, *, as_json: bool, errors: TextIO | None = None) -> None:
        self.as_json = as_json
        self._errors = errors or sys.stderr
        self._told_s = time.monotonic()

    def step(self, text: str) -> None:
        """A line: what begins, or what a person is to do."""
        print(text, file=self._errors, flush=True)
        self._told_s = time.monotonic()

    def progress(self, what: str, done: int, total: int) -> None:
        """How far it is; told every two seconds at most, so that short work stays silent."""
        if time.monotonic() - self._told_s >= SILENCE_S:
            self.step(f"  {what}: {done * 100 // max(total, 1)} %")

    def result(self, values: dict[str, Any], text: str) -> None:
        """The end: one JSON object, or its text."""
        print(json.dumps(values, indent=2) if self.as_json else text, flush=True)
