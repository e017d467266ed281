"""Shipped: the firmware's own code, called one boot, one turn of the loop, or one falling asleep at a time, with what it left behind as plain tuples.

Rule: nothing is decided here. Of `App` only the order of a turn is repeated (step, carry out, checkpoint); the rest is called. What cannot matter to
any promise is left out of the tuples: ids, totals, times and texts of events.
"""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple

import closer
from sprinkler import beginning, recall, store
from sprinkler import runs as runs_module
from sprinkler.core import controller, safety, state
from sprinkler.rest import PULSE_EVERY_S, Rest
from sprinkler.runs import Run, Runs

from .hardware import SOUND, DeepSleepError, Effect, Hardware
from .scale import TICK_MS, Scale

OVER = 0x100
RUN_ID = 7  # any; a turn that starts a run counts on
type Core = tuple[Any, ...]
type Request = tuple[Any, ...]
type Action = tuple[Any, ...]


class Ledger(NamedTuple):
    """What store.Memory holds of a run and of latched faults."""

    open_zone: int
    program: int
    resumed: int
    granted_s: int
    open_s: int
    faults: tuple[int, ...]
    day: tuple[int, ...] = ()  # where days are counted: time lived, and each zone's openings


class Kept(NamedTuple):
    """What survives a reset. `rtc`: (closer's mark, 1 when a closing pulse is due after this sleep, ledger); None after a loss of power."""

    rtc: tuple[int, int, Ledger] | None
    flash: Ledger | None
    rtc_counts: bool  # its sequence number is not below flash's


class Mind(NamedTuple):
    """What a reset forgets."""

    core: Core
    failed: tuple[int, ...]  # zones of the last turn's actions that could not be carried out
    ledger: Ledger
    checkpoint_age: int  # ticks since the last checkpoint of an open run
    checkpoints: int
    known_runs: tuple[int, ...]
    mark: int  # the closer's mark in RTC memory


class Turn(NamedTuple):
    """What one turn of the loop came to."""

    mind: Mind
    effects: tuple[Effect, ...]
    actions: tuple[Action, ...]


