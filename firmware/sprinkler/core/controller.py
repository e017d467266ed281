"""Controller: one step of the board's mind. Requests in, actions out; safety decides what may open.

`step(state, elapsed_ms, readings, requests, limits) -> (state, actions, due_ms)`
Pure: no clock, no I/O, no float, nothing remembered outside the state. It must not know how actions are carried out, what time it is, or who
asked. `elapsed_ms` (since the step before) stands in for a clock, so the states stay finite and no clock can jump.

Requests: ("run", zone, run_ms, program), ("check", zone), ("stop", zone or 0), ("bare_stop",), ("clear_fault", zone or 0), ("failed", zone, reason),
("sensed", zone), ("cut", zone, reason), ("leak",): water runs that no valve should let through.
Actions, in the order they must be carried out: ("journal_open" | "pulse_open" | "pulse_close" | "journal_closed", zone),
("started" | "resumed", zone), ("finished", zone, program, cause, open_ms), ("skipped", zone, program, reason), ("fault" | "fault_cleared", zone or 0, word),
("accepted" | "queued", request index), ("refused", request index, reason).
"""

from . import safety
from .safety import ALARM_ML, FLOW_ML, HAS_FLOW, SETTLE_MS
from .state import (
    BOARD,
    CAUSE,
    CLOSED,
    CLOSING,
    EVIDENCE,
    FAULT,
    FAULT_WORDS,
    GRANTED_MS,
    LEAK_ML,
    LIVED_MS,
    LOCKOUT,
    OPEN,
    OPEN_MS,
    PHASE,
    PROGRAM,
    QUEUE_AGE_MS,
    QUEUED_MS,
    QUEUED_PROGRAM,
    RESUMED,
    SINCE_MS,
    STOP_WAIT_MS,
    TRIES,
    WAIT_MS,
    ZONE,
    base,
    closed_zone,
    zones,
)

IDLE_MS = 60000
OPEN_STEP_MS = 1000  # how finely an open valve is watched
STOP_GAP_MS = 60000
FORGET_LEAK_MS = 60000


def asleep(zone_count: int, faults: list[int], limits: tuple[int, ...]) -> tuple:
    """The state after a sleep on purpose: every zone was closed before. `faults`: the latched bits of each zone."""
    s = (0,) * BOARD
    for zone in range(zone_count):
        metered = limits[HAS_FLOW] and not faults[zone] & safety.NO_FLOW
        s += closed_zone("verified" if metered else "assumed", faults[zone])
    return s


def booted(zone_count: int, faults: list[int], journal: tuple | None, cause: str, limits: tuple[int, ...]) -> tuple:
    """The state after any other boot. Every zone just got a closing pulse, and none is believed closed yet.

    `journal`: the open run it holds, (zone, program, granted_ms, open_ms, resumed), or None. `cause`: the wake reason.
    """
    s = list(asleep(zone_count, faults, limits))
    for zone in range(1, zone_count + 1):
        z = base(zone)
        s[z + PHASE] = CLOSING
        s[z + EVIDENCE] = "unknown"
        s[z + TRIES] = 1
        s[z + WAIT_MS] = limits[SETTLE_MS]
    if journal and 1 <= journal[0] <= zone_count:
        z = base(journal[0])
        s[z + CAUSE] = "watchdog" if cause == "watchdog" else "reset"
        s[z + PROGRAM] = journal[1]
        s[z + GRANTED_MS] = journal[2]
        s[z + OPEN_MS] = min(journal[3] + limits[safety.CHECKPOINT_MS], journal[2])
        s[z + RESUMED] = journal[4]
    return tuple(s)


