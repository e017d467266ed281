"""Names that cost nothing: which identifier of the firmware becomes which name that the interpreter has in read-only memory anyway.

Rule: a renaming is the same everywhere. A name stays what it is when the interpreter has it, when it occurs in a text (it may be looked
up by it, and is in memory for the text's sake), when unbundled firmware uses it, or when the package does not define it.
"""

import ast
import keyword
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tools.micropython.bundler.attributes import shared_names
from tools.micropython.bundler.program import Own, Program
from tools.micropython.bundler.scopes import FUNCTIONS, arguments, bound_names
from tools.micropython.bundler.walking import Transformer, walk

KNOWN_NAMES = Path(__file__).with_name("known_names.txt")
ARGUMENTS = 12  # names set aside for arguments

TO_THE_COMPILER = {"const"}  # a call of this name is not a call to mpy-cross


@cache
def known_names() -> tuple[str, ...]:
    """The interpreter's own names."""
    lines = [line for line in KNOWN_NAMES.read_text().splitlines() if not line.startswith("#")]
    return tuple(" ".join(lines).split())


def _words(tree: ast.AST) -> Iterator[str]:
    """Every identifier and every text in a tree."""
    for node in walk(tree):
        for _, value in ast.iter_fields(node):
            values = value if isinstance(value, list) else [value]
            yield from (word for word in values if isinstance(word, str))


