"""App: one wake. Read, ask the core, act, report, sleep; staying awake is the same loop with a short wait.

Rule: the only glue. It decides nothing that the core decides, and no wait in it lacks an end.
"""

from . import protocol, report
from .clock import Clock
from .core import controller, power, state
from .core.safety import ASSUMED_TRIES, HAS_FLOW, LIMITS
from .errors import StoreError
from .inbox import Inbox
from .led import SHOWN_MS, show
from .link import Link
from .outbox import Outbox
from .planner import Planner
from .rest import PACE_MS, PULSE_EVERY_S, Rest
from .runs import Runs
from .senses import Senses
from .settings import Settings
from .store import EVENTS_MAX, SAMPLES_MAX, Memory

SAMPLE_EVERY_MS = 30000
OPEN_STATE_EVERY_MS = 5000
SETTLED_MS = 60000
CLOCK_LATE_MS = 15000  # within what a wake may spend on a network: a sleeper says so, too
BATTERY_EVERY_MS = 2000
BATTERY_MISSES_MAX = 3
IDENTIFY_MS = 10000
DAY_MS = 86400000
CRASHES_MAX = 2  # crashes without a minute, or a good sleep, between them; the closer rests ten minutes after the third
CRASH_COUNTED = (
    128  # added to the count: the next boot, which the closer may put off by its rest, need not count this crash
)
SAFE_AWAKE_MS = 600000  # how long a board in safe mode may be looked at, at each boot that a crash made
LOOK_MS = 50  # at the button, while it is down


