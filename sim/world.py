"""One lawn with its sun, cell, soil and water: the ground truth, which no firmware can talk about or touch but through its parts.

Rule: everything is brought to the present lazily, in closed form between changes and from one slot of the weather to the next (`advance`). Water runs at
the pace of true time; sun, soil and cell live `speed` times faster. The water meter of each zone counts what truly passes its valve.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim import battery, climate, hydraulics, power, soil
from sim.errors import SettingError
from sim.timeline import Timeline, VirtualTime
from sim.zone import Zone


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a world starts from. Angles in degrees (east and north positive), times in Unix seconds.

    `site` names a record of `sim.data` (with `year`, for a daily one); without it the weather is made up for latitude and longitude.
    """

    zones: int = 2
    seed: int = 0
    latitude_deg: float = 36.07
    longitude_deg: float = -79.79
    start_unix_s: float = 1_800_000_000  # 2027-01-15 08:00 UTC
    lawn_start_unix_s: float | None = None  # where the lawn's own time starts; None: there as well
    speed: float = 1.0  # how much faster sun, soil and cell live than the board's own clock
    battery_pct: float = 80.0
    capacity_mah: float = 2000.0
    panel_w: float = 2.0
    area_m2: float = 30.0  # of each zone
    depletion_mm: float = 20.0
    clouds: bool = True  # False: always a clear sky and no rain; a record has its own
    site: str = ""
    year: int | None = None
    soil: str = "loam"
    grass: str = "cool"
    feather: str = "rev_g"

    def __post_init__(self) -> None:
        if not 1 <= self.zones <= 4:
            raise SettingError(f"zones must be 1 to 4, not {self.zones}")
        if not (-90 <= self.latitude_deg <= 90 and -180 <= self.longitude_deg <= 180):
            raise SettingError("latitude must be -90 to 90 and longitude -180 to 180 degrees")
        if not 0 < self.speed <= 100_000:
            raise SettingError(f"speed must be above 0 and at most 100000, not {self.speed:g}")
        if not (0 <= self.battery_pct <= 100 and self.capacity_mah > 0 and self.panel_w >= 0 and self.area_m2 > 0):
            raise SettingError("battery_pct must be 0 to 100, capacity and area above 0, the panel not negative")
        soil.Ground.of(self.soil, self.grass)
        if self.feather not in power.ASLEEP_MA:
            raise SettingError(f"no Feather called '{self.feather}'; there are: {', '.join(power.ASLEEP_MA)}")


def weather_of(scenario: Scenario) -> climate.Weather:
    """The weather of a scenario. Raises SettingError for a site or year without a record."""
    place = scenario.latitude_deg, scenario.longitude_deg
    return climate.shared(scenario.site, scenario.year, scenario.seed, *place, scenario.clouds)


