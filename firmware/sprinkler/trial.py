"""Trial: does a new version keep its place? A late module: loaded while it is on trial, and when a boot finds that one has failed.

Rule: confirmed after a minute of uptime, a round trip to the broker and a self-test no worse than before the update; anything else ends in the version
before. It must not know where the image came from.
"""

from . import protocol
from .selftest import check
from .slots import ACTIVE, FAILED, RESULT, ROLLED_BACK, SELF_TEST, TRIAL, keep, load

SETTLED_MS = 60000  # a boot that lives so long has not crashed
PATIENCE_MS = 180000  # what a boot on trial may wait for the broker; then it counts as failed


def verdict(app, now_ms):
    """Look at a version on trial. Returns True once it is confirmed, False while there is no verdict; otherwise the board restarts, and it does not return."""
    if app.safe_mode:
        _roll_back(app, ROLLED_BACK)
    if now_ms >= SETTLED_MS and app.link.quiet():
        fields = load(app.board)
        if failing(app) & ~fields[SELF_TEST]:
            _roll_back(app, FAILED)
        fields[TRIAL] = 0
        return keep(app.board, fields)
    if now_ms >= PATIENCE_MS:
        _restart(app)
    return False


def failing(app):
    """What the self-test finds, a bit for each word of protocol.SELF_TESTS; in safe mode nothing is tested."""
    mask = 0
    for word in () if app.safe_mode else check(app):
        mask |= 1 << protocol.SELF_TESTS.index(word)
    return mask


def _roll_back(app, result):
    """Roll back, at once; where that cannot be written down, the chooser does it once the boots are used up."""
    fields = load(app.board)
    fields[ACTIVE] = 1 - fields[ACTIVE]
    fields[TRIAL] = 0
    fields[RESULT] = result
    app.memory.crashes = 0
    keep(app.board, fields)
    _restart(app)


def _restart(app):
    app.memory.save_rtc(app.board)
    app.board.reset()
