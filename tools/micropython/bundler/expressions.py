"""Functions that are one expression, written where they are called: a call takes a board longer than what most of them do, and each function costs heap.

Rule: what is evaluated, and in which order, stays what it was; only calls change anything. An argument takes the place of a parameter as often
as that is read if it is a variable or a constant. So does what hangs on a name, or a global that functions change, but only where it is read for sure, and
never after a call; what is worked out without a call, if it is read once besides; what is called, if that is the first of all. What a method is called of has
that method, as the types say, and is not looked up if nothing else is asked of it. It must not know modules: it is given their statements, linked.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tools.micropython.bundler.movable import ambiguous, family, methods
from tools.micropython.bundler.scopes import COMPREHENSIONS, FUNCTIONS, ScopedTransformer, bound_names
from tools.micropython.bundler.walking import Transformer, copied, walk

NODES_MAX = 40  # of an expression

type Bodies = Sequence[list[ast.stmt]]
type Key = tuple[str, int | None]  # a function's name and body, or a method's name and None


@dataclass(frozen=True, slots=True)
class _Expression:
    names: tuple[str, ...]  # of its parameters
    value: ast.expr
    returned: bool  # else it is evaluated for what it does
    method: bool
    body: int  # number of the one that it lies in

    @property
    def free(self) -> set[str]:
        """Globals, and what the interpreter has."""
        return {node.id for node in walk(self.value) if isinstance(node, ast.Name)} - {*self.names}


def _expression(function: ast.FunctionDef, body_number: int, *, method: bool) -> _Expression | None:
    """A function that does nothing but evaluate one; None if it is no such."""
    args = function.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or args.defaults or function.decorator_list:
        return None
    body = [part for part in function.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], (ast.Return, ast.Expr)) or body[0].value is None:
        return None
    value = body[0].value
    nodes = list(walk(value))
    fancy = (*FUNCTIONS, *COMPREHENSIONS, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    if len(nodes) > NODES_MAX or any(isinstance(node, fancy) for node in nodes):
        return None
    names = tuple(arg.arg for arg in args.args)
    return _Expression(names, copied(value), isinstance(body[0], ast.Return), method, body_number)


def _is_plain(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, (ast.Name, ast.Constant))


def _calls(node: ast.expr) -> bool:
    return any(isinstance(part, (ast.Call, *COMPREHENSIONS)) for part in walk(node))


def _first(node: ast.AST) -> ast.AST:
    """What is evaluated first in an expression."""
    while True:
        match node:
            case ast.IfExp(test=inner):
                node = inner
            case ast.Call(func=inner) | ast.BinOp(left=inner) | ast.Compare(left=inner) | ast.UnaryOp(operand=inner):
                node = inner
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.BoolOp(values=[inner, *_]):
                node = inner
            case _:
                return node


class _Fill(Transformer):
    def __init__(self, given: dict[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """An argument in the place of its parameter."""
        return copied(self.given[node.id]) if node.id in self.given else node


class _Write(ScopedTransformer):
    """Writes the expressions of `found` where they are called, in the body of that number. `own`: the globals of each body; `changing`: those of them that
    functions change."""

    def __init__(
        self, found: dict[Key, _Expression], number: int, own: Sequence[set[str]], changing: Collection[str]
    ) -> None:
        super().__init__()
        self.found, self.number, self.own, self.changing = found, number, own, changing
        self.done = 0
        self._alone: ast.Call | None = None  # a call that is a statement

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """What a statement evaluates, nobody reads."""
        self._alone = node.value if isinstance(node.value, ast.Call) else None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The expression, where it can stand there."""
        alone = node is self._alone
        self.generic_visit(node)
        match node.func:
            case ast.Name(id=name) if self.is_global(name):
                key: Key = (name, self.number if name in self.own[self.number] else 0)
                args = node.args
            case ast.Attribute(attr=name, value=value):
                key, args = (name, None), [value, *node.args]
            case _:
                return node
        expression = self.found.get(key)
        if expression is None or node.keywords or len(args) != len(expression.names):
            return node
        if (
            not (expression.returned or alone)
            or not self._may_stand(expression)
            or not self._may_fill(expression, args)
        ):
            return node
        self.done += 1
        written: ast.AST = _Fill(dict(zip(expression.names, args, strict=True))).visit(copied(expression.value))
        return written

    def _may_stand(self, expression: _Expression) -> bool:
        """Do its names mean here what they mean there? A late body has globals of its own, and those of the resident one as they were when it was loaded."""
        other = set[str]()
        if expression.body != self.number:
            other = {*self.changing}.union(*(self.own[number] for number in (expression.body, self.number) if number))
        return all(self.is_global(name) and name not in other for name in expression.free)

    def _may_fill(self, expression: _Expression, args: Sequence[ast.expr]) -> bool:
        """Are the arguments evaluated as they were?"""
        given = dict(zip(expression.names, args, strict=True))
        if any(isinstance(node, (ast.Starred, ast.NamedExpr)) for arg in args for node in walk(arg)):
            return False
        reads = [*_reads(expression.value)]
        often = Counter(name for name, _, _ in reads)
        known = {*expression.names[: expression.method]} - often.keys()
        calling = [name for name, arg in given.items() if _calls(arg)]
        moved = [name for name, arg in given.items() if name not in {*calling, *known} and self._may_change(arg)]
        if calling:
            first, before = _first(expression.value), [*given][: [*given].index(calling[0])]
            if len(calling) > 1 or not isinstance(first, ast.Name) or first.id != calling[0] or {*before} & {*moved}:
                return False
        surely = {name for name, sure, _ in reads if sure} - {name for name, _, late in reads if late}
        once = [name for name in (*calling, *moved) if not _is_plain(given[name])]
        return surely.issuperset(moved) and all(often[name] == 1 for name in once)

    def _may_change(self, arg: ast.expr) -> bool:
        """Can a call make something else of it, or can it fail?"""
        if isinstance(arg, ast.Name):
            return arg.id in self.changing and self.is_global(arg.id)
        return not isinstance(arg, ast.Constant)


