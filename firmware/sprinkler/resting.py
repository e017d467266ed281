"""Resting: how long the board sleeps, and that its clock is right afterwards. A late module: loaded at the end of a wake, then dropped.

Rule: plans, remembers, and goes to sleep when all is said (parting.py) and kept. It must not know what was said.
"""

from . import protocol
from .core import controller, energy, state
from .core.power import LONGEST_SLEEP_S
from .core.safety import DAY_MS
from .rest import PULSE_EVERY_S

if False:  # for annotations
    from .app import App
    from .rest import Rest

STUCK_SLEEP_S = 900  # the longest pause between the tries to close a valve that does not
_UNSYNCED_S_MAX = 65535
_HOUR_S = 3600


def plan_sleep(app: "App") -> int:
    """Seconds until the next wake: by power mode and sun, sooner for a program's start or for a valve that does not close."""
    m = app.memory
    seconds = energy.wake_every_s(protocol.POWER_MODES[m.power_mode], app.settings.wake_interval_s, m.battery_days)
    start_s = app.planner.next_start_s(0)
    if start_s and start_s - app.clock.guess_s() < seconds:
        seconds = energy.approach_s(start_s - app.clock.guess_s())
    if controller.stuck(app.state):
        seconds = min(seconds, STUCK_SLEEP_S)
    return seconds


def fall_asleep(app: "App", rest: "Rest") -> None:
    """Remember, sleep (or restart). Returns only if water runs."""
    m = app.memory
    app.calm_down()
    if rest.restart_wanted:
        m.save_rtc(app.board)
        app.board.reset()
    if not _quiet(app, rest):
        return
    seconds = max(1, rest.wake_s - app.board.uptime_ms() // 1000)
    closed = _all_proven(app.state) and m.slept_s + seconds < PULSE_EVERY_S
    seconds = _prepare(app, seconds, closed)
    if not closed:
        m.slept_s = PULSE_EVERY_S
    m.save_rtc(app.board)
    app.board.deep_sleep(seconds, closed)


def _quiet(app: "App", rest: "Rest") -> bool:
    """Once an hour of sleep, before it is over, the meter is watched. False: water runs, and the board stays up."""
    slept_s, up_s = app.memory.slept_s, app.board.uptime_ms() // 1000
    due = slept_s // _HOUR_S != (slept_s + rest.wake_s - up_s) // _HOUR_S
    if not due or not app.senses.has_flow() or not controller.idle(app.state):
        return True
    from .watching import quiet

    found = quiet(app, rest.busy_ms)
    app.board.drop("watching")
    app.memory.slept_s += (
        app.board.uptime_ms() // 1000 - up_s
    )  # else the sleep that follows ends just before the hour, and the next one watches again
    return found


def _all_proven(s: tuple) -> bool:
    """True if every zone is closed on evidence; the core takes the best that there is."""
    for zone in range(1, state.zones(s) + 1):
        if s[state.base(zone) + state.PHASE] != state.CLOSED or s[state.base(zone) + state.EVIDENCE] == "unknown":
            return False
    return True


def _prepare(app: "App", seconds: int, closed: bool) -> int:
    """Note a sleep of `seconds`. Returns what to ask the sleep timer for; the clock is put forward by the difference, so that it is right at the wake."""
    m = app.memory
    if not closed:
        seconds = min(seconds, LONGEST_SLEEP_S)  # hops follow each other only while all is closed
    asked_s = energy.asked_s(seconds, m.sleep_drift)
    m.slept_s += seconds
    m.lived = min(m.lived + seconds // 2, app.limits[DAY_MS] // 1500)  # in 2 s, a third more than a day
    m.unsynced_s = min(m.unsynced_s + seconds, _UNSYNCED_S_MAX)
    if asked_s != seconds:
        app.board.set_clock(app.board.clock_s() + seconds - asked_s)
    return asked_s
