"""One board with a program in a garden of its own: what `fleet`, `season` and `size` let live.

Rule: the program reaches the board as a user's would, as a signed `desired` that the broker keeps, and what the board tells is acknowledged as Home Assistant
does it. Nothing here looks into the firmware.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sim.board import SimulatedBoard
from sim.broker import Broker, Message
from sim.errors import SettingError
from sim.world import World

if TYPE_CHECKING:
    from sim.climate import Weather
    from sim.provision import Settings
    from sim.timeline import Timeline
    from sim.world import Scenario

ACK_DELAY_US = 300_000  # as Home Assistant gathers a burst
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


class Post(Protocol):
    """What a keeper wants of a broker."""

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish at QoS 1."""

    def subscribe(self, pattern: str, callback: Callable[[Message], None]) -> None:
        """Call `callback` for what comes."""


class Keeper:
    """Stands for Home Assistant: gives the board its program, and acknowledges what it tells. `on_event` is told each event once, `on_sample` that some came.

    `broker` is the board's own in memory, unless another is given.
    """

    def __init__(self, board: SimulatedBoard, program: Program, broker: Post | None = None) -> None:
        from sprinkler import protocol  # found once a board was made
        from sprinkler.auth import sign

        known = broker or board.broker
        assert known is not None
        self.broker: Post = known
        self.on_event: Callable[[dict[str, Any]], object] | None = None
        self.on_sample: Callable[[], object] | None = None
        self._timeline = board.timeline
        self._heard: dict[int, list[int]] = {}  # by boot_id: the last event, the last sample
        self._due: set[int] = set()

        def tell(leaf: str, body: bytes) -> None:
            topic = protocol.topic(board.device_id, leaf)
            self.broker.publish(topic, sign(board.key, topic, body), retain=True)

        self._tell = tell
        tell(protocol.DESIRED, program.desired(board.world.weather))
        self.broker.subscribe(protocol.topic(board.device_id, protocol.EVENT), self._event)
        self.broker.subscribe(protocol.topic(board.device_id, protocol.TELEMETRY), self._telemetry)

    def _event(self, message: Message) -> None:
        event = json.loads(message.payload)
        if self._note(event["boot_id"], 0, event["n"]) and self.on_event is not None:
            self.on_event(event)

    def _telemetry(self, message: Message) -> None:
        told = json.loads(message.payload)
        if told["samples"]:
            if self.on_sample is not None:
                self.on_sample()
            self._note(told["boot_id"], 1, told["samples"][-1]["n"])

    def _note(self, boot_id: int, which: int, number: int) -> bool:
        """Remember the last number; True if it is news."""
        last = self._heard.setdefault(boot_id, [0, 0])
        news = number > last[which]
        last[which] = max(last[which], number)
        if not self._due:
            self._timeline.at(self._timeline.now_us + ACK_DELAY_US, self._answer)
        self._due.add(boot_id)
        return news

    def _answer(self) -> None:
        due, self._due = self._due, set()
        for boot_id in (known for known in self._heard if known in due):
            event, sample = self._heard[boot_id]
            self._tell("ack", json.dumps({"boot_id": boot_id, "event": event, "sample": sample}).encode())
        while len(self._heard) > 2:
            del self._heard[next(iter(self._heard))]


def plant(
    scenario: Scenario,
    program: Program,
    *,
    seed: int,
    device_id: str,
    timeline: Timeline | None = None,
    settings: Settings | None = None,
) -> tuple[SimulatedBoard, Keeper]:
    """A board with someone who keeps it; it is not powered yet. Its broker keeps no log."""
    world = World(scenario, timeline)
    board = SimulatedBoard(world, Broker(keep_log=False), seed=seed, settings=settings, device_id=device_id)
    return board, Keeper(board, program)
