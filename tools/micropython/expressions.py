"""Functions that are one expression, written where they are called: a call takes a board longer than what most of them do, and each function costs heap.

Rule: what is evaluated stays what it was. An argument takes the place of a parameter as often as that is read if it is a name, a constant, or what hangs on a
name (where that leads does not change while a statement is evaluated); any other only where its parameter is read once, before all else. It must not know
modules: it is given their statements, linked.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from tools.micropython.scopes import COMPREHENSIONS, FUNCTIONS, bound_names

NODES_MAX = 40  # of an expression that is written more than once

type Bodies = Sequence[list[ast.stmt]]
type Key = tuple[str, int | None]  # a function's name and body, or a method's name and None


@dataclass(frozen=True, slots=True)
class _Expression:
    names: tuple[str, ...]  # of its parameters
    value: ast.expr
    returned: bool  # else it is evaluated for what it does


def _expression(function: ast.FunctionDef) -> _Expression | None:
    """A function that does nothing but evaluate one; None if it is no such."""
    args = function.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or args.defaults or function.decorator_list:
        return None
    body = [part for part in function.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], (ast.Return, ast.Expr)) or body[0].value is None:
        return None
    value = body[0].value
    nodes = list(ast.walk(value))
    fancy = (*FUNCTIONS, *COMPREHENSIONS, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    if len(nodes) > NODES_MAX or any(isinstance(node, fancy) for node in nodes):
        return None
    return _Expression(tuple(arg.arg for arg in args.args), value, isinstance(body[0], ast.Return))


def _is_plain(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, (ast.Name, ast.Constant))


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


class _Fill(ast.NodeTransformer):
    def __init__(self, given: dict[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """An argument in the place of its parameter."""
        return deepcopy(self.given[node.id]) if node.id in self.given else node


class _Write(ast.NodeTransformer):
    """Writes the expressions of `found` where they are called, in a body."""

    def __init__(self, found: dict[Key, _Expression], number: int, own: Collection[str]) -> None:
        self.found, self.number, self.own = found, number, own
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
            case ast.Name(id=name):
                key: Key = (name, self.number if name in self.own else 0)
                args = node.args
            case ast.Attribute(attr=name, value=value):
                key, args = (name, None), [value, *node.args]
            case _:
                return node
        expression = self.found.get(key)
        if expression is None or node.keywords or len(args) != len(expression.names):
            return node
        if not (expression.returned or alone) or not _may_fill(expression, args):
            return node
        self.done += 1
        written: ast.AST = _Fill(dict(zip(expression.names, args, strict=True))).visit(deepcopy(expression.value))
        return written


def _may_fill(expression: _Expression, args: Sequence[ast.expr]) -> bool:
    read = Counter(node.id for node in ast.walk(expression.value) if isinstance(node, ast.Name))
    first = _first(expression.value)
    fancy = [name for name, arg in zip(expression.names, args, strict=True) if not _is_plain(arg)]
    return not fancy or (
        len(fancy) == 1 and read[fancy[0]] == 1 and isinstance(first, ast.Name) and first.id == fancy[0]
    )


def _functions(bodies: Bodies) -> Iterator[tuple[Key, ast.FunctionDef]]:
    for number, body in enumerate(bodies):
        for part in body:
            if isinstance(part, ast.FunctionDef):
                yield (part.name, number), part
            elif isinstance(part, ast.ClassDef):
                yield from (((item.name, None), item) for item in part.body if isinstance(item, ast.FunctionDef))


def write_expressions(bodies: Bodies, taken: Collection[str]) -> int:
    """Works on `bodies` in place, the first of which is resident. `taken`: attributes that may be anybody's. How often one was written out."""
    defined = list(_functions(bodies))
    often = Counter(key for key, _ in defined)
    nodes = [node for body in bodies for part in body for node in ast.walk(part)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)}
    found = {
        key: expression
        for key, function in defined
        if often[key] == 1
        and (key[1] is not None or key[0] not in {*taken, *attributes})
        and (expression := _expression(function)) is not None
    }
    done = 0
    for number, body in enumerate(bodies):
        write = _Write(found, number, bound_names(body))
        body[:] = write.visit(ast.Module(body, [])).body
        done += write.done
    _forget(bodies, {key[0] for key in found if key[1] is None})
    return done


def _forget(bodies: Bodies, methods: Collection[str]) -> None:
    """Take away those of `methods` that nothing mentions any more."""
    nodes = (node for body in bodies for part in body for node in ast.walk(part))
    gone = {*methods} - {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for part in [part for body in bodies for part in body if isinstance(part, ast.ClassDef)]:
        left = [item for item in part.body if not (isinstance(item, ast.FunctionDef) and item.name in gone)]
        part.body = left or [ast.Pass()]
