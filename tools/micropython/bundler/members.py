"""Constant tuples that are nothing but a choice, as the choice itself: a tuple lies in the heap for as long as its module, code in ROM costs nothing.

`x in ("a", "b")` becomes `x == "a" or x == "b"`, `(1, 2)[x == "a"]` becomes `2 if x == "a" else 1`, and `a, b = 1, 2` becomes two assignments.
Rule: what is evaluated stays what it was, but for how often; so only what costs little and does nothing besides is evaluated twice. It must not know modules.
"""

import ast
from collections.abc import Iterable

from tools.micropython.bundler.walking import Transformer, copied


def is_plain(node: ast.expr) -> bool:
    """May it be evaluated twice? A name, an attribute or an item of it, a sum of such: nothing is called, and no object is made."""
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(value=value):
            return is_plain(value)
        case ast.Subscript(value=value, slice=index):
            return is_plain(value) and is_plain(index)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return is_plain(left) and is_plain(right)
    return False


def is_literal(node: ast.AST) -> bool:
    """Is it a constant, or a tuple of constants, that the compiler makes an object of?"""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.Tuple(elts=items):
            return all(map(is_literal, items))
    return False


class _Choices(Transformer):
    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        """Several constants at once, one after the other."""
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=items) as value) if (
                len(targets) == len(items)
                and is_literal(value)
                and not any(isinstance(target, ast.Starred) for target in targets)
            ):
                parts = [
                    ast.copy_location(ast.Assign([to], item), node) for to, item in zip(targets, items, strict=True)
                ]
                for part in parts:
                    part.origin = getattr(node, "origin", "")  # type: ignore[attr-defined]  # as `mark` does
                return list(parts)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`in` and `not in`, with a tuple of constants."""
        self.generic_visit(node)
        match node:
            case ast.Compare(
                left=left, ops=[ast.In() | ast.NotIn() as how], comparators=[ast.Tuple(elts=[_, *_] as items)]
            ) if is_plain(left) and all(is_literal(item) and not isinstance(item, ast.Tuple) for item in items):
                is_in = isinstance(how, ast.In)
                tests: list[ast.expr] = [
                    ast.Compare(copied(left), [ast.Eq() if is_in else ast.NotEq()], [item]) for item in items
                ]
                return ast.BoolOp(ast.Or() if is_in else ast.And(), tests) if len(tests) > 1 else tests[0]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """One of two constants, by whether something is so."""
        match node:
            case ast.Subscript(value=ast.Tuple(elts=[no, yes]) as pair, slice=test) if is_literal(pair) and _is_truth(
                test
            ):
                return ast.IfExp(self.visit(test), yes, no)
        return self.generic_visit(node)


def _is_truth(node: ast.expr) -> bool:
    """Is it True or False for sure? Numbers and texts compare to nothing else."""
    return isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def with_choices(statements: Iterable[ast.stmt]) -> list[ast.stmt]:
    """The statements with choices instead of tuples."""
    choices = _Choices()
    return [part for node in statements for part in _as_list(choices.visit(node))]


def _as_list(node: ast.stmt | list[ast.stmt]) -> list[ast.stmt]:
    return node if isinstance(node, list) else [node]
