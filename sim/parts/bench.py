"""The wiring of one board: which part hangs on which pin.

Rule: the only place that knows pin numbers. Pins: 4 OPEN, 5 CLOSE, 15 enable, 12 SDA, 14 SCL, 13 flow, 2 LED (active low), 0 button (active
low), ADC0 battery divider 1:5 or an analog soil probe. One zone: its nSLEEP is tied to 15; more: to the expander at 0x20. A rain switch hangs on the
expander's GP4, or on 13 in place of the flow meter.
"""

from collections.abc import Callable
from random import Random

from sim.parts.bridge import Bridge
from sim.parts.ds3231 import RealTimeClock
from sim.parts.flaw import Flaw
from sim.parts.i2c import Bus, CurrentSensor, Expander, SoilProbe
from sim.world import World

OPEN, CLOSE, ENABLE, SDA, SCL, FLOW, LED, BUTTON = 4, 5, 15, 12, 14, 13, 2, 0
PROBE_DRY, PROBE_WET = 320, 1015
ANALOG_DRY, ANALOG_WET = 840, 390  # an analog probe says less the wetter it is
RAIN_GPIO = 4  # of the expander
RAIN_DRIES_S = 7200  # how long the discs of a rain switch stay swollen after the rain
PULSES_PER_LITRE = 450
PULLED = (
    1,
    1,
    1,
    1,
    0,
    0,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    0,
    1,
)  # level of each pin that nobody drives (4, 5, 15: pull-downs)


