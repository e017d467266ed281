"""What can be read off constant tuples while the firmware is built: a tuple that nothing asks for by itself any more does not lie in the heap.

Rule: nothing is evaluated otherwise, and what is folded are numbers; a text is written where it was. It must not know modules: it is given their statements,
linked, of which the first are resident, and no function of which has a variable of a global's name.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from tools.micropython.bundler.members import is_literal, is_plain
from tools.micropython.bundler.prune import uses
from tools.micropython.bundler.walking import Transformer, copied, walk

type Bodies = Sequence[list[ast.stmt]]

_SMALL = 1 << 30  # a number beyond is an object to the interpreter
_CHOICES_MAX = 8  # a longer table is not written out for each `in`


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.Assign]]:
    """The globals that are assigned to once, each by a statement of its own."""
    stores = Counter(
        node.id
        for part in body
        for node in walk(part)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    for part in body:
        if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name):
            name = part.targets[0].id
            if stores[name] == 1:
                yield name, part


def defines(node: ast.stmt, name: str) -> bool:
    """Is it what assigns to that global?"""
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name


def tables(body: list[ast.stmt], keep: Collection[str]) -> dict[str, ast.Tuple]:
    """The constant tuples among the globals but for those in `keep`."""
    return {
        name: node.value
        for name, node in assigned(body)
        if isinstance(node.value, ast.Tuple) and is_literal(node.value) and name not in keep
    }


def heap_of(node: ast.expr) -> int:
    """Bytes of a constant tuple itself, with the tuples in it."""
    if not isinstance(node, ast.Tuple):
        return 0
    return -(-(8 + 4 * len(node.elts)) // 16) * 16 + sum(map(heap_of, node.elts))


def written(value: object) -> ast.expr:
    """The expression of a constant."""
    return ast.parse(repr(value), mode="eval").body


def _evaluated(node: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr | None:
    """A sum of tuples, or a multiple of one, as one tuple; None if it is neither."""
    match node:
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.Tuple(elts=items):
            found = [_evaluated(item, known) for item in items]
            return ast.Tuple([item for item in found if item], ast.Load()) if all(found) else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = _evaluated(left, known), _evaluated(right, known)
            if isinstance(one, ast.Tuple) and isinstance(other, ast.Tuple):
                return ast.Tuple([*one.elts, *other.elts], ast.Load())
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Constant(value=int(times))):
            one = _evaluated(left, known)
            return ast.Tuple(one.elts * times, ast.Load()) if isinstance(one, ast.Tuple) else None
    return node if is_literal(node) else None


def fold_globals(body: list[ast.stmt]) -> None:
    """Globals that are put together of constants, as one constant. With texts only where nobody in `body` reads it: what is loaded for a moment has it then."""
    used = uses(body)
    known: dict[str, ast.expr] = {}
    for name, node in assigned(body):
        found = _evaluated(node.value, known)
        if found is None:
            continue
        has_texts = any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in walk(found))
        if isinstance(found, ast.Tuple) and (not has_texts or not used[name]):
            node.value = copied(found)
        known[name] = found


class _Fold(Transformer):
    """Reads numbers off tables. `slices`: tables of which also parts may be written where they are asked for; `choices`: which may be for each `in`."""

    def __init__(
        self, found: Mapping[str, ast.Tuple], slices: Collection[str] = (), choices: Collection[str] = ()
    ) -> None:
        self.found, self.slices, self.choices = found, slices, choices
        self.cut: list[ast.expr] = []

    def _table(self, node: ast.expr) -> ast.Tuple | None:
        return self.found.get(node.id) if isinstance(node, ast.Name) else None

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`T[2]`, `T[2:]`, or `T[x == 1]` of two."""
        self.generic_visit(node)
        table = self._table(node.value)
        if table is None or not isinstance(node.ctx, ast.Load) or not isinstance(node.value, ast.Name):
            return node
        if is_part := isinstance(node.slice, ast.Slice):
            if node.value.id not in self.slices:
                return node
        elif len(table.elts) == 2 and isinstance(node.slice, ast.Compare) and node.value.id in self.choices:
            return ast.Subscript(copied(table), node.slice, node.ctx)
        if not all(isinstance(part, _NUMBERS) for part in walk(node.slice)):
            return node
        source = ast.unparse(ast.Subscript(table, node.slice, ast.Load()))
        try:
            value = eval(source, {"__builtins__": {}})  # noqa: S307 - literals, see above
        except IndexError, TypeError:
            return node
        if is_part:
            self.cut.append(written(value))
            return self.cut[-1]
        return written(value) if isinstance(value, int) and abs(value) < _SMALL else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`x in T`."""
        self.generic_visit(node)
        match node:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]) if (
                name in self.choices and is_plain(left)
            ):
                node.comparators = [copied(self.found[name])]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`len(T)`, or `T.index("word")`."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[item], keywords=[]) if (
                table := self._table(item)
            ) is not None:
                return ast.Constant(len(table.elts))
            case ast.Call(
                func=ast.Attribute(value=item, attr="index"), args=[ast.Constant(value=value)], keywords=[]
            ) if (table := self._table(item)) is not None:
                values: tuple[object, ...] = ast.literal_eval(table)
                return ast.Constant(values.index(value)) if value in values else node
        return node


_NUMBERS = (ast.Constant, ast.Slice, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Load)


def fold_reads(bodies: Bodies, keep: Collection[str]) -> None:
    """What is read off the tables of the resident body, written out in all of them."""
    body = bodies[0]
    found = tables(body, keep)
    _fold(bodies, _Fold(found))
    numbers = {
        name: table
        for name, table in found.items()
        if all(isinstance(value, int) and abs(value) < _SMALL for value in _values(table))
    }
    used = uses([part for other in bodies for part in other])
    by_part = [uses([part]) for part in body]
    for name, table in numbers.items():
        if not used[name]:
            continue
        trial = _Fold({name: table}, {name}, {name} if len(table.elts) <= _CHOICES_MAX else ())
        tried = [trial.visit(copied(part)) for part, names in zip(body, by_part, strict=True) if names[name]]
        cut = {ast.dump(part): heap_of(part) for part in trial.cut}
        if not uses(tried)[name] and sum(cut.values()) <= heap_of(table):
            _fold(bodies, trial)
            by_part = [uses([part]) for part in body]


class _Written(Transformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The constant instead of its name."""
        return copied(self.values[node.id]) if isinstance(node.ctx, ast.Load) and node.id in self.values else node


def write_texts(bodies: Bodies, keep: Collection[str]) -> None:
    """Texts and bytes of the resident body where they are used: the compiler makes one object of those that are equal, and no name is needed."""
    texts = {
        name: node.value
        for name, node in assigned(bodies[0])
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | bytes) and name not in keep
    }
    for body in bodies:
        body[:] = [_Written(texts).visit(part) for part in body]


def _values(node: ast.Tuple) -> tuple[object, ...]:
    found: tuple[object, ...] = ast.literal_eval(node)
    return found


def _fold(bodies: Bodies, fold: _Fold) -> None:
    for body in bodies:
        body[:] = [fold.visit(part) for part in body]
