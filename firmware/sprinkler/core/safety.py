"""Safety: the only place that grants "open", and the only one that says "closed".

Rules
- Open is granted with a deadline, never beyond CAP_MS, and never without the battery to close again.
- The open time of a run is summed over all boots; no request, repeat or setting adds to a run that is under way.
- Closed is believed only on evidence; without it the pulses go on for ever, further apart, and the zone is locked out.
- Every opening counts, whoever asked, a resumption too: a day has so many of a zone, and so much metered water. Stopping is never limited.
- A day is bought. Time that passes for the board (awake by its ticks, asleep by what it slept) is saved up, 32 hours at most; a new day costs 24 of
  them, and begins when a run is to be granted. So no clock gives one, and a clock that jumps either way neither gives nor takes. After a new day N more
  take at least 24 N - 8 hours of lived time. The eight hours let the same program find a new day each day, though its moment wanders.
It must not know the time of day, programs, or what carries its actions out.
"""

from .state import (
    BATTERY_LOW,
    BOARD,
    CAUSE,
    CHECKING,
    CLOSED,
    CLOSING,
    DAY_ML,
    DRY_MS,
    EVIDENCE,
    FAULT,
    FAULT_WORDS,
    GRANTED_MS,
    LEAK,
    LIVED_MS,
    LOCKOUT,
    NO_FLOW,
    OPEN,
    OPEN_MS,
    OPENINGS,
    OVERRUN,
    PHASE,
    PROGRAM,
    QUEUE_AGE_MS,
    QUEUED_MS,
    QUEUED_PROGRAM,
    RESUMED,
    SEEN_ML,
    TRIES,
    WAIT_MS,
    ZONE,
    base,
    zones,
)

CAP_MS = 7200000  # two hours: compiled in, so no message or setting can raise it

# Fields of `limits`, one tuple; the model checker passes small ones
CAP = 0  # longest open time of a run, ms (never above CAP_MS)
MIN = 1  # shortest, ms
OPEN_MV = 2  # battery needed to open: it must still hold the closing pulses
CLOSE_MV = 3  # battery at which an open valve is closed
SETTLE_MS = 4  # water runs out after a closing pulse
CHECK_MS = 5  # then the meter must stand still for this long
RETRY_MAX_MS = 6  # longest pause between closing pulses
STUCK_TRIES = 7  # closing pulses after which a flow is a fault
NO_FLOW_MS = 8  # open without flow for this long is a fault
STILL_ML = 9  # flow that still counts as none during a check (one pulse of the meter may be a jolt)
ALARM_ML = 10  # water seen while all is closed that makes the board close again
HAS_FLOW = 11  # 1: there is a flow meter
ASSUMED_TRIES = 12  # closing pulses without a meter
RESUME_MIN_MS = 13  # a run is resumed only if at least this much is surely left
CHECKPOINT_MS = 14  # what a reset may have lost of the open time: checkpoint interval + watchdog time
DAY_MS = 15  # what a day's allowance costs of the time lived
DAY_OPENINGS = 15  # + zone: openings of a zone in a day
DAY_ML_MAX = 19  # + zone: water of a zone in a day, ml; 0: no limit

OPENINGS_MAX = 120  # the longest run in the shortest cycles, or one every twelve minutes: no sane program comes near
LIMITS = (CAP_MS, 5000, 3550, 3350, 3000, 3000, 60000, 3, 30000, 5, 250, 1, 3, 60000, 20000, 86400000) + (
    (OPENINGS_MAX,) * 4 + (0,) * 4
)

DOUBT_MS = 5000  # open without flow for this long: a meter that stands still now proves nothing
STUCK_SLEEP_TRIES = (
    5  # after so many closing pulses in vain a board on battery sleeps between them: each wake gives more
)
QUEUE_MAX_MS = 21600000  # a run that waited six hours for another zone is not wanted any more
UNREACHED = "unreached"  # evidence of a closing whose pulse did not get out

# Fields of `readings`
BATTERY_MV = 0  # 0: unknown or implausible
FLOW_ML = 1  # since the last step


def stuck_open(s: list, zone: int) -> bool:
    """True while water runs though `zone` was closed again and again."""
    z = base(zone)
    return s[z + PHASE] in (CLOSING, CHECKING) and s[z + FAULT] & LOCKOUT > 0


def refusal(
    s: list, zone: int, run_ms: int, readings: tuple, limits: tuple[int, ...], waives_lockout: bool = False
) -> str:
    """Why `zone` may not be opened for `run_ms` now: a reason word, or "" when it may be. A new day begins here."""
    if run_ms > min(limits[CAP], CAP_MS):
        return "over_cap"
    if run_ms < limits[MIN]:
        return "under_min"
    if s[base(zone) + FAULT] & LOCKOUT and not waives_lockout:
        return "lockout"
    if s[BATTERY_LOW] or readings[BATTERY_MV] < limits[OPEN_MV]:
        return "low_battery"
    if s[LIVED_MS] >= limits[DAY_MS]:
        s[LIVED_MS] -= limits[DAY_MS]
        for z in range(BOARD, len(s), ZONE):
            s[z + OPENINGS] = s[z + DAY_ML] = 0
    z = base(zone)
    if s[z + OPENINGS] >= limits[DAY_OPENINGS + zone] or 0 < limits[DAY_ML_MAX + zone] <= s[z + DAY_ML]:
        return "day_limit"
    return ""


