"""Updating: what there is to do about an update, but for its blocks. A late module: loaded for a step, then dropped.

Rule: the chooser's record says what is to be done, so that any step can be cut off and is taken up again: erase the slot that is not the application, have it
filled, look whether it is what was offered, put it on trial, tell how that ended. It must not know how blocks travel.
"""

from .progress import say
from .slots import (
    ACTIVE,
    BEGINNING,
    ENDING,
    ERASING,
    FILLING,
    FINISHING,
    LOADING,
    OFFER,
    PHASE,
    RESULT,
    SECTOR,
    SELF_TEST,
    SHA256,
    SIZE,
    SLOT_BYTES,
    STRIDE,
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

_AWAKE_MS = 25000
_ERASE_MS = 500  # of erasing between two looks at everything else


def follow(app, now_ms):
    """Do what is due. Call it when app.update[U_DUE] has come and no valve is open."""
    u = app.update
    u[U_DUE] = now_ms + 200
    step = u[U_STEP]
    if step == ENDING:
        if say(app, *(u[U_SAID] + (0, 0))):
            app.rest.restart_wanted = app.rest.restart_wanted or u[U_SAID][0] == "restarting"
            app.update = None
        return
    fields = load(app.board)
    if not fields:
        app.update = ended("none", "storage", 0, "")
    elif step == BEGINNING:
        _begin(app, u, fields, now_ms)
    elif step == TRYING:
        _try(app, u, fields, now_ms)
    elif step == FINISHING:
        _finish(app, u, fields)


def _begin(app, u, fields, now_ms):
    """What the record says there is to do."""
    if fields[TRIAL]:
        u[U_STEP] = TRYING
    elif fields[PHASE]:
        u[U_AWAKE] = now_ms + _AWAKE_MS
        _prepare(app, u, fields, now_ms)
    elif app.link.room():
        result = fields[RESULT] & ~TOLD
        word = "rolled_back" if result else "none"
        app.update = ended(word, ("", "boots", "damaged", "self_test")[result], fields[OFFER], version_of(fields))
        if result == fields[RESULT] and result:
            fields[RESULT] |= TOLD
            keep(app.board, fields)


def _prepare(app, u, fields, now_ms):
    """Erase, or see how much is there already; then the blocks may come."""
    slot = 1 - fields[ACTIVE]
    u[U_START], u[U_SIZE], u[U_OFFER] = slot * SLOT_BYTES, fields[SIZE + STRIDE * slot], fields[OFFER]
    u[U_DUE] = now_ms
    if fields[PHASE] == ERASING:
        reason = _hindrance(app)
        if reason:
            if say(app, "waiting", reason, fields[OFFER], version_of(fields), 0, u[U_SIZE]):
                u[U_DUE], u[U_AWAKE] = now_ms + 60000, 0
            return
        try:
            for at in range(0, u[U_SIZE], SECTOR):
                erase(app.board, u[U_START] + at)
                if app.board.uptime_ms() - now_ms > _ERASE_MS:
                    return
        except OSError:
            _give_up(app, fields, "storage")
            return
        fields[SELF_TEST] = _failing(app)
        fields[PHASE] = FILLING
        if not keep(app.board, fields):
            _give_up(app, fields, "storage")
            return
    u[U_DONE] = _there(app.board, u[U_START], u[U_SIZE])
    u[U_STEP] = LOADING


def _hindrance(app):
    from .loading import hindrance

    reason = hindrance(app)
    app.board.drop("loading")
    return reason


def _failing(app):
    from .trial import failing

    found = failing(app)
    app.board.drop("trial")
    return found


def _there(board, start, size):
    """How many bytes lie in the slot: up to the sector that was written last, which is written again; the first sector does not count."""
    at = (size - 1) // SECTOR * SECTOR
    while at >= SECTOR:
        if not blank(board, start + at, start + at + SECTOR):
            return at - SECTOR
        at -= SECTOR
    return 0


def _finish(app, u, fields):
    """All is there: is it what was offered? Then it is on trial from the next boot on."""
    slot = 1 - fields[ACTIVE]
    start, size = u[U_START], u[U_SIZE]
    try:
        if digest(app.board, u[U_HEAD], start + 4, start + size) != fields[SHA256 + STRIDE * slot]:
            _give_up(app, fields, "damaged")
            return
        write(app.board, start, u[U_HEAD])
        fields[ACTIVE] = slot
        fields[PHASE] = 0
        fields[TRIAL] = 1
        if keep(app.board, fields):
            app.update = ended("restarting", "", fields[OFFER], version_of(fields))
            return
        fields[ACTIVE] = 1 - slot
        fields[TRIAL] = 0
    except OSError:
        pass  # of the flash; it is told
    _give_up(app, fields, "storage")


def _give_up(app, fields, reason):
    """Give this offer up; the application is what it was."""
    fields[PHASE] = 0
    keep(app.board, fields)
    app.update = ended("failed", reason, fields[OFFER], version_of(fields))


def _try(app, u, fields, now_ms):
    """A version on trial: tell that, and look for a verdict."""
    from .trial import verdict

    u[U_AWAKE] = now_ms + _AWAKE_MS  # the verdict has an end of its own
    if not u[U_TOLD] and say(app, "trial", "", fields[OFFER], version_of(fields), 0, 0):
        u[U_TOLD] = "trial"
    if verdict(app, now_ms):
        app.update = ended("installed", "", fields[OFFER], version_of(fields))
    u[U_DUE] = now_ms + 1000
    app.board.drop("trial")
