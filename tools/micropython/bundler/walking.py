"""Trees, walked quickly: as `ast.walk` and `ast.NodeTransformer`, in the same order, but without a look at what holds no node.

Rule: half of what `ast` looks at are names, numbers and contexts (load, store, delete); nobody here asks for a context by itself. It must not know what a
tree means.
"""

import ast
import types
import typing
from collections import deque
from collections.abc import Callable, Iterator

_PARTS: dict[type[ast.AST], tuple[str, ...]] = {}


def parts(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes, one or a list of them."""
    found = _PARTS.get(kind)
    if found is None:
        found = _PARTS[kind] = tuple(name for name, held in kind._field_types.items() if _holds_nodes(held))
    return found


def _holds_nodes(held: object) -> bool:
    if isinstance(held, types.UnionType) or typing.get_origin(held) is list:
        return any(map(_holds_nodes, typing.get_args(held)))
    return isinstance(held, type) and issubclass(held, ast.AST) and not issubclass(held, ast.expr_context)


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """`tree` and all that is in it but contexts, breadth first; what comes later may be changed meanwhile."""
    pending = deque((tree,))
    while pending:
        node = pending.popleft()
        pending.extend(children(node))
        yield node


def children(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a node itself, but contexts."""
    for name in parts(node.__class__):
        value = getattr(node, name, None)
        if value.__class__ is list:
            yield from (item for item in value if isinstance(item, ast.AST))
        elif value is not None:
            yield value


def copied[Node: ast.AST](node: Node) -> Node:
    """A copy of a node and of all that is in it, as of `copy.deepcopy`; contexts are shared."""
    new = node.__class__.__new__(node.__class__)
    for name, value in vars(node).items():
        if value.__class__ is list:
            setattr(new, name, [copied(item) if isinstance(item, ast.AST) else item for item in value])
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            setattr(new, name, copied(value))
        else:
            setattr(new, name, value)
    return new


class Transformer(ast.NodeTransformer):
    """Has a method `visit_Kind` for each kind of node that it changes; others are only looked into."""

    _methods: typing.ClassVar[dict[type[ast.AST], Callable[..., object]]]

    def __init_subclass__(cls) -> None:
        cls._methods = {}

    def visit(self, node: ast.AST) -> typing.Any:  # as NodeTransformer's
        """The node, another one, several, or None: none."""
        kind = node.__class__
        method = self._methods.get(kind)
        if method is None:
            method = self._methods[kind] = getattr(
                self.__class__, "visit_" + kind.__name__, self.__class__.generic_visit
            )
        return method(self, node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit what is in a node."""
        for name in parts(node.__class__):
            value = getattr(node, name, None)
            if value.__class__ is list:
                value[:] = self._visited(value)
            elif value is not None:
                changed = self.visit(value)
                if changed is None:
                    delattr(node, name)
                else:
                    setattr(node, name, changed)
        return node

    def _visited(self, nodes: list[ast.AST]) -> list[object]:
        found: list[object] = []
        for node in nodes:
            changed = self.visit(node) if isinstance(node, ast.AST) else node
            if changed.__class__ is list or changed.__class__ is tuple:
                found += changed
            elif changed is not None or node is None:
                found.append(changed)
        return found
