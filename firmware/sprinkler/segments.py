"""Segments: how the backlog lies on flash. With the late modules that keep it (backlog.py) and tell it (retelling.py).

Rule: a segment is a whole file with a checksum, made by temp + rename and never appended to. It must not know which one is due for anything.

A segment: bytes of a record, boot id, number of the first record; then the records, each after its number less the first; then the checksum. Its name: e or
s (events, samples), then in hex a serial number and, as the last digit, how often it was thinned.
"""

import hashlib
import struct

from .errors import StoreError

if False:  # for annotations
    from shapes import Head, Iterator, Readable

    from .board import Board

FOLDER = "/backlog"
HEAD = "<BII"
HEAD_BYTES, LINK_BYTES, CHECK_BYTES = 9, 2, 4
_CHUNK = 128
_FEW = 31  # with one more they are a list of 128 bytes


def numbers(board: "Board", kind: str, after: int = -1) -> "Iterator[int]":
    """Yields serial number and level of the segments of a kind that follow `after`, as one integer each, oldest first. The folder is read again for each few
    of them: a heap in use has no room for a list of all."""
    more = True
    while more:
        more = False
        few = []
        for number in entries(board, kind):
            if number > after:
                few.append(number)
                if len(few) > _FEW:
                    few.sort()
                    few.pop()
                    more = True
        if few:
            few.sort()
            yield from few
            after = few[-1]


def entries(board: "Board", kind: str) -> "Iterator[int]":
    """The same, as the folder has them: in any order."""
    board.feed()  # a folder of eighty files takes its time
    try:
        for entry in board.os.ilistdir(FOLDER):
            name = entry[0]
            if name[0] == kind and len(name) == 8:
                yield int(name[1:], 16)
    except OSError:
        pass  # there is no folder yet


def path_of(kind: str, number: int) -> str:
    """The file of a segment."""
    return FOLDER + "/" + kind + "%07x" % number


def head_of(board: "Board", path: str, checks: bool = False) -> "Head | None":
    """(bytes of a record, boot id, first number, records, last number) of a segment; None if it is not one. `checks`: by its checksum too."""
    try:
        board.feed()
        length = board.os.stat(path)[6] - HEAD_BYTES - CHECK_BYTES
        with board.open_file(path, "rb") as f:
            head = f.read(HEAD_BYTES)
            size, boot_id, first = struct.unpack(HEAD, head)
            if length < size or size <= LINK_BYTES or length % size:
                return None
            if checks:
                seal = hashlib.sha256(head)
                for chunk in chunks(f, length):
                    seal.update(chunk)
                if seal.digest()[:CHECK_BYTES] != f.read(CHECK_BYTES):
                    return None
            f.seek(HEAD_BYTES + length - size)
            last = struct.unpack("<H", f.read(LINK_BYTES))[0]
        return size, boot_id, first, length // size, first + last
    except (OSError, ValueError, IndexError):
        return None


def chunks(f: "Readable", length: int) -> "Iterator[bytes]":
    """The next `length` bytes of an open file, some at a time."""
    while length > 0:
        chunk = f.read(min(length, _CHUNK))
        if not chunk:
            return
        length -= len(chunk)
        yield chunk


def remove(board: "Board", path: str) -> None:
    """Forget a segment. Raises StoreError."""
    board.flash_writes += 1
    try:
        board.os.remove(path)
    except OSError:
        raise StoreError("storage")
