"""How large a function's frame is: its variables, and what lies on its stack at most. A frame of up to ON_STACK words lies in C's stack; a larger one is a
piece of the heap for as long as the function runs.

Rule: an estimate by the tree, in words, as the interpreter's compiler lays things out (py/compile.c, py/vm.c). It must not know what is done with it.
"""

import ast
from collections.abc import Iterable

from tools.micropython.scopes import arguments, bound_names

ON_STACK = 11  # VM_MAX_STATE_ON_STACK in py/vm.c, in words
HANDLER = 3  # an entry of the stack of exceptions
ITERATOR = 4  # what a loop over anything keeps on the stack


def variables(function: ast.FunctionDef) -> int:
    """Arguments and local variables."""
    return len({arg.arg for arg in arguments(function)} | bound_names(function.body))


def _in_turn(nodes: Iterable[ast.AST], before: int = 0) -> int:
    """What is evaluated one after the other, each left on the stack, above what lies there already."""
    return max((before + at + depth(node) for at, node in enumerate(nodes)), default=before + 1)


def _expressions(node: ast.AST) -> list[ast.AST]:
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.expr, ast.keyword))]


def depth(node: ast.AST) -> int:
    """Words of stack that an expression takes, its value included."""
    parts = _expressions(node)
    match node:
        case ast.Call(func=function, args=args, keywords=words):
            called = depth(function.value) + 1 if isinstance(function, ast.Attribute) else depth(function)
            return max(called, _in_turn([*args, *(word.value for word in words)], 2 + len(words)))
        case ast.BoolOp() | ast.IfExp() | ast.Attribute() | ast.UnaryOp():
            return max(map(depth, parts))
        case ast.Compare():
            return _in_turn(parts) + (len(parts) > 2)
        case ast.Slice() | ast.Dict():
            return _in_turn(parts[:3]) + 1
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            return 1 + ITERATOR + depth(node.generators[0].iter)
    return _in_turn(parts)  # one by one: what is calculated with, the items of a tuple; nothing at all of a name


def _statement(node: ast.stmt) -> int:
    """Words of stack that a statement takes, and what stands in it."""
    own = [depth(child) for child in _expressions(node)]
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        own.append(depth(node.value) + max(depth(target) for target in targets))
    inner = [
        _statement(child)
        for block in ("body", "orelse", "finalbody", "handlers")
        for child in getattr(node, block, [])
        if isinstance(child, ast.stmt)
    ]
    inner += [_statement(child) for handler in getattr(node, "handlers", []) for child in handler.body]
    around = ITERATOR if isinstance(node, ast.For) else HANDLER + 2 if isinstance(node, (ast.Try, ast.With)) else 0
    return max([*own, *(around + part for part in inner), around + 1])


def size(function: ast.FunctionDef) -> int:
    """Words of a frame."""
    return variables(function) + max(_statement(part) for part in function.body)
