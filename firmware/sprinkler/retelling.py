"""Retelling: what comes next of the backlog on flash. A late module: loaded for one message, then dropped.

Rule: events first, then samples, each in the order in which they happened; a segment that is damaged is given up, and counted. It must not know who listens.
"""

import struct

from .errors import StoreError
from .segments import HEAD_BYTES, LINK_BYTES, head_of, numbers, path_of, remove

if False:  # for annotations
    from shapes import Cursor, Head, Record

    from .board import Board
    from .store import Memory


def read(
    memory: "Memory", board: "Board", cursor: "Cursor | None", most: int
) -> "tuple[Cursor, str, int, int, list[Record]] | None":
    """What follows `cursor` on flash: (cursor, kind, boot id, oldest number, [(number before or 0, number, packed record)]), or None.

    `cursor` is None at first, and what the last call returned after that. `most` is how many samples are wanted; events come one by one. The number
    before is that of the record before it that is still held, where others lay between them; 0 otherwise.
    """
    kind, at, boot_id, number, oldest = cursor or ("e", 0, 0, 0, 0)
    found = head_of(board, path_of(kind, at), True) if at else None
    if found and found[4] > number:  # there is more where the last came from: no need to read the folder
        return _found(board, kind, at, found, number, oldest, most)
    while True:
        for each in numbers(board, kind, at - 1):
            found = head_of(board, path_of(kind, each), True)
            if found is None:
                try:
                    remove(board, path_of(kind, each))
                    memory.dropped += 1
                except StoreError:
                    pass  # a flash that takes nothing: what follows can be told all the same
                continue
            if found[1] != boot_id:
                boot_id, number, oldest = found[1], 0, found[2]
            if found[4] > number:
                return _found(board, kind, each, found, number, oldest, most)
        if kind == "s":
            return None
        kind, at, boot_id, number = "s", 0, 0, 0


def _found(
    board: "Board", kind: str, at: int, head: "Head", number: int, oldest: int, most: int
) -> "tuple[Cursor, str, int, int, list[Record]]":
    records = _records(board, path_of(kind, at), head, number, 1 if kind == "e" else most)
    return (kind, at, head[1], records[-1][1], oldest), kind, head[1], oldest, records


def _records(board: "Board", path: str, head: "Head", after: int, most: int) -> "list[Record]":
    """Up to `most` records with numbers above `after` (0: from the first on)."""
    size, _, first, count, _ = head
    found = []
    with board.open_file(path, "rb") as f:
        f.read(HEAD_BYTES)
        for _ in range(count):
            record = f.read(size)
            number = first + struct.unpack("<H", record[:LINK_BYTES])[0]
            if number > after:
                found.append((after if after and number != after + 1 else 0, number, record[LINK_BYTES:]))
                after = number
                if len(found) == most:
                    break
    return found
