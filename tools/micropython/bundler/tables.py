"""Tables of words as one text: a table takes four bytes of the heap for each word, and 16 for each that is no name; a text, however long, lies in ROM.

Rule: a table is asked for a word by its place, or for the place of a word, as before; with an error for what is not there. Where anything else is done with
one, it stays. A word from the text is equal to one that is written, not the same. It must not know modules: it is given their statements, linked, of which
the first are resident.
"""

import ast
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tools.micropython.bundler.constants import defines, heap_of, tables
from tools.micropython.bundler.origin import mark
from tools.micropython.bundler.prune import uses
from tools.micropython.bundler.walking import Transformer, copied, walk

type Bodies = Sequence[list[ast.stmt]]

_COST = 16 + 2 * 44  # of the text and of the two functions
_FUNCTIONS = """
def {word}(number, at, until):
    "The word of that number in the table that lies there."
    while number and at < until:
        at = {text}.find({text}[:1], at) + 1
        number -= 1
    if at >= until:
        raise IndexError
    return {text}[at:{text}.find({text}[:1], at)].decode()

def {place}(word, at, until):
    "The number of a word in the table that lies there."
    found = {text}.find(("\\n%s\\n" % (word,)).encode(), at - 1, until)
    if found < 0 or "\\n" in word:
        raise ValueError
    return {text}.count({text}[:1], at, found + 1)
"""


@dataclass(frozen=True, slots=True)
class _Table:
    words: tuple[str, ...]
    at: int  # where the first word begins
    stop: int  # after the end of the last one


@dataclass(frozen=True, slots=True)
class _Named:
    """What the text and the two functions are called."""

    text: str
    word: str
    place: str


def _words(table: ast.Tuple) -> tuple[str, ...]:
    """The words of a table; none if it has anything else."""
    values: tuple[object, ...] = ast.literal_eval(table)
    words = tuple(value for value in values if isinstance(value, str) and value.isascii() and "\n" not in value)
    return words if len(words) == len(values) else ()


class _Uses(Transformer):
    """Asks the text instead of the tables; counts how often."""

    def __init__(self, found: dict[str, _Table], named: _Named) -> None:
        self.found = found
        self.named = named
        self.count: Counter[str] = Counter()

    def _ask(self, function: str, table: str, what: ast.expr) -> ast.expr:
        self.count[table] += 1
        where = [ast.Constant(self.found[table].at), ast.Constant(self.found[table].stop)]
        return ast.Call(ast.Name(function, ast.Load()), [what, *where], [])

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`T[i]`."""
        self.generic_visit(node)
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=number) if name in self.found and not isinstance(
                number, ast.Slice
            ):
                return self._ask(self.named.word, name, number)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`T.index(word)`."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="index"), args=[word], keywords=[]) if (
                name in self.found and not isinstance(word, ast.Starred)
            ):
                return self._ask(self.named.place, name, word)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """`for word in T:` and `for i, word in enumerate(T):`, with numbers that become words."""
        self.generic_visit(node)
        match node:
            case ast.For(target=ast.Name(id=target), iter=ast.Name(id=name)) if name in self.found:
                return self._counted(node, name, target, target)
            case ast.For(
                target=ast.Tuple(elts=[ast.Name(id=number), ast.Name(id=target)]),
                iter=ast.Call(func=ast.Name(id="enumerate"), args=[ast.Name(id=name)], keywords=[]),
            ) if name in self.found:
                return self._counted(node, name, number, target)
        return node

    def _counted(self, node: ast.For, table: str, number: str, word: str) -> ast.For:
        node.target = ast.Name(number, ast.Store())
        count = ast.Constant(len(self.found[table].words))
        node.iter = ast.Call(ast.Name("range", ast.Load()), [count], [])
        asked = self._ask(self.named.word, table, ast.Name(number, ast.Load()))
        statement = ast.Assign([ast.Name(word, ast.Store())], asked)
        if origin := getattr(node, "origin", ""):
            statement.origin = origin  # type: ignore[attr-defined]  # as `mark` does
        node.body.insert(0, statement)
        return node


def _asked_only(bodies: Bodies, found: dict[str, tuple[str, ...]], named: _Named) -> set[str]:
    """The tables of which nothing else is wanted, and something by what is resident."""
    trial = _Uses({name: _Table(words, 0, 0) for name, words in found.items()}, named)
    for part in [part for body in bodies for part in body]:
        if not found.keys().isdisjoint(uses([part])):
            trial.visit(copied(part))
    used = uses([part for body in bodies for part in body])
    here = uses(bodies[0])
    return {name for name in found if here[name] and used[name] == trial.count[name]}


def _saved(body: list[ast.stmt], found: Collection[ast.Tuple]) -> int:
    """Bytes of the heap that tables take, with the words that are nowhere else."""
    texts = Counter(node.value for part in body for node in walk(part) if isinstance(node, ast.Constant))
    mine = Counter(item.value for table in found for item in table.elts if isinstance(item, ast.Constant))
    return sum(map(heap_of, found)) + 16 * sum(texts[word] == count for word, count in mine.items())


def join_words(bodies: Bodies, keep: Collection[str], new_global: Callable[[str], str]) -> None:
    """One text for all tables of words that only are asked, if that costs less. `keep`: tables that stay; `new_global`: a name for a global."""
    body = bodies[0]
    candidates = tables(body, keep)
    found = {name: words for name, table in candidates.items() if (words := _words(table))}
    found = {name: found[name] for name in sorted(_asked_only(bodies, found, _Named("", "", "")))}
    if _saved(body, [candidates[name] for name in found]) <= _COST:
        return
    named = _Named(*(new_global(name) for name in ("words", "word", "place")))
    text = "\n"
    joined: dict[str, _Table] = {}
    for name, words in found.items():
        start = len(text)
        text += "".join(word + "\n" for word in words)
        joined[name] = _Table(words, start, len(text))
    asked = _Uses(joined, named)
    for part in bodies:
        part[:] = [asked.visit(node) for node in part]
    functions = ast.parse(_FUNCTIONS.format(text=named.text, word=named.word, place=named.place)).body
    for function, origin in zip(functions, ("words.word", "words.place"), strict=True):
        if isinstance(function, ast.FunctionDef):
            mark(function, origin)
    held = ast.Assign([ast.Name(named.text, ast.Store())], ast.Constant(text.encode()))
    body[:] = [held, *functions, *(part for part in body if not any(defines(part, name) for name in found))]
