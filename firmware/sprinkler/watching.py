"""Watching: whether water runs while every valve is closed. A late module: loaded while the meter is watched, then dropped.

Rule: a watch is ten seconds of the flow meter. More than its noise is the fault `leak`, and every valve is closed once more; a watch without any water ends
the fault; a drop changes nothing. Once an hour a board that sleeps watches before it does. It must not know which valve leaks: one meter serves all.
"""

from .core.safety import LIMITS, STILL_ML

if False:  # for annotations
    from .app import App

WATCH_MS = 10000
_TRY_EVERY_MS = 900000  # between two closings of everything, in one boot, while it leaks
_JUST_NOW_MS = 60000
_LOOK_MS = 200


def watch(app: "App", now_ms: int, ml: int, closed: bool) -> None:
    """Take note of a turn of the loop with `ml` of water. The watch begins anew while not all is closed."""
    if not app.watch_ms or not closed:
        app.watch_ms, app.watch_ml = now_ms, ml if closed else 0
        return
    app.watch_ml += ml
    if now_ms - app.watch_ms < WATCH_MS:
        return
    app.watch_ms = 0
    app.judged_ms = now_ms
    if app.watch_ml > app.limits[STILL_ML]:
        app.leak = True
        if not app.tried_ms or now_ms - app.tried_ms >= _TRY_EVERY_MS:
            app.tried_ms = now_ms
            app.again.append(("leak",))
            app.watch_ms = now_ms  # did it help?
    elif not app.watch_ml:
        app.leak = False


def quiet(app: "App", since_ms: int) -> bool:
    """True if the board may sleep: the hour's watch saw no water. `since_ms`: all is closed since then. A leak that is known is watched in the loop, because
    its end is to be told."""
    now_ms = app.board.uptime_ms()
    if app.leak:
        judged = app.judged_ms > 0 and now_ms - app.judged_ms < _JUST_NOW_MS
        if not judged:
            app.watch_ms, app.watch_ml = now_ms, 0
        return judged
    for _ in range((since_ms + WATCH_MS - now_ms + _LOOK_MS - 1) // _LOOK_MS):
        if app.senses.flow.pulses or not app.board.button_up():
            return False
        app.board.sleep_ms(_LOOK_MS)
    return not app.senses.flow.pulses


def seen_from_ml_min(ul_per_pulse: int) -> int:
    """The smallest flow that a watch is sure to see, in ml/min, rounded up. The first pulse begins the watch; those that it takes to be more than noise
    must come within its ten seconds, and one at least."""
    more = max(1, -(-(LIMITS[STILL_ML] + 1) * 1000 // ul_per_pulse) - 1)
    return -(-more * ul_per_pulse * 60 // WATCH_MS)
