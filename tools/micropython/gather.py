"""Functions gathered into few: each costs a board some 44 bytes of heap, whatever it does (the function, what it was made of, its place in a table or two); its
code in ROM costs nothing. So those of a class, or of a module, that take about as much room are the branches of one, and a number chooses.

Rule: what is evaluated, and in which order, stays what it was. A function that yields, nests, is used as a value, or that somebody outside calls by its name
stays. It must not know modules: it is given their statements, linked.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.micropython.branches import complete, gathered, redirect
from tools.micropython.frames import ON_STACK, size
from tools.micropython.scopes import COMPREHENSIONS, FUNCTIONS, arguments, bound_names

FEW = 3  # arguments that each of a group is given at least, besides `self`
STEPS = (ON_STACK, 22, 60)  # groups by the words of their frames: a small function shall not pay for a large one

type Bodies = Sequence[list[ast.stmt]]


class Key(NamedTuple):
    """What a call means: a function of a body, or methods of this name, whatever class they are of."""

    name: str
    body: int | None = None
    owner: str = ""  # the class, if no other one's method can be meant


@dataclass(slots=True)
class _Function:
    node: ast.FunctionDef
    container: list[ast.stmt]  # in which it is defined
    place: tuple[int, str]  # number of the body, and class


@dataclass(slots=True)
class _Meant:
    """The functions that a key means, and the calls of them."""

    method: bool
    functions: list[_Function] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)

    @property
    def first(self) -> ast.FunctionDef:
        return self.functions[0].node

    @property
    def arity(self) -> int:
        return len(self.first.args.args)

    def is_simple(self) -> bool:
        """May they be branches, and each call one of a branch?"""
        signatures = {(len(f.node.args.args), *map(ast.dump, f.node.args.defaults)) for f in self.functions}
        return (
            len(signatures) == 1
            and all(_is_simple(function.node) for function in self.functions)
            and all(complete(call, self.first, bound=self.method) is not None for call in self.calls)
        )


class Gatherer:
    """Works on `bodies` in place: the first is resident, the others are loaded later and may call what it has. `keep`: names of globals that stay; `taken`: of
    attributes that may be anybody's; `new_global`, `new_method`: a name for a group."""

    def __init__(
        self,
        bodies: Bodies,
        keep: Collection[str],
        taken: Collection[str],
        new_global: Callable[[str], str],
        new_method: Callable[[], str],
    ) -> None:
        self._new_global, self._new_method = new_global, new_method
        self._meant: dict[Key, _Meant] = {}
        private = _private(bodies)
        for number, body in enumerate(bodies):
            for part in body:
                if isinstance(part, ast.FunctionDef):
                    self._define(Key(part.name, number), _Function(part, body, (number, "")))
                for method in _methods(part):
                    owner = part.name if isinstance(part, ast.ClassDef) and method.name in private else ""
                    self._define(Key(method.name, None, owner), _Function(method, part.body, (number, part.name)))  # type: ignore[attr-defined]  # a class
        mentioned = self._find_calls(bodies)
        stays = {*keep, *_imported(bodies)}
        self._meant = {
            key: meant
            for key, meant in self._meant.items()
            if mentioned[key] == len(meant.calls) > 0
            and key.name not in (taken if meant.method else stays)
            and not key.name.startswith("__")
            and meant.is_simple()
        }

    def _define(self, key: Key, function: _Function) -> None:
        self._meant.setdefault(key, _Meant(key.body is None)).functions.append(function)

    def _find_calls(self, bodies: Bodies) -> Counter[Key]:
        """Note each call; how often each key is mentioned, as a call or otherwise."""
        mentioned: Counter[Key] = Counter()
        for number, body in enumerate(bodies):
            for outer in body:
                owner = outer.name if isinstance(outer, ast.ClassDef) else ""
                for node in ast.walk(outer):
                    if isinstance(node, (ast.Name, ast.Attribute)):
                        mentioned[self._key(node, number, owner)] += 1
                    elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                        key = self._key(node.func, number, owner)
                        if key in self._meant:
                            self._meant[key].calls.append(node)
        return mentioned

    def _key(self, node: ast.Name | ast.Attribute, number: int, owner: str) -> Key:
        """A method of this class or of any; a function of this body or of the resident one."""
        if isinstance(node, ast.Attribute):
            own = Key(node.attr, None, owner)
            return own if own in self._meant else Key(node.attr)
        own = Key(node.id, number)
        return own if own in self._meant else Key(node.id, 0)

    def run(self) -> int:
        """Gather what can be; how many functions are gone."""
        groups: dict[tuple[str, ...], list[_Meant]] = defaultdict(list)
        for meant in self._meant.values():
            groups[self._group(meant)].append(meant)
        return sum(self._gather("_".join(name), members) for name, members in sorted(groups.items()))

    def _group(self, meant: _Meant) -> tuple[str, ...]:
        """Functions of a module may be together, and methods of whatever class, for a name may be that of several classes' methods."""
        few = FEW + meant.method
        most = max(few, meant.arity)
        words = 1 + most + max(size(function.node) for function in meant.functions) - meant.arity
        step = next((step for step in STEPS if words <= step), 0)
        where = "method" if meant.method else f"body{meant.functions[0].place[0]}"
        return where, "few" if most == few else "many", f"{step:02}"

    def _gather(self, name: str, members: Sequence[_Meant]) -> int:
        places: dict[tuple[int, str], list[tuple[int, _Function]]] = defaultdict(list)
        for number, meant in enumerate(members):
            for function in meant.functions:
                places[function.place].append((number, function))
        if all(len(functions) == 1 for functions in places.values()):
            return 0
        method = members[0].method
        short = self._new_method() if method else self._new_global(name)
        arity = max(meant.arity for meant in members)
        for number, meant in enumerate(members):
            for call in meant.calls:
                redirect(call, meant.first, short, number, arity, bound=method)
        for functions in places.values():
            branches = [(number, function.node) for number, function in functions]
            container = functions[0][1].container
            container[container.index(branches[0][1])] = gathered(branches, short, arity, method=method)
            for _, node in branches[1:]:
                container.remove(node)
        return sum(len(functions) - 1 for functions in places.values())


