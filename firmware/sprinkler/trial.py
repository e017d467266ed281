"""Trial: does a new version keep its place? A late module: loaded while it is on trial, and when a boot finds that one has failed.

Rule: what the self-test finds before an update is noted, and compared; confirmed after a minute of uptime, a round trip to the broker and a self-test no worse
than before the update; anything else ends in the version before. It must not know where the image came from.
"""

from . import protocol
from .progress import say
from .selftest import check
from .slots import (
    ACTIVE,
    BEGINNING,
    FAILED,
    FILLING,
    OFFER,
    PHASE,
    RESULT,
    ROLLED_BACK,
    SELF_TEST,
    TESTING,
    TRIAL,
    U_AWAKE,
    U_DUE,
    U_STEP,
    U_TOLD,
    ended,
    keep,
    load,
    version_of,
)

if False:  # for annotations
    from .app import App

SETTLED_MS = 60000  # a boot that lives so long has not crashed
_AWAKE_MS = 25000
PATIENCE_MS = 180000  # what a boot on trial may wait for the broker; then it counts as failed


def follow(app: "App", now_ms: int) -> None:
    """Note the self-test before an update, or look at the version that is on trial."""
    u = app.update
    u[U_DUE], u[U_AWAKE] = now_ms + 1000, now_ms + _AWAKE_MS
    fields = load(app.board)
    if not fields:
        app.update = ended(b"none", b"storage", 0, "")
    elif u[U_STEP] == TESTING:
        fields[SELF_TEST] = failing(app)
        fields[PHASE] = FILLING
        u[U_STEP], u[U_DUE] = BEGINNING, now_ms
        if not keep(app.board, fields):
            app.update = ended(b"failed", b"storage", fields[OFFER], version_of(fields))
    elif _verdict(app, fields, now_ms):
        app.update = ended(b"installed", b"", fields[OFFER], version_of(fields), u[U_AWAKE])
    elif not u[U_TOLD] and say(app, b"trial", b"", fields[OFFER], version_of(fields), 0, 0):
        u[U_TOLD] = b"trial"


def _verdict(app: "App", fields: list, now_ms: int) -> bool:
    """True once the version on trial is confirmed, False while there is no verdict; otherwise the board restarts, and it does not return."""
    if app.safe_mode:
        _roll_back(app, fields, ROLLED_BACK)
    if now_ms >= SETTLED_MS and app.link.quiet():
        if failing(app) & ~fields[SELF_TEST]:
            _roll_back(app, fields, FAILED)
        fields[TRIAL] = 0
        return keep(app.board, fields)
    if now_ms >= PATIENCE_MS:
        _restart(app)
    return False


def failing(app: "App") -> int:
    """What the self-test finds, a bit for each word of protocol.SELF_TESTS; in safe mode nothing is tested."""
    mask = 0
    for word in () if app.safe_mode else check(app):
        mask |= 1 << protocol.SELF_TESTS.index(word)
    return mask


def _roll_back(app: "App", fields: list, result: int) -> None:
    """Roll back, at once; where that cannot be written down, the chooser does it once the boots are used up."""
    fields[ACTIVE] = 1 - fields[ACTIVE]
    fields[TRIAL] = 0
    fields[RESULT] = result
    app.memory.crashes = 0
    keep(app.board, fields)
    _restart(app)


def _restart(app: "App") -> None:
    app.memory.save_rtc(app.board)
    app.board.reset()
