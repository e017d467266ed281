"""The bundler's walks do what those of `ast` do."""

import ast

import pytest

from sim.provision import FIRMWARE
from tools.micropython.bundler import walking
from tools.micropython.package import package_sources

SOURCES = package_sources(FIRMWARE)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_walk_comes_by_all_but_contexts_in_the_same_order(name):
    tree = ast.parse(SOURCES[name])
    assert list(walking.walk(tree)) == [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_copy_is_equal_and_shares_no_node(name):
    tree = ast.parse(SOURCES[name])
    copy = walking.copied(tree)
    assert ast.dump(copy, include_attributes=True) == ast.dump(tree, include_attributes=True)
    assert not {id(node) for node in walking.walk(copy)} & {id(node) for node in walking.walk(tree)}


def _changes(base):
    class Changes(base):
        def visit_Pass(self, node):  # noqa: N802
            return None

        def visit_Expr(self, node):  # noqa: N802
            self.generic_visit(node)
            return [node, ast.Expr(ast.Constant(1))]

        def visit_Name(self, node):  # noqa: N802
            return ast.Constant(node.id) if isinstance(node.ctx, ast.Load) else node

        def visit_Return(self, node):  # noqa: N802
            node.value = None
            return node

    return Changes()


def test_nodes_are_dropped_doubled_and_replaced_as_by_asts_own_transformer():
    text = "def f(a, *, b, c=d):\n    pass\n    g(a, {None: b, **c})\n    for x in [y]:\n        z\n    return x\n"
    one, other = (
        _changes(walking.Transformer).visit(ast.parse(text)),
        _changes(ast.NodeTransformer).visit(ast.parse(text)),
    )
    assert ast.dump(one) == ast.dump(other)
