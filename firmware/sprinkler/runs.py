"""Runs: carries out the core's actions, and keeps the books: journal, run ids, litres, events.

Rule: actions are carried out in the order given; one that fails stops those that follow it for its zone, and the core is told. It decides nothing.
"""

from . import protocol
from .core import state
from .core.safety import DAY_ML_MAX
from .errors import StoreError
from .store import NONE_U16

if False:  # for annotations
    from .app import App

CHECKPOINT_MS = 10000
_KEEP_EVERY = 6  # checkpoints: once a minute the ledger also goes to flash, for the water total (some hundredths of an erase each)
_RUN_ID_MAX = 65535


class Run:
    """What is known of a run while it lasts."""

    def __init__(self, run_id: int, at_s: int) -> None:
        self.run_id = run_id
        self.at_s = at_s
        self.volume_ml = 0
        self.whole = True  # False: some of its water was metered before a restart, and is not in volume_ml


class Runs:
    """Hands and ledger of the application."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._by_zone: dict[int, Run] = {}
        self._after: list[tuple] = []  # what this turn leaves for the next
        self._checkpoint_ms = 0
        self._checkpoints = 0
        self.check: list | None = None  # what a check of a valve has seen so far (check.py)
        self.parted = 0  # the last run of which it is not known that all of its water was metered
        self.by_hand = 0  # bit z: the next run of zone z was asked for by the button

    def get(self, zone: int) -> Run | None:
        """The run of `zone`, or None."""
        return self._by_zone.get(zone)

    def recall(self) -> None:
        """Take up the run that the journal holds open, so that its end is reported."""
        m = self._app.memory
        if m.open_zone:
            run = self._by_zone[m.open_zone] = Run(m.run_id, self._app.clock.now_s())
            run.whole = False
        self.parted = m.run_id

    def meter(self, ml: int) -> None:
        """Book `ml` of water to the zone that is open or closing. Totals never fall."""
        s = self._app.state
        for zone in range(1, state.zones(s) + 1):
            if s[state.base(zone) + state.PHASE] != state.CLOSED:
                totals = self._app.memory.totals_ml
                totals[zone - 1] = (totals[zone - 1] + ml) & 0xFFFFFFFF  # goes round after 4.3 million litres
                run = self.get(zone)
                if run:
                    run.volume_ml += ml
                return

    def carry_out(self, actions: list[tuple]) -> list[tuple]:
        """Carry out the hardware's part of `actions`, then the books'. Returns requests for the next step: ("failed", zone, reason), ("sensed", zone)."""
        self._note_day()
        self._after = []
        failed = 0  # bit z: an action of zone z; what would come after it waits for the next turn
        for action in actions:
            kind, zone = action[0], action[1]
            if (
                kind == "journal_closed"
            ):  # the record that says so takes the event along: no loss of power comes between
                for end in actions:
                    if end[0] == "finished" and end[1] == zone:
                        self._finish(zone, end[2], end[3], end[4])
            if kind in ("journal_open", "pulse_open", "pulse_close", "journal_closed", "started", "resumed"):
                if not failed >> zone & 1 and not self._act(kind, zone):
                    failed |= 1 << zone
                    self._after.append(
                        ("failed", zone, "sensor" if kind in ("pulse_open", "pulse_close") else "storage")
                    )
            elif kind == "finished":
                self._finish(zone, action[2], action[3], action[4])
            elif kind == "skipped":
                self.skip(zone, action[2], action[3])
            elif kind in ("fault", "fault_cleared"):
                self.event(kind, zone, 0, 0, "", action[2], 0, 0)
        if actions:
            self._keep_faults()
        return self._after

    def _note_day(self) -> None:
        """Let the ledger know what the core has counted of the day; water is rounded up."""
        app = self._app
        m, s = app.memory, app.state
        m.lived = s[state.LIVED_MS] // 2000
        for zone in range(1, state.zones(s) + 1):
            z = state.base(zone)
            part_ml = app.limits[DAY_ML_MAX + zone] // 250
            m.day[2 * zone - 2] = min(s[z + state.OPENINGS], 255)
            m.day[2 * zone - 1] = min(-(-s[z + state.DAY_ML] // part_ml), 255) if part_ml else 0

    def skip(self, zone: int, program: int, reason: str) -> None:
        """A run that will not be, and why."""
        app = self._app
        app.planner.done(program)
        if program and app.planner.rest(zone) >> 12 == program:
            app.planner.remain(zone, 0, 0, 0)
        self.by_hand &= ~(1 << zone)
        app.memory.last_skips[zone - 1] = (app.clock.now_s(), program, protocol.REASONS.index(reason))
        self.event("run_skipped", zone, 0, program, "skipped", reason, 0, 0)

    def _act(self, kind: str, zone: int) -> int:
        app = self._app
        try:
            if kind == "pulse_close" and app.board.held and app.memory.open_zone not in (0, zone):
                pass  # only the one zone that is open is driven, and to let go of it would end its run
            elif kind in ("pulse_open", "pulse_close"):
                if kind == "pulse_close" and app.memory.open_zone == zone and not app.memory.resumed:
                    app.memory.resumed = 1  # this run ends here: a reset before the journal says so must not resume it
                    app.memory.save_rtc(app.board)
                return self._pulse(zone, kind == "pulse_open")
            elif kind == "journal_open":
                self._journal_open(zone)
            elif kind == "journal_closed":
                self._journal_closed(zone)
            elif kind == "started":
                self._report_start(zone, "")
            else:
                self._report_start(zone, "resumed")
        except StoreError:
            app.storage_fault = True
            return kind == "journal_closed"  # the valve is closed all the same; the next boot will close it once more
        except OSError:
            app.bridge_fault |= 1 << zone
            return False
        return True

    def _pulse(self, zone: int, opening: bool) -> int:
        """Give a pulse; where its current is measured, say what that was. False when it had none, and no meter will tell."""
        app = self._app
        seen = -1
        if app.config.pulse_ma and (opening or not app.board.held):
            from .coil import pulse

            seen = pulse(app, zone, opening)
            app.board.drop("coil")
            if seen > 0 and not opening:
                self._after.append(("sensed", zone))
        else:
            app.board.pulse(zone, opening)
        app.bridge_fault &= ~(1 << zone)
        if not seen:
            app.bridge_fault |= 1 << zone
        return seen or app.senses.has_flow()

    def _journal_open(self, zone: int) -> None:
        """Before the pulse: what is about to be open, and until when."""
        m = self._app.memory
        s = self._app.state
        z = state.base(zone)
        if not s[z + state.RESUMED]:
            m.run_id = m.run_id % _RUN_ID_MAX + 1
            self._by_zone[zone] = Run(m.run_id, self._app.clock.now_s())
        m.open_zone = zone
        m.program = s[z + state.PROGRAM]
        self._app.planner.done(m.program, zone)
        m.resumed = s[z + state.RESUMED]
        m.granted_s = s[z + state.GRANTED_MS] // 1000
        m.open_s = s[z + state.OPEN_MS] // 1000
        self._checkpoint_ms = self._app.board.uptime_ms()
        self._save()

    def _journal_closed(self, zone: int) -> None:
        """After the evidence: nothing is open."""
        m = self._app.memory
        if m.open_zone == zone:  # another zone may run while this one is closed once more
            m.open_zone = 0
        self._save()

    def _keep_faults(self) -> None:
        """A latched fault outlives a loss of power; so does its clearing."""
        app = self._app
        faults = [app.state[state.base(zone) + state.FAULT] for zone in range(1, state.zones(app.state) + 1)]
        if app.memory.faults[: len(faults)] != faults:
            app.memory.faults[: len(faults)] = faults
            self._keep()

    def _save(self) -> None:
        m = self._app.memory
        m.at_s = self._app.clock.guess_s() or m.at_s
        m.save(self._app.board)
        self._app.storage_fault = False

    def _keep(self) -> None:
        try:
            self._save()
        except StoreError:
            self._app.storage_fault = True

    def _report_start(self, zone: int, result: str) -> None:
        s = self._app.state
        z = state.base(zone)
        run = self.get(zone)
        reason = "manual" if self.by_hand >> zone & 1 else ""
        self.by_hand &= ~(1 << zone)
        self.event(
            "run_started", zone, run.run_id, s[z + state.PROGRAM], result, reason, s[z + state.GRANTED_MS] // 1000, 0
        )

    def _finish(self, zone: int, program: int, cause: str, open_ms: int) -> None:
        run = self._by_zone.pop(zone, None)
        if run is None:
            return
        self._app.planner.finished(zone, program, cause)
        result = "tripped"
        if cause == "completed":
            result, cause = "completed", ""
        elif cause in ("requested", "reset", "watchdog", "wet"):
            result = "stopped"
        app = self._app
        duration_s = (open_ms + 500) // 1000
        words = (protocol.RESULTS.index(result), protocol.REASONS.index(cause))
        app.memory.last_runs[zone - 1] = (
            run.run_id,
            run.at_s,
            program,
            words[0],
            words[1],
            min(duration_s, 65535),
            run.volume_ml,
        )
        self.event("run_finished", zone, run.run_id, program, result, cause, duration_s, run.volume_ml)
        if not run.whole:
            self.parted = run.run_id
        if app.settings.water:
            app.planner.until_s = 0  # the books of smart watering look at the last runs

    def event(
        self, kind: str, zone: int, run_id: int, program: int, result: str, reason: str, duration_s: int, volume_ml: int
    ) -> None:
        """Number an event and keep it until it is acknowledged."""
        app = self._app
        p = protocol
        app.memory.add_event(
            app.clock.now_s(),
            p.EVENTS.index(kind),
            zone,
            run_id,
            program,
            p.RESULTS.index(result),
            p.REASONS.index(reason),
            min(duration_s, NONE_U16),
            volume_ml,
        )
        app.memory.save_rtc(app.board)
        app.outbox.state_due = True

    def checkpoint(self) -> None:
        """Every ten seconds of open time, remember how much of it is used: a reset then costs the run no more than that. Once a minute the
        ledger goes to flash as well: a loss of power then costs the total no more than a minute's water."""
        app = self._app
        now_ms = app.board.uptime_ms()
        if not app.memory.open_zone or now_ms - self._checkpoint_ms < CHECKPOINT_MS:
            return
        self._checkpoint_ms = now_ms
        app.memory.open_s = app.state[state.base(app.memory.open_zone) + state.OPEN_MS] // 1000
        self._checkpoints += 1
        if self._checkpoints % _KEEP_EVERY:
            app.memory.save_rtc(app.board)
        else:
            self._keep()
