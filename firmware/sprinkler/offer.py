"""Offer: is this firmware one for this board? A late module: loaded for one offer, then dropped.

Rule: newer only, for this hardware, interpreter and closer, small enough for a slot; one that does not fit is refused with its reason, and nothing is
changed. It must not know how an image arrives.
"""

import json

from . import protocol
from .errors import RefusedError
from .report import FIRMWARE
from .settings import integer
from .slots import (
    ACTIVE,
    ENDING,
    ERASING,
    NOTHING,
    OFFER,
    PHASE,
    RESULT,
    SHA256,
    SIZE,
    SLOT_BYTES,
    STRIDE,
    TRIAL,
    U_STEP,
    VERSION,
    begin,
    ended,
    keep,
    load,
)

if False:  # for annotations
    from .app import App

# What an offer says, in this order; as a table its words do not become names of the interpreter
_KEYS = ("offer", "version", "hardware", "mpy", "interpreter_min", "closer_api", "size", "sha256")
NUMBER, GIVEN = 0, 1
_INVALID = b"invalid"
WAIT_MS = 25000  # what a wake with an update waits for the network


def hear(app: "App", payload: memoryview, end: int) -> None:
    """Take the offer that is the first `end` bytes of `payload`, which are signed, or refuse it. One that is not above the last one taken is no news."""
    number, version = 0, ""
    try:
        offer = json.loads(bytes(payload[:end]))
        offer = [offer[key] for key in _KEYS]
        integer(offer[NUMBER], (1, 0xFFFFFFFF))
        number = offer[NUMBER]
        numbers(offer[GIVEN])
        version = offer[GIVEN]
        if _take(app, offer):
            app.update = begin(app.board.uptime_ms() + WAIT_MS)
    except RefusedError as error:
        reason = error.args[0]
        _refuse(app, reason if type(reason) is bytes else _INVALID, number, version)
    except (ValueError, KeyError, TypeError, AttributeError):
        _refuse(app, _INVALID, number, version)


def _refuse(app: "App", reason: bytes, number: int, version: str) -> None:
    if not app.update or app.update[U_STEP] == ENDING:
        app.update = ended(b"refused", reason, number, version)


def numbers(version: str) -> list[int]:
    """Three numbers of a version such as "0.1.0". Raises RefusedError, or one of Python's own."""
    found = [integer(int(part), (0, 255)) for part in version.split(".")]
    if len(found) != 3:
        raise RefusedError(_INVALID)
    return found


def _take(app: "App", offer: list) -> bool:
    """Take it down. Returns False when it is no news. Raises RefusedError."""
    fields = load(app.board)
    if not fields:
        raise RefusedError(b"storage")
    if offer[NUMBER] <= fields[OFFER]:
        return False
    size, sha256 = _judged(app, fields, offer)
    slot = STRIDE * (1 - fields[ACTIVE])
    fields[RESULT] = NOTHING
    fields[PHASE] = ERASING
    fields[VERSION : VERSION + 3] = numbers(offer[GIVEN])
    fields[OFFER] = offer[NUMBER]
    fields[SIZE + slot] = size
    fields[SHA256 + slot] = sha256
    if not keep(app.board, fields):
        raise RefusedError(b"storage")
    return True


def _judged(app: "App", fields: list, offer: list) -> tuple[int, bytes]:
    """(size, digest). Raises RefusedError."""
    _, version, hardware, mpy, interpreter_min, closer_api, size, sha256 = offer
    if hardware != protocol.HARDWARE:
        raise RefusedError(b"wrong_board")
    if fields[TRIAL]:
        raise RefusedError(b"on_trial")
    if numbers(version) <= numbers(FIRMWARE):
        raise RefusedError(b"not_newer")
    here = app.board.load("sys").implementation  # name, version, machine, .mpy version
    if here[3] & 255 != mpy or list(here[1][:3]) < numbers(interpreter_min):
        raise RefusedError(b"interpreter")
    if closer_api != app.board.load("closer").API:
        raise RefusedError(b"closer")
    integer(size, (1, 0x3FFFFFFF))
    if size > SLOT_BYTES:
        raise RefusedError(b"too_big")
    if size % 4 or type(sha256) is not str or len(sha256) != 64:
        raise RefusedError(_INVALID)
    return size, bytes(int(sha256[i : i + 2], 16) for i in range(0, 64, 2))
