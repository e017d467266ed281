"""App: one wake, from its begin to sleep or reset, and what the parts of the application know of each other.

Rule: the only glue, with `turning`, one pass of its loop. Staying awake is that loop with a short wait; no wait in it lacks an end.
"""

from . import protocol
from .clock import Clock
from .core import power, state
from .core.safety import DAY_OPENINGS
from .errors import StoreError
from .inbox import Inbox
from .link import Link
from .outbox import Outbox
from .planner import Planner
from .reading import load
from .rest import PACE_MS, Rest
from .runs import Runs
from .senses import Senses
from .settings import Config, Settings
from .store import Memory
from .turning import BATTERY_EVERY_MS, SAMPLE_EVERY_MS, SETTLED_MS, turn

if False:  # for annotations
    from .board import Board

CLOCK_LATE_MS = 15000  # within what a wake may spend on a network: a sleeper says so, too
IDENTIFY_MS = 10000
CRASH_COUNTED = 128  # added to the count of crashes: the next boot, which the closer may put off by its rest, need not count this one


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
        self.awake_until_ms = self.identify_until_ms = 0
        # What one turn leaves for the next: the uptime at which each thing was done last, and what was found
        self.last_ms = board.uptime_ms()
        self.day_ms = 0
        self.sample_ms = self.battery_ms = self.open_state_ms = -SAMPLE_EVERY_MS
        self.battery_mv = self.battery_misses = 0
        self.settled = False  # this boot has lived long enough not to be a crash
        self.clock_word = ""  # of the clock, when the state was due for it last
        self.again: list[tuple] = []  # requests
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
            ms = turn(self)
            while not self.link.wait(min(ms, PACE_MS)) and ms > PACE_MS and (self.press_ms or self.board.button_up()):
                ms -= PACE_MS

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

    # What the inbox asks for

    def apply(self, wanted: Settings) -> None:
        """Put new settings in force."""
        before = self.settings.programs
        if not self.settings.version and any(self.memory.keys):
            before = wanted.programs  # they were lost here, and come back: what they started they do not start again
        self.settings = wanted
        self.limits = self.limits[: DAY_OPENINGS + 1] + wanted.limits
        self.battery_ms = -BATTERY_EVERY_MS  # the power mode may be another one now
        if wanted.winter:
            self.inbox.stop_all()
        self.planner.changed(before)
        self.outbox.state_due = True

    def stay_awake(self, seconds: int) -> None:
        """Stay responsive for `seconds` from now; 0 ends it."""
        self.awake_until_ms = self.board.uptime_ms() + seconds * 1000
        self.battery_ms = -BATTERY_EVERY_MS

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
        left_ms = self.awake_until_ms - self.board.uptime_ms()
        return self.clock.unix(now_s) + (left_ms + 999) // 1000 if now_s and left_ms > 0 else 0

    def run_until(self, zone: int, now_s: int) -> int:
        """When the run of `zone` ends, in Unix seconds; 0 while it is not open or the clock is unset (`now_s` 0)."""
        z = state.base(zone)
        if self.state[z + state.PHASE] != state.OPEN or not now_s:
            return 0
        return self.clock.unix(now_s) + (self.state[z + state.GRANTED_MS] - self.state[z + state.OPEN_MS] + 999) // 1000
