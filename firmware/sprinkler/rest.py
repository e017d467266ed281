"""Rest: when the board may sleep, and how it goes: say so, remember, sleep.

Rule: never while a valve is open or unproven, never before what is to be said was said, unless the network's budget is spent. It must not know why anything
was said.
"""

from . import report
from .core import controller
from .store import SAMPLES_MAX

if False:  # for annotations
    from .app import App

NETWORK_BUDGET_MS = 25000  # what a wake may spend on a network that does not answer
PACE_MS = 200  # between two looks at whether the board may sleep
ACK_MS = 2000  # what Home Assistant has to store events in, before the board does
LINGER_MS = 400  # a broker with queued commands delivers them within this
PULSE_EVERY_S = 86400  # even a board that sleeps well closes its valves once a day


class Rest:
    """The end of a wake."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self.busy_ms = app.board.uptime_ms()  # when there was something to do last
        self._heard_ms = self.busy_ms  # when the broker or we had something to say last
        self.wake_s = 0
        self.wake_at = 0  # what we told of the next wake, Unix seconds; 0 while we mean to stay
        self.calm = (
            app.wake_reason == "timer"
        )  # nobody wanted anything in this wake: the good-bye goes out with all the rest
        self.restart_wanted = False

    def due(self, now_ms: int) -> bool:
        """True when the board should sleep (or restart) now."""
        app = self._app
        still = controller.idle(app.state) or controller.stuck(app.state)
        if not still or app.inbox.busy() or app.staying_awake(now_ms):
            self.busy_ms = self._heard_ms = now_ms
            self._stay()
            return self.restart_wanted and controller.idle(app.state) and app.link.quiet()
        if app.watch_ms:  # water though all is closed: stay until there is a verdict
            self._heard_ms = now_ms
            self._stay()
        behind = (
            app.planner.behind()
        )  # the next turn looks at the plan: the clock was set back, or a start waits for the time
        if behind or not app.link.quiet() or not app.outbox.nothing_left():
            self._heard_ms = now_ms
        timed = app.clock.now_s() and not (app.link.up() and app.clock.hopes())
        if (
            self.calm
            and timed
            and not behind
            and not self.restart_wanted
            and not app.memory.events
            and app.outbox.nothing_left()
            and app.link.room()
        ):
            if not self.wake_at or app.outbox.state_due:
                self._part()
            return app.link.quiet()  # what was queued for us comes before the broker's answer to what we sent
        done = now_ms - self._heard_ms >= (ACK_MS if app.memory.events else LINGER_MS) and timed
        return done or self._spent(now_ms) or (self.restart_wanted and app.link.quiet())

    def _spent(self, now_ms: int) -> bool:
        return now_ms - self.busy_ms > NETWORK_BUDGET_MS

    def _stay(self) -> None:
        """There is something to do: take back what was said of leaving."""
        if self.calm or self.wake_at:
            self._app.outbox.back_again()
        self.calm = False
        self.wake_at = 0

    def _part(self) -> None:
        """Choose the time of the next wake, and tell it."""
        from .resting import plan_sleep

        app = self._app
        now_s = app.clock.now_s()
        seconds = plan_sleep(app)
        app.board.drop("resting")
        self.wake_s = app.board.uptime_ms() // 1000 + seconds
        self.wake_at = app.clock.unix(now_s + seconds) if now_s else 0
        if app.link.up() and not self.restart_wanted:
            app.outbox.last_words(report.asleep(self.wake_at))

    def go(self) -> None:
        """Say good-bye, remember, sleep. Returns only if someone had something to say in the meantime, or water runs."""
        app = self._app
        if not self.calm or not self.wake_at:
            self._part()
        if self._parted():
            if app.memory.events or app.memory.held_samples() >= SAMPLES_MAX:
                app.keep_backlog()
            self._sleep()
        self._heard_ms = app.board.uptime_ms()
        self._stay()

    def _parted(self) -> bool:
        from .parting import part

        done = part(self._app)
        self._app.board.drop("parting")
        return done

    def _sleep(self) -> None:
        from .resting import fall_asleep

        fall_asleep(self._app, self)
        self._app.board.drop("resting")