class World:
    """Ground truth. `timeline` defaults to a `VirtualTime` of its own."""

    def __init__(self, scenario: Scenario | None = None, timeline: Timeline | None = None) -> None:
        self.scenario = scenario or Scenario()
        self.timeline: Timeline = timeline or VirtualTime()
        self.weather = weather_of(self.scenario)
        ground = soil.Ground.of(self.scenario.soil, self.scenario.grass)
        self.zones = [Zone(self.scenario.depletion_mm, ground) for _ in range(self.scenario.zones)]
        self.supply_bar = hydraulics.SUPPLY_BAR
        self.charge_mah = self.scenario.capacity_mah * self.scenario.battery_pct / 100
        self.charged_mah = 0.0  # sum of what went into the cell
        self.drawn_mah = 0.0  # sum of what came out of it
        self.load_ma = 0.0
        self.parts_ma = 0.0  # what hangs on the board's 3.3 V; it is fed whenever the board is
        self.switched_ma = 0.0  # what the board has switched on
        self.held_ma = 0.0  # what a driven coil takes, as long as it is driven
        self.pulse_ma = 0.0  # the same for a pulse: seen by a current sensor; its charge is taken by `draw_mah`
        self.darkness = False  # a fault: something lies on the panel
        self._turned_ml = 0.0  # see `turned_ml`; as it was at ...
        self._turned_at_us = self.timeline.now_us  # ... this time, since when the flow is the same
        self._turning_ml_s = 0.0
        self.on_valve: list[Callable[[int], None]] = []  # called with the zone (from 0) after its valve moved
        self._flowing = False
        self._at_us = self._water_at_us = self.timeline.now_us

    # --- time and light

    def unix_s(self) -> float:
        """True time on the board's own scale, which NTP would tell: Unix seconds."""
        return self.scenario.start_unix_s + self.timeline.now_us / 1_000_000

    def lawn_unix_s(self) -> float:
        """The lawn's own time, `speed` times faster: Unix seconds."""
        return self._lawn_unix_s(self.timeline.now_us)

    def _lawn_unix_s(self, at_us: int) -> float:
        scenario = self.scenario
        start_s = scenario.start_unix_s if scenario.lawn_start_unix_s is None else scenario.lawn_start_unix_s
        return start_s + at_us / 1_000_000 * scenario.speed

    def now(self) -> climate.Slot:
        """The weather at this moment."""
        return self.weather.slot(self.lawn_unix_s())

    # --- cell and panel

    @property
    def charge(self) -> float:
        """State of charge of the cell, 0 ... 1."""
        return self.charge_mah / self.scenario.capacity_mah

    def currents(self) -> tuple[float, float, float, float]:
        """Now: (irradiance in W/m2, what the panel could give, what it gives, what goes into the cell), currents in ampere."""
        slot = self.now()
        light = 0.0 if self.darkness else slot.light_w_m2
        available_a = battery.panel_a(light, self.scenario.panel_w)
        load_a = (self.load_ma + self.switched_ma + self.held_ma + self.pulse_ma) / 1000
        drawn_a, into_cell_a = battery.charger_a(self.charge, available_a, load_a, slot.temperature_c)
        return light, available_a, drawn_a, into_cell_a

    def cell(self) -> tuple[float, float]:
        """Now: (voltage at the cell's terminals, what goes into it in ampere)."""
        self.advance()
        into_cell_a = self.currents()[3]
        return battery.terminal_v(self.charge, into_cell_a, self.now().temperature_c), into_cell_a

    def battery_v(self) -> float:
        """Voltage at the cell's terminals now."""
        return self.cell()[0]

    def panel_v(self) -> float:
        """Voltage of the panel now."""
        light, available_a, drawn_a, _ = self.currents()
        return battery.panel_v(light, available_a, drawn_a)

    def set_load_ma(self, board_ma: float) -> None:
        """What the board draws from now on, without its parts; 0: it has no power, nor have they."""
        load_ma = board_ma + self.parts_ma if board_ma else 0.0
        if load_ma != self.load_ma:
            self.advance()
            self.load_ma = load_ma

    def set_switched_ma(self, switched_ma: float) -> None:
        """What the board has switched on draws this from now on."""
        if switched_ma != self.switched_ma:
            self.advance()
            self.switched_ma = switched_ma

    def set_coil_ma(self, coil_ma: float, *, lasts: bool) -> None:
        """What the driven coil takes out of the cell from now on: for as long as its valve is held open (`lasts`), or during a pulse."""
        self.advance()
        if lasts:
            self.held_ma = coil_ma
        else:
            self.pulse_ma = coil_ma

    def draw_mah(self, mah: float) -> None:
        """Take a short pulse's charge out of the cell at once."""
        taken = min(mah, self.charge_mah)
        self.charge_mah -= taken
        self.drawn_mah += taken

    # --- water

    def move_valve(self, zone: int, *, opens: bool) -> None:
        """The plunger of zone `zone` (from 0) has been pushed with full force; what its faults do to that is decided here."""
        valve = self.zones[zone].valve
        if valve.swallow_pulses > 0:
            valve.swallow_pulses -= 1
            return
        if valve.open == opens or (valve.sticks_closed if opens else valve.sticks_open):
            return
        self.advance()
        valve.open = opens
        self.refresh_flows()
        for callback in self.on_valve:
            callback(zone)

    def refresh_flows(self) -> None:
        """Work out the flows anew; call it (after `advance`) when a fault or the supply was changed by hand."""
        for zone, flow in zip(
            self.zones,
            hydraulics.flows_ml_s([zone.valve.opening() for zone in self.zones], self.supply_bar),
            strict=True,
        ):
            zone.flow_ml_s = flow
        self._flowing = any(zone.flow_ml_s for zone in self.zones)
        self._turned_ml, self._turned_at_us = self.turned_ml, self.timeline.now_us
        total_ml_s = sum(zone.flow_ml_s for zone in self.zones)
        self._turning_ml_s = total_ml_s if total_ml_s >= hydraulics.WHEEL_TURNS_ML_S else 0.0

    @property
    def turned_ml(self) -> float:
        """What has passed fast enough to turn a flow meter's wheel; in closed form since the flow changed last."""
        if not self._turning_ml_s:
            return self._turned_ml
        return self._turned_ml + self._turning_ml_s * (self.timeline.now_us - self._turned_at_us) / 1_000_000

    # --- passing of time

    def advance_water(self) -> None:
        """Bring the water meters alone to the present."""
        elapsed_us = self.timeline.now_us - self._water_at_us
        if elapsed_us <= 0:
            return
        self._water_at_us = self.timeline.now_us
        if not self._flowing:
            return
        for zone in self.zones:
            if zone.flow_ml_s:
                passed_ml = zone.flow_ml_s * elapsed_us / 1_000_000
                zone.meter_ml += passed_ml
                if zone.valve.burst:
                    zone.spilled_ml += passed_ml * (1 - zone.valve.share())

    def advance(self) -> None:
        """Bring water, cell and soil to the present."""
        self.advance_water()
        elapsed_us = self.timeline.now_us - self._at_us
        if elapsed_us <= 0:
            return
        at_s, left_s = self._lawn_unix_s(self._at_us), elapsed_us / 1_000_000 * self.scenario.speed
        self._at_us = self.timeline.now_us
        while left_s > 0:
            until_slot_s = climate.SLOT_S - at_s % climate.SLOT_S
            seconds = left_s if left_s <= until_slot_s else until_slot_s
            self._step(self.weather.slot(at_s + seconds / 2), seconds, seconds / left_s)
            at_s += seconds
            left_s -= seconds

    def _step(self, slot: climate.Slot, seconds: float, share: float) -> None:
        """Let `seconds` of the lawn's time pass within one slot; the soil gets `share` of the water that waits for it."""
        available_a = 0.0 if self.darkness else battery.panel_a(slot.light_w_m2, self.scenario.panel_w)
        load_a = (self.load_ma + self.switched_ma + self.held_ma) / 1000
        into_cell_a = battery.charger_a(self.charge, available_a, load_a, slot.temperature_c)[1]
        moved_mah = into_cell_a * seconds / 3.6
        moved_mah = min(max(moved_mah, -self.charge_mah), self.scenario.capacity_mah - self.charge_mah)
        self.charge_mah += moved_mah
        if moved_mah > 0:
            self.charged_mah += moved_mah
        else:
            self.drawn_mah -= moved_mah
        hours = seconds / 3600
        for zone in self.zones:
            watered_ml = zone.meter_ml - zone.spilled_ml - zone.watered_ml
            if watered_ml:
                watered_ml *= share
                zone.watered_ml += watered_ml
            irrigation_mm = watered_ml / 1000 / self.scenario.area_m2
            soil.step(zone.soil, seconds, slot.et0_mm_h * hours, slot.rain_mm_h * hours, irrigation_mm, slot.et0_mm_day)

    def truth(self) -> dict[str, object]:
        """All that is really so, now; times in Unix seconds, the rest with its unit in its name."""
        self.advance()
        light, _, drawn_a, into_cell_a = self.currents()
        return {
            "at": self.unix_s(),
            "lawn_at": self.lawn_unix_s(),
            "sun_w_m2": round(light, 1),
            "solar_ma": round(drawn_a * 1000, 1),
            "battery_mv": round(battery.terminal_v(self.charge, into_cell_a, self.now().temperature_c) * 1000),
            "battery_ma": round(into_cell_a * 1000, 1),
            "battery_pct": round(self.charge * 100, 2),
            "battery_mah": round(self.charge_mah, 3),
            "zones": [
                {
                    "zone": number,
                    "valve": "open" if zone.valve.open else "closed",
                    "flow_rate_ml_min": round(zone.flow_ml_s * 60),
                    "meter_ml": round(zone.meter_ml, 1),
                    "depletion_um": round(zone.soil.depletion_mm * 1000),
                    "soil_pct": round(100 * zone.soil.available, 1),
                    "runoff_um": round(zone.soil.runoff_mm * 1000),
                    "drained_um": round(zone.soil.drained_mm * 1000),
                }
                for number, zone in enumerate(self.zones, 1)
            ],
        }
