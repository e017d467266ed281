"""One simulated board: runs the firmware's boot.py and main.py unmodified, boot after boot.

Rule: this is the runner and nothing else: it prepares a boot's stand-ins, executes the files of the board's flash with them, and does what the boot's
ending asks for. Several boards may live in one process. What survives an ending is decided here and nowhere else.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from greenlet import greenlet

from sim import battery, interpreter, power
from sim.broker import Broker
from sim.chip import Chip
from sim.errors import DeepSleep, Ending, PowerLoss, Reset, SettingError, Stopped, WatchdogReset
from sim.flash import Flash
from sim.net import Network
from sim.parts import Bench
from sim.port import (
    DEEPSLEEP_RESET,
    EXCEPTION_RESET,
    HARD_RESET,
    PWRON_RESET,
    SOFT_RESET,
    SOFT_WDT_RESET,
    Port,
    Session,
)
from sim.provision import Settings, config_json, find_firmware, provision
from sim.timeline import FOREVER_US, VirtualTime, Waiter
from sim.world import Scenario, World
from sim.zone import HELD_OHM

BOOT_US = 250_000  # from the reset to the first line of boot.py
FLAT_CHECK_US = 60_000_000  # a dead board looks at its cell this often


class _Elsewhere(Ending):
    """Someone outside ended the boot: `cause` is the next boot's reset cause, `off_us` how long the board is without power."""

    def __init__(self, cause: int, off_us: int = 0) -> None:
        super().__init__()
        self.cause = cause
        self.off_us = off_us
        self.keeps_pins = cause in (EXCEPTION_RESET, SOFT_WDT_RESET, SOFT_RESET)


@dataclass(frozen=True, slots=True)
class Hardware:
    """Ready-made pieces instead of new ones: live boards bring a flash kept in a folder and a network of real sockets."""

    flash: Flash | None = None
    network: Network | None = None


NEW = Hardware()


