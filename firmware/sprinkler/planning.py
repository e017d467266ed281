"""Planning: which programs start now, why one does not, and when the next ones will. The glue between settings, clock, sensors and the core's schedule.

Rule: a late module, loaded when the planner is behind, then dropped; it remembers nothing. It must not know valves.
"""

from .core import schedule

_WAITS = "-"


def plan(app, asked, now_s):
    """What starts at `now_s`: a list of (zone, program id, new key, run time ms, reason why not or ""), and the next starts of all zones together and of each.

    `asked`: new keys by program id of starts that wait for their zone.
    """
    s = app.settings
    place = place_of(s)
    _mend_keys(app, now_s)
    keys = [asked.get(schedule.program_id(program), _key(app, program)) for program in s.programs]
    found = []
    for program, day, at_s, word in schedule.due(s.programs, keys, now_s, place):
        run_ms = min(program[schedule.RUN_TIME_S] * 10 * s.seasonal_adjust_pct, app.limits[0])
        key = _key(app, program) & schedule.SKIP_NEXT
        reason = word or _why_not(app, program, at_s, now_s, run_ms)
        if reason == "skipped":
            key = 0
        if reason != _WAITS:
            found.append((schedule.zone_of(program), schedule.program_id(program), day | key, run_ms, reason))
    found.sort(key=lambda start: start[0])
    return found, _next_starts(app, now_s, place)


def _why_not(app, program, at_s, now_s, run_ms):
    """Why `program` does not start though its moment has come: a reason, "" if it does, or _WAITS."""
    reason = _forbidden(app, at_s)
    if reason:
        return reason
    if _key(app, program) & schedule.SKIP_NEXT:
        return "skipped"
    late = now_s - at_s > schedule.GRACE_MIN * 60
    if app.memory.estimated and not program[schedule.HEAD] & schedule.BY_ESTIMATE:
        return "clock_lost" if late else _WAITS  # the right time may come while there is grace
    return "missed" if late else _hindered(app, schedule.zone_of(program), run_ms)


def place_of(s):
    """What the core's schedule must know of the settings."""
    return (s.rule, s.latitude_cdeg, s.longitude_cdeg, s.season_from, s.season_to)


def _key(app, program):
    return app.memory.keys[schedule.program_id(program) - 1]


def _mend_keys(app, now_s):
    """A key that a wrong clock left in the future costs this day only."""
    today = schedule.today(now_s, app.settings.rule)
    keys = app.memory.keys
    for i, key in enumerate(keys):
        keys[i] = schedule.sane_key(key, today)


def _forbidden(app, at_s):
    """Why no program may start at `at_s`, by the settings."""
    if app.settings.winter:
        return "winter"
    if not app.settings.watering_enabled:
        return "disabled"
    return "rain_delay" if app.settings.rain_delay_until > app.clock.unix(at_s) else ""


def _hindered(app, zone, run_ms):
    """Why `zone` needs no program now, or should have none: by the sensors, as far as there are any."""
    s, senses = app.settings, app.senses
    if senses.rain:
        return "rain_sensor"
    if s.frost_below_dc is not None and senses.temperature_dc is not None and senses.temperature_dc < s.frost_below_dc:
        return "frost"
    wet_pct, soil_pct = s.zones[5 * zone - 1], senses.soil_pct(zone)
    if wet_pct and soil_pct is not None and soil_pct >= wet_pct:
        return "wet"
    return "adjusted_to_zero" if run_ms < app.limits[1] else ""


def _next_starts(app, now_s, place):
    """Seconds since 2000; 0: none."""
    programs = app.settings.programs
    keys = [_key(app, program) for program in programs]
    found = schedule.next_starts(programs, keys, now_s, place)
    starts = [0] * 5
    for program, start_s in zip(programs, found):
        for i in (0, schedule.zone_of(program)):
            if start_s and not 0 < starts[i] < start_s:
                starts[i] = start_s
    return tuple(starts)


def mark_changed(app, before, asked, from_s):
    """Programs that are not among `before` are new: starts that lie before `from_s` are not made up for."""
    moments = [program[: schedule.RUN_TIME_S] for program in before]
    place = place_of(app.settings)
    for program in app.settings.programs:
        if program[: schedule.RUN_TIME_S] not in moments:
            number = schedule.program_id(program)
            app.memory.keys[number - 1] = schedule.key_when_changed(program, from_s, place)
            asked.pop(number, 0)
