"""Planner: remembers when programs start next, and asks for the plan when the time has come.

Rule: each program is handled once per local date, whatever becomes of it. What is due is worked out by the late module `planning`, only when a start
is due, when settings or clock changed, and once an hour. It must not know valves.
"""

_PATIENCE_MS = 10000  # how long a start waits for the time to be confirmed, after a sleep that may have been some percent too short
_LOOK_EVERY_MS = 1000  # while it waits
_LOOK_AGAIN_S = 3600
_LOOK_ESTIMATED_S = 60  # while the time is only estimated: a start may wait for the right one


class Planner:
    """The programs of one board."""

    def __init__(self, app):
        self._app = app
        self._asked = {}  # program id: its new run-once key, of a start that was asked for and has neither begun nor been skipped
        self._starts = (0,) * 5  # the next start of any zone, and of each; seconds since 2000, 0: none
        self._from_s = self._until_s = 0  # while the clock is between them, nothing starts
        self._looked_ms = self._by_estimate = 0  # when the plan was looked at last, and whether by an estimated time
        self._before = None  # the programs before a change that was not looked at yet
        self._changed_s = 0
        self.waiting = False  # a program is to start, once the time is confirmed

    def due(self, now_ms):
        """Run requests of the programs that start now; the others get their reason."""
        app = self._app
        if not self.behind() or (self.waiting and now_ms - self._looked_ms < _LOOK_EVERY_MS):
            return []
        from .planning import mark_changed, plan

        now_s = app.clock.guess_s()
        if self._before is not None:
            mark_changed(app, self._before, self._asked, self._changed_s)
            self._before = None
        self._looked_ms = now_ms
        found, starts = plan(app, self._asked, now_s)
        if starts != self._starts:
            self._starts = starts
            app.outbox.state_due = True
        self.waiting = bool(found) and not app.clock.fresh and now_ms < _PATIENCE_MS
        requests = []
        if not self.waiting:
            requests = self._begin(found)
            self._from_s = now_s
            self._by_estimate = app.memory.estimated
            again_s = now_s + (_LOOK_AGAIN_S if not app.memory.estimated else _LOOK_ESTIMATED_S)
            self._until_s = min(self._starts[0] or again_s, again_s)
        app.board.drop("planning")
        return requests

    def _begin(self, found):
        """Ask for each start that was found, or give its reason."""
        requests = []
        for zone, program_id, key, run_ms, reason in found:
            self._asked[program_id] = key
            if reason:
                self._app.runs.skip(zone, program_id, reason)
            else:
                requests.append(("run", zone, run_ms, program_id))
        return requests

    def behind(self):
        """True when the plan must be looked at: the board may not sleep before."""
        now_s = self._app.clock.guess_s()
        planned = self._from_s <= now_s < self._until_s and self._by_estimate == self._app.memory.estimated
        return bool(now_s) and not planned

    def hurries(self):
        """True when the plan should be looked at in the very next turn."""
        return not self.waiting and self.behind()

    def done(self, program_id):
        """The start that was asked for has begun, or was skipped. Until then a reset makes the board ask again."""
        if program_id in self._asked:
            self._app.memory.keys[program_id - 1] = self._asked.pop(program_id)

    def changed(self, before):
        """New settings are in force: a program that is new or moved does not make up for a start that lies behind it, but for one that passed while
        this board slept."""
        app = self._app
        now_s = app.clock.guess_s()
        self._until_s = 0
        if now_s and self._before is None:
            self._before = before  # looked at in the next turn, when the message has left the heap
            self._changed_s = now_s - (0 if app.staying_awake(app.board.uptime_ms()) else app.settings.wake_interval_s)

    def next_start_s(self, zone):
        """When the next program of `zone` (0: of any) starts, in seconds since 2000; 0: none, or the clock is unset."""
        s = self._app.settings
        return self._starts[zone] if self._app.clock.guess_s() and s.watering_enabled and not s.winter else 0
