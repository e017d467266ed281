"""Loading: asks for the blocks of an image and writes them where they belong. A late module: loaded for one block, then dropped.

Rule: works only while no valve is open, the battery is good and the heap has room. The first sector comes last, and the image's first four bytes stay with us
until all the rest was found right: half an image never mounts. It must not know what was offered.
"""

import struct

from . import protocol
from .core import controller
from .progress import hindrance, request, say
from .slots import (
    FINISHING,
    LOADING,
    SECTOR,
    U_ASKS,
    U_AWAKE,
    U_DONE,
    U_DUE,
    U_HEAD,
    U_OFFER,
    U_SIZE,
    U_START,
    U_STEP,
    U_TOLD,
    erase,
    write,
)

if False:  # for annotations
    from .app import App

FORM = ">II"  # a block: number of the offer, where it belongs; then its bytes
HEADER = 8
ANSWER_MS = 5000  # what a block may take to come
ASKS_MAX = 3  # then nobody is there: it is tried again at the next wake, or in a minute
LATER_MS = 60000
AWAKE_MS = 25000  # what a wake with an update waits for the network
_TELL_EVERY = 8192  # bytes


def ask(app: "App", now_ms: int) -> None:
    """Ask for the next block, or tell why not."""
    u = app.update
    u[U_DUE] = now_ms + 200
    if not app.link.room():
        return
    reason = hindrance(app)
    if not reason and u[U_ASKS] >= ASKS_MAX:
        reason = b"no_answer"
    if not tell(app, b"waiting" if reason else b"loading", reason) or not app.link.room():
        return
    if reason:
        u[U_DUE], u[U_AWAKE], u[U_ASKS] = now_ms + LATER_MS, 0, 0
        return
    at, length = place(u[U_DONE], u[U_SIZE])
    u[U_DUE], u[U_AWAKE] = now_ms + ANSWER_MS, now_ms + AWAKE_MS
    u[U_ASKS] += 1
    request(app, u[U_OFFER], at, length)


def tell(app: "App", state: bytes, reason: bytes) -> bool:
    """Tell how far it is, if that is news. Returns whether it is told."""
    u = app.update
    news = state + reason + bytes((u[U_DONE] // _TELL_EVERY,))
    if news == u[U_TOLD]:
        return True
    if not say(app, state, reason, u[U_OFFER], "", u[U_DONE], u[U_SIZE]):
        return False
    u[U_TOLD] = news
    return True


def place(done: int, size: int) -> tuple[int, int]:
    """(where the block after `done` bytes belongs, its length): the first sector comes last."""
    rest = max(0, size - SECTOR)
    if done < rest:
        return SECTOR + done, min(protocol.UPDATE_BLOCK_BYTES, rest - done)
    return done - rest, min(protocol.UPDATE_BLOCK_BYTES, size - done)


def take(app: "App", payload: memoryview, end: int) -> None:
    """Write a block that was asked for, the first `end` bytes of `payload`, which are signed. Any other is ignored; it comes again when it is wanted."""
    u = app.update
    if not u or u[U_STEP] != LOADING or end < HEADER or not controller.idle(app.state):
        return
    number, at = struct.unpack(FORM, bytes(payload[:HEADER]))
    if number != u[U_OFFER] or (at, end - HEADER) != place(u[U_DONE], u[U_SIZE]):
        return
    data = payload[HEADER:end]
    start = u[U_START] + at
    u[U_ASKS] = u[U_DUE] = 0
    try:
        if at % SECTOR == 0:
            erase(app.board, start)
        if at == 0:
            u[U_HEAD] = bytes(data[:4])
            write(app.board, start + 4, data[4:])
        else:
            write(app.board, start, data)
    except OSError:
        u[U_STEP] = FINISHING  # what is there will not be right, and that is told
        return
    u[U_DONE] += end - HEADER
    if u[U_DONE] >= u[U_SIZE]:
        u[U_STEP] = FINISHING
