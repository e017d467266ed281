"""Search: every history of the board, breadth first, to the fixpoint. Nodes are the moments between two turns of the loop and the moments after a reset;
what happens in between (a reset between any two effects, a hang, a refused pulse) is walked through on each edge.

Rule: the search knows how the world may act, not what the firmware should do; promises.py judges.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import closer
from sprinkler.core import controller, state

from . import promises
from . import world as worlds
from .hardware import EXPANDER, EXPANDER_LATE, SOUND
from .nodes import Adversary, Awake, Down, Edge, Node, Result, Walk, history
from .scale import FLOW_ML, TICK_MS, Scale
from .shipped import Kept, Mind, Shipped, Turn
from .world import Grant, Point, Run, World

REST_TICKS = 12  # a sleep, or the closer's rest: longer than any run


type Grants = tuple[tuple[int, Grant], ...]


class _Answer(NamedTuple):
    """One turn of a mind, with what of it does not depend on the world. `stops`: zones that a signed stop was heard for, 0: all."""

    lines: tuple[Any, ...]
    turn: Turn
    complaint: str
    grants: Grants
    stops: tuple[int, ...]


class Search:
    """One board against one adversary."""

    def __init__(self, scale: Scale, adversary: Adversary, *, exact: bool = False) -> None:
        self.scale, self.adversary = scale, adversary
        self.shipped = Shipped(scale, exact=exact)
        self._turns: dict[Any, list[_Answer]] = {}
        self._walks: dict[Any, Walk] = {}
        self._reset: set[Any] = set()  # moments whose resets were followed
        self._truthful = scale.meter and not adversary.lies and not adversary.leaks
        self._again = 0  # transitions that were followed before, from a node as shallow
        self.longest = 0

    def explore(self, states_max: int = 20_000_000) -> Result:
        """Visit everything. Stops at the first broken promise: it is the shortest story of its kind."""
        world = worlds.closed_world(self.scale.zones, self.scale.day, self.scale.day_openings)
        first = Down("power_on", worlds.new_board(self.scale.zones), world)
        result = Result()
        seen: dict[Node, Any] = {first: None}
        queue = deque([(first, 0)])
        while queue:
            node, result.depth = queue.popleft()
            for edge in self.edges(node):
                result.transitions += 1
                if edge.broken:
                    result.broken = edge.broken
                    result.history = [*history(seen, node), (edge.node or node, edge.lines)]
                    queue.clear()
                    break
                if edge.node not in seen:
                    seen[edge.node] = node, edge.lines
                    queue.append((edge.node, result.depth + 1))
            if len(seen) > states_max:
                result.broken = f"more than {states_max} states"
                break
        result.states, result.nodes, result.longest = len(seen), seen, self.longest
        result.transitions += self._again
        return result

    def edges(self, node: Node) -> Iterator[Edge]:
        """Everything that may happen next."""
        if isinstance(node, Down):
            yield from self._boots(node)
        else:
            yield from self._waits(node)
            yield from self._turns_of(node)
            core = node.mind.core
            if self.adversary.sleeps and not node.mind.failed and (controller.idle(core) or controller.stuck(core)):
                yield from self._sleeps(node)
            if self.adversary.leaks:
                yield from self._leaks(node)

    # After a reset

    def _boots(self, node: Down) -> Iterator[Edge]:
        for mode in self.adversary.broken:
            if mode in (SOUND, EXPANDER, EXPANDER_LATE):
                yield from self._boot(node, 0, mode)
        if self.adversary.rests and node.kept.rtc is not None:
            yield from self._boot(node, closer.QUICK_BOOTS_MAX, SOUND)

    def _boot(self, node: Down, quick_boots: int, mode: str) -> Iterator[Edge]:
        booted = self.shipped.boot(node.kept, node.cause, quick_boots, mode)
        if isinstance(booted, Turn):
            yield from self._walk_boot(node, booted, mode)
        else:
            yield from self._walk_sleep(node, booted, f"boots ({node.cause}), and the closer rests", REST_TICKS)

    def _walk_boot(self, node: Down, turn: Turn, mode: str) -> Iterator[Edge]:
        line = ("boot", node.cause, mode)
        walk = self._walk(None, node.kept, node.world, turn)
        yield from self._cut(walk, turn, (line,), 0)
        for point in walk.ends:
            world = point.world if mode == SOUND else _unreached(point.world, range(1, self.scale.zones + 1))
            yield self._awake(turn.mind, point.kept, world, (line, *point.refusals))

    # Awake

    def _waits(self, node: Awake) -> Iterator[Edge]:
        """A hang, of no length up to the watchdog's time, that ends in a reset."""
        yield from self._resets(Point(node.kept, node.world, ()), (), self.scale.watchdog)

    def _turns_of(self, node: Awake) -> Iterator[Edge]:
        ticks_of = (0,) if node.mind.failed else range(1, 2 + self.scale.late)
        for ticks in ticks_of:
            world = worlds.passed(node.world, ticks)
            flow = FLOW_ML * ticks if node.world.flows() else 0
            if broken := self._judge(node.kept, world):
                yield Edge((("late", ticks),), None, broken)
                return
            for answer in self._answers(node.mind, ticks, flow):
                if answer.complaint:
                    yield Edge(answer.lines, None, answer.complaint)
                elif answer.turn.effects:
                    yield from self._walk_turn(node, world, answer)
                else:  # the world stays as it was judged above
                    yield self._arrived(node, answer, Point(node.kept, world, ()))

    def _walk_turn(self, node: Awake, world: World, answer: _Answer) -> Iterator[Edge]:
        walk = self._walk(answer.grants, node.kept, world, answer.turn)
        yield from self._cut(walk, answer.turn, answer.lines, self.scale.watchdog)
        for point in walk.ends:
            yield self._arrived(node, answer, point)

    def _arrived(self, node: Awake, answer: _Answer, point: Point) -> Edge:
        after = _told(node.mind, answer.stops, point.world) if answer.stops else point.world
        if answer.turn.mind.failed:
            after = _after_failure(answer.turn, after)
        lines = (*answer.lines, *point.refusals) if point.refusals else answer.lines
        return self._awake(answer.turn.mind, point.kept, after, lines)

    def _answers(self, mind: Mind, ticks: int, flow: int) -> list[_Answer]:
        """What the firmware makes of each possible input; equal answers once."""
        key = (mind, ticks, flow)
        if key not in self._turns:
            found: dict[Any, _Answer] = {}
            a = self.adversary
            for requests in a.requests if ticks else ((),):
                for battery_mv in a.batteries:
                    for flow_ml in {flow, *a.lies} if ticks else {0}:
                        for mode in a.broken:
                            turn = self.shipped.turn(mind, ticks, (battery_mv, flow_ml), requests, mode)
                            complaint = self._first(
                                promises.of_turn(mind, turn, requests, battery_mv, self.shipped.limits)
                            )
                            line = ("turn", ticks, battery_mv, flow_ml, requests, mode)
                            known = turn.mind, turn.effects, complaint
                            if known not in found:
                                found[known] = _answer(mind, line, turn, complaint)
            self._turns[key] = list(found.values())
        return self._turns[key]

    def _sleeps(self, node: Awake) -> Iterator[Edge]:
        for pulse_due in (False, True):
            effects = self.shipped.sleep(node.mind, pulse_due=pulse_due)
            yield from self._walk_sleep(node, effects, "sleeps, a pulse due" if pulse_due else "sleeps", REST_TICKS)

    def _walk_sleep(self, node: Node, effects: tuple[Any, ...], line: str, ticks: int) -> Iterator[Edge]:
        """A way to sleep. Where a pulse is on it, a reset before that counts as the cell's refusal: to the firmware the two look the same."""
        pulses = any(effect[0] == "pulse" for effect in effects)
        for number, point in worlds.happened(
            Point(node.kept, node.world, ()), effects, {}, sticky=self.adversary.sticky
        ):
            lines = (line, *point.refusals)
            if number < len(effects):
                world = _unreached(point.world, range(1, self.scale.zones + 1)) if pulses else point.world
                yield from self._resets(point._replace(world=world), (*lines, ("cut", effects[:number])), 0)
                continue
            kept, world = point.kept, worlds.passed(point.world, ticks)
            yield Edge(lines, Down("timer", kept, worlds.forgotten(kept, world, None)), self._judge(kept, world))
            yield from self._resets(Point(kept, world, ()), lines, 0)

    def _leaks(self, node: Awake) -> Iterator[Edge]:
        for zone in range(1, self.scale.zones + 1):
            if node.mind.core[state.base(zone) + state.PHASE] == state.CLOSED and not node.world.valves[zone - 1]:
                yield Edge((f"valve {zone} opens by itself",), node._replace(world=worlds.leaked(node.world, zone)))

    # What all of them need

    def _awake(self, mind: Mind, kept: Kept, world: World, lines: tuple[Any, ...]) -> Edge:
        world = worlds.forgotten(kept, world, mind.ledger)
        broken = self._first(promises.of_mind(mind, world)) if self._truthful and world.flows() else ""
        return Edge(lines, Awake(mind, kept, world), broken)

    def _cut(self, walk: Walk, turn: Turn, lines: tuple[Any, ...], hang_max: int) -> Iterator[Edge]:
        """Resets between the effects of a turn."""
        if walk.broken:
            yield Edge((*lines, *walk.cuts), None, walk.broken)
        elif walk.walked:
            self._again += len(walk.cuts) * (hang_max + 1) * len(self.adversary.resets)
        else:
            walk.walked = True
            for number, point in walk.cuts:
                yield from self._resets(point, (*lines, *point.refusals, ("cut", turn.effects[:number])), hang_max)

    def _resets(self, point: Point, lines: tuple[Any, ...], hang_max: int) -> Iterator[Edge]:
        """Resets of every cause at this point, at once and after a hang."""
        key = (point.kept, point.world, hang_max)
        if key in self._reset:
            self._again += (hang_max + 1) * len(self.adversary.resets)
            return
        self._reset.add(key)
        for hang in range(hang_max + 1):
            world = worlds.passed(point.world, hang)
            hung = (*lines, f"hangs for {hang} ticks") if hang else lines
            if broken := self._judge(point.kept, world):
                yield Edge(hung, None, broken)
                return
            for cause in self.adversary.resets:
                kept = worlds.without_supply(point.kept) if cause in ("power_on", "torn") else point.kept
                known = "watchdog" if cause == "torn" else cause
                yield Edge((*hung, f"reset: {cause}"), Down(known, kept, worlds.forgotten(kept, world, None)))

    def _judge(self, kept: Kept, world: World) -> str:
        if world.run:
            self.longest = max(self.longest, world.run.spent - world.run.granted)
        elif not world.flows():
            return ""  # no promise is about a board that nothing runs on
        return self._first(worlds.broken_promises(kept, world, self.scale.bound))

    def _first(self, broken: Iterable[str]) -> str:
        """The first promise that is broken and not owed; "" when none is."""
        return next((words for words in broken if not words.startswith(self.adversary.owed)), "")

    def _walk(self, grants: Grants | None, kept: Kept, world: World, turn: Turn) -> Walk:
        """Where the effects of `turn` may lead. `grants`: None in a boot, where there is no hang."""
        key = (kept, world, turn.effects, grants)
        walk = self._walks.get(key)
        if walk is None:
            known = grants if grants is not None else _grants(None, turn)
            walk = self._walks[key] = self._walk_anew(kept, world, turn.effects, dict(known))
        return walk

    def _walk_anew(self, kept: Kept, world: World, effects: tuple[Any, ...], grants: dict[int, Grant]) -> Walk:
        walk = Walk([], [], "")
        for number, point in worlds.happened(Point(kept, world, ()), effects, grants, sticky=self.adversary.sticky):
            if broken := self._judge(point.kept, point.world):
                return Walk([], [*point.refusals, ("cut", effects[:number])], broken)
            if number == len(effects):
                walk.ends.append(point)
            elif all((point.kept, point.world) != (other.kept, other.world) for _, other in walk.cuts):
                walk.cuts.append((number, point))
        return walk