class App:
    """The application on one board."""

    def __init__(self, board):
        self.board = board
        self.safe_mode = None  # not known yet
        board.start_watchdog()  # from here on nothing can leave the board at a dead prompt

    def _wake(self):
        """Recall what was, and put the parts together."""
        board = self.board
        self.memory = Memory()
        journal_ok = self.memory.load(board)
        self.wake_reason = board.wake_reason()
        self.shown_until_ms = 0  # until then the LED speaks
        self.safe_mode = self._count_boot()
        board.led(self.shown_until_ms)
        self.press_ms = (
            0 if board.button_up() else -1
        )  # since when the button is down; -1: not believed until it was up
        self.hand_zone = 0  # the zone that the button watered last
        self.storage_fault = not journal_ok
        try:
            from .provisioned import read_config

            self.config = read_config(board)
        except StoreError:
            self.config = None
            self.storage_fault = True
        board.drop("provisioned")
        self.bridge_fault = False
        self._awake_until_ms = self.identify_until_ms = 0
        self._settled = False
        self._day_ms = 0
        self._last_ms = board.uptime_ms()
        self._sample_ms = self._battery_ms = self._open_state_ms = -SAMPLE_EVERY_MS
        self._battery_mv = self._battery_misses = 0
        self._clock_word = ""
        self._failed = []
        if self.config:
            self._assemble()

    def _count_boot(self):
        """Count this boot. True if it has to be in safe mode: those before it crashed, one after the other. Once a day it is tried without."""
        m = self.memory
        timer = self.wake_reason == "timer"
        m.boots = m.boots + (not timer) & 0xFFFF
        m.wakes = m.wakes + timer & 0xFFFF
        crashed = self.wake_reason == "watchdog" or m.crashes & CRASH_COUNTED
        if m.crashes & CRASH_COUNTED:
            m.crashes -= CRASH_COUNTED
        elif crashed:
            m.crashes = min(m.crashes + 1, CRASH_COUNTED - 2)
        elif not timer:
            m.crashes = 0
        elif m.slept_s >= PULSE_EVERY_S:
            m.crashes = min(m.crashes, CRASHES_MAX - 1)
        if not timer or crashed:
            m.save_rtc(self.board)  # now: whatever crashed may do so again before the next occasion
            self.shown_until_ms = SHOWN_MS if m.crashes < CRASHES_MAX else SAFE_AWAKE_MS
        return m.crashes >= CRASHES_MAX

    def _assemble(self):
        from .desired import load

        board, config, m = self.board, self.config, self.memory
        self.settings = Settings()
        if not self.safe_mode:
            self.settings = load(board, protocol.topic(board.device_id, protocol.DESIRED), config.key)
        board.drop("desired")
        self.clock = Clock(board, m, config.ds3231, self.wake_reason)
        self.senses = Senses(board, config)
        tries = 1 if board.held else LIMITS[ASSUMED_TRIES]  # a spring closes what is not driven
        has_flow = 1 if self.senses.has_flow() else 0
        self.limits = LIMITS[:HAS_FLOW] + (has_flow, tries) + LIMITS[HAS_FLOW + 2 :]
        if self.safe_mode:
            self.limits = (0,) + self.limits[1:]  # the cap: nothing opens, whoever asks
        self.outbox = Outbox(self)
        self.inbox = Inbox(self)
        self.runs = Runs(self)
        self.planner = Planner(self)
        self.rest = Rest(self)
        will_topic = protocol.topic(board.device_id, protocol.AVAILABILITY)
        session = (
            config.broker_host,
            config.broker_port,
            "sprinkler-" + board.device_id,
            config.broker_user,
            config.broker_password,
        )
        topics = (protocol.topic(board.device_id, ""), protocol.TO_BOARD)
        self.link = Link(
            board,
            m,
            (config.wifi_ssid, config.wifi_password, config.ntp_host),
            session + (will_topic, report.LOST),
            topics,
            self.inbox.hear,
        )
        self._begin()

    def _begin(self):
        """The core's first state: what the sleep mark, the journal and the kind of reset say."""
        m = self.memory
        zones = self.board.zones()
        timer = self.wake_reason == "timer"
        if m.lost:
            self.planner.give_up(0, "reset")
        self.link.resubscribe = not timer or not m.subscribed
        self.link.asks_names = not timer
        self.link.failed_joins = m.failed_joins
        if timer and not m.open_zone and m.slept_s < PULSE_EVERY_S:
            self.state = controller.asleep(zones, m.faults, self.limits)
            return
        if self.wake_reason != "watchdog":
            m.resumed = 1  # this end is final, also if a watchdog reset follows before the journal says so
        journal = (m.open_zone, m.program, m.granted_s * 1000, m.open_s * 1000, m.resumed) if m.open_zone else None
        self.state = controller.booted(zones, m.faults, journal, self.wake_reason, self.limits)
        m.slept_s = 0
        self.outbox.health_due = True
        self.runs.recall()
        if not timer:
            self.runs.event("boot", 0, 0, 0, "", self.wake_reason, 0, 0)

    def run(self):
        """Run for ever; a deep sleep or a reset ends it, or an error: then the watchdog bites, and the next boot closes first."""
        try:
            self._wake()
            self._loop()
        except Exception as error:
            self._keep_crash(error)
            raise

    def _keep_crash(self, error):
        try:
            if self.safe_mode is not None:  # what was recalled is whole
                self.memory.crashes = self.memory.crashes + 1 | CRASH_COUNTED
                self.memory.save_rtc(self.board)
            from .crash import note

            note(self.board, error)
        except (StoreError, MemoryError):
            pass  # nobody will know why; that there was a crash is counted all the same

    def _loop(self):
        if (
            not self.config
        ):  # without a key nobody can be heard: stay closed, and leave the cable its window at the next reset
            self.board.sleep_ms(SETTLED_MS)
            self.board.deep_sleep(power.LONGEST_SLEEP_S, False)
        while True:
            self.link.wait(self.turn())

    def turn(self):
        """One pass of the loop. Returns how long nothing is due, in ms."""
        now_ms = self.board.uptime_ms()
        elapsed_ms = now_ms - self._last_ms
        self._last_ms = now_ms
        # A sample before the planner, which may look at soil, rain and temperature
        if now_ms - self._sample_ms >= SAMPLE_EVERY_MS and not self.safe_mode:
            self._sample_ms = now_ms
            now_s = self.clock.now_s()
            values = self.senses.sample(now_s, self.link.rssi_dbm(), self.memory, self.settings.longitude_cdeg)
            self.memory.add_sample(values)
        if self.inbox.proposed:
            self.inbox.settle()
        ml = self.senses.take_ml()
        self.runs.meter(ml)
        requests, ids = self.inbox.take()
        requests = self._failed + requests + self._hand(now_ms)
        requests += self.planner.due(now_ms, requests)
        ids = [""] * len(self._failed) + ids
        self.state, actions, due_ms = controller.step(
            self.state, elapsed_ms, (self._battery(now_ms), ml), requests, self.limits
        )
        if self.safe_mode:
            actions = [action[:-1] + ("safe_mode",) if action[-1] == "over_cap" else action for action in actions]
        self._failed = self.runs.carry_out(actions)
        if self.runs.check:
            from .check import follow

            follow(self, ml)
            if not self.runs.check:
                self.board.drop("check")
        self._answer(actions, requests, ids)
        if actions:
            self.outbox.state_due = True
        self.runs.checkpoint()
        led_ms = self._housekeeping(now_ms)
        self.clock.service()
        self.link.service()
        self.outbox.service()
        if self.rest.due(now_ms):
            self.rest.go()
        if self._failed or self.inbox.busy() or (self.planner.behind() and not self.planner.waiting):
            return 0
        if self.press_ms > 0:
            return LOOK_MS
        return min(due_ms, led_ms, 1000 if self.staying_awake(now_ms) else PACE_MS)

    def _hand(self, now_ms):
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

    def _battery(self, now_ms):
        """Battery voltage, read every two seconds at most; 0: unknown."""
        if now_ms - self._battery_ms >= BATTERY_EVERY_MS:
            self._battery_ms = now_ms
            mv = self.senses.battery()[0]
            self._battery_misses = 0 if mv else self._battery_misses + 1
            if mv or self._battery_misses >= BATTERY_MISSES_MAX:  # one lost reading ends no run
                self._battery_mv = mv
            before = protocol.POWER_MODES[self.memory.power_mode]
            responsive = self.config.always_responsive or now_ms < self._awake_until_ms
            mode = protocol.POWER_MODES.index(power.mode(before, self._battery_mv, responsive, self.settings.winter))
            if mode != self.memory.power_mode:
                self.memory.power_mode = mode
                self.outbox.state_due = True
        return self._battery_mv

    def _answer(self, actions, requests, ids):
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

    def _housekeeping(self, now_ms):
        """What is due by the clock: samples, faults, the state of an open valve, the LED. Returns the ms until the LED changes."""
        closed = controller.idle(self.state)
        full = len(self.memory.events) >= EVENTS_MAX or len(self.memory.samples) >= SAMPLES_MAX
        if full and (now_ms == self._sample_ms or not self.storage_fault):
            self.keep_backlog()
        if not closed and now_ms - self._open_state_ms >= OPEN_STATE_EVERY_MS:
            self._open_state_ms = now_ms
            self.outbox.state_due = True
        if now_ms - self._day_ms >= DAY_MS:
            self._day_ms = now_ms
            self.outbox.health_due = True
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

    def keep_backlog(self):
        """Nobody acknowledges what RTC memory holds: move it to flash."""
        try:
            self.memory.keep(self.board)
        except StoreError:
            self.storage_fault = True

    def calm_down(self):
        """This boot has not crashed. Safe mode stays until somebody restarts the board, or for a day."""
        if not self.safe_mode:
            self.memory.crashes = 0

    def board_faults(self):
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
        if self.inbox.tampering():
            faults.append("tampering")
        return faults

    def _note_faults(self):
        """Report the board's faults as they come and go, over sleeps; the core reports its own (low_battery)."""
        faults = self.board_faults()
        for i, word in enumerate(protocol.FAULTS):
            known = self.memory.fault_mask >> i & 1
            if word != "low_battery" and (word in faults) != bool(known):
                self.memory.fault_mask ^= 1 << i
                self.runs.event("fault_cleared" if known else "fault", 0, 0, 0, "", word, 0, 0)

    # What the inbox asks for

    def apply(self, wanted):
        """Put new settings in force."""
        before = self.settings.programs
        self.settings = wanted
        self._battery_ms = -BATTERY_EVERY_MS  # the power mode may be another one now
        if wanted.winter:
            self.inbox.stop_all()
        self.planner.changed(before)
        self.outbox.state_due = True

    def stay_awake(self, seconds):
        """Stay responsive for `seconds` from now; 0 ends it."""
        self._awake_until_ms = self.board.uptime_ms() + seconds * 1000
        self._battery_ms = -BATTERY_EVERY_MS

    def identify(self):
        """Blink for ten seconds."""
        self.identify_until_ms = self.board.uptime_ms() + IDENTIFY_MS

    def staying_awake(self, now_ms):
        """True while someone wants the board to stay awake."""
        wanted = self.press_ms or now_ms < self.identify_until_ms or (self.safe_mode and now_ms < self.shown_until_ms)
        return bool(wanted) or protocol.POWER_MODES[self.memory.power_mode] == "responsive"

    def awake_until(self):
        """When the board stops staying awake on request, in Unix seconds; 0: it does not, or the clock is unset."""
        now_s = self.clock.now_s()
        left_ms = self._awake_until_ms - self.board.uptime_ms()
        return self.clock.unix(now_s) + (left_ms + 999) // 1000 if now_s and left_ms > 0 else 0

    def run_until(self, zone, now_s):
        """When the run of `zone` ends, in Unix seconds; 0 while it is not open or the clock is unset (`now_s` 0)."""
        z = state.base(zone)
        if self.state[z + state.PHASE] != state.OPEN or not now_s:
            return 0
        return self.clock.unix(now_s) + (self.state[z + state.GRANTED_MS] - self.state[z + state.OPEN_MS] + 999) // 1000
