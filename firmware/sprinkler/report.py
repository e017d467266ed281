"""Report: builds each message of the board, and nothing else builds one (docs/protocol.md says what they hold).

Rule: what the board knows in, JSON out; the long messages piece by piece, because no board has room for all of one. It must not know sockets or when
to publish.
"""

import json
import struct

from . import protocol
from .core import power, state
from .store import EVENT_FORM, NO_DAYS, NO_DC, NONE_I16, NONE_U8, NONE_U16, SAMPLE_FORM, WET

if False:  # for annotations
    from shapes import Inside, Iterable, Iterator, Record

    from .app import App

FIRMWARE = "0.1.0"
SAMPLES_PER_MESSAGE = 3
LOST = b'{"state": "lost"}'
ONLINE = b'{"state": "online"}'


def asleep(until: int) -> bytes:
    """Availability of a board that sleeps until `until` (Unix seconds, 0: unknown)."""
    return _object(members({"state": "asleep", "until": until}))


def members(value: dict[str, object], before: str = "", after: str = "") -> "Inside":
    """The inside of an object: (its text with a %s for each value, the values), between two texts. Where `value` is written out, a board has that text in
    ROM, for each key by itself costs heap."""
    return before + ",".join(['"%s":%%s' % key for key in value]) + after, value.values()


def filled(inside: "Inside") -> bytes:
    """What `members` gave, as JSON."""
    return (inside[0] % tuple(map(json.dumps, inside[1]))).encode()


def _object(inside: "Inside") -> bytes:
    return b"{" + filled(inside) + b"}"


def taken(pieces: "Iterable[bytes | Inside]") -> "tuple[bytes | Inside, ...]":
    """A long message as it is now, for `told`: its constant texts, which lie in ROM, each with the values that go into it. `pieces` are bytes, or what
    `members` gave."""
    return tuple([piece if isinstance(piece, bytes) else (piece[0], tuple(piece[1])) for piece in pieces])


def told(pieces: "Iterable[bytes | Inside]") -> "Iterator[bytes]":
    """The message that was `taken`, piece by piece, each time the same."""
    for piece in pieces:
        yield piece if isinstance(piece, bytes) else filled(piece)


def board_state(app: "App", now_s: int) -> "Iterator[bytes | Inside]":
    """What is true at `now_s`, in pieces for `taken`."""
    m, s, clock = app.memory, app.settings, app.clock
    yield members(
        {
            "at": clock.unix(now_s),
            "boot_id": m.boot_id,
            "clock": clock.word(),
            "power_mode": protocol.POWER_MODES[m.power_mode],
            "battery_days": _known(m.battery_days, NO_DAYS),
            "awake_until": app.awake_until(),
        },
        "{",
        ",",
    )
    yield members(
        {
            "wake_reason": app.wake_reason,
            "wake_at": app.rest.wake_at,
            "watering_enabled": s.watering_enabled,
            "winter": s.winter,
            "rain_delay_until": s.rain_delay_until,
            "seasonal_adjust_pct": s.seasonal_adjust_pct,
        },
        "",
        ",",
    )
    yield members(
        {
            "desired_version": s.version,
            "command_counter": m.counter,
            "event": m.event_count,
            "sample": m.sample_count,
            "faults": app.board_faults(),
            "safe_mode": app.safe_mode,
            "weather_date": app.planner.water(0),
        },
        "",
        ',"zones":[',
    )
    for zone in range(1, app.board.zones() + 1):
        if zone > 1:
            yield b","
        for piece in _zone_state(app, zone, now_s):
            yield piece
    yield b"]}"


def _zone_state(app: "App", zone: int, now_s: int) -> "Iterator[bytes | Inside]":
    s = app.state
    z = state.base(zone)
    run = app.runs.get(zone)
    phase = s[z + state.PHASE]
    metered = app.senses.has_flow()
    closing = s[z + state.CAUSE] == "" and not s[z + state.GRANTED_MS]  # not known to have been open: after a boot
    yield members(
        {
            "zone": zone,
            "valve": phase if phase in (state.CLOSED, state.OPEN) else ("unknown" if closing else "closing"),
            "evidence": s[z + state.EVIDENCE] if phase == state.CLOSED else "unknown",
            "run_id": run.run_id if run else 0,
            "program": s[z + state.PROGRAM],
            "run_time_s": s[z + state.GRANTED_MS] // 1000,
            "run_until": app.run_until(zone, now_s),
        },
        "{",
        ",",
    )
    yield members(
        {
            "queued_s": s[z + state.QUEUED_MS] // 1000,
            "flow_rate_ml_min": (app.senses.flow_rate_ml_min if phase != state.CLOSED else 0) if metered else None,
            "volume_ml": app.memory.kept_ml[zone - 1] if metered else None,
            "next_run_at": app.clock.unix(app.planner.next_start_s(zone)),
            "depletion_um": app.planner.water(zone),
            "faults": [word for bit, word in state.FAULT_WORDS if s[z + state.FAULT] & bit],
        },
        "",
        ',"check":',
    )
    yield _check(app, metered) if app.memory.check[1] == zone else b'null,"last_run":'
    yield _last_run(app, app.memory.last_runs[zone - 1])
    yield _last_skip(app, app.memory.last_skips[zone - 1])


