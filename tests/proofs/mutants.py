"""Mutants: one mistake at a time, put into the shipped code while it is searched. Each must be caught; a search that cannot fail proves nothing.

Rule: a mutant changes functions of the loaded modules, never files, and takes the change back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import closer
from sim.port import SOFT_WDT_RESET
from sprinkler import beginning, recall, store
from sprinkler.core import controller, safety, state
from sprinkler.runs import Runs
from sprinkler.store import Memory

from .scale import GOOD_MV

type Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """A mistake, the view that catches it, and the promise that it breaks first."""

    name: str
    view: str
    promise: str
    patches: Callable[[], list[Patch]]


def _reordered(function: Callable[..., None], order: Callable[[list[Any]], list[Any]]) -> Callable[..., None]:
    """`function` with the actions that it appends in another order, or fewer."""

    def mutated(*arguments: Any) -> None:
        out: list[Any] = []
        function(*arguments[:-1], out)
        arguments[-1].extend(order(out))

    return mutated


def _no_boot_close() -> list[Patch]:
    return [(closer, "close_all", lambda machine, time, config: [])]


def _rest_before_the_pulse() -> list[Patch]:
    def close_first(machine: Any, time: Any, config: Any) -> list[int]:
        memory = machine.RTC().memory()
        if closer.read_record(memory)[1] >= closer.QUICK_BOOTS_MAX:
            machine.RTC().memory(closer.record(0, 0) + memory[closer.RECORD :])
            machine.deepsleep(closer.REST_MS)
        return shipped(machine, time, config)

    shipped = closer.close_first
    return [(closer, "close_first", close_first)]


def _held_boot_leaves_the_lines() -> list[Patch]:
    def close_first(machine: Any, time: Any, config: Any) -> list[int]:
        return [] if machine.reset_cause() == SOFT_WDT_RESET else shipped(machine, time, config)

    shipped = closer.close_first
    return [(closer, "close_first", close_first)]


def _held_closed_by_a_pulse() -> list[Patch]:
    def pulse(machine: Any, time: Any, config: Any, zone: int, opening: bool) -> None:
        shipped(machine, time, config if opening else SimpleNamespace(ZONES=config.ZONES), zone, opening)

    shipped = closer.pulse
    return [(closer, "pulse", pulse)]


def _held_no_longer_than_a_pulse() -> list[Patch]:
    def pulse(machine: Any, *rest: Any) -> None:
        shipped(machine, *rest)
        closer._lines(machine)

    shipped = closer.pulse
    return [(closer, "pulse", pulse)]


def _journal_after_pulse() -> list[Patch]:
    return [(safety, "open_zone", _reordered(safety.open_zone, lambda out: [out[1], out[0], *out[2:]]))]


def _no_journal() -> list[Patch]:
    def journal_open(self: Any, zone: int) -> None:
        self._save = lambda: None
        shipped(self, zone)
        del self._save

    shipped = Runs._journal_open
    return [(Runs, "_journal_open", journal_open)]


def _journal_cleared_before_pulse() -> list[Patch]:
    return [(safety, "close_zone", _reordered(safety.close_zone, lambda out: [("journal_closed", out[0][1]), *out]))]


def _refusal_without(reason: str) -> Callable[..., str]:
    shipped = safety.refusal

    def refusal(*arguments: Any) -> str:
        found = shipped(*arguments)
        return "" if found == reason else found

    return refusal


def _no_battery_guard() -> list[Patch]:
    return [(safety, "refusal", _refusal_without("low_battery"))]


def _unknown_battery_is_good() -> list[Patch]:
    shipped = controller.step

    def step(core: Any, elapsed_ms: int, readings: Any, requests: Any, limits: Any) -> Any:
        return shipped(core, elapsed_ms, (readings[0] or 4000, readings[1]), requests, limits)

    return [(controller, "step", step)]


def _no_low_battery_close() -> list[Patch]:
    shipped = safety.watch_battery

    def watch_battery(s: Any, readings: Any, limits: Any, out: Any) -> None:
        if not any(s[state.base(zone) + state.PHASE] == state.OPEN for zone in range(1, state.zones(s) + 1)):
            shipped(s, readings, limits, out)

    return [(safety, "watch_battery", watch_battery)]


def _gives_up() -> list[Patch]:
    def pulse_again(s: Any, zone: int, limits: Any, out: Any) -> None:
        before = s[state.base(zone) + state.TRIES]
        shipped(s, zone, limits, out)
        if before > limits[safety.STUCK_TRIES]:
            out.pop()

    shipped = safety._pulse_again
    return [(safety, "_pulse_again", pulse_again)]


def _no_lockout() -> list[Patch]:
    def pulse_again(s: Any, zone: int, limits: Any, out: Any) -> None:
        shipped(s, zone, limits, out)
        s[state.base(zone) + state.FAULT] &= ~state.LOCKOUT

    shipped = safety._pulse_again
    return [(safety, "_pulse_again", pulse_again)]


def _lockout_for_ever() -> list[Patch]:
    def clear(s: Any, only: int, out: Any) -> None:
        locked = [s[state.base(zone) + state.FAULT] & state.LOCKOUT for zone in range(1, state.zones(s) + 1)]
        shipped(s, only, out)
        for zone, bit in enumerate(locked, 1):
            s[state.base(zone) + state.FAULT] |= bit

    shipped = controller._clear
    return [(controller, "_clear", clear)]


def _repeat_extends() -> list[Patch]:
    def hear_run(s: Any, index: int, request: Any, readings: Any, limits: Any, out: Any) -> None:
        z = state.base(request[1])
        if s[z + state.PHASE] == state.OPEN:
            s[z + state.GRANTED_MS] = min(s[z + state.OPEN_MS] + request[2], limits[safety.CAP])
        shipped(s, index, request, readings, limits, out)

    shipped = controller._hear_run
    return [(controller, "_hear_run", hear_run)]


def _no_cap() -> list[Patch]:
    def open_zone(s: Any, zone: int, run_ms: int, *rest: Any) -> None:
        shipped(s, zone, run_ms, *rest)
        s[state.base(zone) + state.GRANTED_MS] = run_ms

    shipped = safety.open_zone
    return [(safety, "open_zone", open_zone), (safety, "refusal", _refusal_without("over_cap"))]


def _no_deadline() -> list[Patch]:
    def watch_open(s: Any, zone: int, elapsed_ms: int, *rest: Any) -> None:
        shipped(s, zone, 0, *rest)

    shipped = safety.watch_open
    return [(safety, "watch_open", watch_open)]


def _booted_with(field: int, value: Callable[[Any, tuple[int, ...]], Any]) -> list[Patch]:
    def booted(zones: int, faults: Any, journal: Any, cause: str, limits: Any) -> Any:
        s = list(shipped(zones, faults, journal, cause, limits))
        if journal:
            s[state.base(journal[0]) + field] = value(journal, limits)
        return tuple(s)

    shipped = controller.booted
    return [(controller, "booted", booted)]


def _no_checkpoint_loss() -> list[Patch]:
    return _booted_with(state.OPEN_MS, lambda journal, _: journal[3])


def _open_time_forgotten() -> list[Patch]:
    return _booted_with(state.OPEN_MS, lambda journal, _: 0)


def _resumes_again() -> list[Patch]:
    return _booted_with(state.RESUMED, lambda journal, _: 0)


def _no_checkpoints() -> list[Patch]:
    return [(Runs, "checkpoint", lambda self: None)]


def _resumes_by_flash_alone() -> list[Patch]:
    def load(self: Any, board: Any) -> bool:
        known = shipped(self, board)
        flash = store.read_file(board, store.JOURNAL)
        if flash and not recall.take_session(Memory(), store.unsealed(board.rtc_load())):
            recall.unpack_ledger(self, recall.ledger_part(store.unsealed(flash)))
        return known

    shipped = Memory.load
    return [(Memory, "load", load)]


def _flash_before_rtc_memory() -> list[Patch]:
    def save(self: Any, board: Any) -> None:
        self.save_rtc = lambda board: None
        try:
            shipped(self, board)
        finally:
            del self.save_rtc
        self.save_rtc(board)

    shipped = Memory.save
    return [(Memory, "save", save)]


def _evidence_ignored() -> list[Patch]:
    def watch_closing(s: Any, zone: int, elapsed_ms: int, readings: Any, limits: Any, out: Any) -> None:
        shipped(s, zone, elapsed_ms, (readings[0], 0), limits, out)

    shipped = safety.watch_closing
    return [(safety, "watch_closing", watch_closing)]


def _stop_leaves_the_queue() -> list[Patch]:
    def stop(s: Any, only: int, limits: Any, out: Any, signed: bool) -> None:
        shipped(s, only, limits, out, False)

    shipped = controller._stop
    return [(controller, "_stop", stop)]


def _two_at_a_time() -> list[Patch]:
    closing = (state.CLOSING, state.CHECKING)
    return [
        (
            controller,
            "_busy",
            lambda s: any(s[state.base(z) + state.PHASE] in closing for z in range(1, state.zones(s) + 1)),
        )
    ]


def _sleeps_while_open() -> list[Patch]:
    return [(controller, "idle", lambda core: True)]


def _resumes_after_any_reset() -> list[Patch]:
    def begin(self: Any) -> None:
        resumed, cause = self.memory.resumed, self.wake_reason
        self.memory.resumed, self.wake_reason = 0, "watchdog"
        shipped(self)
        self.memory.resumed, self.wake_reason = resumed, cause

    shipped = beginning.begin
    return [(beginning, "begin", begin)]


def _resumption_is_a_new_grant() -> list[Patch]:
    def resume_zone(s: Any, zone: int, out: Any) -> None:
        shipped(s, zone, out)
        s[state.base(zone) + state.OPEN_MS] = 0

    shipped = safety.resume_zone
    return [(safety, "resume_zone", resume_zone)]


def _resumes_on_any_battery() -> list[Patch]:
    def after_close(s: Any, zone: int, readings: Any, limits: Any, out: Any) -> None:
        low, s[state.BATTERY_LOW] = s[state.BATTERY_LOW], 0
        shipped(s, zone, (GOOD_MV, readings[1]), limits, out)
        s[state.BATTERY_LOW] = low

    shipped = controller._after_close
    return [(controller, "_after_close", after_close)]


def _stopped_while_closing_resumes() -> list[Patch]:
    def stop(s: Any, only: int, limits: Any, out: Any, signed: bool) -> None:
        causes = [s[state.base(zone) + state.CAUSE] for zone in range(1, state.zones(s) + 1)]
        for zone, cause in enumerate(causes, 1):
            if cause == "watchdog":
                s[state.base(zone) + state.CAUSE] = ""
        shipped(s, only, limits, out, signed)
        for zone, cause in enumerate(causes, 1):
            if cause == "watchdog":
                s[state.base(zone) + state.CAUSE] = cause

    shipped = controller._stop
    return [(controller, "_stop", stop)]


def _the_end_is_not_marked() -> list[Patch]:
    def act(self: Any, kind: str, zone: int) -> bool:
        if kind != "pulse_close":
            return shipped(self, kind, zone)
        memory = self._app.memory
        resumed, memory.resumed = memory.resumed, 1
        done = shipped(self, kind, zone)
        memory.resumed = resumed
        return done

    shipped = Runs._act
    return [(Runs, "_act", act)]


def _opens_though_the_journal_failed() -> list[Patch]:
    shipped = Runs._act
    return [(Runs, "_act", lambda self, kind, zone: shipped(self, kind, zone) or kind == "journal_open")]


def _lockout_forgotten_at_a_reset() -> list[Patch]:
    return [(Runs, "_keep_faults", lambda self: None)]


def _a_stuck_valve_is_checked_on_any_battery() -> list[Patch]:
    def refusal(*arguments: Any) -> str:
        found = shipped(*arguments)
        return "" if len(arguments) > 5 and arguments[5] else found

    shipped = safety.refusal
    return [(safety, "refusal", refusal)]


def _a_check_has_no_end() -> list[Patch]:
    def watch_open(s: Any, zone: int, elapsed_ms: int, *rest: Any) -> None:
        locked = s[state.base(zone) + state.FAULT] & state.LOCKOUT  # only a check opens a locked zone
        shipped(s, zone, 0 if locked else elapsed_ms, *rest)

    shipped = safety.watch_open
    return [(safety, "watch_open", watch_open)]


def _no_day_limit() -> list[Patch]:
    return [(safety, "refusal", _refusal_without("day_limit"))]


def _the_day_is_forgotten_at_a_reset() -> list[Patch]:
    def begin(app: Any) -> None:
        app.memory.day = bytearray(len(app.memory.day))
        shipped(app)

    shipped = beginning.begin
    return [(beginning, "begin", begin)]


def _the_day_is_not_on_flash() -> list[Patch]:
    def pack_kept(self: Any) -> bytearray:
        day, self.day = self.day, bytearray(len(self.day))
        data = shipped(self)
        self.day = day
        return data

    shipped = Memory.pack_kept
    return [(Memory, "pack_kept", pack_kept)]


def _a_resumption_is_no_opening() -> list[Patch]:
    def resume_zone(s: Any, zone: int, out: Any) -> None:
        shipped(s, zone, out)
        s[state.base(zone) + state.OPENINGS] -= 1

    shipped = safety.resume_zone
    return [(safety, "resume_zone", resume_zone)]


def _each_boot_is_a_new_day() -> list[Patch]:
    def begin(app: Any) -> None:
        app.memory.lived = 57600
        shipped(app)

    shipped = beginning.begin
    return [(beginning, "begin", begin)]


MUTANTS = (
    Mutant("no boot close", "hand", "P1", _no_boot_close),
    Mutant("rest before the pulse", "hand", "P1", _rest_before_the_pulse),
    Mutant("held: boot leaves the lines", "held", "P1", _held_boot_leaves_the_lines),
    Mutant("held: closed by a pulse", "held", "P7", _held_closed_by_a_pulse),
    Mutant("held: no longer than a pulse", "held", "P4", _held_no_longer_than_a_pulse),
    Mutant("journal after pulse", "hand", "P7", _journal_after_pulse),
    Mutant("no journal", "hand", "P7", _no_journal),
    Mutant("journal cleared before pulse", "hand", "P7", _journal_cleared_before_pulse),
    Mutant("no battery guard", "hand", "P2", _no_battery_guard),
    Mutant("unknown battery is good", "hand", "P2", _unknown_battery_is_good),
    Mutant("no low battery close", "hand", "P2", _no_low_battery_close),
    Mutant("gives up", "hand", "P3", _gives_up),
    Mutant("no lockout", "hand", "P3", _no_lockout),
    Mutant("lockout for ever", "hand", "P4", _lockout_for_ever),
    Mutant("repeat extends", "hand", "P5", _repeat_extends),
    Mutant("no cap", "hand", "P1", _no_cap),
    Mutant("no deadline", "hand", "P1", _no_deadline),
    Mutant("no checkpoint loss", "program", "P1", _no_checkpoint_loss),
    Mutant("no checkpoints", "program", "P1", _no_checkpoints),
    Mutant("open time forgotten", "program", "P1", _open_time_forgotten),
    Mutant("resumes again", "program", "P8", _resumes_again),
    Mutant("resumes by flash alone", "program, power cuts", "P8", _resumes_by_flash_alone),
    Mutant("flash before RTC memory", "storage", "P8", _flash_before_rtc_memory),
    Mutant("resumes after any reset", "program, power cuts", "P8", _resumes_after_any_reset),
    Mutant("resumption is a new grant", "program", "P1", _resumption_is_a_new_grant),
    Mutant("resumes on any battery", "program", "P2", _resumes_on_any_battery),
    Mutant("stopped while closing resumes", "program", "P8", _stopped_while_closing_resumes),
    Mutant("the end is not marked", "program", "P8", _the_end_is_not_marked),
    Mutant("opens though the journal failed", "storage", "P7", _opens_though_the_journal_failed),
    Mutant("lockout forgotten at a reset", "hand", "P3", _lockout_forgotten_at_a_reset),
    Mutant("a stuck valve is checked on any battery", "leak", "P2", _a_stuck_valve_is_checked_on_any_battery),
    Mutant("a check has no end", "leak", "P1", _a_check_has_no_end),
    Mutant("evidence ignored", "hand", "P3", _evidence_ignored),
    Mutant("stop leaves the queue", "hand", "P5", _stop_leaves_the_queue),
    Mutant("two at a time", "two", "P7", _two_at_a_time),
    Mutant("sleeps while open", "hand", "P1", _sleeps_while_open),
    Mutant("no day limit", "days", "P10", _no_day_limit),
    Mutant("the day is forgotten at a reset", "days", "P10", _the_day_is_forgotten_at_a_reset),
    Mutant("the day is not on flash", "days", "P10", _the_day_is_not_on_flash),
    Mutant("a resumption is no opening", "days", "P10", _a_resumption_is_no_opening),
    Mutant("each boot is a new day", "days", "P10", _each_boot_is_a_new_day),
)
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


@contextmanager
def applied(name: str | None) -> Iterator[None]:
    """The shipped code with this mistake; None: as it is."""
    patches = BY_NAME[name].patches() if name else []
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in patches]
    for owner, attribute, value in patches:
        setattr(owner, attribute, value)
    try:
        yield
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)
