"""What a merged module does not need: globals that nobody uses, and globals for a constant that is used once.

Rule: only what has no effect by being evaluated is taken away: functions, classes, literals.
"""

import ast
from collections import Counter
from collections.abc import Collection

from tools.micropython.bundler.walking import Transformer, walk


def uses(body: list[ast.stmt]) -> Counter[str]:
    """How often each name is read."""
    return Counter(
        node.id for part in body for node in walk(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return all(_is_literal(item) for item in node.elts)
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    return isinstance(node, ast.Constant)


def _defines(node: ast.stmt) -> str | None:
    """The one global that a statement defines and does nothing besides; None otherwise."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_literal(node.value):
        return node.targets[0].id
    return None


def _needless(node: ast.stmt) -> str | None:
    """The one global that a statement defines without any other effect: as a literal, or of other globals; None otherwise."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        parts = walk(node.value)
        if all(
            isinstance(part, (ast.Constant, ast.Tuple, ast.Name, ast.UnaryOp, ast.unaryop, ast.Load)) for part in parts
        ):
            return node.targets[0].id
    return _defines(node)


def without_needless(body: list[ast.stmt], keep: Collection[str]) -> list[ast.stmt]:
    """The statements but for globals that nobody reads; those in `keep` are read from outside."""
    while True:
        used = uses(body)
        left = [node for node in body if (name := _needless(node)) is None or name in keep or used[name]]
        if len(left) == len(body):
            return body
        body = left


def split_tuples(body: list[ast.stmt]) -> list[ast.stmt]:
    """`a, b = 1, 2` as two statements, where both sides are of equal length and the right one is literal."""
    parts: list[ast.stmt] = []
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs = zip(target.elts, value.elts, strict=True)
            parts += [ast.Assign([name], item) for name, item in pairs] if _is_literal(value) else [node]
        else:
            parts.append(node)
    return parts


def literals(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Globals that are literals and that nothing in the body reads."""
    used = uses(body)
    return {
        name: node
        for node in body
        if isinstance(node, ast.Assign) and (name := _defines(node)) is not None and not used[name]
    }


class _Inline(Transformer):
    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The literal instead of its name."""
        return self.values.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def prune(body: list[ast.stmt], keep: Collection[str]) -> list[ast.stmt]:
    """A module's statements without what is not needed; globals in `keep` are used from outside.

    No function may bind a name that is a global's, too.
    """
    body = without_needless(split_tuples(body), keep)
    used = uses(body)
    once = {
        node.targets[0].id: node.value
        for node in body
        if isinstance(node, ast.Assign)
        and (name := _defines(node)) is not None
        and used[name] == 1
        and name not in keep
        if isinstance(node.targets[0], ast.Name)
    }
    inline = _Inline(once)
    return [inline.visit(node) for node in body if _defines(node) not in once]
