"""Parting: the end of a conversation, before a sleep or a restart. A late module: loaded at the end of a wake, then dropped.

Rule: leaves only when what is to be said was said, or nobody takes it, and nobody has said anything in the meantime. It must not know what was said, or for how
long the board leaves.
"""

if False:  # for annotations
    from .app import App

_GOODBYE_MS = 2000


def part(app: "App") -> bool:
    """Wait until the broker has all, and close the connection. False if someone had something to say in the meantime."""
    m = app.memory
    linked = app.link.up()
    deadline_ms = app.board.uptime_ms() + _GOODBYE_MS
    while app.link.up() and not app.link.quiet() and app.board.uptime_ms() < deadline_ms:
        app.link.wait(100)
        app.link.service()
    app.outbox.note_told(True)
    while app.inbox.stored:
        app.inbox.free()
    if app.inbox.busy() or app.outbox.owes_replies():
        return False
    app.link.close()
    app.clock.close()
    m.subscribed = 0 if app.link.resubscribe else 1
    m.failed_joins = app.link.failed_joins + (0 if linked else 1)
    return True
