"""Slots: the two places for the application in the ROMFS partition, as an update uses them. A late module, with those that need it.

Rule: knows flash and the chooser's record, as chooser.py lays it down (a contract test holds the two together: loaded itself, the chooser would take 1.5 KB of
heap). It writes nothing but that record and the slot that is not the application. It must not know messages.
"""

import hashlib
import struct

if False:  # for annotations
    from .board import Board

# The chooser's
RECORD = "/slots.bin"
API = 1
FORM = "<BBBBBBBBBII32sI32s"
ACTIVE, TRIAL, RESULT, PHASE, SELF_TEST, VERSION, OFFER, SIZE, SHA256, STRIDE = 0, 1, 2, 3, 4, 5, 8, 9, 10, 2
NOTHING, ROLLED_BACK, DAMAGED, FAILED, TOLD = 0, 1, 2, 3, 128
SLOT_BYTES = 163840
ERASING, FILLING = 1, 2  # phases

# app.update, what an update has to remember: a list, by these places; None when there is nothing to do. The first three are the app's as well.
U_DUE, U_AWAKE, U_STEP, U_DONE, U_SIZE, U_START, U_OFFER, U_ASKS, U_HEAD, U_TOLD, U_SAID = range(11)
BEGINNING, LOADING, TESTING, TRYING, FINISHING, ENDING = range(6)  # steps

SECTOR = 4096
PAGE = 256
_CHECK = 4
_FLASH_START = 0x40200000  # where the chip's flash is mapped
_HASHED = 1024


def begin(pending: int) -> list:
    """What to remember at a boot, or when an offer was taken. `pending`: how long the board stays awake to see what comes of it, in ms of uptime."""
    return [0, pending, BEGINNING, 0, 0, 0, 0, 0, b"", b"", None]


def ended(state: bytes, reason: bytes, offer: int, version: str, awake_ms: int = 0) -> list:
    """The end of an update that is to be told: a word of protocol.UPDATES and its reason (bytes), which offer it was, and how long the board stays awake for
    that."""
    made = begin(awake_ms)
    made[U_STEP] = ENDING
    made[U_SAID] = (state, reason, offer, version)
    return made


# The record


def load(board: "Board") -> list | None:
    """The record's fields, or None when there is none that can be read, or it cannot be made to say what is true."""
    try:
        with board.open_file(RECORD, "rb") as f:
            data = f.read()
    except OSError:
        return None
    if (
        hashlib.sha256(data[:-_CHECK]).digest()[:_CHECK] != data[-_CHECK:]
        or len(data) != struct.calcsize(FORM) + _CHECK
    ):
        return None
    fields = list(struct.unpack(FORM, data[:-_CHECK]))[1:]
    mounted = board.slots >> 4 & 1
    if fields[ACTIVE] == mounted:
        return fields
    fields[ACTIVE] = mounted  # the chooser took the other slot, and could not write that down
    fields[TRIAL] = fields[PHASE] = 0
    fields[RESULT] = DAMAGED
    return fields if keep(board, fields) else None


def keep(board: "Board", fields: list) -> bool:
    """Replace the record as a whole. Returns whether it could be written; the old one then still stands."""
    data = struct.pack(FORM, API, *fields)
    board.flash_writes += 1
    try:
        with board.open_file(RECORD + ".new", "wb") as f:
            f.write(data + hashlib.sha256(data).digest()[:_CHECK])
        board.os.rename(RECORD + ".new", RECORD)
    except OSError:
        return False
    return True


def version_of(fields: list) -> str:
    """The version that the record is about, as text."""
    return ".".join([str(part) for part in fields[VERSION : VERSION + 3]])


# The flash


def _partition(board: "Board") -> memoryview:
    return board.load("vfs").rom_ioctl(2, 0)


def blank(board: "Board", start: int, end: int) -> bool:
    """True if the partition is erased from `start` to `end`."""
    part = _partition(board)
    page = b"\xff" * PAGE
    for at in range(start, end, PAGE):
        if part[at : at + PAGE] != page:
            return False
    return True


def erase(board: "Board", start: int) -> None:
    """Erase the sector of the partition that begins at `start`, unless it is blank. Raises OSError."""
    if blank(board, start, start + SECTOR):
        return
    board.feed()
    address = board.load("uctypes").addressof(_partition(board)) - _FLASH_START + start
    board.load("esp").flash_erase(address // SECTOR)
    board.feed()


def write(board: "Board", start: int, data: bytes | memoryview) -> None:
    """Write `data` (a multiple of 4) at `start`, page by page. Raises OSError."""
    for at in range(0, len(data), PAGE):
        page = bytes(data[at : at + PAGE])  # a copy: the chip reads words, and a view may begin anywhere
        if board.load("vfs").rom_ioctl(4, 0, start + at, page):
            raise OSError(5)
    board.feed()


def digest(board: "Board", head: bytes, start: int, end: int) -> bytes:
    """SHA-256 of `head` and of what lies from `start` to `end`."""
    part = _partition(board)
    sha256 = hashlib.sha256(head)
    for at in range(start, end, _HASHED):
        sha256.update(part[at : min(at + _HASHED, end)])
        board.feed()
    return sha256.digest()
