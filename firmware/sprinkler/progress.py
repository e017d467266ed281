"""Progress: what the board says of an update: how far it is, and what it wants next. A late module, with those that need it.

Rule: builds two messages and publishes them where there is room; says when an update must wait. It must not know flash. Words are bytes in the modules of an
update: as texts they would stay in the interpreter's list of names for ever.
"""

import gc

from . import protocol
from .errors import LinkError
from .report import FIRMWARE

if False:  # for annotations
    from .app import App

HEAP_MIN = 8192
BATTERY_MIN_MV = 3700


def hindrance(app: "App") -> bytes:
    """Why an update must wait, as a word; b"" if it need not."""
    mode = protocol.POWER_MODES[app.memory.power_mode]
    if mode in ("saver", "critical") or app.battery_mv < BATTERY_MIN_MV:
        return b"low_battery"
    free = getattr(gc, "mem_free", None)
    if free:
        gc.collect()
        if free() < HEAP_MIN:
            return b"heap"
    return b""


def say(app: "App", state: bytes, reason: bytes, offer: int, version: str, done: int, size: int) -> bool:
    """Publish `update/state`. Returns False when there is no room for it now."""
    if not app.link.room():
        return False
    text = '{"state": "%s", "reason": "%s", "offer": %d, "version": "%s", "done": %d, "size": %d, "firmware": "%s"}'
    return _publish(
        app, protocol.UPDATE_STATE, text % (state.decode(), reason.decode(), offer, version, done, size, FIRMWARE), True
    )


def request(app: "App", offer: int, at: int, length: int) -> bool:
    """Ask for a block."""
    return _publish(app, protocol.UPDATE_REQUEST, '{"offer": %d, "at": %d, "bytes": %d}' % (offer, at, length), False)


def _publish(app: "App", leaf: str, text: str, retain: bool) -> bool:
    try:
        app.outbox.publish(leaf, text.encode(), retain)
    except LinkError:
        return False  # the link has noticed, and starts anew
    return True
