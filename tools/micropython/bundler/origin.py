"""Which function of the sources each line of a bundle was written in: functions that were inlined have no name of their own in a board's traceback.

Rule: a mark on each statement, which copies keep; it changes nothing. It must not know how functions move.
"""

import ast
from collections.abc import Iterator

from tools.micropython.bundler.walking import walk


def mark(function: ast.FunctionDef, origin: str) -> None:
    """Note that the statements of `function` were written in it."""
    for node in walk(function):
        if isinstance(node, ast.stmt) and node is not function:
            node.origin = origin  # type: ignore[attr-defined]  # ours


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    return (node for node in walk(tree) if isinstance(node, ast.stmt))


def origins(module: str, tree: ast.Module, text: str) -> dict[str, list[str]]:
    """{"module:line": [function]} of `tree`, unparsed as `text`, for each line from which on another function's statements stand."""
    lines = {}
    for ours, written in zip(_statements(tree), _statements(ast.parse(text)), strict=True):
        if origin := getattr(ours, "origin", ""):
            lines[written.lineno] = origin
    found: dict[str, list[str]] = {}
    before = ""
    for line in sorted(lines):
        if lines[line] != before:
            before = lines[line]
            found[f"{module}:{line}"] = [before]
    return found
