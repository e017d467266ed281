"""Proposed: lays a `desired` message down on flash, so that its text has left the heap when it is read. A late module.

Rule: what lies there is a proposal; it counts only once it was read (reading.py) and took its place. It must not know what the settings mean.
"""

import json

from .parts import children, part
from .store import PROPOSED, lay_down

if False:  # for annotations
    from .board import Board


class _Text:
    """Bytes in memory with as much of a file as `parts` asks for."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def seek(self, at: int) -> None:
        self._at = at

    def read(self, count: int) -> bytes:
        self._at += count
        return bytes(self._view[self._at - count : self._at])


def propose(board: "Board", payload: memoryview, length: int, version: int) -> bool:
    """Keep `payload` (a view; its first `length` bytes are JSON that is signed) if its version is above `version`. Returns whether it was.

    Raises StoreError, or ValueError when it is no JSON object with a version.
    """
    text = _Text(payload)
    for start, end in children(text, 0, length):
        if end - start <= 64 and part(text, start, end).startswith(b'"version"'):
            if json.loads(b"{" + part(text, start, end) + b"}")["version"] <= version:
                return False
            lay_down(board, PROPOSED, payload)
            return True
    raise ValueError("version")
