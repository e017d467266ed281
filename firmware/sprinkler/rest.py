"""Rest: when the board may sleep, and how it goes: say so, remember, sleep.

Rule: never while a valve is open or unproven, never before what is to be said was said, unless the network's budget is spent. It must not know why anything
was said.
"""

from . import protocol, report
from .core import controller, power, state

NETWORK_BUDGET_MS = 25000  # what a wake may spend on a network that does not answer
GOODBYE_MS = 2000
LINGER_MS = 400  # a broker with queued commands delivers them within this
PULSE_EVERY_S = 86400  # even a board that sleeps well closes its valves once a day


class Rest:
    """The end of a wake."""

    def __init__(self, app):
        self._app = app
        self._busy_ms = app.board.uptime_ms()  # when there was something to do last
        self._heard_ms = self._busy_ms  # when the broker or we had something to say last
        self.wake_at = 0
        self.restart_wanted = False

    def due(self, now_ms):
        """True when the board should sleep (or restart) now."""
        app = self._app
        if not controller.idle(app.state) or app.inbox.requests or app.planner.waiting or app.staying_awake(now_ms):
            self._busy_ms = self._heard_ms = now_ms
            return self.restart_wanted and controller.idle(app.state) and app.link.quiet()
        if not app.link.quiet() or not app.outbox.nothing_left():
            self._heard_ms = now_ms
        done = now_ms - self._heard_ms >= LINGER_MS and (app.clock.now_s() or self._spent(now_ms))
        return done or self._spent(now_ms) or (self.restart_wanted and app.link.quiet())

    def _spent(self, now_ms):
        return now_ms - self._busy_ms > NETWORK_BUDGET_MS

    def go(self):
        """Say good-bye, remember, sleep. Does not return."""
        app = self._app
        m, now_s = app.memory, app.clock.now_s()
        seconds = power.sleep_s(protocol.POWER_MODES[m.power_mode], app.settings.wake_interval_s)
        start_s = app.planner.next_start_s(0)
        if start_s:
            seconds = max(1, min(seconds, start_s - now_s))
        self.wake_at = app.clock.unix(now_s + seconds) if now_s else 0
        self._say_goodbye()
        if self.restart_wanted:
            m.save_rtc(app.board)
            app.board.reset()
        m.slept_s += seconds
        if not self._all_proven():
            m.slept_s = PULSE_EVERY_S
        m.save_rtc(app.board)
        app.board.deep_sleep(seconds, m.slept_s < PULSE_EVERY_S)

    def _say_goodbye(self):
        app = self._app
        if app.link.up() and not self.restart_wanted:
            app.outbox.last_words(report.asleep(self.wake_at))
        deadline_ms = app.board.uptime_ms() + GOODBYE_MS
        while app.link.up() and not app.link.quiet() and app.board.uptime_ms() < deadline_ms:
            app.link.wait(100)
            app.link.service()
        app.link.close()
        app.clock.close()

    def _all_proven(self):
        """True if every zone is closed on the best evidence that this board can have."""
        best = "verified" if self._app.senses.has_flow() else "assumed"
        s = self._app.state
        for zone in range(1, state.zones(s) + 1):
            if s[state.base(zone) + state.EVIDENCE] != best:
                return False
        return True
