"""How large a function's frame is: its variables, what lies on its stack at most, and how deep it catches errors. A frame of up to ON_STACK words lies in C's
stack; a larger one is a piece of the heap for as long as the function runs.

Rule: counted by the tree, as the interpreter's compiler lays things out (py/compile.c, py/emitbc.c), of functions that nest no others; never less than that
makes of it, and no more but for what it optimises away. It must not know what is done with it.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tools.micropython.bundler.scopes import arguments, bound_names
from tools.micropython.bundler.walking import walk

ON_STACK = 11  # VM_MAX_STATE_ON_STACK in py/objfun.c, in words
HANDLER = 3  # words of an entry of the stack of exceptions
ITERATOR = 4  # what a loop over anything keeps on the stack
CAUGHT = 4  # an error that is being handled, and where to go on
SMALL_INT = 1 << 30


class Frame(NamedTuple):
    """What it consists of."""

    variables: int
    stack: int
    handlers: int

    @property
    def words(self) -> int:
        """Of the frame as a whole."""
        return self.variables + self.stack + HANDLER * self.handlers


def measure(function: ast.FunctionDef, given: Mapping[int, Sequence[ast.expr]] | None = None) -> Frame:
    """The frame of a function. `given`: what calls, by their id, will be given in place of what is written there."""
    variables = {arg.arg for arg in arguments(function)} | bound_names(function.body)
    counter = _Counter(variables, given or {})
    stack, handlers = counter.block(function.body)
    return Frame(len(variables), max(1, stack), handlers)


def size(function: ast.FunctionDef) -> int:
    """Words of a frame."""
    return measure(function).words


def _is_number(node: ast.AST) -> bool:
    """Is it calculated when it is compiled?"""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return not isinstance(op, (ast.Div, ast.Pow)) and _is_number(left) and _is_number(right)
        case ast.UnaryOp(op=op, operand=operand):
            return not isinstance(op, ast.Not) and _is_number(operand)
        case ast.Constant(value=value):
            return type(value) is int
    return False


def _is_small(node: ast.expr) -> bool:
    number = ast.literal_eval(node) if isinstance(node, (ast.Constant, ast.UnaryOp)) and _is_number(node) else SMALL_INT
    return -SMALL_INT <= number < SMALL_INT


def _is_literal(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        or _is_number(node)
        or (isinstance(node, ast.Tuple) and all(map(_is_literal, node.elts)))
    )


def _is_counted(node: ast.For) -> bool:
    """Does it run over a range, which is a number on the stack?"""
    match node:
        case ast.For(
            target=ast.Name(), iter=ast.Call(func=ast.Name(id="range"), args=[_] | [_, _] | [_, _, _], keywords=[])
        ):
            args = node.iter.args  # type: ignore[attr-defined]  # a call
            return not any(isinstance(arg, ast.Starred) for arg in args) and (
                len(args) < 3 or (_is_small(args[2]) and ast.literal_eval(args[2]) != 0)
            )
    return False


class _Counter:
    """Counts words of the stack above what lies there already."""

    def __init__(self, variables: set[str], given: Mapping[int, Sequence[ast.expr]]) -> None:
        self._variables = variables
        self._given = given

    def _in_turn(self, nodes: Iterable[ast.expr], before: int = 0) -> int:
        """What is evaluated one after the other, each left on the stack."""
        return max((before + at + self.depth(node) for at, node in enumerate(nodes)), default=max(1, before))

    def _call(self, node: ast.Call) -> int:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            return 3
        method = isinstance(node.func, ast.Attribute)
        called = self.depth(node.func.value) if isinstance(node.func, ast.Attribute) else self.depth(node.func)
        args = self._given.get(id(node))
        words = node.keywords if args is None else []
        args = node.args if args is None else args
        parts = [*args, *(part for word in words for part in (ast.Constant(word.arg), word.value))]
        starred = any(isinstance(arg, ast.Starred) for arg in args) or any(word.arg is None for word in words)
        return max(called, self._in_turn([*parts, *([ast.Constant(0)] if starred else [])], 1 + method))

    def depth(self, node: ast.expr) -> int:
        """Words that an expression takes, its value included."""
        if _is_literal(node):
            return 1
        match node:
            case ast.Call():
                return self._call(node)
            case ast.BinOp(left=left, right=right) | ast.Subscript(value=left, slice=right):
                return self._in_turn([left, right])
            case ast.Compare(left=left, comparators=others):
                return max(self.depth(left), *(1 + self.depth(other) for other in others), 3 * (len(others) > 1))
            case ast.Slice(lower=lower, upper=upper, step=step):
                none = ast.Constant(None)
                return self._in_turn([lower or none, upper or none, *([step] if step else [])])
            case ast.Dict(keys=keys, values=values):
                pairs = zip(values, keys, strict=True)
                return 1 + max((self._in_turn([value, key or value]) for value, key in pairs), default=0)
            case ast.JoinedStr(values=values):
                return self._in_turn([value.value for value in values if isinstance(value, ast.FormattedValue)], 2)
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                return self._in_turn(items)
            case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
                used = {name.id for name in walk(node) if isinstance(name, ast.Name)}
                return max(len(used & self._variables), 1 + self.depth(node.generators[0].iter))
        parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return max(
            map(self.depth, parts), default=1
        )  # one of them at a time: a condition, a name, what an attribute is of

    def _stored(self, target: ast.expr) -> int:
        """Words while the value on top is put where it belongs, itself included."""
        match target:
            case ast.Attribute(value=value):
                return 1 + self.depth(value)
            case ast.Subscript(value=value, slice=place):
                return self._in_turn([value, place], 1)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return max([len(items), *(len(items) - 1 - at + self._stored(item) for at, item in enumerate(items))])
            case ast.Starred(value=value):
                return self._stored(value)
        return 1

    def block(self, body: Sequence[ast.stmt], above: int = 0, within: int = 0) -> tuple[int, int]:
        """(words, handlers) of statements that stand above so many words, within so many handlers."""
        counts = [self._statement(part) for part in body]
        return above + max((stack for stack, _ in counts), default=0), within + max(
            (level for _, level in counts), default=0
        )

    def _statement(self, node: ast.stmt) -> tuple[int, int]:
        match node:
            case ast.For():
                return self._for(node)
            case ast.Try():
                return self._try(node)
            case ast.With():
                return self._with(node.items, node.body)
            case ast.If(test=test, body=body, orelse=other) | ast.While(test=test, body=body, orelse=other):
                return _most((self.depth(test), 0), self.block(body), self.block(other))
        return self._simple(node), 0

    def _simple(self, node: ast.stmt) -> int:
        match node:
            case ast.Assign(targets=targets, value=value):
                kept = [1] * (len(targets) - 1) + [0]
                return max(
                    self.depth(value),
                    *(below + self._stored(target) for below, target in zip(kept, targets, strict=True)),
                )
            case ast.AugAssign(target=ast.Attribute(value=value), value=added):
                return max(self.depth(value), 2 + self.depth(added))
            case ast.AugAssign(target=ast.Subscript(value=value, slice=place), value=added):
                return max(self._in_turn([value, place]), 4, 3 + self.depth(added))
            case ast.AugAssign(value=added):
                return 1 + self.depth(added)
            case ast.Delete(targets=targets):
                return 1 + max(self.depth(target) for target in targets)
            case ast.ImportFrom(names=names):
                return max(2, 1 + len(names))
            case ast.Import():
                return 2
            case ast.Expr(value=ast.Constant()):
                return 0
        return self._in_turn([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def _for(self, node: ast.For) -> tuple[int, int]:
        if not _is_counted(node):
            head = max(self.depth(node.iter), ITERATOR + self._stored(node.target))
            return _most((head, 0), self.block(node.body, ITERATOR), self.block(node.orelse))
        assert isinstance(node.iter, ast.Call)
        start, end = node.iter.args[:2] if len(node.iter.args) > 1 else (ast.Constant(0), node.iter.args[0])
        held = not _is_small(end)
        head = max(self._in_turn([end, start]) if held else self.depth(start), 4 if held else 3)
        return _most((head, 0), self.block(node.body, 1 + held), self.block(node.orelse))

    def _try(self, node: ast.Try) -> tuple[int, int]:
        parts = [self.block(node.body, 0 if node.handlers else HANDLER, 1), self.block(node.orelse)]
        for handler in node.handlers:
            named = handler.name is not None
            kind = CAUGHT + 1 + self.depth(handler.type) if handler.type else CAUGHT
            parts += [(kind, 1), (CAUGHT + 2 * named, 1), self.block(handler.body, CAUGHT - 1, 1 + named)]
        if not node.finalbody:
            return _most(*parts)
        inner = int(bool(node.handlers))
        return _most(*((stack, level + inner) for stack, level in parts), (2, 1), self.block(node.finalbody, 2, 1))

    def _with(self, items: Sequence[ast.withitem], body: Sequence[ast.stmt]) -> tuple[int, int]:
        if not items:
            return self.block(body)
        first = items[0]
        stored = self._stored(first.optional_vars) if first.optional_vars else 1
        stack, level = self._with(items[1:], body)
        return max(self.depth(first.context_expr), 2 + stored, 2 + stack, 5), 1 + level


def _most(*counts: tuple[int, int]) -> tuple[int, int]:
    return max(stack for stack, _ in counts), max(level for _, level in counts)
