"""Variables of functions that were inlined, in as few places as may be: each place is four bytes of the frame, for as long as the outer function runs.

Rule: a variable lives from its first mention to its last one, in the order of the text: what was inlined assigns before it reads, in each turn of a loop too.
"""

import ast

from tools.micropython.bundler.scopes import COMPREHENSIONS, bound_names
from tools.micropython.bundler.walking import walk

MARK = "__"  # in the names of such variables, and in no others
OVER = "over"  # the kind of a None that stands for no value: its variable is let go of


def let_go(name: str) -> ast.Assign:
    """What a variable held need not stay in the heap any longer."""
    return ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None, OVER))


def _mentions(function: ast.FunctionDef) -> list[ast.AST]:
    """What names a variable, in the order of the text."""
    found: list[ast.AST] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, (ast.Name, ast.ExceptHandler, ast.alias)):
            found.append(node)
        if isinstance(node, ast.Assign):
            walk(node.value)
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.Assign) and child is node.value):
                walk(child)

    for part in function.body:
        walk(part)
    return found


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.alias):
        return node.asname or node.name
    return (node.id if isinstance(node, ast.Name) else getattr(node, "name", None)) or ""


def share_slots(function: ast.FunctionDef) -> None:
    """Give variables of inlined functions that never live at the same time one name."""
    own = {name for name in bound_names(function.body) if MARK in name}
    inner = {
        name.id
        for node in walk(function)
        if isinstance(node, COMPREHENSIONS)
        for loop in node.generators
        for name in walk(loop.target)
        if isinstance(name, ast.Name)
    }
    mentions = [(at, node) for at, node in enumerate(_mentions(function)) if _name(node) in own - inner]
    span: dict[str, list[int]] = {}
    for at, node in mentions:
        span.setdefault(_name(node), [at, at])[1] = at
    busy: list[int] = []  # until when each slot is
    slot: dict[str, str] = {}
    for name, (first, last) in sorted(span.items(), key=lambda item: item[1]):
        number = next((i for i, until in enumerate(busy) if until < first), len(busy))
        busy[number : number + 1] = [last]
        slot[name] = f"s{number}{MARK}"
    for _, node in mentions:
        new = slot[_name(node)]
        if isinstance(node, ast.Name):
            node.id = new
        elif isinstance(node, ast.alias):
            node.asname = new
        elif isinstance(node, ast.ExceptHandler):
            node.name = new
