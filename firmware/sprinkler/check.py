"""Check: what a valve does when it is opened for five seconds and closed again, in one word. A late module: loaded while a check is on, then dropped.

Rule: it watches, the core opens and closes. Water that other valves leak counts as this one's: one meter serves all. It must not know pins.
"""

from . import protocol
from .core import state
from .core.safety import STILL_ML

if False:  # for annotations
    from .app import App

_RUNS_IN_MS = 1500  # what the meter says before that may be left from the time when the valve was closed


def follow(app: "App", ml: int) -> None:
    """Take note of a turn of the loop, with `ml` of water; call it once the turn's actions were carried out. app.runs.check is
    [zone, ml while open, ml while closed, phase at the end of the turn before]; None once there is a verdict, or the run ended in another way."""
    s, check = app.state, app.runs.check
    zone = check[0]
    z = state.base(zone)
    was, phase = check[3], s[z + state.PHASE]
    check[3] = phase
    if was == state.OPEN and s[z + state.OPEN_MS] >= _RUNS_IN_MS:
        check[1] += ml
    elif was == state.CHECKING:
        check[2] += ml
    metered = app.senses.has_flow()
    if was == state.OPEN and phase != state.OPEN and s[z + state.CAUSE] != "completed":
        app.runs.check = None
    elif phase == state.CLOSED or (phase != state.OPEN and metered and s[z + state.TRIES] > 1):
        app.runs.check = None
        _judged(app, zone, verdict(metered, check[1], check[2]), check[1] + check[2] if metered else 0)


def verdict(metered: bool, open_ml: int, closed_ml: int) -> str:
    """A word of protocol.CHECKS. Without a meter a check only moves the valve, for someone who listens."""
    if not metered:
        return "unmetered"
    if open_ml > STILL_ML:
        return "leak" if closed_ml > STILL_ML else "ok"
    return "swapped" if closed_ml > STILL_ML else "no_flow"


def _judged(app: "App", zone: int, word: str, volume_ml: int) -> None:
    m = app.memory
    m.check = (app.clock.now_s(), zone, protocol.CHECKS.index(word), min(volume_ml, 65535))
    app.outbox.health_due = app.config.pulse_ma > 0  # with the current of the pulse
    app.runs.event("checked", zone, m.run_id, 0, "", word, 0, volume_ml)
