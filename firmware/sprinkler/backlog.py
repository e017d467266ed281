"""Backlog: what Home Assistant has not stored yet and RTC memory has no room for, in segments on flash. A late module: loaded while it is needed.

Rule: numbers only rise from segment to segment, so what a loss of power left twice is told once. Samples are thinned (every second one of the two oldest
segments that were thinned least) before any is dropped; events are never thinned. What was given up is counted. It must not know what events and samples
mean, or who asks for them.
"""

import hashlib
import struct

from .errors import StoreError
from .segments import (
    CHECK_BYTES,
    FOLDER,
    HEAD,
    HEAD_BYTES,
    LINK_BYTES,
    chunks,
    entries,
    head_of,
    numbers,
    path_of,
    remove,
)
from .store import EVENT_BYTES, SAMPLE_BYTES

if False:  # for annotations
    from shapes import Head, Iterable, Iterator

    from .board import Board
    from .store import Memory

RECORDS_BYTES = 980  # of a segment, at most
EVENT_SEGMENTS, SAMPLE_SEGMENTS = 16, 64  # at most; each takes a block of 4 KB
THINNED_MAX = 4  # of 16 samples one is left
_LINK_MAX = 65535
_NEVER = 1 << 32


def keep(memory: "Memory", board: "Board") -> None:
    """Move the backlog of RTC memory to flash. Raises StoreError; what was not moved then still stands in RTC memory."""
    memory.free_due = (0, 0, 0)
    if memory.events:
        first = memory.event_count - memory.held_events() + 1
        append(memory, board, "e", memory.boot_id, first, memory.events)
        memory.events = b""
        memory.flash_event = memory.flash_event or first
    if memory.samples:
        first = memory.sample_count - memory.held_samples() + 1
        append(memory, board, "s", memory.boot_id, first, memory.samples)
        memory.samples = b""
        memory.flash_sample = memory.flash_sample or first


