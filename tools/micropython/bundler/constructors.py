"""Constructors as functions: what `__init__` does for an object that is made in one place is written there, and leaves the heap with who does it once. A class
that has nothing left is one with the others of that kind.

Rule: the object is made first, then its constructor's statements run with the same arguments, then it is stored, as before. It must not know modules: it is
given their statements, linked, and leaves a function that is called once; the inliner writes it where it is called.
"""

import ast
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from tools.micropython.bundler.slots import MARK
from tools.micropython.bundler.walking import Transformer, walk

INIT = "__init__"


class _Sites(Transformer):
    """Takes apart each `place = Class(...)` and `return Class(...)` of `classes`, of which each has the name of a function that sets it up."""

    def __init__(self, classes: dict[str, str]) -> None:
        self.classes = classes

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        """Make it, set it up, store it."""
        if not (name := _class(node.value, self.classes)):
            return node
        return [*self._made(name, node.value), ast.Assign(node.targets, ast.Name(_made(name), ast.Load()))]

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        """Make it, set it up, return it."""
        if not (name := _class(node.value, self.classes)):
            return node
        return [*self._made(name, node.value), ast.Return(ast.Name(_made(name), ast.Load()))]

    def _made(self, name: str, call: ast.expr | None) -> list[ast.stmt]:
        assert isinstance(call, ast.Call)
        init = ast.Name(self.classes[name], ast.Load())
        return [
            ast.Assign([ast.Name(_made(name), ast.Store())], ast.Call(call.func, [], [])),
            ast.Expr(ast.Call(init, [ast.Name(_made(name), ast.Load()), *call.args], call.keywords)),
        ]


def _made(name: str) -> str:
    return f"{name}{MARK}made"


def _class(node: ast.AST | None, classes: Collection[str]) -> str:
    """The class of `classes` that a call makes an object of; "" where it is none."""
    is_made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes
    return node.func.id if is_made else ""  # type: ignore[union-attr]  # a call of a name


def unfold(bodies: Sequence[list[ast.stmt]], keep: Collection[str], new_global: Callable[[str], str]) -> None:
    """Works on `bodies` in place; the first has the classes. `keep`: names that somebody outside uses; `new_global`: a name for a class's function."""
    nodes = [node for body in bodies for part in body for node in walk(part)]
    mentioned = Counter(node.id for node in nodes if isinstance(node, ast.Name))
    classes = {
        part.name: part
        for part in bodies[0]
        if isinstance(part, ast.ClassDef) and not part.bases and part.name not in keep and not _constants(part)
    }
    made = Counter(_class(node.value, classes) for node in nodes if isinstance(node, (ast.Assign, ast.Return)))
    classes = {name: part for name, part in classes.items() if made[name] == mentioned[name] > 0}
    sites = _Sites({name: new_global(name) for name, part in classes.items() if _init(part)})
    for body in bodies:
        body[:] = sites.visit(ast.Module(body, [])).body
    for name, short in sites.classes.items():
        part = classes[name]
        init = _init(part)
        assert init is not None
        part.body = [item for item in part.body if item is not init] or [ast.Pass()]
        init.name = short
        bodies[0].insert(bodies[0].index(part) + 1, init)
    _merge(
        bodies, [part for part in classes.values() if not any(isinstance(item, ast.FunctionDef) for item in part.body)]
    )


def _init(part: ast.ClassDef) -> ast.FunctionDef | None:
    return next((item for item in part.body if isinstance(item, ast.FunctionDef) and item.name == INIT), None)


def _constants(part: ast.ClassDef) -> bool:
    return not all(isinstance(item, (ast.FunctionDef, ast.Pass, ast.Expr)) for item in part.body)


def _merge(bodies: Sequence[list[ast.stmt]], empty: Sequence[ast.ClassDef]) -> None:
    """Classes that have nothing of their own are one."""
    names = {part.name for part in empty[1:]}
    bodies[0][:] = [part for part in bodies[0] if part not in empty[1:]]
    for node in [node for body in bodies for part in body for node in walk(part)]:
        if isinstance(node, ast.Name) and node.id in names:
            node.id = empty[0].name
