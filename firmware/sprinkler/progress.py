"""Progress: what the board says of an update: how far it is, and what it wants next. A late module, with those that need it.

Rule: builds two messages and publishes them where there is room. It must not know flash.
"""

from . import protocol
from .errors import LinkError
from .report import FIRMWARE


def say(app, state, reason, offer, version, done, size):
    """Publish `update/state`. Returns False when there is no room for it now."""
    if not app.link.room():
        return False
    text = '{"state": "%s", "reason": "%s", "offer": %d, "version": "%s", "done": %d, "size": %d, "firmware": "%s"}'
    return _publish(app, protocol.UPDATE_STATE, text % (state, reason, offer, version, done, size, FIRMWARE), True)


def request(app, offer, at, length):
    """Ask for a block."""
    return _publish(app, protocol.UPDATE_REQUEST, '{"offer": %d, "at": %d, "bytes": %d}' % (offer, at, length), False)


def _publish(app, leaf, text, retain):
    try:
        app.outbox.publish(leaf, text.encode(), retain)
    except LinkError:
        return False  # the link has noticed, and starts anew
    return True