def _reads(value: ast.expr) -> Iterator[tuple[str, bool, bool]]:
    """The names that are read, in their order: (name, is it read whatever comes, was something called before)."""
    called = False

    def walk(node: ast.AST, sure: bool) -> Iterator[tuple[str, bool, bool]]:
        nonlocal called
        if isinstance(node, ast.Name):
            yield node.id, sure, called
        children = [*ast.iter_child_nodes(node)]
        if isinstance(node, ast.Dict):
            children = [part for pair in zip(node.keys, node.values, strict=True) for part in pair if part is not None]
        certain = {ast.IfExp: 1, ast.BoolOp: 2, ast.Compare: 1 + len(getattr(node, "ops", ())) + 1}.get(type(node))
        for at, child in enumerate(children):
            yield from walk(child, sure and (certain is None or at < certain))
        called = called or isinstance(node, ast.Call)

    return walk(value, sure=True)


def _functions(bodies: Bodies) -> Iterator[tuple[Key, int, ast.FunctionDef, str]]:
    """Each function, with the number of its body and the name of its class."""
    for number, body in enumerate(bodies):
        for part in body:
            if isinstance(part, ast.FunctionDef):
                yield (part.name, number), number, part, ""
            yield from (((item.name, None), number, item, part.name) for item in methods(part))  # type: ignore[attr-defined]  # a class


def _found(bodies: Bodies, taken: Collection[str], changing: Collection[str]) -> dict[Key, _Expression]:
    """The expressions that a call can mean nothing but."""
    defined = list(_functions(bodies))
    often = Counter(key for key, *_ in defined)
    parts = [part for body in bodies for part in body]
    nodes = [node for part in parts for node in walk(part)]
    bound = {
        *changing,
        *(node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)),
    }
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)}
    relatives, stays = family(parts), ambiguous(parts)
    found = {
        key: expression
        for key, number, function, owner in defined
        if often[key] == 1
        and key[0] not in (bound if key[1] is not None else {*taken, *attributes})
        and key[0] not in stays
        and not key[0].startswith("__")
        and owner not in relatives
        and (expression := _expression(function, number, method=key[1] is None)) is not None
    }
    return {key: found[key] for key in found.keys() - _recursive(found)}


def _recursive(found: dict[Key, _Expression]) -> set[Key]:
    """Those that come to themselves again."""
    to: dict[Key, set[Key]] = {}
    for key, expression in found.items():
        attributes = {node.attr for node in walk(expression.value) if isinstance(node, ast.Attribute)}
        names = {(name, number) for name in expression.free for number in (0, expression.body)}
        to[key] = found.keys() & {*names, *((name, None) for name in attributes)}
    for _ in found:
        for reached in to.values():
            reached |= {further for key in reached for further in to[key]}
    return {key for key, reached in to.items() if key in reached}


def write_expressions(bodies: Bodies, taken: Collection[str]) -> int:
    """Works on `bodies` in place, the first of which is resident. `taken`: attributes that may be anybody's. How often one was written out."""
    nodes = (node for body in bodies for part in body for node in walk(part))
    changing = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    found = _found(bodies, taken, changing)
    own = [bound_names(body) for body in bodies]
    done = 0
    for number, body in enumerate(bodies):
        write = _Write(found, number, own, changing)
        body[:] = write.visit(ast.Module(body, [])).body
        done += write.done
    _forget(bodies, {key[0] for key in found if key[1] is None})
    return done


def _forget(bodies: Bodies, methods: Collection[str]) -> None:
    """Take away those of `methods` that nothing mentions any more."""
    nodes = (node for body in bodies for part in body for node in walk(part))
    gone = {*methods} - {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for part in [part for body in bodies for part in body if isinstance(part, ast.ClassDef)]:
        left = [item for item in part.body if not (isinstance(item, ast.FunctionDef) and item.name in gone)]
        part.body = left or [ast.Pass()]
