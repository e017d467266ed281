"""One board with a program in a garden of its own: what `fleet`, `season` and `size` let live.

Rule: the program reaches the board as a user's would, as a signed `desired` that the broker keeps. Nothing here looks into the firmware.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.board import SimulatedBoard
from sim.broker import Broker
from sim.errors import SettingError
from sim.world import World

if TYPE_CHECKING:
    from sim.climate import Weather
    from sim.timeline import Timeline
    from sim.world import Scenario

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Program:
    """When the first zone is watered, in the place's standard time, and how often the board wakes. No run time: never."""

    run_time_s: int = 1200
    start_min: int = 360
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    wake_interval_s: int = 900

    def __post_init__(self) -> None:
        if not 0 <= self.run_time_s <= 7200:
            raise SettingError(f"a run lasts up to 120 minutes, not {self.run_time_s / 60:g}")
        if not 60 <= self.wake_interval_s <= 3600:
            raise SettingError(f"the board wakes every 1 to 60 minutes, not {self.wake_interval_s / 60:g}")

    def desired(self, weather: Weather) -> bytes:
        """The body of `desired`, without its signature."""
        rows = [
            {"id": 1, "zone": 1, "start_min": self.start_min, "run_time_s": self.run_time_s, "weekdays": self.weekdays}
        ]
        settings = {"tz_rule": f"LOC{-weather.utc_s // 3600}", "wake_interval_s": self.wake_interval_s}
        return json.dumps({"version": 1, "settings": settings, "programs": rows if self.run_time_s else []}).encode()


def plant(
    scenario: Scenario,
    program: Program,
    *,
    seed: int,
    device_id: str,
    timeline: Timeline | None = None,
    keep_log: bool = False,
) -> SimulatedBoard:
    """A board that knows its program from its first wake on; it is not powered yet."""
    broker = Broker(keep_log=keep_log)
    board = SimulatedBoard(World(scenario, timeline), broker, seed=seed, device_id=device_id)
    from sprinkler import protocol  # found once a board was made
    from sprinkler.auth import sign

    topic = protocol.topic(board.device_id, protocol.DESIRED)
    broker.publish(topic, sign(board.key, topic, program.desired(board.world.weather)), retain=True)
    return board
