"""Story: a history as text, one line for each event, with what it changed.

Rule: tells, judges nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sprinkler.core import state

from .nodes import Awake, Down, Node, Result
from .shipped import Kept, Ledger, Turn
from .world import World

_NAMES = [name for name, value in vars(state).items() if name.isupper() and isinstance(value, int)]
_BOARD_FIELDS = [name.lower() for name in _NAMES[: _NAMES.index("BOARD")]]
_ZONE_FIELDS = [name.lower() for name in _NAMES[_NAMES.index("PHASE") : _NAMES.index("ZONE")]]
_ANSWERS = ("accepted", "queued", "refused")


def tell(result: Result) -> list[str]:
    """The lines of a search's counterexample; the promise that broke comes last."""
    lines: list[str] = []
    before: Node | None = None
    for number, (node, events) in enumerate(result.history):
        last = number == len(result.history) - 1
        texts = [text for event in events if (text := _event(event))]
        changes = _changes(before, node)
        for i, text in enumerate(texts):
            shown = f"  [{'; '.join(changes)}]" if i == len(texts) - 1 and changes and not last else ""
            lines.append(f"{number:>3}  {text}{shown}")
        before = node
    return [*lines, f"  => {result.broken}"]


def road(turns: Iterable[Turn], most: int = 20) -> list[str]:
    """The lines of a fair road, where nothing is chosen; a long one is cut."""
    told = [_actions(turn.actions) or "nothing" for turn in turns]
    lines = [f"     then, in a fair world: {text}" for text in told[:most]]
    return [*lines, f"     ... and {len(told) - most} turns more"] if len(told) > most else lines


def _event(event: Any) -> str:
    if isinstance(event, str):
        return event
    kind = event[0]
    if kind == "boot":
        broken = "" if event[2] == "sound" else f", {event[2]} broken"
        return f"boots ({event[1]}{broken})"
    if kind == "actions":
        return _actions(event[1])
    if kind == "cut":
        return f"cut after {_effects(event[1])}" if event[1] else "cut before any effect"
    if kind == "late":
        return f"{event[1]} ticks pass"
    _, ticks, battery_mv, flow_ml, requests, broken = event
    heard = ", ".join(" ".join(map(str, request)) for request in requests)
    return (
        f"step after {ticks}: battery {battery_mv} mV, meter {flow_ml} ml"
        + (f", hears {heard}" if heard else "")
        + ("" if broken == "sound" else f", {broken} broken")
    )


def _actions(actions: Iterable[tuple[Any, ...]]) -> str:
    shown = [" ".join(map(str, action)) for action in actions if action[0] not in _ANSWERS]
    return f"decides: {', '.join(shown)}" if shown else ""


def _effects(effects: Iterable[tuple[Any, ...]]) -> str:
    words = {"flash": "flash written", "rtc": "RTC memory written"}
    return ", ".join(words.get(e[0]) or f"valve {e[1]} pulsed {'open' if e[2] else 'closed'}" for e in effects)


def _changes(before: Node | None, after: Node) -> list[str]:
    was, now = (dict(_facts(before)) if before else {}), dict(_facts(after))
    if isinstance(after, Down):
        was = {name: value for name, value in was.items() if name in now or name.startswith(("valve", "run"))}
    return [
        f"{name} {was[name]} -> {now[name]}" if name in was else f"{name} {now[name]}"
        for name in now
        if was.get(name, _default(name)) != now[name]
    ]


def _default(name: str) -> Any:
    return "" if name.endswith(("cause", "flash", "rtc")) else 0


def _facts(node: Node) -> Iterator[tuple[str, Any]]:
    yield from _world_facts(node.world)
    if isinstance(node, Awake):
        core = node.mind.core
        yield from zip(_BOARD_FIELDS, core[: state.BOARD], strict=True)
        for zone in range(1, state.zones(core) + 1):
            z = state.base(zone)
            for name, value in zip(_ZONE_FIELDS, core[z : z + state.ZONE], strict=True):
                yield f"z{zone}.{name}", value
        if node.mind.failed:
            yield "failed", node.mind.failed
    yield from _kept_facts(node.kept)


def _world_facts(world: World) -> Iterator[tuple[str, Any]]:
    for zone, runs in enumerate(world.valves, 1):
        yield f"valve{zone}", ("RUNS, refused to close" if world.refused[zone - 1] else "RUNS") if runs else "still"
    if world.run:
        yield "true open ticks", f"{world.run.spent} of {world.run.granted}"


def _kept_facts(kept: Kept) -> Iterator[tuple[str, Any]]:
    yield "flash", _ledger(kept.flash)
    yield "rtc", "lost" if kept.rtc is None else f"mark {kept.rtc[0]} {_ledger(kept.rtc[2])}"


def _ledger(ledger: Ledger | None) -> str:
    if ledger is None:
        return "empty"
    faults = f", faults {ledger.faults}" if any(ledger.faults) else ""
    if not ledger.open_zone:
        return f"none open{faults}"
    resumed = ", resumed" if ledger.resumed else ""
    return f"zone {ledger.open_zone} open {ledger.open_s} of {ledger.granted_s} s, program {ledger.program}{resumed}{faults}"
