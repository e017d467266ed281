"""Board: pins, ADC, I2C, RTC memory, watchdog, sleep. The only hardware code.

Rule: the port's modules are handed in; nothing else touches them. Every wait goes through `sleep_ms` or `poll`, feeds the watchdog, and has an end.
It must not know valves' rules, programs or messages.
"""

from .errors import SensorError

if False:  # for annotations
    from shapes import (
        I2C,
        WDT,
        Any,
        Callable,
        Closer,
        CloserConfig,
        Machine,
        ModuleType,
        Network,
        OpenFile,
        Os,
        Pin,
        Poller,
        Select,
        SocketModule,
        Time,
    )

FEED_MS = 1000  # the soft watchdog bites after about 3.2 s
LED_PIN, BUTTON_PIN, FLOW_PIN = 2, 0, 13
ADC_SAMPLES = 9
BATTERY_DIVIDER = 5  # the ADC sees a fifth of the battery; 1.0 V is full scale, 1024 counts
RESET_WATCHDOG, RESET_SOFT_WATCHDOG = (
    1,
    3,
)  # the SDK's numbers of the hardware's watchdog, an exception, and the 3.2 s one: `machine` names only the first
BATTERY_MV = (2500, 4500)  # outside of this a reading is a fault of the sensor


class Board:
    """One physical (or simulated) board."""

    def __init__(
        self,
        machine: "Machine",
        network: "Network",
        socket: "SocketModule",
        select: "Select",
        time: "Time",
        os: "Os",
        open_file: "OpenFile",
        closer: "Closer",
        closer_config: "CloserConfig | None",
        modules: "dict[str, ModuleType]",
        load: "Callable[[str], Any]",
        slots: int,
    ) -> None:
        self.machine = machine
        self.network = network
        self.socket = socket
        self.select = select
        self.time = time
        self.os = os
        self.open_file = open_file
        self._closer = closer
        self._closer_config = closer_config
        self.modules = modules
        self.load = load  # a module of the port, or of the file system, by name: forget it after use
        self.slots = slots  # what the chooser has to say
        self._rtc = machine.RTC()
        self._wdt: "WDT | None" = None
        self._i2c: "I2C | None" = None
        self._ticks = time.ticks_ms()
        self._uptime_ms = 0
        self.flash_writes = 0  # of this board's life, once the store has recalled it
        self._led = machine.Pin(LED_PIN, machine.Pin.OUT, value=1)
        self.button_up = machine.Pin(
            BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP
        )  # call it: 0 while the button is down
        self._supply = machine.Pin(closer.ENABLE_PIN, machine.Pin.OUT)  # low, as the closer left it
        self.held = closer.held(closer_config)  # valves that are open only while they are driven
        self.device_id = "".join("%02x" % b for b in machine.unique_id())

    # Time and waiting

    def uptime_ms(self) -> int:
        """Milliseconds since boot; never jumps, unlike the wall clock."""
        now = self.time.ticks_ms()
        self._uptime_ms += self.time.ticks_diff(now, self._ticks)
        self._ticks = now
        return self._uptime_ms

    def sleep_ms(self, ms: int) -> None:
        """Wait `ms`, feeding the watchdog."""
        while ms > 0:
            self.feed()
            part_ms = min(ms, FEED_MS)
            self.time.sleep_ms(part_ms)
            ms -= part_ms
        self.feed()

    def poll(self, poller: "Poller", ms: int) -> bool:
        """Wait at most `ms` for the sockets of `poller`; True if one is ready."""
        while True:
            self.feed()
            part_ms = min(ms, FEED_MS)
            if poller.poll(part_ms):
                return True
            ms -= part_ms
            if ms <= 0:
                return False

    def start_watchdog(self) -> None:
        """Arm the watchdog. It cannot be stopped; from here on every second counts."""
        if self._wdt is None:
            self._wdt = self.machine.WDT()

    def feed(self) -> None:
        """Tell the watchdog that the loop is alive."""
        if self._wdt:
            self._wdt.feed()

    def deep_sleep(self, seconds: int, closed: bool) -> None:
        """Sleep (a reset ends it). `closed`: every valve is verified closed, so the next boot need not pulse; else at most an hour."""
        self._closer.sleep(self.machine, self._closer.SLEPT_CLOSED if closed else 0, seconds)

    def reset(self) -> None:
        """Restart, on purpose: it does not count as a quick one."""
        self.settled()
        self.machine.reset()

    def settled(self) -> None:
        """A minute of uptime: earlier quick restarts no longer count."""
        self._rtc.memory(self._closer.record(0, 0) + self._rtc.memory()[self._closer.RECORD :])

    def wake_reason(self) -> str:
        """Why this boot happened, a word of protocol.WAKE_REASONS."""
        cause = self.machine.reset_cause()
        if RESET_WATCHDOG <= cause <= RESET_SOFT_WATCHDOG:
            return "watchdog"
        if cause == self.machine.DEEPSLEEP_RESET:
            return "timer"
        if cause == self.machine.SOFT_RESET:
            return "soft_reset"
        return "reset" if cause == self.machine.HARD_RESET else "power_on"

    # Memory that outlives a reset

    def rtc_load(self) -> bytes:
        """The application's part of RTC memory (bytes; empty after a loss of power)."""
        return self._rtc.memory()[self._closer.RECORD :]

    def rtc_save(self, data: bytes) -> None:
        """Replace the application's part of RTC memory (at most 484 bytes)."""
        self._rtc.memory(self._rtc.memory()[: self._closer.RECORD] + data)

    # Wall clock: seconds since 2000-01-01 UTC

    def clock_s(self) -> int:
        """The port's wall clock."""
        return self.time.time()

    def set_clock(self, seconds: int) -> None:
        """Set the port's wall clock; its milliseconds run on."""
        t = self.time.gmtime(seconds)
        self._rtc.datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], self._rtc.datetime()[7]))

    def drop(self, name: str) -> None:
        """Forget a late module of the package (one that is loaded for a moment, by an import inside a function): its code leaves the heap. The bundle
        puts its own name for it in the place of `name`."""
        self.modules.pop(name, None)

    # What hangs on the pins

    def pulse(self, zone: int, opening: bool, *look: "Callable[[], object]") -> None:
        """One valve pulse, by the closer; a held valve is driven, or let go of. `look`: see there. Raises OSError when the zone's bridge cannot be reached."""
        self.feed()
        self._closer.pulse(self.machine, self.time, self._closer_config, zone, opening, *look)
        self.feed()

    def can_look(self) -> bool:
        """True if the closer on this board lets one look on (an older one, which no update over the air replaces, does not)."""
        try:
            return self._closer.LOOK_MS > 0
        except AttributeError:
            return False

    def zones(self) -> int:
        """Zones that may be opened: those that the closer's configuration names, one where it is lost."""
        return self._closer.zone_count(self._closer_config) if self._closer_config else 1

    def i2c(self) -> "I2C":
        """The bus, made at first use."""
        if self._i2c is None:
            pin = self.machine.Pin
            self._i2c = self.machine.I2C(scl=pin(self._closer.SCL_PIN), sda=pin(self._closer.SDA_PIN), freq=100000)
        return self._i2c

    def adc_raw(self) -> int:
        """The ADC's median of nine, 0 to 1024: single readings are noisy."""
        adc = self.machine.ADC(0)
        return sorted(adc.read() for _ in range(ADC_SAMPLES))[ADC_SAMPLES // 2]

    def adc_battery_mv(self) -> int:
        """Battery voltage through the divider. Raises SensorError when it is not plausible."""
        mv = self.adc_raw() * 1000 * BATTERY_DIVIDER // 1024
        if not BATTERY_MV[0] <= mv <= BATTERY_MV[1]:
            raise SensorError("battery")
        return mv

    def on_flow(self, handler: "Callable[[Pin], None]") -> None:
        """Call `handler(pin)` at each pulse of the flow meter."""
        pin = self.machine.Pin(FLOW_PIN, self.machine.Pin.IN)
        pin.irq(handler=handler, trigger=self.machine.Pin.IRQ_RISING)

    def feed_meter(self) -> None:
        """Let the flow meter have its supply, which is that of the coils: the closer lets it fall at each pulse, and so does a sleep."""
        self._supply(1)

    def flow_pin_level(self) -> int:
        """The level of the flow meter's pin, held up, where something else hangs on it."""
        return self.machine.Pin(FLOW_PIN, self.machine.Pin.IN, self.machine.Pin.PULL_UP)()

    def led(self, on: object) -> None:
        """The blue LED (active low)."""
        self._led(0 if on else 1)

    def random_hex(self, count: int) -> str:
        """`count` random bytes from the port's noise source, as hex text."""
        return "".join("%02x" % b for b in self.os.urandom(count))
