"""Functions that are called in one place only, written where they are called: a function costs a board 24 bytes of heap and more, whatever it does; its
code in ROM costs nothing.

Rule: what is evaluated, and in which order, stays what it was. A function that yields, is nested or nests, is used as a value, or returns in the midst of what
cannot be rewritten stays a function. What such a function held in its own variables is let go of when it is over, as before. It must not know modules:
it is given their statements, linked, and may move a function of the first body into another one, which is loaded later and has the first one's names.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tools.micropython.bundler.callsite import Key, Site, calls
from tools.micropython.bundler.movable import is_movable
from tools.micropython.bundler.returns import UnsupportedError
from tools.micropython.bundler.slots import MARK, share_slots
from tools.micropython.bundler.splice import Splice
from tools.micropython.bundler.walking import copied, walk


@dataclass(slots=True)
class _Function:
    node: ast.FunctionDef
    container: list[ast.stmt]  # in which it is defined
    body: int  # number of the body that it lies in


def _mentions(nodes: Sequence[ast.AST]) -> Iterator[Key]:
    for outer in nodes:
        for node in walk(outer):
            if isinstance(node, ast.Name):
                yield False, node.id
            elif isinstance(node, ast.Attribute):
                yield True, node.attr


class Inliner:
    """Works on `bodies` in place: the first is resident, the others are loaded later. `keep`: names of globals that stay; `taken`: of attributes
    that may be anybody's."""

    def __init__(self, bodies: Sequence[list[ast.stmt]], keep: Collection[str], taken: Collection[str]) -> None:
        self.bodies = bodies
        self._serial = 0
        self._functions: dict[Key, _Function] = {}
        defined: Counter[Key] = Counter()
        for number, body in enumerate(bodies):
            for part in body:
                if isinstance(part, ast.FunctionDef):
                    self._define((False, part.name), part, body, number, defined)
                elif isinstance(part, ast.ClassDef):
                    for method in [item for item in part.body if isinstance(item, ast.FunctionDef)]:
                        self._define((True, method.name), method, part.body, number, defined)
        parts = [part for body in bodies for part in body]
        mentioned = Counter(_mentions(parts))
        called = Counter(key for key, _ in calls(parts))
        imported = {
            alias.name
            for part in parts
            for node in walk(part)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        self._once = {
            key
            for key, function in self._functions.items()
            if defined[key] == called[key] == mentioned[key] == 1
            and key[1] not in (taken if key[0] else {*keep, *imported})
            and not key[1].startswith("__")
            and is_movable(function.node)
        }

    def _define(
        self, key: Key, node: ast.FunctionDef, container: list[ast.stmt], body: int, defined: Counter[Key]
    ) -> None:
        defined[key] += 1
        self._functions[key] = _Function(node, container, body)

    def run(self) -> list[str]:
        """Inline all that can be; the names of what is gone."""
        holders = {}
        for function in self._functions.values():
            for key, _ in calls([function.node]):
                if key in self._once:
                    holders[key] = function
        done = []
        for key in sorted(holders.keys(), key=str):
            callee, holder = self._functions[key], holders[key]
            if holder is callee or callee.body not in (0, holder.body):
                continue
            before = [copied(part) for part in holder.node.body]
            if not self._inline(holder.node, callee.node, key):
                holder.node.body = before
                continue
            callee.container.remove(callee.node)
            if not callee.container:
                callee.container.append(ast.Pass())
            for inner, _ in calls([callee.node]):
                if inner in self._once:
                    holders[inner] = holder
            callee.node = holder.node
            done.append(key[1])
        for function in self._functions.values():
            share_slots(function.node)
        return done

    def _inline(self, holder: ast.FunctionDef, callee: ast.FunctionDef, key: Key) -> bool:
        self._serial += 1
        site = Site(holder, key)
        try:
            return site.replace(lambda call, how: Splice(callee, call, key[0], f"{MARK}{self._serial}").statements(how))
        except UnsupportedError:
            return False
