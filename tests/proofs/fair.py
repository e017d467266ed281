"""Fair: what becomes of every state once the world behaves. Nothing is chosen any more, so from each state there is one road, and roads meet.

Two worlds: in the good one everything works and a person clears faults (P4); in the stuck one no valve closes any more, and the meter tells the truth (P3).
"""

from collections.abc import Callable, Iterable
from typing import Any

from sprinkler.core import controller, state

from .hardware import SOUND
from .nodes import Awake, Node
from .scale import FLOW_ML, GOOD_MV, TICK_MS
from .shipped import Mind, Request, Shipped, Turn
from .world import put

type Spot = tuple[Mind, tuple[int, ...]]  # a mind, and where water runs
ROAD_MAX = 300  # turns: no road may be longer


class Broken(Exception):  # noqa: N818 - it is the promise that is broken
    """A promise does not hold: (words, the spot it starts from, the road)."""


class Fair:
    """Follows every road of one board."""

    def __init__(self, shipped: Shipped, owed: tuple[str, ...] = ()) -> None:
        self.shipped = shipped
        self.owed = owed
        self.zones = shipped.scale.zones
        self.spots = 0
        self._restful: set[Spot] = set()
        self._thirsty: set[Spot] = set()
        self._alarmed: set[Spot] = set()

    def judge(self, nodes: Iterable[Node]) -> tuple[str, Spot, list[Any]] | None:
        """The first promise that a state breaks under a fair world, with the state and its road; None when all hold."""
        seen: set[Spot] = set()
        try:
            for node in nodes:
                if isinstance(node, Awake) and (spot := (node.mind, node.world.valves)) not in seen:
                    seen.add(spot)
                    self._rests_and_waters(spot)
                    if self.shipped.scale.meter and any(spot[1]):
                        self._raises_alarm(spot)
        except Broken as broken:
            return broken.args[0], broken.args[1], broken.args[2]
        finally:
            self.spots = len(seen)
        return None

    def _rests_and_waters(self, start: Spot) -> None:
        end = self._follow(start, self._restful, self._is_restful, "P4: the board never comes to rest, closed")
        if end is None or end in self._thirsty:
            return
        self._thirsty.add(end)
        for zone in range(1, self.zones + 1):
            self._waters(end, zone)

    def _waters(self, start: Spot, zone: int) -> None:
        hand = self.shipped.scale.hand
        request = ("run", zone, hand * TICK_MS, 0)
        spot, road, open_ticks = (start[0], (0,) * self.zones), [], 0
        for _ in range(self.shipped.scale.day):  # until there is a day that it may water on
            spot, turn = self._next(spot, (), sticks=False)
            road.append(turn)
        spot, turn = self._next(spot, (request,), sticks=False)
        road.append(turn)
        while spot[1][zone - 1] and open_ticks <= hand:
            spot, turn = self._next(spot, (), sticks=False)
            road.append(turn)
            open_ticks += 1
        if open_ticks != hand:
            self._break(f"P4: zone {zone} is asked for {hand} ticks of water and gives {open_ticks}", start, road)
        self._follow(spot, self._restful, self._is_restful, "P4: after a run the board never comes to rest")

    def _raises_alarm(self, start: Spot) -> None:
        """Follow the road into its circle: all the way round the stuck zones are locked, and each is pulsed."""
        road: list[Any] = []
        trail: dict[Spot, int] = {}
        spot = start
        while spot not in trail and spot not in self._alarmed:
            trail[spot] = len(road)
            spot, turn = self._next(spot, (), sticks=True)
            road.append(turn)
        if spot not in self._alarmed:
            self._check_circle(start, list(trail)[trail[spot] :], road, trail[spot])
        self._alarmed.update(trail)

    def _check_circle(self, start: Spot, circle: list[Spot], road: list[Any], begins: int) -> None:
        """Every valve that runs is pulsed; and a zone is locked (one meter serves all, so it may be another one), which keeps the board from opening."""
        pulsed = {action[1] for turn in road[begins:] for action in turn.actions if action[0] == "pulse_close"}
        for zone, runs in enumerate(circle[0][1], 1):
            if runs and zone not in pulsed:
                self._break(f"P3: valve {zone} is stuck open, and is pulsed no more", start, road)
        for mind, _ in circle:
            locked = [
                zone for zone in range(1, self.zones + 1) if _is_locked(mind.core[state.base(zone) + state.FAULT])
            ]
            if not locked:
                self._break("P3: a valve is stuck open without lockout and leak", start, road)
            if not any(_is_locked(mind.ledger.faults[zone - 1]) for zone in locked):
                self._break(f"P3: the lockout of zone {locked} would not outlive a reset", start, road)

    def _follow(self, start: Spot, known: set[Spot], arrived: Callable[[Spot], bool], words: str) -> Spot | None:
        """Follow the good road until it ends; None when it joins one that was followed before."""
        road, trail, spot = [], [], start
        while not arrived(spot):
            if spot in known:
                known.update(trail)
                return None
            trail.append(spot)
            spot, turn = self._next(spot, self._clearing(spot), sticks=False)
            road.append(turn)
            if len(road) > ROAD_MAX:
                self._break(words, start, road)
                return None
        known.update(trail)
        return spot

    def _break(self, words: str, start: Spot, road: list[Any]) -> None:
        if not words.startswith(self.owed):
            raise Broken(words, start, road)

    def _clearing(self, spot: Spot) -> tuple[Request, ...]:
        """A person who sees a locked zone at rest clears its fault."""
        core = spot[0].core
        locked = any(core[state.base(zone) + state.FAULT] & state.LOCKOUT for zone in range(1, self.zones + 1))
        return (("clear_fault", 0),) if locked and controller.idle(core) else ()

    def _is_restful(self, spot: Spot) -> bool:
        mind, valves = spot
        known = self.shipped.scale.meter  # without a meter, what a valve refused cannot be known
        return (
            not (known and any(valves)) and not mind.failed and controller.idle(mind.core) and not self._clearing(spot)
        )

    def _next(self, spot: Spot, requests: tuple[Request, ...], *, sticks: bool) -> tuple[Spot, Turn]:
        mind, valves = spot
        ticks = 0 if mind.failed else 1
        flow_ml = FLOW_ML if ticks and any(valves) else 0
        turn = self.shipped.turn(mind, ticks, (GOOD_MV, flow_ml), requests, SOUND)
        for effect in turn.effects:
            if effect[0] == "pulse" and (effect[2] or not sticks):
                valves = put(valves, effect[1], int(effect[2]))
        return (turn.mind, valves), turn


def _is_locked(fault: int) -> bool:
    return bool(fault & state.LOCKOUT and fault & state.LEAK)
