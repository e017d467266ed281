"""Planning: which programs start now, why one does not, and when the next ones will. The glue between settings, clock, sensors and the core's schedule.

Rule: a late module, loaded when the planner is behind, then dropped; it remembers nothing. It must not know valves.
"""

import struct

from .core import schedule, state
from .core.localtime import local_s
from .cycles import UNDECIDED, split
from .errors import StoreError
from .settings import PROGRAM_BYTES, PROGRAM_FORM

if False:  # for annotations
    from shapes import Any, Iterator, Start

    from .app import App
    from .settings import Settings

_WAITS = "-"


class Programs:
    """Programs that are packed (settings.py), each unpacked while it is looked at: all of them at once would take half a kilobyte."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed) // PROGRAM_BYTES

    def __getitem__(self, i: int) -> tuple[int, ...]:
        return struct.unpack(PROGRAM_FORM, self._packed[i * PROGRAM_BYTES : (i + 1) * PROGRAM_BYTES])

    def __iter__(self) -> "Iterator[tuple[int, ...]]":
        for i in range(len(self)):
            yield self[i]


def plan(app: "App", asked: dict[int, int], now_s: int) -> "tuple[list[Start], tuple[int, ...], int]":
    """What starts at `now_s`: a list of (zone, program id, new key, run time ms, reason why not or "", or UNDECIDED of a smart start), the next starts of
    all zones together and of each, and how far local time is ahead.

    `asked`: new keys by program id of starts that wait for their zone.
    """
    s = app.settings
    place = place_of(s)
    _mend_keys(app, now_s)
    programs: "Any" = Programs(s.programs)
    keys = [asked.get(schedule.program_id(program), _key(app, program)) & 0xFFFF for program in programs]
    found = []
    starts = _next_starts(app, now_s, place)
    for program, day, at_s, word in schedule.due(programs, keys, now_s, place):
        run_ms = min(program[schedule.RUN_TIME_S] * 10 * s.seasonal_adjust_pct, app.limits[0])
        key = _key(app, program) & schedule.SKIP_NEXT
        reason = word or _why_not(app, program, at_s, now_s, run_ms)
        if reason == "skipped":
            key = 0
        zone, number = schedule.zone_of(program), schedule.program_id(program)
        if reason == _WAITS or (not reason and app.planner.rest(zone)):  # or until the one before it has had its cycles
            continue
        if not reason and s.water and program[schedule.HEAD] & schedule.SMART:
            found.append((zone, number, day | key, run_ms, UNDECIDED))
            continue
        part_ms, half_s = split(s, zone, run_ms)
        found.append((zone, number, day | key | half_s << 16, part_ms, reason))
    for zone in range(1, app.board.zones() + 1):
        _after_soak(app, asked, now_s, zone, found, starts)
    found.sort(
        key=lambda start: start[0] << 20 | start[1] << 16 | start[2] & 0x7FFF
    )  # complete: MicroPython's sort is not stable
    return found, tuple(starts), local_s(s.rule, now_s) - now_s


def _after_soak(
    app: "App", asked: dict[int, int], now_s: int, zone: int, found: "list[Start]", starts: list[int]
) -> None:
    """The next cycle in `zone`, into `found`, or the end of its soak, into `starts`."""
    word = app.planner.rest(zone)
    number = word >> 12
    z = state.base(zone)
    if not word or number in asked or (app.state[z + state.GRANTED_MS] and app.state[z + state.PROGRAM] == number):
        return  # it has not begun to soak
    late_min = (now_s // 60 - app.memory.soaks[3 * zone - 1]) & 255
    if late_min > 127:
        for i in (0, zone):
            starts[i] = min(starts[i] or 0x3FFFFFFF, (now_s // 60 + 256 - late_min) * 60)
        return
    part_ms, half_s = split(app.settings, zone, (word & 4095) * 2000)
    reason = "missed" if late_min > schedule.GRACE_MIN else _forbidden(app, now_s) or _hindered(app, zone, part_ms)
    if word >> 12 | zone << 4 not in [
        program[schedule.HEAD] & schedule.ORDER for program in Programs(app.settings.programs)
    ]:
        reason = "disabled"
    found.append((zone, number, app.memory.keys[number - 1] | half_s << 16, part_ms, reason))


def skip_next(app: "App", wanted: tuple[str, int, int], now_s: int) -> None:
    """Carry out the command `skip`: (command id, zone, program or 0 for the one that starts next there)."""
    command_id, zone, number = wanted
    m, s = app.memory, app.settings
    earliest_s = max(now_s, s.rain_delay_until - app.clock.unix(1))
    programs: "Any" = Programs(s.programs)
    keys = [_key(app, program) & ~schedule.SKIP_NEXT for program in programs]
    starts = schedule.next_starts(programs, keys, earliest_s, place_of(s))
    found = [
        (start_s, schedule.program_id(program))
        for start_s, program in zip(starts, programs)
        if start_s and schedule.zone_of(program) == zone and number in (0, schedule.program_id(program))
    ]
    if not found:
        app.outbox.reply(command_id, False, "no_start", zone)
        return
    start_s, number = min(found)
    m.keys[number - 1] |= schedule.SKIP_NEXT
    try:
        m.save(app.board)
    except StoreError:
        app.storage_fault = True  # RTC memory knows it all the same
    app.outbox.reply(command_id, True, "", zone, at=app.clock.unix(start_s))
    app.outbox.state_due = True


def _why_not(app: "App", program: tuple[int, ...], at_s: int, now_s: int, run_ms: int) -> str:
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


def place_of(s: "Settings") -> tuple:
    """What the core's schedule must know of the settings."""
    return (s.rule, s.latitude_cdeg, s.longitude_cdeg, s.season_from, s.season_to)