class Bench:
    """Everything around one board, over all its boots.

    The flow meter has its supply from that of the coils, which the enable pin switches.

    Faults: `bus.absent`, `bus.hold()`, `flow_meter_broken`, the world's valves, and the sensors' flaws: `probe_flaws` (of each zone's probe, in parts of its
    range), `battery_flaw` and `panel_flaw` (in V).
    """

    __slots__ = (
        "_button_down",
        "_counted",
        "_counted_ml",
        "_outputs",
        "_pulses",
        "adc_broken",
        "adc_noise",
        "air_c",
        "analog_zone",
        "battery_flaw",
        "bridge",
        "bus",
        "expander",
        "flow_meter_broken",
        "flow_meter_ma",
        "led_changes",
        "on_button",
        "panel_flaw",
        "probe_flaws",
        "probes",
        "pulses_per_litre",
        "rain_pin",
        "random",
        "rtc",
        "stuck_high",
        "wet",
        "world",
    )

    def __init__(self, world: World, seed: int = 0, swapped_mask: int = 0) -> None:
        self.world = world
        self.random = Random(f"bench {seed}")
        self.bridge = Bridge(world, swapped_mask)
        self.bus = Bus()
        self.expander = Expander(self._drive)
        self.probe_flaws = [Flaw(noise=2.0 / (PROBE_WET - PROBE_DRY)) for _ in world.zones]
        self.battery_flaw, self.panel_flaw = Flaw(), Flaw()
        self.probes = [self._probe(zone) for zone in range(len(world.zones))]
        self.rtc = RealTimeClock(world.timeline, self._temperature_c)
        self.air_c: float | None = None  # a temperature other than the weather's
        self.wet: bool | None = None  # the rain switch, other than the weather wets it
        self.analog_zone = 0  # the zone (from 1) whose analog probe hangs on the ADC in place of the battery's divider
        self.rain_pin = False  # the rain switch hangs on the flow meter's pin
        self.expander.pulled_low_mask = lambda: 1 << RAIN_GPIO if self.raining() else 0
        self.flow_meter_broken = False
        self.stuck_high: set[int] = set()  # pins with a short to the supply
        self.flow_meter_ma = 0.0  # what it draws while it is fed, from the coils' supply
        self.pulses_per_litre = PULSES_PER_LITRE
        self.adc_broken = False  # a fault: nothing is connected
        self.adc_noise = 1.5  # standard deviation, in steps of 1/1024
        self.led_changes = 0
        self.on_button: Callable[[int], None] | None = None
        self._button_down = False
        self._counted = 0
        self._pulses = 0  # counted and not taken yet
        self._counted_ml = 0.0
        self._outputs: list[int | None] = [None] * 17
        self.bus.parts[0x40] = CurrentSensor(world.timeline, self._measure_battery)
        self.bus.parts[0x41] = CurrentSensor(world.timeline, self._measure_panel)
        if len(world.zones) > 1:
            self.bus.parts[0x20] = self.expander
        self.bus.parts[0x68] = self.rtc
        for zone, probe in enumerate(self.probes):
            self.bus.parts[0x36 + zone] = probe

    # --- pins

    def level(self, pin: int) -> int:
        """What a board reads there."""
        if pin in self.stuck_high:
            return 1
        output = self._outputs[pin]
        if output is not None:
            return output
        if pin == BUTTON and self._button_down:
            return 0
        if pin == SDA and self.bus.held:
            return 0
        if pin == FLOW and self.rain_pin and self.raining():
            return 0
        return PULLED[pin]

    def drive(self, pin: int, level: int | None) -> None:
        """The board drives `pin` to `level`, or lets go of it (None)."""
        before = self._outputs[pin]
        if level == before:
            return
        if pin == ENABLE:
            self._count_flow()
        self._outputs[pin] = level
        if pin in (OPEN, CLOSE, ENABLE):
            self._drive()
        elif pin == LED:
            self.led_changes += 1
        elif pin == SCL and before == 0 and self.level(SCL) == 1:
            self.bus.clock()

    def release_all(self) -> None:
        """A reset, deep sleep or power loss: the board drives nothing."""
        self._count_flow()
        self._outputs = [None] * 17
        self._drive()

    def lose_power(self) -> None:
        """Parts forget what they were told; a held bus is free."""
        self.release_all()
        self.expander.power_on()
        self.bus.held = False

    def _drive(self) -> None:
        enable = self.level(ENABLE) == 1
        self.world.set_switched_ma(self.flow_meter_ma if enable else 0.0)
        zones = len(self.world.zones)
        awake_mask = int(enable) if zones == 1 else self.expander.driven_high_mask
        self.bridge.update(enable=enable, lines=(self.level(OPEN) == 1, self.level(CLOSE) == 1), awake_mask=awake_mask)

    # --- button and flow meter

    def press_button(self, *, down: bool) -> None:
        """A finger on the button, or off it."""
        if down != self._button_down:
            self._button_down = down
            if self.on_button is not None:
                self.on_button(0 if down else 1)

    def take_flow_pulses(self) -> int:
        """Pulses of the flow meter since the last call."""
        if self.world.turned_ml != self._counted_ml:
            self._count_flow()
        pulses = self._pulses
        self._pulses = 0
        return pulses

    def _count_flow(self) -> None:
        """The meter counts what turned it since the last look, if it was fed."""
        turned_ml = self.world.turned_ml
        if turned_ml == self._counted_ml:  # nothing turned since
            return
        self._counted_ml = turned_ml
        total = int(turned_ml * self.pulses_per_litre / 1000)
        if self.level(ENABLE) == 1 and not self.flow_meter_broken:
            self._pulses += total - self._counted
        self._counted = total

    # --- analog

    def adc(self) -> int:
        """The battery through its divider, or the analog probe: 0 ... 1024 for 0 ... 1 V."""
        if self.adc_broken:
            return 0
        if self.analog_zone:
            zone = self.analog_zone - 1
            told = self.probe_flaws[zone].told(self.wetness(zone), self.world.timeline.now_us, self.random)
            value = ANALOG_DRY + (ANALOG_WET - ANALOG_DRY) * told
        else:
            told_v = self.battery_flaw.told(self.world.battery_v(), self.world.timeline.now_us, self.random)
            value = told_v / 5.0 * 1024
        value += self.random.gauss(0.0, self.adc_noise)
        return min(1024, max(0, round(value)))

    def _measure_battery(self) -> tuple[float, float]:
        true_v, into_cell_a = self.world.cell()
        return self.battery_flaw.told(true_v, self.world.timeline.now_us, self.random), into_cell_a

    def _measure_panel(self) -> tuple[float, float]:
        self.world.advance()
        told_v = self.panel_flaw.told(self.world.panel_v(), self.world.timeline.now_us, self.random)
        return told_v, self.world.currents()[2]

    def wetness(self, zone: int) -> float:
        """What the soil of `zone` (from 0) holds of the water that grass can use, 0 ... 1."""
        self.world.advance()
        return self.world.zones[zone].soil.available

    def raining(self) -> bool:
        """Is the rain switch wet?"""
        if self.wet is not None:
            return self.wet
        lawn_s = self.world.lawn_unix_s()
        hours = range(0, RAIN_DRIES_S + 1, 900)
        return any(self.world.weather.slot(lawn_s - ago_s).rain_mm_h > 0 for ago_s in hours)

    def _temperature_c(self) -> float:
        return self.world.now().temperature_c if self.air_c is None else self.air_c

    def _probe(self, zone: int) -> SoilProbe:
        def measure() -> float:
            told = self.probe_flaws[zone].told(self.wetness(zone), self.world.timeline.now_us, self.random)
            return PROBE_DRY + (PROBE_WET - PROBE_DRY) * told

        return SoilProbe(self.world.timeline, measure, self._temperature_c)