def open_zone(s: list, zone: int, run_ms: int, program: int, limits: tuple[int, ...], out: list) -> None:
    """Grant `run_ms` of water to a closed `zone`. Journal first, pulse second: a reset in between only costs a closing pulse."""
    z = base(zone)
    s[z + PHASE] = OPEN
    s[z + PROGRAM] = program
    s[z + GRANTED_MS] = min(run_ms, limits[CAP], CAP_MS)
    s[z + OPEN_MS] = s[z + DRY_MS] = s[z + RESUMED] = 0
    s[z + OPENINGS] += 1
    s[z + EVIDENCE] = "unknown"
    out.append(("journal_open", zone))
    out.append(("pulse_open", zone))
    out.append(("started", zone))


def resume_zone(s: list, zone: int, out: list) -> None:
    """Open again, once, for what is left of a program's run that a watchdog reset cut off: the grant and the time used stay."""
    z = base(zone)
    s[z + PHASE] = OPEN
    s[z + RESUMED] = 1
    s[z + OPENINGS] += 1
    s[z + DRY_MS] = 0
    s[z + EVIDENCE] = "unknown"
    out.append(("journal_open", zone))
    out.append(("pulse_open", zone))
    out.append(("resumed", zone))


def close_zone(s: list, zone: int, cause: str, limits: tuple[int, ...], out: list) -> None:
    """Give the closing pulse and start gathering evidence. `cause` is kept for the report of the run."""
    z = base(zone)
    s[z + PHASE] = CLOSING
    s[z + CAUSE] = cause
    s[z + EVIDENCE] = "unknown"
    s[z + TRIES] = 1
    s[z + WAIT_MS] = limits[SETTLE_MS]
    out.append(("pulse_close", zone))


