"""Firmware spoiled on purpose, one mistake each, and the scenario that must notice. A campaign that cannot fail proves nothing.

Rule: a mistake changes functions of the loaded modules or the text of a file that would lie on flash, and is taken back. Where the model search has the same
mutant, it is taken from there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sim.provision import firmware_files
from sprinkler import commands, inbox, planner
from sprinkler.app import App
from sprinkler.core import localtime, safety
from sprinkler.runs import Runs
from tests.proofs.mutants import applied

type Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Spoiled:
    """A mistake, the scenario and seed that catch it, and the figure that does. `files`: (path, text, its replacement)."""

    name: str
    scenario: str
    seed: int
    figure: str
    proof: str = ""  # the mutant's name in tests/proofs
    patches: Callable[[], list[Patch]] = list
    files: tuple[str, str, str] | None = None
    until_h: float = 400.0  # the rest of the life shows nothing more

    @contextmanager
    def applied(self) -> Iterator[dict[str, bytes] | None]:
        """Within it the firmware is spoiled; gives the flash's files, if they are others."""
        patches = self.patches()
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
        with applied(self.proof or None):
            for owner, name, value in patches:
                setattr(owner, name, value)
            try:
                yield self._files()
            finally:
                for owner, name, value in before:
                    setattr(owner, name, value)

    def _files(self) -> dict[str, bytes] | None:
        if self.files is None:
            return None
        path, text, other = self.files
        found = dict(firmware_files())
        assert text.encode() in found[path], f"{path} has no such text any more: {text}"
        return {**found, path: found[path].replace(text.encode(), other.encode())}


def _any_signature() -> list[Patch]:
    return [(inbox, "verify", lambda key, topic, payload: max(0, bytes(payload).rfind(b"\n")) or len(payload))]


def _any_counter() -> list[Patch]:
    shipped = commands._judge

    def judge(app: Any, command: Any, retained: Any) -> None:
        app.memory.counter, kept = 0, app.memory.counter
        try:
            shipped(app, command, False)
        finally:
            app.memory.counter = max(app.memory.counter, kept)

    return [(commands, "_judge", judge)]


def _never_expires() -> list[Patch]:
    shipped = commands._judge

    def judge(app: Any, command: Any, retained: Any) -> None:
        shipped(app, {**command, "expires_at": app.clock.unix(app.clock.now_s()) + 60}, retained)

    return [(commands, "_judge", judge)]


def _no_run_once_key() -> list[Patch]:
    def done(self: Any, program_id: int, zone: int = 0) -> None:
        self._asked.pop(program_id, None)

    return [(planner.Planner, "done", done)]


def _never_waters() -> list[Patch]:
    return [(safety, "refusal", lambda *_: "low_battery")]


def _no_summer_time() -> list[Patch]:
    return [(localtime, "offset_s", lambda rule, utc_s: rule[0])]


def _stop_does_nothing() -> list[Patch]:
    shipped = inbox.Inbox.add

    def add(self: Any, request: Any, command_id: str) -> None:
        shipped(self, ("clear_fault", request[1]) if request[0] == "stop" else request, command_id)

    return [(inbox.Inbox, "add", add)]


def _no_closing_pulse() -> list[Patch]:
    shipped = Runs._act
    return [(Runs, "_act", lambda self, kind, zone: kind == "pulse_close" or shipped(self, kind, zone))]


def _silent_leak() -> list[Patch]:
    set_fault, board_faults, event = safety.set_fault, App.board_faults, Runs.event

    def set_no_leak(s: Any, zone: int, bit: int, out: Any) -> None:
        if bit != safety.LEAK:
            set_fault(s, zone, bit, out)

    def tell_no_leak(
        self: Any, kind: str, zone: int, run_id: int, program: int, result: str, reason: str, *rest: Any
    ) -> None:
        if reason != "leak":
            event(self, kind, zone, run_id, program, result, reason, *rest)

    return [
        (safety, "set_fault", set_no_leak),
        (App, "board_faults", lambda self: [word for word in board_faults(self) if word != "leak"]),
        (Runs, "event", tell_no_leak),
    ]


def _silent_skips() -> list[Patch]:
    event = Runs.event
    return [(Runs, "event", lambda self, kind, *rest: kind == "run_skipped" or event(self, kind, *rest))]


def _wrong_reason() -> list[Patch]:
    event = Runs.event

    def blame(self: Any, kind: str, zone: int, run_id: int, program: int, result: str, reason: str, *rest: Any) -> None:
        reason = "adjusted_to_zero" if kind == "run_skipped" else reason
        event(self, kind, zone, run_id, program, result, reason, *rest)

    return [(Runs, "event", blame)]


CLOSER, CLOSES = "/closer.py", "failed = close_all(machine, time, config)"
SPOILED = (
    Spoiled("no close at boot", "description_lost", 0, "unaccounted_ml", files=(CLOSER, CLOSES, "failed = []")),
    Spoiled("no deadline", "run_repeated", 0, "opens_beyond_cap", "no deadline", until_h=2.5),
    Spoiled("repeats extend", "run_repeated", 2, "opens_beyond_cap", "repeat extends", until_h=2.5),
    Spoiled("no pulse closes", "dst_autumn_berlin", 0, "opens_beyond_cap", patches=_no_closing_pulse),
    Spoiled("a leak is not told", "diaphragm_leaks", 0, "unaccounted_ml", patches=_silent_leak),
    Spoiled("open time forgotten at a reset", "watchdog_while_open", 0, "opens_beyond_cap", "open time forgotten"),
    Spoiled("no close at a low battery", "battery_sags_while_open", 3, "opens_beyond_cap", "no low battery close"),
    Spoiled("any signature will do", "commands_forged", 0, "opens_beyond_cap", patches=_any_signature, until_h=4),
    Spoiled("any counter will do", "commands_replayed", 0, "opens_beyond_cap", patches=_any_counter),
    Spoiled("a command never expires", "commands_to_a_sleeper", 0, "opens_beyond_cap", patches=_never_expires),
    Spoiled("a stop does nothing", "stop_storm_signed", 0, "opens_beyond_cap", patches=_stop_does_nothing, until_h=6.3),
    Spoiled("a program starts again and again", "sleep_timer_drifts", 0, "opens_beyond_cap", patches=_no_run_once_key),
    Spoiled("no summer time", "dst_spring_berlin", 0, "missed_runs", patches=_no_summer_time),
    Spoiled("no limit for a day", "automation_gone_wild", 0, "opens_beyond_cap", "no day limit"),
    Spoiled("never waters", "wifi_flaps", 0, "missed_runs", patches=_never_waters),
    Spoiled("a start that is not made is not told", "battery_sensor_lies_low", 0, "untold_runs", patches=_silent_skips),
    Spoiled("a start that is not made has a wrong reason", "hangs_in_a_row", 1, "untold_runs", patches=_wrong_reason),
)