def _answer(before: Mind, line: Any, turn: Turn, complaint: str) -> _Answer:
    stops = tuple(request[1] for request in line[4] if request[0] == "stop")
    grants = _grants(before, turn) if turn.effects else ()
    return _Answer((line, ("actions", turn.actions)), turn, complaint, grants, stops)


def _grants(before: Mind | None, turn: Turn) -> Grants:
    """The zones that this turn opens, or closes after they were open."""
    found = {}
    for kind, zone, *_ in turn.actions:
        if kind in ("journal_open", "pulse_open", "pulse_close") and zone not in found:
            z = state.base(zone)
            granted = turn.mind.core[z + state.GRANTED_MS] // TICK_MS
            ends = before is not None and before.core[z + state.PHASE] == state.OPEN
            found[zone] = Grant(granted, ("resumed", zone) in turn.actions, ends, turn.mind.core[z + state.OPENINGS])
    return tuple(found.items())


def _told(before: Mind, stops: tuple[int, ...], world: World) -> World:
    """The run of a zone that a signed stop was heard for, before it was closed, is over."""
    run = world.run
    if run and before.core[state.base(run.zone) + state.PHASE] != state.CLOSED and (0 in stops or run.zone in stops):
        return worlds.ended(world)
    return world


def _after_failure(turn: Turn, world: World) -> World:
    """A run that could not be written down is a run all the same; a closing pulse that did not get out is not the firmware's fault."""
    failed = turn.mind.failed
    for kind, zone, *_ in turn.actions:
        if (
            kind == "journal_open"
            and zone in failed
            and ("resumed", zone) not in turn.actions
            and not world.valves[zone - 1]
        ):
            world = world._replace(run=Run(zone, turn.mind.core[state.base(zone) + state.GRANTED_MS] // TICK_MS, 0))
    return _unreached(world, [a[1] for a in turn.actions if a[0] == "pulse_close" and a[1] in failed])


def _unreached(world: World, zones: Any) -> World:
    """Closing pulses that never left the board: what is open stays so by the hardware's fault."""
    refused = world.refused
    for zone in zones:
        if world.valves[zone - 1]:
            refused = worlds.put(refused, zone, 1)
    return world._replace(refused=refused)
