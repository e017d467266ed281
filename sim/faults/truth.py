"""What really happened in a life: when water ran and where, when valves moved, when the board was awake or without power, and what it told of faults.

Rule: records, judges nothing. Flows are constant between two changes of them, so spans of constant flow are the whole truth of the meters.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import DeepSleep, Ending, PowerLoss
from sim.port import PWRON_RESET, Port
from sim.world import Scenario as Garden
from sim.world import World

if TYPE_CHECKING:
    from sim.board import SimulatedBoard
    from sim.broker import Message

type Interval = tuple[int, int]  # us of true time


class Span(NamedTuple):
    """Constant flow for a while; times in us of true time, flows in ml/s by zone."""

    from_us: int
    until_us: int
    flows: tuple[float, ...]


class Opening(NamedTuple):
    """One time that a valve was open, from its move to its move. `by_hand`: someone turned its knob, and nothing is granted to that."""

    zone: int
    from_us: int
    until_us: int
    by_hand: bool = False


class Told(NamedTuple):
    """A fault word that the board reported: `at_us` as the message dates it, or when it came."""

    at_us: int
    zone: int
    word: str
    present: bool
    dated: bool


class Account(NamedTuple):
    """What the board said became of a program's start: `run_skipped`, or a `run_finished` with a reason. `at_us` as for `Told`."""

    at_us: int
    zone: int
    program: int
    reason: str


class MeteredWorld(World):
    """A world that tells of each change of its flows."""

    def __init__(self, garden: Garden) -> None:
        self.on_flow: Callable[[], None] = lambda: None
        super().__init__(garden)

    def refresh_flows(self) -> None:
        """Work out the flows anew, and tell of it."""
        super().refresh_flows()
        self.on_flow()