def _last_run(app: "App", run: tuple[int, ...] | None) -> "bytes | Inside":
    if not run:
        return b'null,"last_skip":'
    return members(
        {
            "run_id": run[0],
            "at": app.clock.unix(run[1]),
            "program": run[2],
            "result": protocol.RESULTS[run[3]],
            "reason": protocol.REASONS[run[4]],
            "duration_s": run[5],
            "volume_ml": run[6] if app.senses.has_flow() else None,
        },
        "{",
        '},"last_skip":',
    )


def _last_skip(app: "App", skip: tuple[int, int, int]) -> "bytes | Inside":
    if not skip[2]:
        return b"null}"
    return members({"at": app.clock.unix(skip[0]), "program": skip[1], "reason": protocol.REASONS[skip[2]]}, "{", "}}")


def _check(app: "App", metered: bool) -> "Inside":
    at, _, verdict, volume_ml = app.memory.check
    return members(
        {
            "at": app.clock.unix(at),
            "verdict": protocol.CHECKS[verdict],
            "volume_ml": volume_ml if metered else None,
        },
        "{",
        '},"last_run":',
    )


def event(app: "App", boot_id: int, oldest: int, record: "Record") -> bytes:
    """One event of a boot: (number before or 0, number, packed EVENT_FORM). `oldest`: the lowest number of that boot that is still held."""
    at, kind, zone, run_id, program, result, reason, duration_s, volume_ml = struct.unpack(EVENT_FORM, record[2])
    return _numbered(
        record,
        members(
            {
                "boot_id": boot_id,
                "oldest": oldest,
                "n": record[1],
                "at": app.clock.unix(at),
                "event": protocol.EVENTS[kind],
                "zone": zone,
                "run_id": run_id,
                "program": program,
                "result": protocol.RESULTS[result],
                "reason": protocol.REASONS[reason],
                "duration_s": duration_s,
                "volume_ml": volume_ml if app.senses.has_flow() else None,
            }
        ),
    )


def telemetry_head(app: "App", boot_id: int, oldest: int) -> bytes:
    """How a message of samples of a boot begins."""
    return b'{"boot_id":%d,"oldest":%d,"dropped":%d,"samples":[' % (boot_id, oldest, app.memory.dropped)


def telemetry(app: "App", head: bytes, records: "list[Record]") -> "Iterator[bytes]":
    """The pieces of a message of up to SAMPLES_PER_MESSAGE samples: (number before or 0, number, packed SAMPLE_FORM); each time the same."""
    for record in records:
        yield head
        yield _sample(app, record)
        head = b","
    yield b"]}"


def _numbered(record: "Record", inside: "Inside") -> bytes:
    """An object with `inside`; where numbers before this one were given up, with the last one that was not."""
    return (b'{"after":%d,' % record[0] if record[0] else b"{") + filled(inside) + b"}"


def _sample(app: "App", record: "Record") -> bytes:
    fields = struct.unpack(SAMPLE_FORM, record[2])
    battery_mv = _known(fields[3], NONE_U16)
    return _numbered(
        record,
        members(
            {
                "n": record[1],
                "at": app.clock.unix(fields[0]),
                "solar_mv": _known(fields[1], NONE_U16),
                "solar_ma": _known(fields[2], NONE_I16),
                "battery_mv": battery_mv,
                "battery_ma": _known(fields[4], NONE_I16),
                "battery_pct": None if battery_mv is None else power.battery_pct(battery_mv),
                "soil_pct": [_known(pct, NONE_U8) for pct in fields[5 : 5 + app.board.zones()]],
                "flow_rate_ml_min": _known(fields[9], NONE_U16),
                "rssi_dbm": fields[10] or None,
                "temperature_dc": _known(fields[11] >> 2, NO_DC),
                "rain": None if not fields[11] & 3 else fields[11] & 3 == WET,
            }
        ),
    )


def _known(value: int, none: int) -> int | None:
    return None if value == none else value


def reply(
    command_id: str, accepted: bool, reason: str, zone: int, run_id: int, run_time_s: int, run_until: int, at: int
) -> bytes:
    """The answer to a command."""
    return _object(
        members(
            {
                "id": command_id,
                "accepted": accepted,
                "reason": reason,
                "zone": zone,
                "run_id": run_id,
                "run_time_s": run_time_s,
                "run_until": run_until,
                "at": at,
            }
        )
    )


def time_request(nonce: str) -> bytes:
    """The question for the time."""
    return _object(members({"nonce": nonce}))
