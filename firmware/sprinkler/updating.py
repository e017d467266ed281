"""Updating: what there is to do about an update, but for its blocks. A late module: loaded for a step, then dropped.

Rule: the chooser's record says what is to be done, so that any step can be cut off and is taken up again: erase the slot that is not the application, have it
filled, look whether it is what was offered, put it on trial, tell how that ended. It must not know how blocks travel.
"""

from .progress import hindrance, say
from .slots import (
    ACTIVE,
    BEGINNING,
    ENDING,
    ERASING,
    FINISHING,
    LOADING,
    OFFER,
    PHASE,
    RESULT,
    SECTOR,
    SHA256,
    SIZE,
    SLOT_BYTES,
    STRIDE,
    TESTING,
    TOLD,
    TRIAL,
    TRYING,
    U_AWAKE,
    U_DONE,
    U_DUE,
    U_HEAD,
    U_OFFER,
    U_SAID,
    U_SIZE,
    U_START,
    U_STEP,
    U_TOLD,
    blank,
    digest,
    ended,
    erase,
    keep,
    load,
    version_of,
    write,
)

if False:  # for annotations
    from .app import App
    from .board import Board

_AWAKE_MS = 25000
_ERASE_MS = 500  # of erasing between two looks at everything else


def follow(app: "App", now_ms: int) -> None:
    """Do what is due. Call it when app.update[U_DUE] has come and no valve is open."""
    u = app.update
    u[U_DUE] = now_ms + 200
    step = u[U_STEP]
    if step == ENDING:
        _end(app, u)
        return
    fields = load(app.board)
    if not fields:
        app.update = ended(b"none", b"storage", 0, "")
    elif step == BEGINNING:
        _begin(app, u, fields, now_ms)
    elif step == FINISHING:
        _finish(app, u, fields)


def _end(app: "App", u: list) -> None:
    """Tell how it ended. With a new version on trial the board restarts once that is told; what RTC memory holds outlives it."""
    if not u[U_TOLD] and say(app, *(u[U_SAID] + (0, 0))):
        u[U_TOLD] = b"told"
    if u[U_TOLD] and u[U_SAID][0] != b"restarting":
        app.update = None
    elif u[U_TOLD] and (app.link.quiet() or not app.link.up()):
        app.link.close()
        app.memory.save_rtc(app.board)
        app.board.reset()


def _begin(app: "App", u: list, fields: list, now_ms: int) -> None:
    """What the record says there is to do."""
    if fields[TRIAL]:
        u[U_STEP], u[U_DUE] = TRYING, now_ms
    elif fields[PHASE]:
        u[U_AWAKE] = now_ms + _AWAKE_MS
        _prepare(app, u, fields, now_ms)
    elif app.link.room():
        result = fields[RESULT] & ~TOLD
        word = b"rolled_back" if result else b"none"
        app.update = ended(word, (b"", b"boots", b"damaged", b"self_test")[result], fields[OFFER], version_of(fields))
        if result == fields[RESULT] and result:
            fields[RESULT] |= TOLD
            keep(app.board, fields)


def _prepare(app: "App", u: list, fields: list, now_ms: int) -> None:
    """Erase, or see how much is there already; then the blocks may come."""
    slot = 1 - fields[ACTIVE]
    u[U_START], u[U_SIZE], u[U_OFFER] = slot * SLOT_BYTES, fields[SIZE + STRIDE * slot], fields[OFFER]
    u[U_DUE] = now_ms
    if fields[PHASE] == ERASING:
        reason = hindrance(app)
        if reason:
            if say(app, b"waiting", reason, fields[OFFER], version_of(fields), 0, u[U_SIZE]):
                u[U_DUE], u[U_AWAKE] = now_ms + 60000, 0
            return
        try:
            for at in range(0, u[U_SIZE], SECTOR):
                erase(app.board, u[U_START] + at)
                if app.board.uptime_ms() - now_ms > _ERASE_MS:
                    return
        except OSError:
            _give_up(app, fields, b"storage")
            return
        u[U_STEP] = TESTING
        return
    u[U_DONE] = _there(app.board, u[U_START], u[U_SIZE])
    u[U_STEP] = LOADING


def _there(board: "Board", start: int, size: int) -> int:
    """How many bytes lie in the slot: up to the sector that was written last, which is written again; the first sector does not count."""
    at = (size - 1) // SECTOR * SECTOR
    while at >= SECTOR:
        if not blank(board, start + at, start + at + SECTOR):
            return at - SECTOR
        at -= SECTOR
    return 0


def _finish(app: "App", u: list, fields: list) -> None:
    """All is there: is it what was offered? Then it is on trial from the next boot on."""
    slot = 1 - fields[ACTIVE]
    start, size = u[U_START], u[U_SIZE]
    try:
        if digest(app.board, u[U_HEAD], start + 4, start + size) != fields[SHA256 + STRIDE * slot]:
            _give_up(app, fields, b"damaged")
            return
        write(app.board, start, u[U_HEAD])
        fields[ACTIVE] = slot
        fields[PHASE] = 0
        fields[TRIAL] = 1
        if keep(app.board, fields):
            app.update = ended(b"restarting", b"", fields[OFFER], version_of(fields))
            return
        fields[ACTIVE] = 1 - slot
        fields[TRIAL] = 0
    except OSError:
        pass  # of the flash; it is told
    _give_up(app, fields, b"storage")


def _give_up(app: "App", fields: list, reason: bytes) -> None:
    """Give this offer up; the application is what it was."""
    fields[PHASE] = 0
    keep(app.board, fields)
    app.update = ended(b"failed", reason, fields[OFFER], version_of(fields))