class Shipped:
    """The firmware of a board with `scale.zones` zones. `exact`: no two states of the core are taken for one."""

    def __init__(self, scale: Scale, *, exact: bool = False) -> None:
        self.scale = scale
        self.limits = scale.limits
        self.settled: Callable[[Core], Core] = tuple if exact else self._without_counts
        self._stepped: dict[Any, Any] = {}
        self._carried: dict[Any, Any] = {}
        self._booted: dict[Any, Any] = {}
        # From here on one more try changes neither the pause nor any comparison
        pause = -(-self.limits[safety.RETRY_MAX_MS] // self.limits[safety.SETTLE_MS])
        known = (self.limits[safety.STUCK_TRIES], self.limits[safety.ASSUMED_TRIES], scale.stuck_sleep_tries, pause)
        self._tries_max = 1 + max(known)

    def _without_counts(self, core: Core) -> Core:
        """More tries than anything tells apart are made equal (test_model.py holds it against the core), and so are counts of the day that limit nothing."""
        s = list(core)
        s[state.LIVED_MS] = min(s[state.LIVED_MS], self.limits[safety.DAY_MS] * 4 // 3)
        for zone in range(1, self.scale.zones + 1):
            z = state.base(zone)
            s[z + state.TRIES] = min(s[z + state.TRIES], self._tries_max)
            s[z + state.DAY_ML] = 0
            s[z + state.OPENINGS] *= bool(self.scale.day)
        return tuple(s)

    def steps(self) -> Iterable[tuple[Core, tuple[Action, ...]]]:
        """Every step of the core that was taken: what it led to, and its actions."""
        return self._stepped.values()

    # A boot

    def boot(self, kept: Kept, cause: str, quick_boots: int = 0, broken: str = SOUND) -> Turn | tuple[Effect, ...]:
        """close_first, then the application's beginning. Only effects, when the closer put the board to sleep again."""
        key = (kept, cause, quick_boots, broken)
        if key not in self._booted:
            self._booted[key] = self._boot(*key)
        return self._booted[key]

    def _boot(self, kept: Kept, cause: str, quick_boots: int, broken: str) -> Turn | tuple[Effect, ...]:
        zones = self.scale.zones
        rtc, flash = _bytes(kept, quick_boots)
        hardware = Hardware(zones, rtc, flash, cause, broken, held=self.scale.held)
        try:
            closer.close_first(hardware.machine, hardware.time, hardware.config)
        except DeepSleepError:
            return self._readable(hardware.effects)
        board = hardware.board()
        app = self._app(board, store.Memory())
        app.memory.load(board)
        app.wake_reason = board.wake_reason()
        app.runs = Runs(app)
        beginning.begin(app)
        return Turn(self._mind(app, (), 0), self._readable(hardware.effects), ())

    # A turn

    def turn(
        self, mind: Mind, ticks: int, readings: tuple[int, int], requests: tuple[Request, ...], broken: str
    ) -> Turn:
        """One turn after `ticks`: the failed actions of the last one and `requests` go to the core; its actions are carried out."""
        heard = (*(("failed", zone, "storage") for zone in mind.failed), *requests)
        key = (mind.core, ticks, readings, heard)
        if key not in self._stepped:
            after, actions, _ = controller.step(mind.core, ticks * TICK_MS, readings, heard, self.limits)
            self._stepped[key] = self.settled(after), tuple(actions)
        core, actions = self._stepped[key]
        effects, rest = self._carry_out(core, actions, mind, ticks, broken)
        return Turn(Mind(core, *rest), effects, actions)

    def _carry_out(
        self, core: Core, actions: tuple[Action, ...], mind: Mind, ticks: int, broken: str
    ) -> tuple[Any, Any]:
        fields = (state.PROGRAM, state.RESUMED, state.GRANTED_MS, state.OPEN_MS, state.FAULT, state.OPENINGS)
        shown = tuple(core[state.base(zone) + field] for zone in range(1, self.scale.zones + 1) for field in fields)
        shown = (core[state.LIVED_MS], *shown)
        acts = tuple(action for action in actions if action[0] not in ("accepted", "queued", "refused"))
        key = (shown, acts, mind[2:], ticks, broken)
        if key not in self._carried:
            hardware = self._hardware(mind, broken)
            app = self._awake(hardware, mind, core, ticks)
            failed = app.runs.carry_out(acts)
            app.runs.checkpoint()
            age = (app.board.uptime_ms() - app.runs._checkpoint_ms) // TICK_MS
            after = self._mind(app, tuple(request[1] for request in failed), age)
            self._carried[key] = self._readable(hardware.effects), after[1:]
        return self._carried[key]

    def _hardware(self, mind: Mind, broken: str = SOUND) -> Hardware:
        rtc = _rtc_bytes(mind.mark, 0, 0, mind.ledger, 5)
        return Hardware(self.scale.zones, rtc, None, "power_on", broken, held=self.scale.held)

    def _awake(self, hardware: Hardware, mind: Mind, core: Core, ticks: int) -> Any:
        """An application in the middle of its life."""
        board = hardware.board()
        board.button_up = lambda: 1
        memory = store.Memory()
        _fill(memory, mind.ledger, 5)
        app = self._app(board, memory)
        app.state = core
        app.runs = Runs(app)
        app.runs._by_zone = {zone: Run(RUN_ID, 0) for zone in mind.known_runs}
        app.runs._checkpoints = mind.checkpoints
        app.runs._checkpoint_ms = 0
        hardware.now_ms = (mind.checkpoint_age + ticks) * TICK_MS
        return app

    def _app(self, board: Any, memory: store.Memory) -> Any:
        has_flow = bool(self.limits[safety.HAS_FLOW])
        return SimpleNamespace(
            board=board,
            memory=memory,
            limits=self.limits,
            wake_reason="power_on",
            calm_down=lambda: None,
            bridge_fault=0,
            storage_fault=False,
            clock=SimpleNamespace(now_s=lambda: 0, guess_s=lambda: 0, unix=lambda seconds: seconds, close=lambda: None),
            senses=SimpleNamespace(has_flow=lambda: has_flow, flow=SimpleNamespace(pulses=0)),
            leak=False,
            config=SimpleNamespace(pulse_ma=0),
            link=SimpleNamespace(resubscribe=True, failed_joins=0, up=lambda: False, close=lambda: None),
            inbox=SimpleNamespace(requests=[], stored=[], busy=lambda: False),
            outbox=SimpleNamespace(state_due=False, owes_replies=lambda: False, note_told=lambda leaving: None),
            planner=SimpleNamespace(
                next_start_s=lambda zone: 0,
                done=lambda program, zone=0: None,
                finished=lambda *_: None,
                give_up=lambda *_: None,
                rest=lambda zone: 0,
            ),
            settings=SimpleNamespace(wake_interval_s=900, version=1, water=b""),
        )

    def _mind(self, app: Any, failed: tuple[int, ...], age: int) -> Mind:
        ledger = self._ledger(app.memory)
        mark = _mark(app.board._rtc.memory())
        return Mind(
            self.settled(app.state),
            failed,
            ledger,
            age if ledger.open_zone else 0,
            app.runs._checkpoints % runs_module._KEEP_EVERY,
            tuple(sorted(app.runs._by_zone)),
            mark,
        )

    # A sleep on purpose

    def sleep(self, mind: Mind, *, pulse_due: bool) -> tuple[Effect, ...]:
        """The effects of Rest.go, the last of which is the sleep. `pulse_due`: the last closing pulse is a day old."""
        key = (mind, pulse_due)
        if key not in self._booted:
            hardware = self._hardware(mind)
            app = self._awake(hardware, mind, mind.core, 0)
            app.memory.slept_s = PULSE_EVERY_S - 1 if pulse_due else 0
            try:
                Rest(app).go()
            except DeepSleepError:
                self._booted[key] = self._readable(hardware.effects)
        return self._booted[key]

    # Bytes and tuples

    def _readable(self, effects: list[Effect]) -> tuple[Effect, ...]:
        return tuple(self._one_readable(effect) for effect in effects)

    def _one_readable(self, effect: Effect) -> Effect:
        memory = store.Memory()
        if effect[0] == "flash":
            recall.unpack_ledger(memory, recall.ledger_part(store.unsealed(effect[1])))
            return ("flash", self._ledger(memory), memory.run_id != RUN_ID)
        if effect[0] == "rtc":
            body = store.unsealed(effect[1][closer.RECORD :])
            if body:
                recall.take_ledger(memory, recall.ledger_part(body))
                recall.take_session(memory, body)
            kept = (_mark(effect[1]), int(memory.slept_s >= PULSE_EVERY_S), self._ledger(memory) if body else None)
            return ("rtc", kept, bool(body) and memory.run_id != RUN_ID)
        return effect

    def _ledger(self, memory: store.Memory) -> Ledger:
        faults = tuple(memory.faults[: self.scale.zones])
        day = (memory.lived, *memory.day[: 2 * self.scale.zones : 2]) if self.scale.day else ()
        if not memory.open_zone:
            return Ledger(0, 0, 0, 0, 0, faults, day)
        return Ledger(memory.open_zone, memory.program, memory.resumed, memory.granted_s, memory.open_s, faults, day)


def counted(kept: Kept) -> Ledger | None:
    """The ledger that the next boot goes by."""
    if kept.rtc and kept.rtc[2] and (kept.rtc_counts or kept.flash is None):
        return kept.rtc[2]
    return kept.flash


def _fill(memory: store.Memory, ledger: Ledger, sequence: int) -> None:
    memory.open_zone, memory.program, memory.resumed, memory.granted_s, memory.open_s = ledger[:5]
    memory.faults = [*ledger.faults, 0, 0, 0, 0][:4]
    if ledger.day:
        memory.lived = ledger.day[0]
        memory.day[: 2 * len(ledger.faults) : 2] = bytes(ledger.day[1:])
    memory.run_id = RUN_ID
    memory.sequence = sequence


def _mark(rtc: bytes) -> int:
    """The closer's mark, with OVER when it counted more quick boots than it bears; smaller counts are the adversary's to choose."""
    mark, quick_boots = closer.read_record(rtc)
    return mark | (OVER if quick_boots > closer.QUICK_BOOTS_MAX else 0)


def _rtc_bytes(mark: int, quick_boots: int, pulse_due: int, ledger: Ledger | None, sequence: int) -> bytes:
    head = closer.record(mark & 0xFF, closer.QUICK_BOOTS_MAX + 1 if mark & OVER else quick_boots)
    if ledger is None:
        return head
    memory = store.Memory()
    _fill(memory, ledger, sequence)
    memory.slept_s = PULSE_EVERY_S if pulse_due else 0
    return head + store.sealed(memory._pack_rtc())


def _bytes(kept: Kept, quick_boots: int) -> tuple[bytes, bytes | None]:
    """RTC memory and journal file."""
    flash = None
    if kept.flash:
        memory = store.Memory()
        _fill(memory, kept.flash, 5)
        flash = store.sealed(bytes(memory.pack_kept()))
    if kept.rtc is None:
        return (closer.record(0, quick_boots) if quick_boots else b""), flash
    mark, pulse_due, ledger = kept.rtc
    return _rtc_bytes(mark, quick_boots, pulse_due, ledger, 5 if kept.rtc_counts else 4), flash