class SimulatedBoard:
    """A board in a world, with its broker. `settings` and `files` are what provisioning puts on its flash.

    Afterwards: `run_for(seconds)` (virtual time), `session` (the running boot or None), `boots` (reset causes), `printed`, `crashes`.
    """

    def __init__(
        self,
        world: World | None = None,
        broker: Broker | None = None,
        *,
        zones: int | None = None,
        seed: int | None = 0,
        settings: Settings | None = None,
        files: dict[str, bytes] | None = None,
        device_id: str = "5a17e001",
        hardware: Hardware = NEW,
    ) -> None:
        self.world = world or World(Scenario(zones=zones or 2, seed=seed or 0))
        if zones is not None and zones != len(self.world.zones):
            raise SettingError(f"the board has {zones} zones and its world {len(self.world.zones)}: make them equal")
        self.broker = broker
        self.timeline = self.world.timeline
        self.network = hardware.network or Network(self.timeline, self.world.unix_s)
        self.settings = settings or Settings()
        self.settings.zones = len(self.world.zones)
        for zone in self.world.zones:
            if self.settings.held:
                zone.valve.held, zone.valve.coil_ohm = True, HELD_OHM
        self.bench = Bench(self.world, seed or 0, (1 << 4) - 1 if self.settings.swapped else 0)
        self.bench.flow_meter_ma = power.DRAWS["flow_meter"] if self.settings.ul_per_pulse else 0.0
        self.chip = Chip(bytes.fromhex(device_id), hardware.flash or Flash(), seed)
        self.chip.sdk_station = (self.settings.wifi_ssid, self.settings.wifi_password)
        if not self.settings.device_key and seed is not None:
            self.settings.device_key = self.chip.random.randbytes(16).hex()
        self.key = provision(self.chip.flash, self.settings, files)
        self.world.parts_ma = power.parts_ma(config_json(self.settings))
        if broker is not None:
            broker.join(self.network)
        self.session: Session | None = None
        self.boots: list[int] = []
        self.printed: list[str] = []
        self.crashes: list[str] = []
        self.raise_crashes = True  # False: as on the board, a traceback and a dead prompt until the watchdog bites
        self.on_crash: Callable[[str], None] | None = None
        self.asleep_until_us = 0
        self._starting = False
        self.flat = False  # off, because its cell is empty
        self.on_boot: Callable[[Port], None] | None = None  # called with each boot's stand-ins before boot.py runs
        self.on_end: Callable[[Ending], None] | None = None
        self._sleeper = Waiter(self.timeline)
        self._external: _Elsewhere | None = None
        self._task: greenlet | None = None
        find_firmware()

    @property
    def device_id(self) -> str:
        """Eight hex digits."""
        return self.chip.unique_id.hex()

    # --- from outside

    def run_for(self, seconds: float) -> None:
        """Let `seconds` of virtual time pass; the first call powers the board on."""
        self.power_on()
        self.run_until(self.timeline.now_us + round(seconds * 1_000_000))

    def run_until(self, at_us: int) -> None:
        """Let virtual time pass up to `at_us`; it does not power the board on."""
        timeline = self.timeline
        if not isinstance(timeline, VirtualTime):
            raise SettingError("run_for needs virtual time; a live board uses run()")
        timeline.run_until(at_us)

    def power_on(self) -> None:
        """Give the board a turn of its own in virtual time; harmless when it has one."""
        if self._task is None:
            self._task = task = greenlet(self.run)
            starter = Waiter(self.timeline)
            starter.task = task
            self.timeline.at(self.timeline.now_us, starter.resume)

    def reset_now(self, cause: int = HARD_RESET) -> None:
        """The reset line is pulled: at once, whatever the firmware does."""
        asleep = self.session is None and not self._starting
        self._interrupt(_Elsewhere(DEEPSLEEP_RESET if asleep and cause == HARD_RESET else cause))

    def power_cut(self, off_s: float = 1.0) -> None:
        """The supply fails for `off_s`; RTC memory, clock and parts forget."""
        self.chip.lose_power(self.timeline.now_us)
        self._interrupt(_Elsewhere(PWRON_RESET, max(1, round(off_s * 1_000_000))))
        self.bench.lose_power()

    def hang(self) -> None:
        """The firmware gets stuck in its next wait."""
        if self.session is not None:
            self.session.hang()

    def stop(self) -> None:
        """Take the board out of the simulation: it never boots again."""
        if self._task is not None and not self._task.dead:
            if self.session is not None:
                self.session.end(Stopped())
            self._task.throw(Stopped)
        self._task = None

    def _interrupt(self, ending: _Elsewhere) -> None:
        self._external = ending
        if self.session is not None:
            self.session.end(ending)
        else:
            self._sleeper.notify()

    # --- one life

    def run(self) -> None:
        """Boot after boot, until the simulation stops."""
        cause = PWRON_RESET
        try:
            while True:
                cause = self._start(cause)
                cause = self._wait_for_charge(cause)
                cause = self._after(self._boot(cause))
        except Stopped:
            self.session = None

    def _start(self, cause: int) -> int:
        """From the reset to the first line of boot.py; a reset meanwhile starts it anew."""
        self._starting = True
        try:
            while True:
                cause = self._rest(BOOT_US, cause)
                if self.timeline.now_us >= self.asleep_until_us:
                    return cause
        finally:
            self._starting = False

    def _boot(self, cause: int) -> Ending:
        """Run boot.py and main.py until something ends the boot."""
        self.chip.boots += 1
        self.boots.append(cause)
        if cause in (DEEPSLEEP_RESET, HARD_RESET):
            self.chip.clock.start_counter(self.timeline.now_us)
        session = self.session = Session(self.chip, self.bench, self.network, cause)
        port = Port(session)
        if self.on_boot is not None:
            self.on_boot(port)
        try:
            self._execute(port)
            while True:  # main.py returned: the prompt
                session.wait(FOREVER_US)
        except Ending as ending:
            return session.end(ending).forget_where()
        finally:
            self.session = None

    def _execute(self, port: Port) -> None:
        try:
            interpreter.run(self.chip.flash.files, port, ("/boot.py", "/main.py"), self.printed.append)
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            self.crashes.append(text)
            if self.on_crash is not None:
                self.on_crash(text)
            if self.raise_crashes:
                port.session.end(Reset())
                raise

    # --- between two boots

    def _after(self, ending: Ending) -> int:
        """Do what the ending asks for; the next boot's reset cause."""
        if self.on_end is not None:
            self.on_end(ending)
        if isinstance(ending, Stopped):
            raise ending
        if self._external is not None:
            return self._came_from_outside()
        if isinstance(ending, DeepSleep):
            return self._sleep(ending.sleep_us)
        if isinstance(ending, PowerLoss):
            self.chip.lose_power(self.timeline.now_us)
            self.bench.lose_power()
            return PWRON_RESET
        return SOFT_WDT_RESET if isinstance(ending, WatchdogReset) else SOFT_RESET

    def _sleep(self, asked_us: int) -> int:
        now_us = self.timeline.now_us
        self.world.set_load_ma(power.ASLEEP_MA[self.world.scenario.feather])
        if asked_us == 0:
            return self._rest(FOREVER_US - now_us, DEEPSLEEP_RESET)
        return self._rest(self.chip.clock.sleep(now_us, asked_us), DEEPSLEEP_RESET)

    def _rest(self, us: int, cause: int) -> int:
        """Wait without a running program; the reset cause of what ends it."""
        self.asleep_until_us = self.timeline.now_us + us
        while self._external is None and self.timeline.now_us < self.asleep_until_us:
            self._sleeper.clear()
            self.timeline.wait(self._sleeper, self.asleep_until_us)
        return cause if self._external is None else self._came_from_outside()

    def _came_from_outside(self) -> int:
        external, self._external = self._external, None
        if external is None:
            return PWRON_RESET
        if external.off_us:
            self.world.set_load_ma(0.0)
            self._rest(external.off_us, external.cause)
            self.chip.lose_power(self.timeline.now_us)
        return external.cause

    def _wait_for_charge(self, cause: int) -> int:
        """With a flat cell nothing starts; when the sun has charged it, the board powers on."""
        if self.world.battery_v() >= battery.DIES_BELOW_V and self.world.charge_mah > 0:
            return cause
        self.world.set_load_ma(0.0)
        self.flat = True
        while self.world.battery_v() < battery.STARTS_ABOVE_V:
            self._rest(FLAT_CHECK_US, PWRON_RESET)
        self.flat = False
        self.chip.lose_power(self.timeline.now_us)
        self.bench.lose_power()
        return PWRON_RESET