def _texts(tree: ast.AST) -> set[str]:
    return {node.value for node in walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _as_names(tree: ast.AST) -> Iterator[str]:
    """Identifiers that stand for something by themselves: not attributes, not texts."""
    for node in walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield from (node.asname or node.name).split(".")


def _locals(tree: ast.AST) -> Iterator[str]:
    """Names that a function binds: no global may take one of them, or it would be hidden there."""
    for node in walk(tree):
        if isinstance(node, FUNCTIONS):
            yield from (arg.arg for arg in arguments(node))
            yield from bound_names(node.body)
        elif isinstance(node, ast.comprehension):
            yield from (name.id for name in walk(node.target) if isinstance(name, ast.Name))


class Names:
    """The renaming of one bundle. `kept` are globals that keep their names."""

    def __init__(self, sources: Mapping[str, str], outside: Mapping[str, str], kept: Mapping[str, object]) -> None:
        trees = [ast.parse(text) for text in sources.values()]
        stays = {*known_names(), *(word for text in outside.values() for word in _words(ast.parse(text)))}
        for tree in trees:
            stays |= _texts(tree)
        builtin = {"print", "open", "range", "len", "str", "int", "bytes", "type", "super", "object"}
        words = Counter(word for tree in trees for word in _words(tree))
        free = [
            name
            for name in sorted(known_names(), key=lambda name: (-words[name], len(name), name))
            if name not in builtin | TO_THE_COMPILER and not name.startswith("__") and not keyword.iskeyword(name)
        ]
        self.lines: dict[
            str, list[str]
        ] = {}  # "module:line": the function that the lines from there on were written in
        self.kept: set[str] = set()  # globals that keep their names for whoever imports them
        self.foreign = {
            *known_names(),
            *(word for text in outside.values() for word in _words(ast.parse(text))),
        }  # what an object of someone else may have
        self.anybodys = stays | {"args"}  # the same, or what is looked up by a text
        self.attributes = shared_names(trees, stays, [name for name in free if name != "args"])  # an error has that
        standing = {word for tree in trees for word in _as_names(tree)} | stays - set(known_names())
        given = Counter(self.attributes.values())
        spare = sorted((name for name in free if name not in standing), key=lambda name: -given[name])
        self._arguments = spare[:ARGUMENTS]
        self._spare_globals = spare[ARGUMENTS:][::-1]
        self._globals = {binding: name for name, binding in kept.items() if not isinstance(binding, int | str)}
        self._given = {*kept, *self._arguments}
        self._hidden = {name for tree in trees for name in _locals(tree)}
        self._standing = {node.attr for tree in trees for node in walk(tree) if isinstance(node, ast.Attribute)}
        self._keywords = {
            node.arg for tree in trees for node in walk(tree) if isinstance(node, ast.keyword) and node.arg is not None
        }

    def keep(self, binding: object) -> None:
        """Let a global keep its name."""
        self._globals[binding] = getattr(binding, "name", "")
        self.kept.add(self._globals[binding])

    def of_global(self, binding: object) -> str:
        """The name of a global in the bundle: its own if that is free of cost, one that is to spare, or a new one."""
        if binding not in self._globals:
            name: str = getattr(binding, "name", "") or getattr(binding, "module", "")
            if (name not in known_names() or name in self._hidden | self._given) and self._spare_globals:
                name = self._spare_globals.pop()
            while name in self._hidden | self._given:
                name += "_"
            self._given.add(name)
            self._globals[binding] = name
        return self._globals[binding]

    def of_group(self, name: str) -> str:
        """The name of a function that the bundler makes: of gathered ones, of a constructor, of a table."""
        return self.of_global(Own("gathered", name))

    def of_method(self, name: str) -> str:
        """The same for a method: a name that no attribute has."""
        given = {*self.attributes.values(), *self._given, *self._standing}
        found = next(spare for spare in self._spare_globals if spare not in given)
        self._spare_globals.remove(found)
        self._given.add(found)
        self._globals[Own("gathered", name)] = found
        return found

    def meanings(self, program: Program) -> dict[str, list[str]]:
        """What each name that was given stands for: "Class.method", or "module.name" of a global; several, as one name may serve in several places."""
        found: dict[str, set[str]] = {}
        for binding, short in self._globals.items():
            if isinstance(binding, Own) and binding.name != short:
                found.setdefault(short, set()).add(f"{binding.module.rpartition('.')[2]}.{binding.name}")
        for module in program.modules.values():
            for node in walk(module.tree):
                if isinstance(node, ast.ClassDef):
                    for name in bound_names(node.body) & self.attributes.keys():
                        found.setdefault(self.attributes[name], set()).add(f"{node.name}.{name}")
        for name, short in self.attributes.items():
            found.setdefault(short, {name})
        return {short: sorted(meant) for short, meant in sorted(found.items())}

    def shorten(self, tree: ast.Module) -> ast.Module:
        """Rename attributes, methods and arguments of a linked module."""
        _Attributes(self.attributes).visit(tree)
        _Arguments(self._arguments, {*self._keywords, *known_names()}).visit(tree)
        return tree


class _Attributes(Transformer):
    """Renames attributes and methods."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """An attribute of anything."""
        node.attr = self.names.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Methods and class constants."""
        for part in node.body:
            if isinstance(part, ast.FunctionDef):
                part.name = self.names.get(part.name, part.name)
            elif isinstance(part, ast.Assign):
                for name in part.targets:
                    if isinstance(name, ast.Name):
                        name.id = self.names.get(name.id, name.id)
        return self.generic_visit(node)


class _Arguments(Transformer):
    """Renames arguments that are never given by name, with as few names as may be."""

    def __init__(self, spare: list[str], stays: set[str]) -> None:
        self.spare = spare
        self.stays = stays
        self._renamed: list[dict[str, str]] = []

    def _enter(self, node: ast.FunctionDef | ast.Lambda) -> None:
        outer = sum(len(names) for names in self._renamed)
        movable = [arg for arg in arguments(node) if arg.arg not in self.stays and arg not in node.args.kwonlyargs]
        names = dict(zip((arg.arg for arg in movable), self.spare[outer:], strict=False))
        self._renamed.append(names)
        for arg in movable:
            arg.arg = names.get(arg.arg, arg.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Its arguments, within it."""
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        self._enter(node)
        for statement in node.body:
            self.visit(statement)
        self._renamed.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Like a function."""
        self._enter(node)
        self.visit(node.body)
        self._renamed.pop()
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """An argument of the nearest function that has one of that name."""
        for names in reversed(self._renamed):
            if node.id in names:
                node.id = names[node.id]
                break
        return node
