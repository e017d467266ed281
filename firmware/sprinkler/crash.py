"""Crash: keeps what ended the application, for `health`. A late module: loaded when everything else has failed.

Rule: one short text in one small file, written only when it says something new; nothing here is needed for the board to go on.
"""

from .store import read_file, write_file

if False:  # for annotations
    from .board import Board

CRASH = "/crash.txt"
_WORD_MAX = 24  # characters


def note(board: "Board", error: BaseException) -> None:
    """Keep the type of `error` and the word (or number) it came with. Raises StoreError."""
    text = type(error).__name__
    if error.args:
        text += " " + str(error.args[0])[:_WORD_MAX]
    if read_file(board, CRASH) != text.encode():
        write_file(board, CRASH, text.encode())
