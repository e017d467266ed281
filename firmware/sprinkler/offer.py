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

WAIT_MS = 25000  # what a wake with an update waits for the network


def hear(app, payload, end):
    """Take the offer that is the first `end` bytes of `payload`, which are signed, or refuse it. One that is not above the last one taken is no news."""
    number, version = 0, ""
    try:
        offer = json.loads(bytes(payload[:end]))
        payload = None
        given = offer["offer"]
        integer(given, (1, 0xFFFFFFFF))
        number = given
        numbers(offer["version"])
        version = offer["version"]
        if _take(app, offer):
            app.update = begin(app.board.uptime_ms() + WAIT_MS)
    except RefusedError as error:
        _refuse(app, error.args[0], number, version)
    except (ValueError, KeyError, TypeError, AttributeError):
        _refuse(app, "invalid", number, version)


def _refuse(app, reason, number, version):
    if not app.update or app.update[U_STEP] == ENDING:
        app.update = ended("refused", reason, number, version)


def numbers(version):
    """Three numbers of a version such as "0.1.0". Raises RefusedError."""
    try:
        found = [integer(int(part), (0, 255)) for part in version.split(".")]
    except (ValueError, AttributeError):
        raise RefusedError("invalid")
    if len(found) != 3:
        raise RefusedError("invalid")
    return found


def _take(app, offer):
    """Take it down. Returns False when it is no news. Raises RefusedError."""
    fields = load(app.board)
    if not fields:
        raise RefusedError("storage")
    if offer["offer"] <= fields[OFFER]:
        return False
    size, sha256 = _judged(app, fields, offer)
    slot = STRIDE * (1 - fields[ACTIVE])
    fields[RESULT] = NOTHING
    fields[PHASE] = ERASING
    fields[VERSION : VERSION + 3] = numbers(offer["version"])
    fields[OFFER] = offer["offer"]
    fields[SIZE + slot] = size
    fields[SHA256 + slot] = sha256
    if not keep(app.board, fields):
        raise RefusedError("storage")
    return True


def _judged(app, fields, offer):
    """(size, digest). Raises RefusedError."""
    if offer["hardware"] != protocol.HARDWARE:
        raise RefusedError("wrong_board")
    if fields[TRIAL]:
        raise RefusedError("on_trial")
    if numbers(offer["version"]) <= numbers(FIRMWARE):
        raise RefusedError("not_newer")
    here = app.board.load("sys").implementation  # name, version, machine, .mpy version
    if here[3] & 255 != offer["mpy"] or list(here[1][:3]) < numbers(offer["interpreter_min"]):
        raise RefusedError("interpreter")
    if offer["closer_api"] != app.board.load("closer").API:
        raise RefusedError("closer")
    size = integer(offer["size"], (1, 0x3FFFFFFF))
    if size > SLOT_BYTES:
        raise RefusedError("too_big")
    sha256 = offer["sha256"]
    if size % 4 or type(sha256) is not str or len(sha256) != 64:
        raise RefusedError("invalid")
    return size, bytes(int(sha256[i : i + 2], 16) for i in range(0, 64, 2))