def append(memory: "Memory", board: "Board", kind: str, boot_id: int, first: int, records: bytes) -> None:
    """Keep packed `records`, one behind the other and numbered from `first`, behind what is there: in a new version of the last segment, or in a new one.
    Raises StoreError."""
    each = EVENT_BYTES if kind == "e" else SAMPLE_BYTES
    size = LINK_BYTES + each
    while records:
        count, end = _last(board, kind)
        path, base, old, taken = "", first, 0, 0
        found = head_of(board, path_of(kind, end)) if count and not end & 15 else None
        if found and found[:2] == (size, boot_id):
            last = found[4]
            if last >= first:  # a loss of power came between this file and the memory that says so
                records = records[(last + 1 - first) * each :]
                first = last + 1
                continue
            if (found[3] + 1) * size <= RECORDS_BYTES and first + len(records) // each - found[2] <= _LINK_MAX:
                path, base, old = path_of(kind, end), found[2], found[3]
        if not path:
            _make_room(memory, board, kind, count)
            path = path_of(kind, (end >> 4) + 1 << 4)
        taken = min(len(records) // each, RECORDS_BYTES // size - old)
        new = records[: taken * each]
        bodies = _bodies(board, path if old else "", size * old, first - base, new, each)
        _write(board, path, (size, boot_id, base), bodies)
        records = records[taken * each :]
        first += taken
        memory.holds()


def free(memory: "Memory", board: "Board", boot_id: int, acked: tuple[int, int]) -> None:
    """Home Assistant has stored this much (event, sample) of a boot: remove the segments that hold nothing else. Raises StoreError."""
    ours = boot_id == memory.boot_id
    before = board.flash_writes
    event_due = sample_due = _NEVER
    if memory.flash_event or not ours:
        first, event_due = _free(memory, board, "e", boot_id, acked[0])
        memory.flash_event = first if ours else memory.flash_event
    if memory.flash_sample or not ours:
        first, sample_due = _free(memory, board, "s", boot_id, acked[1])
        memory.flash_sample = first if ours else memory.flash_sample
    memory.free_due = boot_id, event_due, sample_due
    if board.flash_writes != before and not _last(board, "e")[0] + _last(board, "s")[0]:
        memory.kept = 0


def _free(memory: "Memory", board: "Board", kind: str, boot_id: int, acked: int) -> tuple[int, int]:
    """Remove what is acknowledged of a boot, whose segments lie side by side. Returns the first and the last number of the oldest one that is left."""
    met = False
    for each in numbers(board, kind):
        found = head_of(board, path_of(kind, each))
        if found is None or (found[1] == boot_id and found[4] <= acked):
            remove(board, path_of(kind, each))
            memory.dropped += found is None
            met = met or found is not None
        elif found[1] == boot_id:
            return found[2], found[4]
        elif met:
            break
    return 0, _NEVER


def look(memory: "Memory", board: "Board") -> None:
    """Tell `memory` whether anything is kept here, and the oldest numbers of this boot."""
    oldest = []
    empty = True
    for kind in ("e", "s"):
        first = 0
        for each in numbers(board, kind):
            empty = False
            found = head_of(board, path_of(kind, each))
            if found and found[1] == memory.boot_id:
                first = found[2]
                break
        oldest.append(first)
    if empty:
        memory.kept = 0
    else:
        memory.holds()
    memory.flash_event, memory.flash_sample = oldest


def _make_room(memory: "Memory", board: "Board", kind: str, count: int) -> None:
    """Before a new segment, behind the `count` that there are: thin, or give up the oldest."""
    if count < (EVENT_SEGMENTS if kind == "e" else SAMPLE_SEGMENTS):
        return
    if kind == "s":
        for level in range(THINNED_MAX):
            before, left = 15, count
            for number in numbers(board, kind):
                left -= 1
                if not left:  # the last one still grows
                    break
                if before & 15 == level == number & 15 and _thin(memory, board, before, number):
                    return
                before = number
    oldest = next(numbers(board, kind))
    found = head_of(board, path_of(kind, oldest))
    memory.dropped += found[3] if found else 1
    remove(board, path_of(kind, oldest))
    look(memory, board)


def _thin(memory: "Memory", board: "Board", first: int, second: int) -> bool:
    """Make one segment of two, with every second record; the last one stays. False if they do not belong together."""
    a, b = head_of(board, path_of("s", first), True), head_of(board, path_of("s", second), True)
    if not a or not b or a[:2] != b[:2] or not a[2] <= a[4] < b[2] <= b[4] or b[4] - a[2] > _LINK_MAX:
        return False
    size, boot_id, base = a[:3]
    skip = (a[3] + b[3] + 1) % 2
    _write(board, path_of("s", first + 1), (size, boot_id, base), _every_second(board, (first, a), (second, b), skip))
    memory.dropped += (a[3] + b[3]) // 2
    remove(board, path_of("s", first))
    remove(board, path_of("s", second))
    return True


def _every_second(board: "Board", one: "tuple[int, Head]", other: "tuple[int, Head]", skip: int) -> "Iterator[bytes]":
    for number, head in (one, other):
        with board.open_file(path_of("s", number), "rb") as f:
            f.read(HEAD_BYTES)
            for _ in range(head[3]):
                record = f.read(head[0])
                if not skip:
                    link = struct.unpack("<H", record[:LINK_BYTES])[0]
                    yield struct.pack("<H", head[2] + link - one[1][2]) + record[LINK_BYTES:]
                skip = 1 - skip


def _last(board: "Board", kind: str) -> tuple[int, int]:
    """(how many segments of a kind there are, the number of the last one or 0)."""
    count = last = 0
    for number in entries(board, kind):
        count += 1
        last = max(last, number)
    return count, last


def _bodies(board: "Board", path: str, length: int, number: int, new: bytes, each: int) -> "Iterator[bytes]":
    """What is in the segment at `path` ("" for none), then the new records of `each` bytes, which count from `number` in it."""
    if path:
        with board.open_file(path, "rb") as f:
            f.read(HEAD_BYTES)
            for chunk in chunks(f, length):
                yield chunk
    for at in range(0, len(new), each):
        yield struct.pack("<H", number) + new[at : at + each]
        number += 1


def _write(board: "Board", path: str, head: tuple[int, int, int] | bytes, parts: "Iterable[bytes]") -> None:
    """Write a segment as a whole. Raises StoreError; what `path` was then still stands."""
    board.flash_writes += 1
    head = struct.pack(HEAD, *head)
    seal = hashlib.sha256(head)
    try:
        if not _is_folder(board):
            board.os.mkdir(FOLDER)
        with board.open_file(FOLDER + "/new", "wb") as f:
            f.write(head)
            for part in parts:
                seal.update(part)
                f.write(part)
            f.write(seal.digest()[:CHECK_BYTES])
        board.os.rename(FOLDER + "/new", path)
    except OSError:
        raise StoreError("storage")
    board.feed()


def _is_folder(board: "Board") -> bool:
    try:
        board.os.stat(FOLDER)
    except OSError:
        return False
    return True
