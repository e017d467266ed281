"""App: one wake. Read, ask the core, act, report, sleep; staying awake is the same loop with a short wait.

Rule: the only glue. It decides nothing that the core decides, and no wait in it lacks an end.
"""

from . import protocol
from .clock import Clock
from .core import controller, power, state
from .core.safety import DAY_OPENINGS
from .errors import StoreError
from .inbox import Inbox
from .led import show
from .link import Link
from .outbox import Outbox
from .planner import Planner
from .reading import load
from .rest import PACE_MS, Rest
from .runs import Runs
from .senses import Senses
from .settings import Config, Settings
from .store import EVENTS_MAX, SAMPLES_MAX, Memory

if False:  # for annotations
    from .board import Board

SAMPLE_EVERY_MS = 30000
OPEN_STATE_EVERY_MS = 5000
SETTLED_MS = 60000
CLOCK_LATE_MS = 15000  # within what a wake may spend on a network: a sleeper says so, too
BATTERY_EVERY_MS = 2000
BATTERY_MISSES_MAX = 3
IDENTIFY_MS = 10000
DAY_MS = 86400000
CRASH_COUNTED = 128  # added to the count of crashes: the next boot, which the closer may put off by its rest, need not count this one
LOADING, FINISHING = 1, 4  # of the steps in slots.py
LOOK_MS = 50  # at the button, while it is down
LONGEST_MS = 1000  # between two turns


