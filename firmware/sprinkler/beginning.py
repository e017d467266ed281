"""Beginning: the core's first state of a boot. A late module: loaded once the application is put together, then dropped.

Rule: what the sleep mark, the journal and the kind of reset say, and nothing else, decides how the core begins. It must not know what comes after.
"""

from .core import controller, state
from .core.safety import DAY_ML_MAX
from .rest import PULSE_EVERY_S
from .store import UNTOLD

if False:  # for annotations
    from .app import App

TELL_AGAIN_WAKES = 96  # about once a day what lies on flash is told again, though nobody asks
ASK_AGAIN_WAKES = 8  # so often a sleeper without settings subscribes anew, for what is retained then comes once more


def begin(app: "App") -> None:
    """The core's first state: what the sleep mark, the journal and the kind of reset say, and what is counted of the day."""
    _begin(app)
    m = app.memory
    s = list(app.state)
    s[state.LIVED_MS] = m.lived * 2000
    for zone in range(1, state.zones(s) + 1):
        z = state.base(zone)
        s[z + state.OPENINGS] = m.day[2 * zone - 2]
        s[z + state.DAY_ML] = m.day[2 * zone - 1] * (app.limits[DAY_ML_MAX + zone] // 250)
    app.state = tuple(s)


def _begin(app: "App") -> None:
    m = app.memory
    zones = app.board.zones()
    timer = app.wake_reason == "timer"
    if m.lost:
        app.planner.give_up(0, "reset")
    unsettled = not (
        app.settings.version or m.wakes % ASK_AGAIN_WAKES
    )  # if they were lost on flash, the broker still has them
    if m.kept and not m.wakes % TELL_AGAIN_WAKES:
        m.kept = UNTOLD
    app.link.resubscribe = not timer or not m.subscribed or unsettled
    app.link.asks_names = not timer
    app.link.failed_joins = m.failed_joins
    if timer and not m.open_zone and m.slept_s < PULSE_EVERY_S:
        app.state = controller.asleep(zones, m.faults, app.limits)
        return
    if app.wake_reason != "watchdog":
        m.resumed = 1  # this end is final, also if a watchdog reset follows before the journal says so
    journal = (m.open_zone, m.program, m.granted_s * 1000, m.open_s * 1000, m.resumed) if m.open_zone else None
    app.state = controller.booted(zones, m.faults, journal, app.wake_reason, app.limits)
    m.slept_s = 0
    app.outbox.health_due = True
    app.runs.recall()
    if not timer:
        app.runs.event("boot", 0, 0, 0, "", app.wake_reason, 0, 0)
