"""Functions gathered into few: each costs a board some 44 bytes of heap, whatever it does (the function, what it was made of, its place in a table or two); its
code in ROM costs nothing. So those of a class, or of a module, that take about as much room are the branches of one, and a number chooses.

Rule: what is evaluated, and in which order, stays what it was. A function that yields, nests, is used as a value, or that somebody outside calls by its name
stays. No function may bind a name that is a global's, too. It must not know modules: it is given their statements, linked.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.micropython.bundler.branches import complete, gathered, redirect, widened
from tools.micropython.bundler.frames import ON_STACK, Frame, measure
from tools.micropython.bundler.movable import ambiguous, family, is_of_an_object, is_simple, methods, private
from tools.micropython.bundler.walking import walk

FEW = 3  # arguments that each of a group is given at least, besides `self`
# Groups by the words of their frames (0: any): a small function shall not pay for a large one
STEPS = (ON_STACK, 27, 59, 0)
OFTEN = 10  # what is called in so many places stays: finding the branch takes its time
CHOOSING = 2  # words of stack that finding the branch takes

type Bodies = Sequence[list[ast.stmt]]
type Place = tuple[int, str]  # number of the body, and class
type Kind = tuple[str, str]  # methods or functions of which body; few arguments or many
type Group = tuple[str, str, str]  # the same, and how large a frame


class Key(NamedTuple):
    """What a call means: a function of a body, or methods of this name, whatever class they are of."""

    name: str
    body: int | None = None
    owner: str = ""  # the class, if no other one's method can be meant


@dataclass(slots=True)
class _Function:
    node: ast.FunctionDef
    container: list[ast.stmt]  # in which it is defined
    place: Place


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

    @property
    def kind(self) -> Kind:
        """Functions of a module may be together, and methods of whatever class, for a name may be that of several classes' methods."""
        where = "method" if self.method else f"body{self.functions[0].place[0]}"
        return where, "few" if self.arity <= FEW + self.method else "many"

    def is_simple(self) -> bool:
        """May they be branches, and each call one of a branch?"""
        named = any(call.keywords for call in self.calls)
        signatures = {tuple(_signature(function.node, self.method, named)) for function in self.functions}
        return (
            len(signatures) == 1
            and len({function.place for function in self.functions}) == len(self.functions)
            and self.arity >= self.method
            and all(is_simple(function.node) for function in self.functions)
            and all(complete(call, self.first, bound=self.method) is not None for call in self.calls)
        )


def _signature(function: ast.FunctionDef, method: bool, named: bool) -> Iterator[str]:
    """What functions must have in common for a call to mean the same of each; their arguments' names if it uses them (`named`)."""
    args = function.args.args
    yield str(len(args))
    yield from (arg.arg for arg in args[method:] if named)
    yield from map(ast.dump, function.args.defaults)


