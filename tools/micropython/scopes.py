"""Which names in a module are the module's own, and which belong to a function.

Rule: knows Python's scopes as far as firmware uses them (no nonlocal, no names in class bodies but methods and constants).
"""

import ast
from collections.abc import Iterator

FUNCTIONS = (ast.FunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def arguments(node: ast.FunctionDef | ast.Lambda) -> list[ast.arg]:
    """All arguments of a function."""
    args = node.args
    return [*args.posonlyargs, *args.args, *([args.vararg] if args.vararg else []), *args.kwonlyargs] + (
        [args.kwarg] if args.kwarg else []
    )


def without_annotations(source: str) -> str:
    """A module without what its signatures say of types: the interpreter drops that too, but here its words would count as names in use."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for arg in arguments(node):
                arg.annotation = None
    return ast.unparse(tree)


def own_nodes(body: list[ast.stmt] | ast.expr) -> Iterator[ast.AST]:
    """What lies in a body itself: the names of nested functions and classes, but not what is inside them."""
    pending: list[ast.AST] = list(body) if isinstance(body, list) else [body]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)):
            pending += ast.iter_child_nodes(node)


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


class ScopedTransformer(ast.NodeTransformer):
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
        targets = [name for loop in node.generators for name in ast.walk(loop.target)]
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
