"""Tables of numbers as bytes: a tuple takes four bytes of the heap for each number, and eight for each row; bytes, however many, lie in ROM.

Rule: what is read of a table, and what is raised where it has no such item, stays. A table of which more is wanted than an item, or each row in a loop, stays.
It must not know modules: it is given their statements, linked, of which the first are resident.
"""

import ast
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tools.micropython.bundler.constants import defines, tables
from tools.micropython.bundler.members import is_plain
from tools.micropython.bundler.prune import uses
from tools.micropython.bundler.walking import Transformer, copied, walk

type Bodies = Sequence[list[ast.stmt]]

_FEW = 2  # numbers: a tuple of these takes no more than their bytes, and rows of one take less


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table of rows of equal length: each column has bytes, or words."""

    count: int
    numbers: bytes  # row by row
    columns: tuple[int | str, ...]  # which number of the row it is, or the table that has its words

    @property
    def width(self) -> int:
        return len(self.numbers) // self.count

    def item(self, column: int, row: str) -> ast.expr:
        """What `column` has in the row of which a variable has the number."""
        where = self.columns[column]
        if isinstance(where, str):
            return _expression(f"{where}[{row}]")
        return _expression(f"{self.numbers!r}[{row} * {self.width} + {where}]")


class _Loops(Transformer):
    """Counts the rows in loops; `count` says of how many."""

    def __init__(self, found: dict[str, _Rows]) -> None:
        self.found = found
        self.count: Counter[str] = Counter()

    def _columns(self, node: ast.For | ast.comprehension) -> tuple[_Rows, list[str]] | None:
        """The table that a loop runs over, and its variables."""
        if not isinstance(node.iter, ast.Name) or not isinstance(node.target, ast.Tuple):
            return None
        names = [item.id for item in node.target.elts if isinstance(item, ast.Name)]
        rows = self.found.get(node.iter.id)
        if rows is None or not len(names) == len(set(names)) == len(node.target.elts) == len(rows.columns):
            return None
        self.count[node.iter.id] += 1
        node.target = ast.Name(names[-1], ast.Store())
        node.iter = ast.Call(ast.Name("range", ast.Load()), [ast.Constant(rows.count)], [])
        return rows, names

    def visit_For(self, node: ast.For) -> ast.AST:
        """`for a, b in T:`; the last variable is the row's number before it is what it should be."""
        self.generic_visit(node)
        if found := self._columns(node):
            rows, names = found
            items = [ast.Assign([ast.Name(name, ast.Store())], rows.item(i, names[-1])) for i, name in enumerate(names)]
            for item in items:
                item.origin = getattr(node, "origin", "")  # type: ignore[attr-defined]  # as `mark` does
            node.body[:0] = items
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        """`[b for a, b in T if a]`, by itself: its variables are nothing but what they should be."""
        self.generic_visit(node)
        loop, *more = node.generators
        if more or any(_binds(part) for test in (node.elt, *loop.ifs) for part in walk(test)):
            return node
        if found := self._columns(loop):
            rows, names = found
            given = _Given({name: rows.item(i, names[-1]) for i, name in enumerate(names)})
            node.elt = given.visit(node.elt)
            loop.ifs = [given.visit(test) for test in loop.ifs]
        return node


def _binds(node: ast.AST) -> bool:
    return isinstance(node, ast.Lambda) or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))


class _Given(Transformer):
    """Writes what variables are instead of them."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A variable."""
        return copied(self.values[node.id]) if node.id in self.values else node


class _Items(Transformer):
    """Reads numbers off bytes, two of them each."""

    def __init__(self, found: dict[str, bytes]) -> None:
        self.found = found
        self.count: Counter[str] = Counter()

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`T[i]`."""
        self.generic_visit(node)
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=place) if name in self.found and is_plain(place):
                self.count[name] += 1
                byte = f"{self.found[name]!r}[({ast.unparse(place)}) * 2"
                return _expression(f"{byte}] << 8 | {byte} + 1]")
        return node


def _numbers(table: ast.Tuple) -> bytes | None:
    """A table of numbers as bytes, two each."""
    values: tuple[object, ...] = ast.literal_eval(table)
    numbers = [value for value in values if type(value) is int and 0 <= value < 1 << 16]
    if len(numbers) != len(values) or len(numbers) <= _FEW:
        return None
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def _columns(table: ast.Tuple) -> list[tuple[object, ...]]:
    """The columns of a table of rows, each of small numbers or of words; none if it is something else."""
    rows: tuple[object, ...] = ast.literal_eval(table)
    full = [row for row in rows if isinstance(row, tuple)]
    if len(full) < len(rows) or len(full) < _FEW or len({len(row) for row in full}) > 1:
        return []
    columns = list(zip(*full, strict=True))
    fit = (_are_bytes(column) or all(isinstance(item, str) for item in column) for column in columns)
    return columns if all(fit) else []


def _are_bytes(column: tuple[object, ...]) -> bool:
    return all(type(item) is int and 0 <= item < 1 << 8 for item in column)


def _rows(name: str, columns: list[tuple[object, ...]], new_global: Callable[[str], str]) -> _Rows:
    """The columns, those of words as globals with a name of their own."""
    numbers = [column for column in columns if _are_bytes(column)]
    places = [
        numbers.index(column) if column in numbers else new_global(f"{name}_{i}") for i, column in enumerate(columns)
    ]
    return _Rows(len(columns[0]), bytes(item for row in zip(*numbers, strict=True) for item in row), tuple(places))


def _only(bodies: Bodies, trial: _Loops | _Items) -> set[str]:
    """The tables of which nothing else is wanted, and something by what is resident."""
    for part in [part for body in bodies for part in body]:
        if not trial.found.keys().isdisjoint(uses([part])):
            trial.visit(copied(part))
    here, used = uses(bodies[0]), uses([part for body in bodies for part in body])
    return {name for name in trial.found if here[name] and used[name] == trial.count[name]}


def pack_numbers(bodies: Bodies, keep: Collection[str], new_global: Callable[[str], str]) -> None:
    """Tables of rows, and tables of numbers, as bytes. `keep`: tables that stay; `new_global`: a name for a global."""
    body = bodies[0]
    found = {name: columns for name, table in tables(body, keep).items() if (columns := _columns(table))}
    trial = _Loops({name: _rows(name, columns, lambda text: text) for name, columns in found.items()})
    rows = {name: _rows(name, found[name], new_global) for name in sorted(_only(bodies, trial))}
    _rewrite(bodies, _Loops(rows))
    for name, table in rows.items():
        words = [
            ast.Assign([ast.Name(where, ast.Store())], _expression(repr(column)))
            for where, column in zip(table.columns, found[name], strict=True)
            if isinstance(where, str)
        ]
        body[:] = [*words, *(part for part in body if not defines(part, name))]
    packed = {name: held for name, table in tables(body, keep).items() if (held := _numbers(table))}
    items = {name: packed[name] for name in sorted(_only(bodies, _Items(packed)))}
    _rewrite(bodies, _Items(items))
    body[:] = [part for part in body if not any(defines(part, name) for name in items)]


def _rewrite(bodies: Bodies, how: _Loops | _Items) -> None:
    for body in bodies:
        body[:] = [how.visit(part) for part in body]
