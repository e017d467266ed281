"""Resting: how long the board sleeps, and that its clock is right afterwards. A late module: loaded at the end of a wake, then dropped.

Rule: plans and remembers; it does not sleep. It must not know what the network does.
"""

from . import protocol
from .core import controller, energy
from .core.power import LONGEST_SLEEP_S

STUCK_SLEEP_S = 900  # the longest pause between the tries to close a valve that does not
_UNSYNCED_S_MAX = 65535


def plan_sleep(app):
    """Seconds until the next wake: by power mode and sun, sooner for a program's start or for a valve that does not close."""
    m = app.memory
    seconds = energy.wake_every_s(protocol.POWER_MODES[m.power_mode], app.settings.wake_interval_s, m.battery_days)
    start_s = app.planner.next_start_s(0)
    if start_s and start_s - app.clock.guess_s() < seconds:
        seconds = energy.approach_s(start_s - app.clock.guess_s())
    if controller.stuck(app.state):
        seconds = min(seconds, STUCK_SLEEP_S)
    return seconds


def prepare(app, seconds, closed):
    """Note a sleep of `seconds`. Returns what to ask the sleep timer for; the clock is put forward by the difference, so that it is right at the wake."""
    m = app.memory
    if not closed:
        seconds = min(seconds, LONGEST_SLEEP_S)  # hops follow each other only while all is closed
    asked_s = energy.asked_s(seconds, m.sleep_drift)
    m.slept_s += seconds
    m.unsynced_s = min(m.unsynced_s + seconds, _UNSYNCED_S_MAX)
    if asked_s != seconds:
        app.board.set_clock(app.board.clock_s() + seconds - asked_s)
    return asked_s