def step(state: tuple, elapsed_ms: int, readings: tuple, requests: list, limits: tuple[int, ...]) -> tuple:
    """Account for `elapsed_ms`, hear the requests, decide. Returns (state, actions, ms until the next step is due)."""
    s = list(state)
    out: list[tuple] = []
    safety.watch_battery(s, readings, limits, out)
    s[STOP_WAIT_MS] = max(0, s[STOP_WAIT_MS] - elapsed_ms)
    s[LIVED_MS] = min(s[LIVED_MS] + elapsed_ms, limits[safety.DAY_MS] * 4 // 3)
    closed = []
    for zone in range(1, zones(s) + 1):
        phase = s[base(zone) + PHASE]
        if phase == OPEN:
            safety.watch_open(s, zone, elapsed_ms, readings, limits, out)
        elif phase != CLOSED:
            safety.watch_closing(s, zone, elapsed_ms, readings, limits, out)
            if s[base(zone) + PHASE] == CLOSED:
                closed.append(zone)
    for zone in closed:
        _after_close(s, zone, readings, limits, out)
    _age_queue(s, elapsed_ms, out)
    _watch_leak(s, elapsed_ms, readings, limits, out)
    for index, request in enumerate(requests):
        _hear(s, index, request, readings, limits, out)
    _start_next(s, readings, limits, out)
    _answer(s, requests, out)
    return tuple(s), out, _due_ms(s)


def _hear(s: list, index: int, request: tuple, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    kind = request[0]
    if kind == "run":
        _hear_run(s, index, request, readings, limits, out)
    elif kind == "check":
        _hear_check(s, index, request[1], readings, limits, out)
    elif kind == "cut":
        if s[base(request[1]) + PHASE] == OPEN:
            safety.close_zone(s, request[1], request[2], limits, out)
    elif kind == "failed":
        safety.action_failed(s, request[1], request[2], limits, out)
    elif kind == "sensed":
        safety.pulse_sensed(s, request[1])
    elif kind == "bare_stop":
        _stop(s, 0, limits, out, False)
    elif kind == "stop":
        _stop(s, request[1], limits, out, True)
    elif kind == "clear_fault":
        _clear(s, request[1], out)
    elif kind == "leak" and not _busy(s):
        _close_all(s, limits, out)


def _hear_check(s: list, index: int, zone: int, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Open for the shortest time, to see what the valve does: like any run by hand, and only if nothing else is on. A valve that runs though it should
    be closed may be tried too, lockout or not: the opening pulse closes it if its wires are swapped, and lets run what runs anyway if they are not."""
    z = base(zone)
    stuck = safety.stuck_open(s, zone)
    reason = safety.refusal(s, zone, limits[safety.MIN], readings, limits, stuck)
    for other in range(1, zones(s) + 1):
        o = base(other)
        if s[o + QUEUED_MS] or (s[o + PHASE] != CLOSED and not (stuck and safety.stuck_open(s, other))):
            reason = reason or "busy"
        if other != zone and s[o + GRANTED_MS]:
            reason = reason or "busy"
    if reason:
        out.append(("refused", index, reason))
    elif stuck:
        if s[z + GRANTED_MS]:
            out.append(("finished", zone, s[z + PROGRAM], s[z + CAUSE], s[z + OPEN_MS]))
            safety.end_run(s, zone)
        safety.open_zone(s, zone, limits[safety.MIN], 0, limits, out)
    else:
        s[z + QUEUED_MS] = limits[safety.MIN]
        s[z + QUEUED_PROGRAM] = s[z + QUEUE_AGE_MS] = 0


def _hear_run(s: list, index: int, request: tuple, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    _, zone, run_ms, program = request
    z = base(zone)
    reason = safety.refusal(s, zone, run_ms, readings, limits)
    if not reason and not program and s[z + PHASE] == OPEN:
        reason = "busy"  # a repeat never extends a run
    if reason:
        out.append(("refused", index, reason))
        if program:
            out.append(("skipped", zone, program, reason))
        return
    if s[z + QUEUED_PROGRAM]:
        out.append(("skipped", zone, s[z + QUEUED_PROGRAM], "busy"))
    s[z + QUEUED_MS] = run_ms
    s[z + QUEUED_PROGRAM] = program
    s[z + QUEUE_AGE_MS] = 0


def _answer(s: list, requests: list, out: list) -> None:
    """Say of each request that was not refused what became of it: a run started, waits, or was cancelled by a stop that came with it."""
    refused = [action[1] for action in out if action[0] == "refused"]
    for index, request in enumerate(requests):
        if index in refused:
            continue
        if request[0] != "run" or ("started", request[1]) in out:
            out.append(("accepted", index))
        elif s[base(request[1]) + QUEUED_MS]:
            out.append(("queued", index))
        else:
            out.append(("refused", index, "requested"))


def _stop(s: list, only: int, limits: tuple[int, ...], out: list, signed: bool) -> None:
    """Close what is open. A signed stop also cancels the queue; a bare one does nothing else, and fires no pulse without need."""
    for zone in range(1, zones(s) + 1):
        z = base(zone)
        if only and zone != only:
            continue
        if signed and s[z + QUEUED_MS]:
            out.append(("skipped", zone, s[z + QUEUED_PROGRAM], "requested"))
            safety.cancel_queue(s, zone)
        if (
            s[z + PHASE] == OPEN or s[z + CAUSE] == "watchdog"
        ):  # the latter was to be resumed: its pulse marks the run as ended
            safety.close_zone(s, zone, "requested", limits, out)
        elif s[z + PHASE] == CLOSED and s[z + EVIDENCE] != "verified" and not s[STOP_WAIT_MS]:
            safety.close_zone(s, zone, "", limits, out)
    if not s[STOP_WAIT_MS]:
        s[STOP_WAIT_MS] = STOP_GAP_MS


def _clear(s: list, only: int, out: list) -> None:
    """Clear the latched faults of a zone (0: all) as a person asked. A valve that still runs keeps being closed, and faults again."""
    for zone in range(1, zones(s) + 1):
        if only and zone != only:
            continue
        s[base(zone) + FAULT] &= ~LOCKOUT
        for bit, _ in FAULT_WORDS:
            safety.clear_fault(s, zone, bit, out)


def _after_close(s: list, zone: int, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Report the run that ended, or resume it."""
    z = base(zone)
    if not s[z + GRANTED_MS]:
        s[z + CAUSE] = ""
        return
    resumes = safety.may_resume(s, zone, limits) and not safety.refusal(s, zone, limits[safety.MIN], readings, limits)
    if resumes and not _busy(s):
        safety.resume_zone(s, zone, out)
        return
    out.append(("finished", zone, s[z + PROGRAM], s[z + CAUSE], s[z + OPEN_MS]))
    safety.end_run(s, zone)


def _watch_leak(s: list, elapsed_ms: int, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Water while every valve should be closed: close everything again when it is a stream, else forget it after a while. What drips is found by whoever
    watches for longer, and says ("leak",)."""
    if not limits[HAS_FLOW] or _busy(s):
        s[LEAK_ML] = s[SINCE_MS] = 0
        return
    if s[LEAK_ML]:
        s[SINCE_MS] += elapsed_ms
    s[LEAK_ML] += readings[FLOW_ML]
    if s[LEAK_ML] >= limits[ALARM_ML]:
        s[LEAK_ML] = s[SINCE_MS] = 0
        for zone in range(1, zones(s) + 1):
            safety.set_fault(s, zone, safety.LEAK, out)
        _close_all(s, limits, out)
    elif s[SINCE_MS] >= FORGET_LEAK_MS:
        s[LEAK_ML] = s[SINCE_MS] = 0


def _close_all(s: list, limits: tuple[int, ...], out: list) -> None:
    """Give every valve its closing pulse once more. Call it only while all are closed: no run has its end here."""
    for zone in range(1, zones(s) + 1):
        safety.close_zone(s, zone, "", limits, out)


def _age_queue(s: list, elapsed_ms: int, out: list) -> None:
    """A run that has waited too long (a valve before it does not close) is given up."""
    for zone in range(1, zones(s) + 1):
        z = base(zone)
        if s[z + QUEUED_MS]:
            s[z + QUEUE_AGE_MS] += elapsed_ms
            if s[z + QUEUE_AGE_MS] >= safety.QUEUE_MAX_MS:
                out.append(("skipped", zone, s[z + QUEUED_PROGRAM], "expired"))
                safety.cancel_queue(s, zone)


def _start_next(s: list, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Open the lowest zone that waits, once no other valve is open or closing: one valve at a time."""
    if _busy(s):
        return
    for zone in range(1, zones(s) + 1):
        z = base(zone)
        if s[z + QUEUED_MS]:
            run_ms, program = s[z + QUEUED_MS], s[z + QUEUED_PROGRAM]
            safety.cancel_queue(s, zone)
            reason = safety.refusal(s, zone, run_ms, readings, limits)
            if not reason:
                safety.open_zone(s, zone, run_ms, program, limits, out)
                return
            out.append(("skipped", zone, program, reason))


def _busy(s: tuple | list) -> bool:
    for z in range(BOARD, len(s), ZONE):
        if s[z + PHASE] != CLOSED:
            return True
    return False


def _due_ms(s: list) -> int:
    due = IDLE_MS
    for z in range(BOARD, len(s), ZONE):
        if s[z + PHASE] == OPEN:
            due = min(due, OPEN_STEP_MS, max(1, s[z + GRANTED_MS] - s[z + OPEN_MS]))
        elif s[z + PHASE] != CLOSED:
            due = min(due, OPEN_STEP_MS, max(1, s[z + WAIT_MS]))
    return due


def stuck(state: tuple) -> bool:
    """True when nothing is left to do but to go on closing what does not close: the board may sleep between its tries."""
    found = False
    for z in range(BOARD, len(state), ZONE):
        if state[z + PHASE] == OPEN or (state[z + PHASE] != CLOSED and state[z + TRIES] <= safety.STUCK_SLEEP_TRIES):
            return False
        found = found or state[z + PHASE] != CLOSED
    return found


def idle(state: tuple) -> bool:
    """True when every valve is closed and nothing waits: the board may sleep."""
    for z in range(BOARD, len(state), ZONE):
        if state[z + PHASE] != CLOSED or state[z + QUEUED_MS]:
            return False
    return True
