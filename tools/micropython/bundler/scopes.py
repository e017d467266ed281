"""Which names in a module are the module's own, and which belong to a function.

Rule: knows Python's scopes as far as firmware uses them (no nonlocal, no names in class bodies but methods and constants).
"""

import ast
from collections.abc import Iterator

from tools.micropython.bundler.walking import Transformer, children, walk

FUNCTIONS = (ast.FunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def arguments(node: ast.FunctionDef | ast.Lambda) -> list[ast.arg]:
    """All arguments of a function."""
    args = node.args
    return [*args.posonlyargs, *args.args, *([args.vararg] if args.vararg else []), *args.kwonlyargs] + (
        [args.kwarg] if args.kwarg else []
    )


class _Untyped(Transformer):
    _declares = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """What it declares, it may have."""
        self._declares = True
        self.generic_visit(node)
        self._declares = False
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A bare signature."""
        outside, self._declares = self._declares, False
        node.returns = None
        for arg in arguments(node):
            arg.annotation = None
        self.generic_visit(node)
        self._declares = outside
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """An assignment, or nothing; in a class that it has such an attribute."""
        if node.value is not None:
            return ast.copy_location(ast.Assign([node.target], node.value), node)
        node.annotation = ast.Constant(None)
        return node if self._declares else None

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Imports for annotations go."""
        return None if is_for_types(node) else self.generic_visit(node)


def is_for_types(node: ast.AST) -> bool:
    """Is it `if False:` with nothing but imports, which are there for annotations?"""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Constant) or node.test.value is not False:
        return False
    return not node.orelse and all(isinstance(part, ast.ImportFrom) for part in node.body)


def without_annotations(source: str) -> str:
    """A module without what it says of types, and without what it imports to say it (`if False:`): the interpreter drops that too, but here its words would
    count as names in use. That a class declares an attribute stays: names are shared by what a class has (attributes.py)."""
    return ast.unparse(_Untyped().visit(ast.parse(source)))


def own_nodes(body: list[ast.stmt] | ast.expr) -> Iterator[ast.AST]:
    """What lies in a body itself: the names of nested functions and classes, but not what is inside them."""
    pending: list[ast.AST] = list(body) if isinstance(body, list) else [body]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)):
            pending += children(node)


def bound_names(body: list[ast.stmt] | ast.expr) -> set[str]:
    """Names that a body binds in its own scope."""
    names: set[str] = set()
    elsewhere: set[str] = set()
    for node in own_nodes(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)):
            names |= {node.name} if node.name else set()
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Global):
            elsewhere |= set(node.names)
    return names - elsewhere


class ScopedTransformer(Transformer):
    """Visits a module; `is_global(name)` tells of the place being visited whether `name` there is the module's (or a builtin)."""

    def __init__(self) -> None:
        self._locals: list[set[str]] = []

    def is_global(self, name: str) -> bool:
        """True if no enclosing function binds `name`."""
        return not any(name in names for names in self._locals)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Defaults and decorators are evaluated outside."""
        node.decorator_list = [self.visit(item) for item in node.decorator_list]
        self.visit(node.args)
        self._locals.append({arg.arg for arg in arguments(node)} | bound_names(node.body))
        node.body = [self.visit(statement) for statement in node.body]
        self._locals.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Like a function."""
        self.visit(node.args)
        self._locals.append({arg.arg for arg in arguments(node)})
        node.body = self.visit(node.body)
        self._locals.pop()
        return node

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.AST:
        first = node.generators[0]
        first.iter = self.visit(first.iter)  # evaluated outside
        targets = [name for loop in node.generators for name in walk(loop.target)]
        self._locals.append({name.id for name in targets if isinstance(name, ast.Name)})
        for loop in node.generators:
            loop.target = self.visit(loop.target)
            loop.iter = loop.iter if loop is first else self.visit(loop.iter)
            loop.ifs = [self.visit(condition) for condition in loop.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self._locals.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - names of ast's