def _methods(part: ast.stmt) -> list[ast.FunctionDef]:
    return [item for item in part.body if isinstance(item, ast.FunctionDef)] if isinstance(part, ast.ClassDef) else []


def _is_simple(function: ast.FunctionDef) -> bool:
    """Can its statements stand elsewhere? Not if it yields, nests, or takes arguments in a fancy way."""
    args = function.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or function.decorator_list:
        return False
    if not all(isinstance(default, ast.Constant) for default in args.defaults):
        return False
    fancy = (*FUNCTIONS, ast.ClassDef, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.NamedExpr)
    nodes = [node for part in function.body for node in ast.walk(part)]
    return not any(isinstance(node, fancy) for node in nodes) and not any(_captured(function, nodes))


def _captured(function: ast.FunctionDef, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Its variables that a comprehension uses, but for what that runs over: they are no places in its frame."""
    own = {arg.arg for arg in arguments(function)} | bound_names(function.body)
    for node in nodes:
        if isinstance(node, COMPREHENSIONS):
            outside = {id(name) for name in ast.walk(node.generators[0].iter)}
            targets = {name for loop in node.generators for name in ast.walk(loop.target)}
            bound = {name.id for name in targets if isinstance(name, ast.Name)}
            inside = (name.id for name in ast.walk(node) if isinstance(name, ast.Name) and id(name) not in outside)
            yield from own.intersection(inside) - bound


def _imported(bodies: Bodies) -> set[str]:
    found = (node for body in bodies for outer in body for node in ast.walk(outer) if isinstance(node, ast.ImportFrom))
    return {alias.name for node in found for alias in node.names}


def _private(bodies: Bodies) -> set[str]:
    """Names with an underscore that are mentioned of `self` alone, in classes that have such a method: elsewhere another one is meant."""
    names: set[str] = set()
    others: set[str] = set()
    for part in [part for body in bodies for part in body]:
        has = {method.name for method in _methods(part) if method.name.startswith("_")}
        own = {
            id(node)
            for method in _methods(part)
            for node in ast.walk(method)
            if isinstance(node, ast.Attribute)
            and node.attr in has
            and ast.unparse(node.value) == method.args.args[0].arg
        }
        names |= has
        others |= {node.attr for node in ast.walk(part) if isinstance(node, ast.Attribute) and id(node) not in own}
    return names - others
