"""A function's statements as they stand where it was called: arguments first, then the body under names of its own.

Rule: at the end its variables are set to None: what they held would else stay in the heap until the outer function returns.
"""

import ast

from tools.micropython.bundler.callsite import How
from tools.micropython.bundler.returns import UnsupportedError, ends, without_returns
from tools.micropython.bundler.scopes import COMPREHENSIONS, arguments, bound_names
from tools.micropython.bundler.slots import OVER, let_go
from tools.micropython.bundler.walking import Transformer, copied, walk


class _Rename(Transformer):
    def __init__(self, names: dict[str, ast.expr]) -> None:
        self.names = names

    def _name(self, name: str) -> str:
        new = self.names.get(name)
        return new.id if isinstance(new, ast.Name) else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The new name, or the constant that was given."""
        new = self.names.get(node.id)
        if new is None:
            return node
        return ast.Name(new.id, node.ctx) if isinstance(new, ast.Name) else copied(new)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """The name of what was caught."""
        node.name = self._name(node.name) if node.name else None
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """What was imported inside the function."""
        for alias in node.names:
            alias.asname = self._name(alias.asname or alias.name)
        return node


class Splice:
    """The statements of `callee`, as `call` calls it."""

    def __init__(self, callee: ast.FunctionDef, call: ast.Call, is_method: bool, mark: str) -> None:
        self.callee = callee
        self.call = call
        self.is_method = is_method
        self.mark = mark

    def _given(self) -> dict[str, ast.expr]:
        names = [arg.arg for arg in arguments(self.callee)]
        args = list(self.call.args)
        if self.is_method:
            assert isinstance(self.call.func, ast.Attribute)
            args.insert(0, self.call.func.value)
        if any(isinstance(arg, ast.Starred) for arg in args) or any(word.arg is None for word in self.call.keywords):
            raise UnsupportedError
        given = dict(zip(names, args, strict=False))
        given |= {word.arg: word.value for word in self.call.keywords if word.arg is not None}
        defaults = self.callee.args.defaults
        for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
            given.setdefault(name, default)
        if set(given) != set(names) or len(args) > len(names):
            raise UnsupportedError
        return given

    def statements(self, how: How) -> list[ast.stmt]:
        """Arguments, then the body, with what `how` says in the place of its returns; then its variables are let go of."""
        inner = {
            name.id
            for part in self.callee.body
            for node in walk(part)
            if isinstance(node, COMPREHENSIONS)
            for loop in node.generators
            for name in walk(loop.target)
            if isinstance(name, ast.Name)
        }
        bound = bound_names(self.callee.body)
        names: dict[str, ast.expr] = {name: ast.Name(name + self.mark, ast.Load()) for name in bound | inner}
        out: list[ast.stmt] = []
        own = sorted(bound)
        for name, value in self._given().items():
            if name in inner:
                raise UnsupportedError
            if isinstance(value, (ast.Name, ast.Constant)) and name not in bound:
                names[name] = value
                continue
            names[name] = ast.Name(name + self.mark, ast.Load())
            own += [name] if name not in bound else []
            out.append(ast.Assign([ast.Name(name + self.mark, ast.Store())], value))
        body = [_Rename(names).visit(copied(part)) for part in self.callee.body if not _is_text(part)]
        if how[0] == "return":
            return out + body + ([] if ends(body) else [ast.Return(None)])
        if how[0] == "tail":
            return out + without_values(body)
        target = how[1] if how[0] == "assign" else None
        out += without_returns(body, target)
        own = [name for name in own if name not in _let_go(self.callee)]
        return out + [let_go(name + self.mark) for name in own]


def _let_go(function: ast.FunctionDef) -> set[str]:
    """The variables of functions that were inlined in it and end in its midst: they are let go of there, unless an error comes before that."""
    nodes = [node for part in function.body for node in walk(part)]
    tried = {id(node) for outer in nodes if isinstance(outer, ast.Try) for part in outer.body for node in walk(part)}
    over = (
        node.targets[0] for node in nodes if isinstance(node, ast.Assign) and _is_over(node) and id(node) not in tried
    )
    return {target.id for target in over if isinstance(target, ast.Name)}


def _is_over(node: ast.Assign) -> bool:
    return isinstance(node.value, ast.Constant) and node.value.kind == OVER


def _is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


class _WithoutValues(Transformer):
    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        """A return whose value nobody wants: it is evaluated all the same, if that does something."""
        value, node.value = node.value, None
        return (
            [ast.Expr(value), node] if value is not None and not isinstance(value, (ast.Name, ast.Constant)) else node
        )


def without_values(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body that ends a function which returns nothing."""
    out: list[ast.stmt] = []
    for part in body:
        new = _WithoutValues().visit(part)
        out += new if isinstance(new, list) else [new]
    return out
