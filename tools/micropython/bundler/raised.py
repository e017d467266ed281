"""Classes of errors that say nothing but their name, as errors that the interpreter has anyway: a class costs a board a hundred bytes of heap.

Rule: only a class with nothing in it becomes another one, and only if it has no heirs and nobody asks for its ancestors; each gets one of its own, which
nothing in the firmware mentions and the interpreter raises for nothing that the firmware does.
"""

import ast
from collections import Counter
from collections.abc import Mapping

from tools.micropython.bundler.walking import Transformer, walk

# Raised by `input`, `assert` (compiled away), asynchronous iteration, and the compiler: there is none of it on a board
SPARE = ("EOFError", "AssertionError", "StopAsyncIteration", "IndentationError")


class _Renamer(Transformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The interpreter's name."""
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        """It needs no import."""
        node.names = [alias for alias in node.names if alias.name not in self.names]
        return node if node.names else None

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST | None:
        """It needs no class."""
        self.generic_visit(node)
        return None if node.name in self.names else node


def _is_bare(node: ast.stmt) -> bool:
    """Is it a class without anything of its own?"""
    return isinstance(node, ast.ClassDef) and all(
        isinstance(part, ast.Pass) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in node.body
    )


def spared(sources: Mapping[str, str]) -> dict[str, str]:
    """What each bare class of errors becomes, by its name."""
    trees = [ast.parse(text) for text in sources.values()]
    bases: dict[str, str] = {}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and _is_bare(node) and len(node.bases) == 1:
                bases[node.name] = ast.unparse(node.bases[0])

    mentioned = Counter(node.id for tree in trees for node in walk(tree) if isinstance(node, ast.Name))
    asked = {name for name, count in (mentioned - Counter(bases.values())).items() if count}

    def is_error(name: str) -> bool:
        base = bases.get(name)
        return base == "Exception" or (base is not None and base not in asked and is_error(base))

    leaves = [name for name in sorted(bases) if name not in bases.values() and is_error(name)]
    return dict(zip(leaves, (name for name in SPARE if name not in mentioned), strict=False))


def with_spared_errors(sources: Mapping[str, str]) -> dict[str, str]:
    """The modules with the interpreter's errors in place of their own."""
    names = spared(sources)
    if not names:
        return dict(sources)
    return {
        module: ast.unparse(ast.fix_missing_locations(_Renamer(names).visit(ast.parse(text))))
        for module, text in sources.items()
    }