class App:
    """The application on one board."""

    # What `starting` recalls, and `assembling` puts together
    memory: Memory
    config: Config
    settings: Settings
    clock: Clock
    senses: Senses
    outbox: Outbox
    inbox: Inbox
    runs: Runs
    planner: Planner
    rest: Rest
    link: Link
    limits: tuple[int, ...]
    state: tuple
    wake_reason: str
    shown_until_ms: int
    press_ms: int
    press_done: bool  # what the press that lasts was for (hand.py)
    hand_zone: int
    leak: bool  # and what `watching` knows of it
    watch_ms: int
    watch_ml: int
    tried_ms: int
    judged_ms: int
    storage_fault: bool

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.safe_mode: bool | None = None  # not known yet
        board.start_watchdog()  # from here on nothing can leave the board at a dead prompt
        self.bridge_fault = 0  # bit z: the bridge or the coil of zone z did not answer to its last pulse
        self.pulse_ma: int | None = None  # what the last pulse took, where that is measured
        self._awake_until_ms = self.identify_until_ms = 0
        self._settled = False
        self._day_ms = 0
        self._last_ms = board.uptime_ms()
        self._sample_ms = self._battery_ms = self._open_state_ms = -SAMPLE_EVERY_MS
        self.battery_mv = self._battery_misses = 0
        self._clock_word = ""
        self.again: list[tuple] = []  # requests that one turn leaves for the next
        self.update: list | None = None  # what an update has to remember (slots.py); None: there is none

    def run(self) -> None:
        """Run for ever; a deep sleep or a reset ends it, or an error: then the watchdog bites, and the next boot closes first."""
        try:
            self._wake()
            if self.config:
                self._assemble()
                self._begin()
            self._loop()
        except Exception as error:
            self._keep_crash(error)
            raise

    def _wake(self) -> None:
        from .starting import wake

        wake(self)
        self.board.drop("starting")

    def _assemble(self) -> None:
        board = self.board
        self.settings = Settings()
        if not self.safe_mode:
            self.settings = load(board, protocol.topic(board.device_id, protocol.DESIRED), self.config.key)
        from .assembling import assemble

        assemble(self)
        board.drop("assembling")

    def _begin(self) -> None:
        from .beginning import begin

        begin(self)
        self.board.drop("beginning")

    def _keep_crash(self, error: Exception) -> None:
        try:
            if self.safe_mode is not None:  # what was recalled is whole
                self.memory.crashes = self.memory.crashes + 1 | CRASH_COUNTED
                self.memory.save_rtc(self.board)
            from .crash import note

            note(self.board, error)
        except (StoreError, MemoryError):
            pass  # nobody will know why; that there was a crash is counted all the same

    def _loop(self) -> None:
        if (
            not self.config
        ):  # without a key nobody can be heard: stay closed, and leave the cable its window at the next reset
            self.board.sleep_ms(SETTLED_MS)
            self.board.deep_sleep(power.LONGEST_SLEEP_S, False)
        while True:
            ms = self.turn()
            while not self.link.wait(min(ms, PACE_MS)) and ms > PACE_MS and (self.press_ms or self.board.button_up()):
                ms -= PACE_MS

    def turn(self) -> int:
        """One pass of the loop. Returns how long nothing is due, in ms."""
        now_ms = self.board.uptime_ms()
        elapsed_ms = now_ms - self._last_ms
        self._last_ms = now_ms
        if now_ms - self._sample_ms >= SAMPLE_EVERY_MS and not self.safe_mode:
            self._sample(now_ms)  # before the planner, which may look at soil, rain and temperature
        if self.inbox.proposed:
            self.inbox.settle()
        ml = self.senses.take_ml()
        self.runs.meter(ml)
        requests, ids = self.inbox.take()
        requests = self.again + requests + self._hand(now_ms)
        requests += self.planner.due(now_ms, requests)
        ids = [""] * len(self.again) + ids
        self.state, actions, due_ms = controller.step(
            self.state, elapsed_ms, (self._battery(now_ms), ml), requests, self.limits
        )
        if self.safe_mode:
            actions = [action[:-1] + ("safe_mode",) if action[-1] == "over_cap" else action for action in actions]
        self.again = self.runs.carry_out(actions)
        if self.senses.flow:
            self.board.feed_meter()
        if self.runs.check:
            from .check import follow

            follow(self, ml)
            if not self.runs.check:
                self.board.drop("check")
        self._answer(actions, requests, ids)
        if actions:
            self.outbox.state_due = True
        self.runs.checkpoint()
        led_ms = self._housekeeping(now_ms, ml)
        self.clock.service()
        self.link.service()
        self.inbox.free()
        if self.update and controller.idle(self.state):
            due_ms = min(due_ms, self._update(now_ms))
        self.outbox.service()
        if self.rest.due(now_ms):
            self.rest.go()
        if (
            self.again
            or self.inbox.busy()
            or self.outbox.busy()
            or (self.planner.behind() and not self.planner.waiting)
        ):
            return 0
        if self.press_ms > 0:
            return LOOK_MS
        leaving = self.link.up() and controller.idle(self.state) and not self.staying_awake(now_ms)
        return min(due_ms, led_ms, PACE_MS if leaving or self.link.out or self.clock.sock else LONGEST_MS)

    def _sample(self, now_ms: int) -> None:
        self._sample_ms = now_ms
        if self.memory.held_samples() >= SAMPLES_MAX:  # nobody acknowledged them, and this wake did not end
            self.keep_backlog()
        now_s = self.clock.now_s()
        values = self.senses.sample(now_s, self.link.rssi_dbm(), self.memory, self.settings.longitude_cdeg)
        self.memory.add_sample(values)

    def _update(self, now_ms: int) -> int:
        """Go on with an update, while no valve is open. Returns the ms until it wants to be looked at again."""
        if now_ms >= self.update[0]:
            if self.update[2] == LOADING:
                from .loading import ask

                ask(self, now_ms)
                self.board.drop("loading")
            elif LOADING < self.update[2] < FINISHING:
                from .trial import follow

                follow(self, now_ms)
                self.board.drop("trial")
            else:
                from .updating import follow

                follow(self, now_ms)
                self.board.drop("updating")
        return max(0, self.update[0] - now_ms) if self.update else 0

    def _hand(self, now_ms: int) -> list[tuple]:
        """Requests of the person at the button."""
        up = self.board.button_up()
        if up and self.press_ms < 0:
            self.press_ms = 0
        if self.press_ms < 0 or (up and not self.press_ms):
            return []
        from .hand import press

        requests = press(self, not up, now_ms)
        if self.press_ms <= 0:
            self.board.drop("hand")
        return requests

    def _battery(self, now_ms: int) -> int:
        """Battery voltage, read every two seconds at most; 0: unknown."""
        if now_ms - self._battery_ms >= BATTERY_EVERY_MS:
            self._battery_ms = now_ms
            mv = self.senses.battery()[0]
            self._battery_misses = 0 if mv else self._battery_misses + 1
            if mv or self._battery_misses >= BATTERY_MISSES_MAX:  # one lost reading ends no run
                self.battery_mv = mv
            before = protocol.POWER_MODES[self.memory.power_mode]
            responsive = self.config.always_responsive or now_ms < self._awake_until_ms
            mode = protocol.POWER_MODES.index(power.mode(before, self.battery_mv, responsive, self.settings.winter))
            if mode != self.memory.power_mode:
                self.memory.power_mode = mode
                self.outbox.state_due = True
        return self.battery_mv

    def _answer(self, actions: list[tuple], requests: list[tuple], ids: list[str]) -> None:
        """Tell who asked what became of it."""
        for action in actions:
            if action[0] not in ("accepted", "queued", "refused"):
                continue
            request = requests[action[1]]
            zone = request[1] if len(request) > 1 else 0
            if action[1] >= len(ids) or not ids[action[1]]:
                if action[0] == "refused" and not request[3]:  # the button's: the core tells of a program's itself
                    self.runs.skip(zone, 0, action[2])
                continue
            if request[0] == "check" and action[0] == "accepted":
                self.runs.check = [zone, 0, 0, state.OPEN]
            run = self.runs.get(zone) if request[0] == "run" and action[0] == "accepted" else None
            granted_s = request[2] // 1000 if request[0] == "run" and action[0] != "refused" else 0
            reason = action[2] if action[0] == "refused" else ("queued" if action[0] == "queued" else "")
            run_until = self.run_until(zone, self.clock.now_s()) if run else 0
            self.outbox.reply(
                ids[action[1]], action[0] != "refused", reason, zone, run.run_id if run else 0, granted_s, run_until
            )

    def _housekeeping(self, now_ms: int, ml: int) -> int:
        """What is due by the clock: samples, faults, the state of an open valve, the LED. Returns the ms until the LED changes."""
        closed = controller.idle(self.state)
        begins = ml if not self.leak else self._settled and now_ms == self._sample_ms
        if self.watch_ms or (closed and begins):
            from .watching import watch

            watch(self, now_ms, ml, closed)
            self.board.drop("watching")
        if self.memory.held_events() >= EVENTS_MAX and (now_ms == self._sample_ms or not self.storage_fault):
            self.keep_backlog()
        if not closed and now_ms - self._open_state_ms >= OPEN_STATE_EVERY_MS:
            self._open_state_ms = now_ms
            self.outbox.state_due = True
        if now_ms - self._day_ms >= DAY_MS:
            self._day_ms = now_ms
            self.outbox.health_due = True
            self.outbox.tell_again()
            self.rest.restart_wanted = self.rest.restart_wanted or self.safe_mode  # tried without, once a day
        if not self._settled and now_ms >= SETTLED_MS:
            self._settled = True
            self.calm_down()
            self.board.settled()
        if self._clock_word != self.clock.word():
            self._clock_word = self.clock.word()
            self.outbox.state_due = True
        self._note_faults()
        return show(self, now_ms)

    def keep_backlog(self) -> None:
        """Nobody acknowledges what RTC memory holds: move it to flash."""
        told = self.outbox.all_told()
        try:
            self.memory.keep(self.board)
        except StoreError:
            self.storage_fault = True
        if not told:
            self.outbox.tell_again()

    def calm_down(self) -> None:
        """This boot has not crashed. Safe mode stays until somebody restarts the board, or for a day."""
        if not self.safe_mode and self.memory.crashes:
            self.memory.crashes = 0
            self.memory.save_rtc(self.board)  # now: a crash before the next occasion would count as the second in a row

    def board_faults(self) -> list[str]:
        """The fault words of the board as a whole."""
        faults = []
        if self.state[state.BATTERY_LOW]:
            faults.append("low_battery")
        if self.senses.failed or self.clock.failed or self.bridge_fault:
            faults.append("sensor")
        known = self.memory.fault_mask >> protocol.FAULTS.index("clock") & 1
        unset = not self.clock.now_s() and (known or self.board.uptime_ms() >= CLOCK_LATE_MS)
        if unset or self.clock.stale():
            faults.append("clock")
        if self.storage_fault:
            faults.append("storage")
        if self.leak:
            faults.append("leak")
        if self.inbox.tampering():
            faults.append("tampering")
        return faults

    def _note_faults(self) -> None:
        """Report the board's faults as they come and go, over sleeps; the core reports its own (low_battery)."""
        faults = self.board_faults()
        if not faults and not self.memory.fault_mask:
            return
        for i, word in enumerate(protocol.FAULTS):
            known = self.memory.fault_mask >> i & 1
            if word != "low_battery" and (word in faults) != bool(known):
                self.memory.fault_mask ^= 1 << i
                self.runs.event("fault_cleared" if known else "fault", 0, 0, 0, "", word, 0, 0)

    # What the inbox asks for

    def apply(self, wanted: Settings) -> None:
        """Put new settings in force."""
        before = self.settings.programs
        if not self.settings.version and any(self.memory.keys):
            before = wanted.programs  # they were lost here, and come back: what they started they do not start again
        self.settings = wanted
        self.limits = self.limits[: DAY_OPENINGS + 1] + wanted.limits
        self._battery_ms = -BATTERY_EVERY_MS  # the power mode may be another one now
        if wanted.winter:
            self.inbox.stop_all()
        self.planner.changed(before)
        self.outbox.state_due = True

    def stay_awake(self, seconds: int) -> None:
        """Stay responsive for `seconds` from now; 0 ends it."""
        self._awake_until_ms = self.board.uptime_ms() + seconds * 1000
        self._battery_ms = -BATTERY_EVERY_MS

    def identify(self) -> None:
        """Blink for ten seconds."""
        self.identify_until_ms = self.board.uptime_ms() + IDENTIFY_MS

    def staying_awake(self, now_ms: int) -> bool:
        """True while someone wants the board to stay awake."""
        wanted: object = (
            self.press_ms or now_ms < self.identify_until_ms or (self.safe_mode and now_ms < self.shown_until_ms)
        )
        wanted = wanted or (self.update and now_ms < self.update[1])
        return bool(wanted) or protocol.POWER_MODES[self.memory.power_mode] == "responsive"

    def awake_until(self) -> int:
        """When the board stops staying awake on request, in Unix seconds; 0: it does not, or the clock is unset."""
        now_s = self.clock.now_s()
        left_ms = self._awake_until_ms - self.board.uptime_ms()
        return self.clock.unix(now_s) + (left_ms + 999) // 1000 if now_s and left_ms > 0 else 0

    def run_until(self, zone: int, now_s: int) -> int:
        """When the run of `zone` ends, in Unix seconds; 0 while it is not open or the clock is unset (`now_s` 0)."""
        z = state.base(zone)
        if self.state[z + state.PHASE] != state.OPEN or not now_s:
            return 0
        return self.clock.unix(now_s) + (self.state[z + state.GRANTED_MS] - self.state[z + state.OPEN_MS] + 999) // 1000
