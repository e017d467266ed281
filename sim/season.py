"""A season of one zone: the real firmware under a place's weather, hour by hour, and what became of sun, cell, soil and water.

Rule: rows are handed out as they come, so that whoever stops half way keeps them. What is told of the garden is ground truth; what is told of runs comes from
the board's own events.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sim import climate
from sim.errors import SettingError, SimError
from sim.garden import Program, plant
from sim.world import Scenario

HOUR_S = 3600
DAYS_MAX = 3660


class CrashError(SimError):
    """The firmware crashed; the message is the last line of the first traceback."""

    def __init__(self, tracebacks: list[str]) -> None:
        super().__init__(f"the firmware crashed {len(tracebacks)} times: {tracebacks[0].strip().splitlines()[-1]}")


class Row(NamedTuple):
    """An hour: sums over it, or (charge, voltage, depletion) how it ended. `hour` counts from the start."""

    hour: int
    unix_s: int
    sun_w_m2: float
    temperature_c: float
    charge_pct: float
    battery_mv: int
    depletion_mm: float
    rain_mm: float
    irrigation_mm: float
    evaporated_mm: float
    runoff_mm: float
    drained_mm: float
    flat: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated; the scenario says place, soil, panel and cell."""

    scenario: Scenario
    program: Program
    days: int
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= DAYS_MAX:
            raise SettingError(f"a season has 1 to {DAYS_MAX} days, not {self.days}")


class Season:
    """Runs a plan. Afterwards: `rows`, `summary()`, `crashes`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[Row] = []
        self.events: Counter[str] = Counter()
        self.board, keeper = plant(plan.scenario, plan.program, seed=plan.seed, device_id="5ea50001")
        self.board.raise_crashes = False
        keeper.on_event = self._note

    @property
    def crashes(self) -> list[str]:
        """Tracebacks of the firmware."""
        return self.board.crashes

    def _note(self, event: dict[str, Any]) -> None:
        self.events["/".join(word for word in (event["event"], event["result"], event["reason"]) if word)] += 1

    def run(self, each: Callable[[Row], bool]) -> None:
        """Let the season pass; `each` gets every row and stops it by True."""
        board, world = self.board, self.board.world
        bucket = world.zones[0].soil
        board.power_on()
        before = (0.0,) * 5
        for hour in range(self.plan.days * 24):
            board.run_until((hour + 1) * HOUR_S * 1_000_000)
            battery_v = world.battery_v()
            sums = (bucket.rain_mm, bucket.irrigation_mm, bucket.evaporated_mm, bucket.runoff_mm, bucket.drained_mm)
            slots = self._slots(hour)
            fell = [now - then for now, then in zip(sums, before, strict=True)]
            row = Row(
                hour=hour,
                unix_s=round(world.scenario.start_unix_s) + hour * HOUR_S,
                sun_w_m2=sum(slot.light_w_m2 for slot in slots) / len(slots),
                temperature_c=sum(slot.temperature_c for slot in slots) / len(slots),
                charge_pct=world.charge * 100,
                battery_mv=round(battery_v * 1000),
                depletion_mm=bucket.depletion_mm,
                rain_mm=fell[0],
                irrigation_mm=fell[1],
                evaporated_mm=fell[2],
                runoff_mm=fell[3],
                drained_mm=fell[4],
                flat=int(board.flat),
            )
            before = sums
            self.rows.append(row)
            if each(row):
                return

    def _slots(self, hour: int) -> list[climate.Slot]:
        world = self.board.world
        start_s = world.scenario.start_unix_s + hour * HOUR_S
        return [world.weather.slot(start_s + part * climate.SLOT_S) for part in range(HOUR_S // climate.SLOT_S)]

    def summary(self) -> dict[str, object]:
        """What happened, for people and programs; depths in mm, of the hours that were simulated."""
        world = self.board.world
        world.advance()
        bucket = world.zones[0].soil
        wished_mm = bucket.wished_mm or 1.0
        return {
            "place": world.weather.place,
            "days": round(len(self.rows) / 24, 2),
            "water_l": round(world.zones[0].meter_ml / 1000, 1),
            "irrigation_mm": round(bucket.irrigation_mm, 1),
            "rain_mm": round(bucket.rain_mm, 1),
            "evaporated_mm": round(bucket.evaporated_mm, 1),
            "runoff_mm": round(bucket.runoff_mm, 1),
            "drained_mm": round(bucket.drained_mm, 1),
            "satisfied_pct": round(100 * bucket.evaporated_mm / wished_mm, 1),
            "depletion_max_mm": round(max((row.depletion_mm for row in self.rows), default=0.0), 1),
            "available_mm": round(bucket.ground.available_mm, 1),
            "charge_min_pct": round(min((row.charge_pct for row in self.rows), default=0.0), 1),
            "flat_h": sum(row.flat for row in self.rows),
            "charged_mah": round(world.charged_mah),
            "drawn_mah": round(world.drawn_mah),
            "boots": self.board.chip.boots,
            "events": dict(sorted(self.events.items())),
            "crashes": len(self.crashes),
            "rain_record_missing": round(getattr(world.weather, "rain_missing", 0.0), 2),
        }