class Gatherer:
    """Works on `bodies` in place: the first is resident, the others are loaded later and may call what it has. `keep`: names of globals that stay; `taken`: of
    attributes that may be anybody's; `new_global`, `new_method`: a name for a group."""

    def __init__(
        self,
        bodies: Bodies,
        keep: Collection[str],
        taken: Collection[str],
        new_global: Callable[[str], str],
        new_method: Callable[[str], str],
    ) -> None:
        self._new_global, self._new_method = new_global, new_method
        self._meant: dict[Key, _Meant] = {}
        parts = [part for body in bodies for part in body]
        own = private(parts)
        for number, body in enumerate(bodies):
            for part in body:
                if isinstance(part, ast.FunctionDef):
                    self._define(Key(part.name, number), _Function(part, body, (number, "")))
                for method in methods(part):
                    owner = part.name if isinstance(part, ast.ClassDef) and method.name in own else ""
                    self._define(Key(method.name, None, owner), _Function(method, part.body, (number, part.name)))  # type: ignore[attr-defined]  # a class
        mentioned = self._find_calls(bodies)
        relatives, stays = family(parts), ambiguous(parts)
        self._meant = {
            key: meant
            for key, meant in self._meant.items()
            if mentioned[key] == len(meant.calls)
            and 0 < len(meant.calls) < OFTEN
            and key.name not in (taken if meant.method else keep)
            and key.name not in stays
            and not key.name.startswith("__")
            and not any(function.place[1] in relatives for function in meant.functions)
            and meant.is_simple()
        }

    def _define(self, key: Key, function: _Function) -> None:
        self._meant.setdefault(key, _Meant(key.body is None)).functions.append(function)

    def _find_calls(self, bodies: Bodies) -> Counter[Key]:
        """Note each call; how often each key is mentioned, as a call or otherwise."""
        mentioned: Counter[Key] = Counter()
        classes = {part.name for body in bodies for part in body if isinstance(part, ast.ClassDef)}
        for number, body in enumerate(bodies):
            for outer in body:
                owner = outer.name if isinstance(outer, ast.ClassDef) else ""
                for node in walk(outer):
                    if isinstance(node, (ast.Name, ast.Attribute)):
                        mentioned[self._key(node, number, owner)] += 1
                    elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                        key = self._key(node.func, number, owner)
                        known = isinstance(node.func, ast.Name) or is_of_an_object(node.func, classes)
                        if key in self._meant and known:
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
        return sum(self._gather("_".join(name), members) for name, members in sorted(self._groups().items()))

    def _groups(self) -> dict[Group, list[_Meant]]:
        """Each in the group of the smallest frames in which there is room for it, wherever its functions are."""
        members = [*self._meant.values()]
        most = {meant.kind: FEW + meant.method for meant in members}
        for meant in members:
            most[meant.kind] = max(most[meant.kind], meant.arity)
        frames = self._frames(most)
        rooms: dict[tuple[Group, Place], Frame] = {}
        chosen: dict[int, Group] = {}
        for meant in sorted(members, key=lambda meant: max(frames[id(item)].words for item in meant.functions)):
            for step in STEPS:
                group = (*meant.kind, f"{step:02}")
                empty = Frame(1 + most[meant.kind], CHOOSING, 0)
                wider = {
                    (group, item.place): _common(rooms.get((group, item.place), empty), frames[id(item)])
                    for item in meant.functions
                }
                if not step or all(room.words <= step for room in wider.values()):
                    rooms |= wider
                    chosen[id(meant)] = group
                    break
        groups: dict[Group, list[_Meant]] = defaultdict(list)
        for meant in members:
            groups[chosen[id(meant)]].append(meant)
        return groups

    def _frames(self, most: Mapping[Kind, int]) -> dict[int, Frame]:
        """Of each function, by its id, as a branch that takes as many arguments as any of its kind, and gives as many to the others."""
        members = self._meant.values()
        given = {
            id(call): widened(call, meant.first, 0, most[meant.kind], bound=meant.method)
            for meant in members
            for call in meant.calls
        }
        frames = {}
        for meant in members:
            for item in meant.functions:
                frame = measure(item.node, given)
                variables = 1 + most[meant.kind] + frame.variables - meant.arity
                frames[id(item)] = frame._replace(variables=variables)
        return frames

    def _gather(self, name: str, members: Sequence[_Meant]) -> int:
        places: dict[Place, list[tuple[int, _Function]]] = defaultdict(list)
        for number, meant in enumerate(members):
            for function in meant.functions:
                places[function.place].append((number, function))
        if all(len(functions) == 1 for functions in places.values()):
            return 0
        method = members[0].method
        short = self._new_method(name) if method else self._new_global(name)
        arity = max(meant.arity for meant in members)
        for number, meant in enumerate(members):
            for call in meant.calls:
                redirect(call, meant.first, short, number, arity, bound=method)
        for functions in places.values():
            branches = [(number, function.node, len(members[number].calls)) for number, function in functions]
            container = functions[0][1].container
            container[container.index(branches[0][1])] = gathered(branches, short, arity, method=method)
            for _, node, _ in branches[1:]:
                container.remove(node)
        return sum(len(functions) - 1 for functions in places.values())


def _common(one: Frame, other: Frame) -> Frame:
    """A frame for either."""
    return Frame(*(max(parts) for parts in zip(one, other, strict=True)))