def _key(app: "App", program: tuple[int, ...]) -> int:
    return app.memory.keys[schedule.program_id(program) - 1]


def _mend_keys(app: "App", now_s: int) -> None:
    """Of a key that was lost, what lies behind now is settled; one that a wrong clock left in the future costs this day only."""
    today = schedule.today(now_s, app.settings.rule)
    keys = app.memory.keys
    for program in Programs(app.settings.programs):
        if _key(app, program) & ~schedule.SKIP_NEXT == schedule.LOST_KEY:
            keys[schedule.program_id(program) - 1] = schedule.key_when_changed(program, now_s, place_of(app.settings))
    if max(keys) > today + 1:  # no key that is sane is, but for one with SKIP_NEXT
        for i, key in enumerate(keys):
            keys[i] = schedule.sane_key(key, today)


def _forbidden(app: "App", at_s: int) -> str:
    """Why no program may start at `at_s`, whatever it is: by the board itself, or by the settings."""
    if app.safe_mode:
        return "safe_mode"
    if app.settings.winter:
        return "winter"
    if not app.settings.watering_enabled:
        return "disabled"
    return "rain_delay" if app.settings.rain_delay_until > app.clock.unix(at_s) else ""


def _hindered(app: "App", zone: int, run_ms: int) -> str:
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


def _next_starts(app: "App", now_s: int, place: tuple) -> list[int]:
    """Of all zones together and of each; seconds since 2000, 0: none."""
    programs: "Any" = Programs(app.settings.programs)
    keys = [_key(app, program) for program in programs]
    found = schedule.next_starts(programs, keys, now_s, place)
    starts = [0] * 5
    for program, start_s in zip(programs, found):
        for i in (0, schedule.zone_of(program)):
            if start_s and not 0 < starts[i] < start_s:
                starts[i] = start_s
    return starts


def mark_changed(app: "App", before: bytes, asked: dict[int, int], from_s: int) -> None:
    """Programs that are not among `before` are new: starts that lie before `from_s` are not made up for, and one that has watered today does not again."""
    m = app.memory
    moments = [program[: schedule.RUN_TIME_S] for program in Programs(before)]
    place = place_of(app.settings)
    for program in Programs(app.settings.programs):
        if program[: schedule.RUN_TIME_S] not in moments:
            number = schedule.program_id(program)
            zone = schedule.zone_of(program)
            run = m.last_runs[zone - 1]
            ran_s = run[1] if run and run[2] == number else 0
            if (m.open_zone, m.program) == (zone, number):
                ran_s = app.clock.guess_s()
            key = schedule.key_when_changed(program, max(from_s, ran_s), place)
            m.keys[number - 1] = max(key, schedule.today(ran_s, place[schedule.RULE]))
            if number in asked:  # it waits for its zone: this day is settled once it begins, and not before
                today = schedule.today(app.clock.guess_s(), place[schedule.RULE])
                asked[number] = asked[number] & ~0x7FFF | max(key, today) & 0x7FFF
