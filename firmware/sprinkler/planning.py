"""Planning: which programs start now, why one does not, and when the next ones will. The glue between settings, clock and the schedule of the core.

Rule: a late module, loaded when the planner is behind, then dropped; it remembers nothing. It must not know valves.
"""

from .core import schedule


def plan(app, asked, now_s):
    """What starts at `now_s`: a list of (zone, program id, day, run time ms, reason why not or ""), and the next starts of all zones together and of each.

    `asked`: days by program id of starts that wait for their zone.
    """
    s = app.settings
    _mend_keys(app, now_s)
    keys = [max(_key(app, program), asked.get(program[schedule.ID], 0)) for program in s.programs]
    found = []
    for program, day, late_min in schedule.due(s.programs, keys, now_s, s.rule):
        run_ms = min(program[schedule.RUN_TIME_S] * 10 * s.seasonal_adjust_pct, app.limits[0])
        reason = _skip_reason(app, now_s, late_min, run_ms)
        found.append((program[schedule.ZONE], program[schedule.ID], day, run_ms, reason))
    return found, _next_starts(app, now_s)


def _key(app, program):
    return app.memory.keys[program[schedule.ID] - 1]


def _mend_keys(app, now_s):
    """A key that a wrong clock left in the future costs this day only."""
    today = schedule.today(now_s, app.settings.rule)
    keys = app.memory.keys
    for i, key in enumerate(keys):
        keys[i] = schedule.sane_key(key, today)


def _skip_reason(app, now_s, late_min, run_ms):
    if app.settings.winter:
        return "winter"
    if late_min > schedule.GRACE_MIN:
        return "missed"
    if not app.settings.watering_enabled:
        return "disabled"
    if app.settings.rain_delay_until > app.clock.unix(now_s):
        return "rain_delay"
    return "adjusted_to_zero" if run_ms < app.limits[1] else ""


def _next_starts(app, now_s):
    """Seconds since 2000; 0: none."""
    starts = [0] * 5
    for program in app.settings.programs:
        start_s = schedule.next_start_s(program, _key(app, program), now_s, app.settings.rule)
        for i in (0, program[schedule.ZONE]):
            if start_s and not 0 < starts[i] < start_s:
                starts[i] = start_s
    return tuple(starts)


def mark_changed(app, before, asked, from_s):
    """Programs that are not among `before` are new: starts that lie before `from_s` are not made up for."""
    moments = [program[: schedule.RUN_TIME_S] for program in before]
    for program in app.settings.programs:
        if program[: schedule.RUN_TIME_S] not in moments:
            app.memory.keys[program[schedule.ID] - 1] = schedule.key_when_changed(program, from_s, app.settings.rule)
            asked.pop(program[schedule.ID], 0)
