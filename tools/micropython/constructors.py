"""Constructors of classes that have one object, made in one place: what `__init__` does is done there, and leaves the heap with who does it once.

Rule: the object is made first, then its constructor's statements run with the same arguments, then it is stored, as before. It must not know modules: it is
given their statements, linked, and leaves a function that is called once; the inliner writes it where it is called.
"""

import ast
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from tools.micropython.slots import MARK

INIT = "__init__"


class _Sites(ast.NodeTransformer):
    """Takes apart each `place = Class(...)` of `classes`, of which each has the name of a function that sets it up."""

    def __init__(self, classes: dict[str, str]) -> None:
        self.classes = classes
        self.found: set[str] = set()

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        """Make it, set it up, store it."""
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in self.classes:
            return node
        name = call.func.id
        self.found.add(name)
        made = f"{name}{MARK}made"
        init = ast.Name(self.classes[name], ast.Load())
        return [
            ast.Assign([ast.Name(made, ast.Store())], ast.Call(call.func, [], [])),
            ast.Expr(ast.Call(init, [ast.Name(made, ast.Load()), *call.args], call.keywords)),
            ast.Assign(node.targets, ast.Name(made, ast.Load())),
        ]


def unfold(bodies: Sequence[list[ast.stmt]], keep: Collection[str], new_global: Callable[[str], str]) -> None:
    """Works on `bodies` in place; the first has the classes. `keep`: names that somebody outside uses; `new_global`: a name for a class's function."""
    mentioned = Counter(
        node.id for body in bodies for part in body for node in ast.walk(part) if isinstance(node, ast.Name)
    )
    classes = {
        part.name: (part, init)
        for part in bodies[0]
        if isinstance(part, ast.ClassDef) and not part.bases and mentioned[part.name] == 1 and part.name not in keep
        for init in part.body
        if isinstance(init, ast.FunctionDef) and init.name == INIT
    }
    sites = _Sites({name: new_global(name) for name in classes})
    for body in bodies:
        body[:] = [sites.visit(part) for part in body]
    for name in sites.found:
        part, init = classes[name]
        part.body = [item for item in part.body if item is not init] or [ast.Pass()]
        init.name = sites.classes[name]
        bodies[0].insert(bodies[0].index(part) + 1, init)
