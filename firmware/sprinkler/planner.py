"""Planner: remembers when programs start next, and asks for the plan when the time has come.

Rule: each program is handled once per local date, whatever becomes of it; its run may come in cycles, with soaks between them (each cycle is a run to the
core, and a reset loses the rest at most). What is due is worked out by the late module `planning`, only when a start
is due, when settings or clock changed, and once an hour. It must not know valves.
"""

if False:  # for annotations
    from shapes import Day, Start

    from .app import App

_PATIENCE_MS = 10000  # how long a start waits for the time to be confirmed, after a sleep that may have been some percent too short
_KEPT_MS = 15000  # settings that a broker kept come no later after connecting
_LOOK_EVERY_MS = 1000  # while it waits
_LOOK_AGAIN_S = 3600
_LOOK_ESTIMATED_S = 60  # while the time is only estimated: a start may wait for the right one


class Planner:
    """The programs of one board."""

    def __init__(self, app: "App") -> None:
        self._app = app
        # Program id: new run-once key + 65536 * half of the seconds that then remain; of what was asked for and has neither begun nor been skipped
        self._asked: dict[int, int] = {}
        # The next start of any zone, and of each, in seconds since 2000, 0: none; with smart watering also the last day of known weather, and depletions
        self._starts: tuple[int, ...] = (0,) * 5
        self._from_s = self.until_s = 0  # while the clock is between them, nothing starts
        self._looked_ms = self._by_estimate = 0  # when the plan was looked at last, and whether by an estimated time
        self._before: bytes | None = None  # the programs before a change that was not looked at yet
        self._changed_s = 0
        self.days: "tuple[Day, ...]" = ()  # of weather, that are not in the books of smart watering yet
        self.skips_wanted: list[
            tuple[str, int, int]
        ] = []  # (command id, zone, program or 0) of commands that wait for the next turn
        self.waiting = False  # a program is to start, once the time is confirmed

    def due(self, now_ms: int, heard: list[tuple]) -> list[tuple]:
        """Run requests of the programs that start now; the others get their reason. `heard`: requests of this turn; a stop also ends what soaks."""
        app = self._app
        for request in heard:
            if request[0] == "stop":
                self.give_up(request[1], "requested")
        if not self.skips_wanted and (
            not self.behind() or (self.waiting and now_ms - self._looked_ms < _LOOK_EVERY_MS)
        ):
            return self._cut()
        now_s = app.clock.guess_s()
        self._looked_ms = now_ms
        found, starts, ahead_s = self._plan(now_s)
        if app.settings.water:
            from .watering import decide

            starts += decide(app, found, starts, now_s, ahead_s)
            app.board.drop("watering")
        if starts != self._starts:
            self._starts = starts
            app.outbox.state_due = True
        self.waiting = bool(found) and not app.clock.fresh and now_ms < _PATIENCE_MS
        requests = []
        if not self.waiting:
            requests = self._begin(found)
            self._from_s = now_s
            self._by_estimate = app.memory.estimated
            again_s = now_s + (_LOOK_AGAIN_S if not app.memory.estimated else _LOOK_ESTIMATED_S)
            self.until_s = min(self._starts[0] or again_s, again_s)
        return requests

    def _plan(self, now_s: int) -> "tuple[list[Start], tuple[int, ...], int]":
        """What starts, and when what comes next does. A function of its own, so that what finds it has left the heap before smart starts are decided."""
        from .planning import mark_changed, plan, skip_next

        app = self._app
        if self._before is not None:
            mark_changed(app, self._before, self._asked, self._changed_s or now_s)
            self._before = None
        while self.skips_wanted:
            skip_next(app, self.skips_wanted.pop(0), now_s)
        app.board.drop("planning")
        return plan(app, self._asked, now_s)

    def _cut(self) -> list[tuple]:
        """The request that ends a program's run once its zone's soil is wet enough."""
        m = self._app.memory
        if m.open_zone and m.program:
            wet_pct, soil_pct = self._app.settings.zones[5 * m.open_zone - 1], self._app.senses.soil_pct(m.open_zone)
            if wet_pct and soil_pct is not None and soil_pct >= wet_pct:
                return [("cut", m.open_zone, "wet")]
        return []

    def _begin(self, found: "list[Start]") -> list[tuple]:
        """Ask for each start that was found, or give its reason."""
        requests = []
        for zone, program_id, key, run_ms, reason in found:
            self._asked[program_id] = key
            if reason:
                self._app.runs.skip(zone, program_id, reason)
            else:
                requests.append(("run", zone, run_ms, program_id))
        return requests

    def behind(self) -> bool:
        """True when the plan must be looked at: the board may not sleep before."""
        now_s = self._app.clock.guess_s()
        planned = self._from_s <= now_s < self.until_s and self._by_estimate == self._app.memory.estimated
        return bool(now_s) and not planned

    def done(self, program_id: int, zone: int = 0) -> None:
        """The start that was asked for has begun (in `zone`), or was skipped. Until then a reset makes the board ask again."""
        if program_id in self._asked:
            asked = self._asked.pop(program_id)
            keys = self._app.memory.keys
            keys[program_id - 1] = asked & 0x7FFF | (keys[program_id - 1] if zone else asked) & 0x8000
            if zone:
                self.remain(zone, program_id, asked >> 16, 0)

    def rest(self, zone: int) -> int:
        """What remains of a program's run in `zone`: 4096 * its id + half of the seconds; 0: nothing."""
        soaks = self._app.memory.soaks
        return soaks[3 * zone - 3] << 8 | soaks[3 * zone - 2]

    def remain(self, zone: int, program_id: int, half_s: int, minute: int) -> None:
        """Note what remains, and when it goes on (minutes since 2000; the lowest 8 bits are kept: a soak is two hours at most)."""
        word = program_id << 12 | half_s if half_s else 0
        soaks = self._app.memory.soaks
        soaks[3 * zone - 3], soaks[3 * zone - 2], soaks[3 * zone - 1] = word >> 8, word & 255, minute & 255
        self.until_s = 0

    def finished(self, zone: int, program_id: int, cause: str) -> None:
        """A run is over: what remains of the program soaks now, or is given up for the same reason."""
        app = self._app
        word = self.rest(zone)
        if not program_id or word >> 12 != program_id:
            return
        now_s = app.clock.guess_s()
        if cause == "completed" and now_s:
            zones = app.settings.zones
            soak_s = zones[5 * zone - 3] << 8 | zones[5 * zone - 2]
            self.remain(zone, program_id, word & 4095, (now_s + soak_s + 59) // 60)
        else:
            self.give_up(zone, cause if now_s else "clock_unset")

    def give_up(self, zone: int, reason: str) -> None:
        """What remains in `zone` (0: in any) is not watered any more."""
        for z in range(1, self._app.board.zones() + 1):
            word = self.rest(z)
            if word and zone in (0, z) and word >> 12 not in self._asked:  # what was asked for is the core's to end
                self._app.runs.skip(z, word >> 12, reason)

    def changed(self, before: bytes) -> None:
        """New settings are in force: a program that is new or moved does not make up for a start that lies behind it, but for one that passed while
        this board slept: only what comes soon after connecting may have waited for it."""
        app = self._app
        now_s = app.clock.guess_s()
        self.until_s = 0
        if now_s and self._before is None:
            self._before = before  # looked at in the next turn, when the message has left the heap
            kept = app.link.for_ms() < _KEPT_MS and not app.staying_awake(app.board.uptime_ms())
            slept = kept and app.wake_reason != "power_on"
            self._changed_s = now_s - (app.settings.wake_interval_s if slept else 0)

    def water(self, zone: int) -> int | None:
        """What `zone` lacks, in um, or None where that is not known; for zone 0 the last day of known weather as yyyymmdd."""
        known = self._starts[5 + zone] if len(self._starts) > 5 else -1
        return known if known >= 0 else (None if zone else 0)

    def next_start_s(self, zone: int) -> int:
        """When the next program of `zone` (0: of any) starts, in seconds since 2000; 0: none, or the clock is unset."""
        s = self._app.settings
        return self._starts[zone] if self._app.clock.guess_s() and s.watering_enabled and not s.winter else 0
