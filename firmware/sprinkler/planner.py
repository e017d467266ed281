"""Planner: which programs start now, why one does not, and when the next one will. The glue between settings, clock and the schedule of the core.

Rule: each program is handled once per local date, whatever becomes of it. It must not know valves.
"""

from .core import schedule

_EVERY_MS = 1000
_PATIENCE_MS = 10000  # how long a start waits for the time to be confirmed, after a sleep that may have been some percent too short


class Planner:
    """The programs of one board."""

    def __init__(self, app):
        self._app = app
        self._looked_ms = -_EVERY_MS
        self._asked = {}  # program id: day of a start that was asked for and has neither begun nor been skipped
        self.waiting = False  # a program is to start, once the time is confirmed

    def due(self, now_ms):
        """Run requests of the programs that start now; the others get their reason."""
        app = self._app
        now_s = app.clock.now_s()
        if not now_s or now_ms - self._looked_ms < _EVERY_MS:
            return []
        self._looked_ms = now_ms
        s = app.settings
        self._mend_keys(now_s)
        requests = []
        found = schedule.due(
            s.programs, [max(self._key(p), self._asked.get(p[schedule.ID], 0)) for p in s.programs], now_s, s.rule
        )
        self.waiting = found and not app.clock.fresh and now_ms < _PATIENCE_MS
        if self.waiting:
            return requests
        for program, day, late_min in found:
            zone, program_id = program[schedule.ZONE], program[schedule.ID]
            self._asked[program_id] = day
            run_ms = min(program[schedule.RUN_TIME_S] * 10 * s.seasonal_adjust_pct, app.limits[0])
            reason = self._skip_reason(now_s, late_min, run_ms)
            if reason:
                app.runs.skip(zone, program_id, reason)
            else:
                requests.append(("run", zone, run_ms, program_id))
        return requests

    def done(self, program_id):
        """The start that was asked for has begun, or was skipped. Until then a reset makes the board ask again."""
        if program_id in self._asked:
            self._app.memory.keys[program_id - 1] = self._asked.pop(program_id)

    def _mend_keys(self, now_s):
        """A key that a wrong clock left in the future costs this day only."""
        today = schedule.today(now_s, self._app.settings.rule)
        keys = self._app.memory.keys
        for i, key in enumerate(keys):
            keys[i] = schedule.sane_key(key, today)

    def _skip_reason(self, now_s, late_min, run_ms):
        app = self._app
        if late_min > schedule.GRACE_MIN:
            return "missed"
        if not app.settings.watering_enabled:
            return "disabled"
        if app.settings.rain_delay_until > app.clock.unix(now_s):
            return "rain_delay"
        return "adjusted_to_zero" if run_ms < app.limits[1] else ""

    def _key(self, program):
        return self._app.memory.keys[program[schedule.ID] - 1]

    def changed(self, before):
        """New settings are in force: a program that is new or moved does not make up for a start that lies behind it, but for one that passed while
        this board slept."""
        app = self._app
        now_s = app.clock.now_s()
        slack_min = 0 if app.staying_awake(app.board.uptime_ms()) else app.settings.wake_interval_s // 60
        moments = [p[: schedule.RUN_TIME_S] for p in before]
        for program in app.settings.programs:
            if program[: schedule.RUN_TIME_S] not in moments and now_s:
                key = schedule.key_when_changed(program, now_s - slack_min * 60, app.settings.rule)
                app.memory.keys[program[schedule.ID] - 1] = key
                self._asked.pop(program[schedule.ID], 0)

    def next_start_s(self, zone):
        """When the next program of `zone` (0: of any) starts, in seconds since 2000; 0: none, or the clock is unset."""
        app = self._app
        now_s = app.clock.now_s()
        first = 0
        if now_s and app.settings.watering_enabled:
            for program in app.settings.programs:
                if not zone or program[schedule.ZONE] == zone:
                    start_s = schedule.next_start_s(program, self._key(program), now_s, app.settings.rule)
                    if start_s and (not first or start_s < first):
                        first = start_s
        return first
