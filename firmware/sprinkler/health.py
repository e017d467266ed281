"""Health: how the board itself is, in one message. A late module: loaded once in a boot that was no timer wake and once a day, then dropped.

Rule: tells, never judges; a number that is not known is null. It must not know who reads it.
"""

import gc

from .crash import CRASH
from .report import FIRMWARE, filled, members
from .selftest import check
from .store import read_file

if False:  # for annotations
    from .app import App


def health(app: "App") -> bytes:
    """The message, as JSON. In safe mode nothing is tested: a test may be what the board chokes on."""
    m = app.memory
    tested = None if app.safe_mode else check(app)
    crash = read_file(app.board, CRASH)
    inside = members(
        {
            "firmware": FIRMWARE,
            "boots": m.boots,
            "wakes": m.wakes,
            "heap_free": _heap_free(),
            "flash_writes": app.board.flash_writes,
            "clock_error_s": app.clock.error_s,
            "join_ms": app.link.join_ms,
            "pulse_ma": app.pulse_ma,
            "self_test": tested,
            "crash": crash.decode() if crash else None,
        }
    )
    return b"{" + filled(inside) + b"}"


def _heap_free() -> int | None:
    """Bytes that are free after a collection; None where the interpreter does not tell."""
    free = getattr(gc, "mem_free", None)
    if free is None:
        return None
    gc.collect()
    return free()
