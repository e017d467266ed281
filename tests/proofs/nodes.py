"""Nodes: what the search walks on: the powers of the world, moments of the board, ways from one to the next, and what came of it all.

Rule: shapes only.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .hardware import SOUND
from .scale import GOOD_MV
from .shipped import Kept, Mind, Request
from .world import Point, World


@dataclass(frozen=True)
class Adversary:
    """What the world may do. `resets`: causes, "torn" is a watchdog reset that spoils RTC memory."""

    requests: tuple[tuple[Request, ...], ...]
    batteries: tuple[int, ...] = (GOOD_MV,)
    lies: tuple[int, ...] = ()  # what a meter may say instead of the truth
    resets: tuple[str, ...] = ("power_on", "watchdog", "reset")
    broken: tuple[str, ...] = (SOUND,)
    sticky: bool = True  # any pulse may be refused
    leaks: bool = False  # a valve may open by itself
    sleeps: bool = True
    rests: bool = False  # the closer may find as many quick boots before this one as it bears
    owed: tuple[str, ...] = ()  # promises, by the first letters of their words, that are not judged


class Awake(NamedTuple):
    """Between two turns of the loop."""

    mind: Mind
    kept: Kept
    world: World


class Down(NamedTuple):
    """After a reset, before the first line of boot.py."""

    cause: str
    kept: Kept
    world: World


type Node = Awake | Down


class Edge(NamedTuple):
    """How a node was reached: one line for each thing that happened."""

    lines: tuple[Any, ...]
    node: Node | None
    broken: str = ""


@dataclass
class Walk:
    """Where the effects of one turn may lead. `cuts`: (effects done, point) wherever a reset may strike; with a broken promise, its story."""

    ends: list[Point]
    cuts: list[Any]
    broken: str
    walked: bool = False  # the resets on it were followed


@dataclass
class Result:
    """What a search came to. `broken` is "" when every promise held in every state."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    longest: int = 0  # ticks beyond its grant that a run was truly open
    broken: str = ""
    history: list[tuple[Node, tuple[Any, ...]]] = field(default_factory=list)
    nodes: dict[Node, Any] = field(default_factory=dict)


def history(seen: dict[Node, Any], node: Node) -> list[tuple[Node, tuple[Any, ...]]]:
    """How `node` was reached, from the first power-on."""
    found: list[tuple[Node, tuple[Any, ...]]] = []
    while seen[node] is not None:
        before, lines = seen[node]
        found.append((node, lines))
        node = before
    return [(node, ()), *reversed(found)]
