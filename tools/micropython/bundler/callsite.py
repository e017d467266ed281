"""The one place in which a function is called, and whether other statements may stand there.

Rule: what an expression evaluates before the call must be what the call cannot change: names of variables, constants, and where attributes of a name lead
to when they are called. It must not know what takes the place of the call.
"""

import ast
from collections.abc import Callable, Iterator, Sequence

from tools.micropython.bundler.slots import MARK, let_go
from tools.micropython.bundler.walking import Transformer, walk

type Key = tuple[bool, str]  # (is a method, its name)
type How = tuple[
    str, str
]  # what becomes of the value: ("assign", variable), ("discard", ""), ("tail", ""), ("return", "")
type Splice = Callable[[ast.Call, How], list[ast.stmt]]


def calls(nodes: Sequence[ast.AST]) -> Iterator[tuple[Key, ast.Call]]:
    for outer in nodes:
        for node in walk(outer):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield (False, node.func.id), node
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield (True, node.func.attr), node


class Site:
    """The one place in a function where another is called."""

    def __init__(self, holder: ast.FunctionDef, key: Key) -> None:
        self.holder = holder
        self.key = key

    def replace(self, splice: Splice) -> bool:
        """Put the statements that `splice` makes of the call where it stands. False if it stands where it cannot be done."""
        return self._in(self.holder.body, True, splice)

    def _in(self, body: list[ast.stmt], last: bool, splice: Splice) -> bool:
        for index, part in enumerate(body):
            if not any(key == self.key for key, _ in calls([part])):
                continue
            tail = last and index == len(body) - 1
            found = self._here(part)
            if found is not None:
                call, how, after = found
                if how == ("discard", "") and tail:
                    how = ("tail", "")
                body[index : index + 1] = splice(call, how) + after
                return True
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(part, name, None)
                if isinstance(inner, list) and self._in(inner, tail and isinstance(part, ast.If), splice):
                    return True
            if isinstance(part, ast.Try):
                return any(self._in(handler.body, False, splice) for handler in part.handlers)
            return False
        return False

    def _is(self, node: ast.AST | None) -> bool:
        return isinstance(node, ast.Call) and any(key == self.key and call is node for key, call in calls([node]))

    def _here(self, part: ast.stmt) -> tuple[ast.Call, How, list[ast.stmt]] | None:
        """(the call, what becomes of its value, the statements that follow), if it is what `part` evaluates first."""
        value = getattr(part, "value", None)
        if isinstance(value, ast.Call) and self._is(value):
            if isinstance(part, ast.Expr):
                return value, ("discard", ""), []
            if isinstance(part, ast.Return):
                return value, ("return", ""), []
        slot = {ast.If: "test", ast.For: "iter", ast.Expr: "value", ast.Return: "value", ast.Assign: "value"}.get(
            type(part)
        )
        if slot is None or (isinstance(part, ast.Assign) and not all(_is_plain(target) for target in part.targets)):
            return None
        call = self._first(getattr(part, slot))
        if call is None:
            return None
        self_name = f"value{MARK}{self.key[1]}"
        _Replace(call, ast.Name(self_name, ast.Load())).visit(part)
        ends = isinstance(part, (ast.Return, ast.If, ast.For))
        return call, ("assign", self_name), [part] if ends else [part, let_go(self_name)]

    def _first(self, node: ast.expr) -> ast.Call | None:
        """The call, if all that `node` evaluates before it cannot be changed by it."""
        if self._is(node):
            assert isinstance(node, ast.Call)
            return node
        match node:
            case ast.Call(func=func) if _is_plain(func):
                return self._among([*node.args, *(word.value for word in node.keywords)])
            case ast.Call(func=ast.Attribute(value=inner)) | ast.UnaryOp(operand=inner) | ast.Attribute(value=inner):
                return self._first(inner)
            case ast.IfExp(test=inner) | ast.BoolOp(values=[inner, *_]):
                return self._first(inner)
            case ast.BinOp(left=one, right=other) | ast.Compare(left=one, comparators=[other, *_]):
                return self._among([one, other])
            case ast.Subscript(value=one, slice=other):
                return self._among([one, other])
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return self._among(items)
        return None

    def _among(self, nodes: Sequence[ast.expr]) -> ast.Call | None:
        for node in nodes:
            found = self._first(node)
            if found is not None or not isinstance(node, (ast.Name, ast.Constant)):
                return found
        return None


def _is_plain(node: ast.expr) -> bool:
    """A name, or what hangs on one: where it leads does not change while a statement is evaluated."""
    if isinstance(node, ast.Tuple):
        return all(isinstance(item, ast.Name) for item in node.elts)
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


class _Replace(Transformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old = old
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new node instead of the old one."""
        return self.new if node is self.old else super().visit(node)