@dataclass
class Truth:
    """Fills itself while the board lives; `finish()` closes what is open at the end."""

    board: SimulatedBoard
    world: MeteredWorld
    spans: list[Span] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    awake: list[tuple[int, int]] = field(default_factory=list)
    dark: list[tuple[int, int]] = field(default_factory=list)  # without power, from the end of a boot to the next boot
    drained: list[tuple[int, int]] = field(default_factory=list)  # the same, because its own cell was empty
    told: list[Told] = field(default_factory=list)
    accounts: dict[tuple[int, int], Account] = field(default_factory=dict)  # by boot_id and number: events are repeated
    settled: list[tuple[int, bool]] = field(default_factory=list)  # when it refused settings (False), or held some
    lines: list[str] = field(default_factory=list)
    heard_us: int = 0
    on_happening: Callable[[str, int], None] = lambda *_: None

    def __post_init__(self) -> None:
        board, world = self.board, self.world
        self._since_us = 0
        self._flows: tuple[float, ...] = (0.0,) * len(world.zones)
        self._open_us: dict[int, int] = {}
        self._by_hand: set[int] = set()
        self._boot_us = -1
        self._end_us = 0
        self._by_cell = False  # nobody took the power away: the cell is empty
        self._lost_us = -1  # since when it has been without power
        world.on_flow = self._flow
        world.on_valve.append(self._valve)
        board.on_boot, board.on_end = self._boot, self._end
        board.bench.bridge.pulses = deque()  # all of them, not the last thousand
        assert board.broker is not None
        self._sender = "sprinkler-" + board.device_id
        board.broker.subscribe("#", self._message)

    def note(self, words: str) -> None:
        """A line of the log."""
        self.lines.append(f"{self.world.timeline.now_us} {words}")

    def lose_power(self) -> None:
        """The supply fails now, awake or asleep."""
        if self._by_cell or self._lost_us < 0:  # else it was without already
            self._lost_us = self.world.timeline.now_us
        self._by_cell = False

    def pushes(self, zone: int, *, opens: bool | None = None) -> list[int]:
        """When a bridge pushed this valve (from 0) open or closed, or either (None), in order."""
        return [
            push.at_us
            for push in self.board.bench.bridge.pulses
            if push.zone == zone + 1 and opens in (None, push.opens)
        ]

    def swapped(self, zone: int) -> bool:
        """Are the wires of this valve changed over? A push to close is one to open then."""
        return bool(self.board.bench.bridge.swapped_mask >> zone & 1)

    def turned_by_hand(self, zone: int) -> None:
        """A hand has turned the valve's knob at this moment: if that opened it, the board did not."""
        if self._open_us.get(zone) == self.world.timeline.now_us:
            self._by_hand.add(zone)

    def _gone(self, now_us: int) -> None:
        (self.drained if self._by_cell else self.dark).append((max(self._lost_us, self._end_us), now_us))
        self._by_cell = True

    def digest(self) -> str:
        """Of the whole log."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def finish(self) -> None:
        """The life is over."""
        self._flow()
        now_us = self.world.timeline.now_us
        for zone in list(self._open_us):
            self._closed(zone)
        if self._boot_us >= 0:
            self.awake.append((self._boot_us, now_us))
        elif self.board.flat or self._lost_us >= 0:
            self._gone(now_us)
        self.openings.sort(key=lambda opening: opening.from_us)

    # --- hooks

    def _flow(self) -> None:
        now_us = self.world.timeline.now_us
        if now_us > self._since_us and any(self._flows):
            self.spans.append(Span(self._since_us, now_us, self._flows))
        self._since_us = now_us
        self._flows = tuple(zone.flow_ml_s for zone in self.world.zones)

    def _valve(self, zone: int) -> None:
        now_us, opens = self.world.timeline.now_us, self.world.zones[zone].valve.open
        self.note(f"valve {zone + 1} {'opens' if opens else 'closes'}")
        if opens:
            self._open_us.setdefault(zone, now_us)
        elif zone in self._open_us:
            self._closed(zone)
        self.on_happening("opens" if opens else "closes", zone + 1)

    def _closed(self, zone: int) -> None:
        now_us, from_us = self.world.timeline.now_us, self._open_us.pop(zone)
        if zone not in self._by_hand:
            self.openings.append(Opening(zone, from_us, now_us))
            return
        self._by_hand.discard(zone)
        pushed_us = next((at_us for at_us in self.pushes(zone, opens=True) if at_us > from_us), now_us)
        self.openings.append(Opening(zone, from_us, pushed_us, by_hand=True))
        if pushed_us < now_us:  # from its push on it is the board's own
            self.openings.append(Opening(zone, pushed_us, now_us))

    def _boot(self, port: Port) -> None:
        now_us = self.world.timeline.now_us
        self.note(f"boot {port.session.cause}")
        if port.session.cause == PWRON_RESET:
            self._gone(now_us)
        self._lost_us = -1
        self._boot_us = now_us
        self.on_happening("boots", 0)

    def _end(self, ending: Ending) -> None:
        now_us = self._end_us = self.world.timeline.now_us
        self.note(f"end {type(ending).__name__}")
        if self._boot_us >= 0:
            self.awake.append((self._boot_us, now_us))
        self._boot_us = -1
        if isinstance(ending, PowerLoss) and self._lost_us < 0:
            self._lost_us = now_us
            self._by_cell = True
        if isinstance(ending, DeepSleep):
            self.on_happening("sleeps", 0)

    def _message(self, message: Message) -> None:
        self.note(f"{message.sender or '-'} {message.topic} {message.payload.decode(errors='backslashreplace')}")
        if message.sender != self._sender:
            return
        self.heard_us = message.at_us
        leaf = message.topic.split("/", 2)[2]
        if leaf == "event":
            self._event(json.loads(message.payload))
        elif leaf == "state":
            self._state(json.loads(message.payload))
        elif leaf == "reply":
            reply = json.loads(message.payload)
            if reply["id"] == "desired":  # said of a refusal alone
                self.settled.append((self.heard_us, False))

    def _event(self, event: dict[str, Any]) -> None:
        kind, reason = event["event"], event["reason"]
        if kind in ("fault", "fault_cleared"):
            self._tell(event["at"], event["zone"], reason, kind == "fault")
        elif kind == "run_skipped" or (kind == "run_finished" and reason):
            account = Account(self._at_us(event["at"]), event["zone"], event["program"], reason)
            self.accounts.setdefault((event["boot_id"], event["n"]), account)

    def _state(self, state: dict[str, Any]) -> None:
        if state["desired_version"]:
            self.settled.append((self.heard_us, True))
        for row in (state | {"zone": 0}, *state["zones"]):
            for word in row["faults"]:
                self._tell(state["at"], row["zone"], word, present=True)

    def _tell(self, at_s: int, zone: int, word: str, present: bool) -> None:
        self.told.append(Told(self._at_us(at_s), zone, word, present, bool(at_s)))

    def _at_us(self, at_s: int) -> int:
        """The moment of a message in us of true time; now, if it is not dated (0)."""
        return round((at_s - self.world.scenario.start_unix_s) * 1_000_000) if at_s else self.world.timeline.now_us