def watch_battery(s: list, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Keep the low-battery fault, with hysteresis. An unknown voltage is a low one."""
    mv = readings[BATTERY_MV]
    if mv < limits[CLOSE_MV]:
        if not s[BATTERY_LOW]:
            s[BATTERY_LOW] = 1
            out.append(("fault", 0, "low_battery"))
    elif s[BATTERY_LOW] and mv >= limits[OPEN_MV]:
        s[BATTERY_LOW] = 0
        out.append(("fault_cleared", 0, "low_battery"))


def watch_open(s: list, zone: int, elapsed_ms: int, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Account for `elapsed_ms` of open time; close when the run is over or when it must not go on."""
    z = base(zone)
    s[z + OPEN_MS] += elapsed_ms
    if readings[FLOW_ML]:
        s[z + DAY_ML] += readings[FLOW_ML]
        s[z + DRY_MS] = 0
        clear_fault(s, zone, NO_FLOW, out)
    else:
        s[z + DRY_MS] += elapsed_ms
    if s[z + OPEN_MS] >= s[z + GRANTED_MS]:
        if s[z + OPEN_MS] >= s[z + GRANTED_MS] + limits[CHECKPOINT_MS]:
            set_fault(s, zone, OVERRUN, out)  # the loop hung: the time is over, but the lawn got more
        close_zone(s, zone, "completed", limits, out)
    elif s[BATTERY_LOW]:
        close_zone(s, zone, "low_battery", limits, out)
    elif 0 < limits[DAY_ML_MAX + zone] <= s[z + DAY_ML]:
        close_zone(s, zone, "day_limit", limits, out)
    elif limits[HAS_FLOW] and s[z + DRY_MS] >= limits[NO_FLOW_MS]:
        set_fault(s, zone, NO_FLOW, out)
        close_zone(s, zone, "no_flow", limits, out)


def trusts_meter(s: list, zone: int, limits: tuple[int, ...]) -> bool:
    """True if a still meter proves `zone` closed: there is one, and it has turned when it should have."""
    z = base(zone)
    return bool(limits[HAS_FLOW]) and not s[z + FAULT] & NO_FLOW and s[z + DRY_MS] < DOUBT_MS


def watch_closing(s: list, zone: int, elapsed_ms: int, readings: tuple, limits: tuple[int, ...], out: list) -> None:
    """Go on with a closing: wait, watch the meter, then believe it or pulse again."""
    z = base(zone)
    metered = trusts_meter(s, zone, limits)
    if s[z + PHASE] == CHECKING:
        s[z + SEEN_ML] += readings[FLOW_ML]
    s[z + WAIT_MS] -= elapsed_ms
    if s[z + WAIT_MS] > 0:
        return
    if s[z + EVIDENCE] == UNREACHED:
        _pulse_again(s, zone, limits, out)
    elif s[z + PHASE] == CLOSING and limits[HAS_FLOW]:
        s[z + PHASE] = CHECKING
        s[z + WAIT_MS] = limits[CHECK_MS]
        s[z + SEEN_ML] = 0
    elif metered and s[z + SEEN_ML] <= limits[STILL_ML]:
        _closed(s, zone, "verified", out)
    elif not metered and s[z + SEEN_ML] <= limits[STILL_ML] and s[z + TRIES] >= limits[ASSUMED_TRIES]:
        _closed(s, zone, "sensed" if s[z + EVIDENCE] == "sensed" else "assumed", out)
    else:
        _pulse_again(s, zone, limits, out)


def action_failed(s: list, zone: int, reason: str, limits: tuple[int, ...], out: list) -> None:
    """A journal entry or a pulse could not be made: what may be open is closed, for that `reason`; a closing pulse that did not get out counts for
    nothing."""
    z = base(zone)
    if s[z + PHASE] in (OPEN, CLOSED):
        close_zone(s, zone, reason, limits, out)
    else:
        s[z + EVIDENCE] = UNREACHED
        s[z + WAIT_MS] = min(limits[SETTLE_MS] * s[z + TRIES], limits[RETRY_MAX_MS])


def pulse_sensed(s: list, zone: int) -> None:
    """The last closing pulse had its current."""
    z = base(zone)
    if s[z + PHASE] == CLOSING:
        s[z + EVIDENCE] = "sensed"


def _pulse_again(s: list, zone: int, limits: tuple[int, ...], out: list) -> None:
    z = base(zone)
    s[z + PHASE] = CLOSING
    s[z + EVIDENCE] = "unknown"  # the last pulse is the one that counts
    s[z + WAIT_MS] = min(limits[SETTLE_MS] * s[z + TRIES], limits[RETRY_MAX_MS])
    s[z + TRIES] = min(s[z + TRIES] + 1, 60)  # bounded, so that the state space is
    if s[z + SEEN_ML] > limits[STILL_ML] and s[z + TRIES] > limits[STUCK_TRIES]:
        s[z + FAULT] |= LOCKOUT
        set_fault(s, zone, LEAK, out)
        for other in range(1, zones(s) + 1):  # the water may be another valve's: one meter serves all
            if s[base(other) + PHASE] == CLOSED:
                s[base(other) + EVIDENCE] = "assumed"
                out.append(("pulse_close", other))
    out.append(("pulse_close", zone))


def _closed(s: list, zone: int, evidence: str, out: list) -> None:
    """The zone is closed: say so in the journal, end its run."""
    z = base(zone)
    s[z + PHASE] = CLOSED
    s[z + EVIDENCE] = evidence
    s[z + TRIES] = s[z + WAIT_MS] = s[z + SEEN_ML] = 0
    if not s[z + FAULT] & LOCKOUT:
        clear_fault(s, zone, LEAK, out)
    out.append(("journal_closed", zone))


def end_run(s: list, zone: int) -> None:
    """Forget the run of `zone`, once it was reported."""
    z = base(zone)
    s[z + CAUSE] = ""
    s[z + PROGRAM] = s[z + GRANTED_MS] = s[z + OPEN_MS] = s[z + DRY_MS] = s[z + RESUMED] = 0


def cancel_queue(s: list, zone: int) -> None:
    """Forget the queued run of `zone`."""
    z = base(zone)
    s[z + QUEUED_MS] = s[z + QUEUED_PROGRAM] = s[z + QUEUE_AGE_MS] = 0


def may_resume(s: list, zone: int, limits: tuple[int, ...]) -> bool:
    """True if the run that a watchdog reset ended has enough left, for sure, and was not resumed before."""
    z = base(zone)
    left = s[z + GRANTED_MS] - s[z + OPEN_MS]
    return s[z + CAUSE] == "watchdog" and s[z + PROGRAM] > 0 and not s[z + RESUMED] and left >= limits[RESUME_MIN_MS]


def set_fault(s: list, zone: int, bit: int, out: list) -> None:
    """Set a fault bit of `zone`; report it if it is new."""
    z = base(zone)
    if not s[z + FAULT] & bit:
        s[z + FAULT] |= bit
        out.append(("fault", zone, _word(bit)))


def clear_fault(s: list, zone: int, bit: int, out: list) -> None:
    """Clear a fault bit of `zone`; report it if it was set."""
    z = base(zone)
    if s[z + FAULT] & bit:
        s[z + FAULT] &= ~bit
        out.append(("fault_cleared", zone, _word(bit)))


def _word(bit: int) -> str:
    for known, word in FAULT_WORDS:
        if known == bit:
            return word
    return ""
