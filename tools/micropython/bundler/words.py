"""Which words are names to the interpreter. It makes an object of 16 bytes for each place where a text of more than ten letters is written, and for each in
a tuple; as a name a word costs 8 bytes, once, and for ever.

Rule: nothing is evaluated otherwise. A word of the resident module that is written in several places becomes a name: by an argument of that name, of a
function that is forgotten at once. A word of a module that is loaded for a moment is none: it lies in a tuple that leaves with the module.
"""

import ast
import keyword
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache

from tools.micropython.bundler.walking import Transformer, walk

_INTERNED_LETTERS = 10  # of a text that is written by itself: mpy-cross makes it a name


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Tuple) and all(map(_is_constant, node.elts)))


def _texts(node: ast.AST, in_tuple: bool = False) -> Iterator[tuple[str, bool]]:
    """Each text that is written, and whether in a tuple that is made when the module is loaded."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, in_tuple
    inner = in_tuple or (isinstance(node, ast.Tuple) and _is_constant(node))
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, inner)


def worth_a_name(tree: ast.Module) -> list[str]:
    """The words of a module that cost less as names."""
    objects: Counter[str] = Counter()
    names = {word for node in walk(tree) if not isinstance(node, ast.Constant) for word in _words(node)}
    for text, in_tuple in _texts(tree):
        if in_tuple or len(text) > _INTERNED_LETTERS:
            objects[text] += 1
        else:
            names.add(text)
    return sorted(
        text
        for text, count in objects.items()
        if count > 1 and text not in names and text.isidentifier() and not keyword.iskeyword(text)
    )


def name_words(tree: ast.Module) -> None:
    """Let the words of a module be names that are worth it."""
    words = worth_a_name(tree)
    if words:
        args = ast.arguments(
            posonlyargs=[], args=[ast.arg(word) for word in words], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        tree.body.insert(0, ast.Expr(ast.Lambda(args, ast.Constant(0))))


class _Hide(Transformer):
    """Puts a place in a tuple where a short text is written."""

    def __init__(self, taken: Collection[str], holder: str) -> None:
        self.taken = taken
        self.holder = holder
        self.hidden: list[str] = []

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A docstring costs nothing."""
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """What is in a constant tuple is no name."""
        return node if _is_constant(node) else self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """A default stays where it is."""
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """The text's place."""
        text = node.value
        if not isinstance(text, str) or len(text) > _INTERNED_LETTERS or text in self.taken:
            return node
        if text not in self.hidden:
            self.hidden.append(text)
        place = ast.Constant(self.hidden.index(text))
        return ast.Subscript(ast.Name(self.holder, ast.Load()), place, ast.Load())


def without_names(text: str, resident: str, known: Collection[str]) -> str:
    """A module that is loaded for a moment, so that its short texts leave with it: a name stays in the interpreter's list for ever. What `resident` has
    as a name, or the interpreter (`known`), costs nothing; a key of what is heard is a name, for as such it costs nothing there."""
    tree = ast.parse(text)
    words = {word for node in walk(tree) for word in _words(node)}
    holder = next(name for name in known if name.isidentifier() and not keyword.iskeyword(name) and name not in words)
    hide = _Hide({"", *known, *_named(resident), *(key for node in walk(tree) for key in _keys(node))}, holder)
    for part in tree.body:
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            hide.visit(part)
    if not hide.hidden:
        return text
    held = ast.Tuple([ast.Constant(word) for word in hide.hidden], ast.Load())
    tree.body.append(ast.Assign([ast.Name(holder, ast.Store())], held))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


@cache
def _named(text: str) -> frozenset[str]:
    """What a module needs names for; asked again for each of those that are loaded beside it."""
    return frozenset(word for node in walk(ast.parse(text)) for word in _words(node))


def _keys(node: ast.AST) -> Iterator[str]:
    """The key that a node asks for."""
    match node:
        case (
            ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_])
            | ast.Subscript(slice=ast.Constant(value=str(key)))
            | ast.Compare(left=ast.Constant(value=str(key)), ops=[ast.In()])
        ):
            yield key


def _words(node: ast.AST) -> Iterator[str]:
    """What a node needs a name for."""
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.alias(name=word):
            yield word
        case ast.Constant(value=str(word)) if len(word) <= _INTERNED_LETTERS:
            yield word
        case ast.FunctionDef(name=word) | ast.ClassDef(name=word) | ast.keyword(arg=str(word)):
            yield word
