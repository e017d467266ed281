"""One module out of many: the application merged into a single file, its constants folded, its names shortened.

On a board code that runs from ROMFS is free, names are not: every module costs its table of names, every global a place in a dict, every
new name its entry in the interpreter's list (which doubles when it is full). Merging and renaming halve what the application takes.
Rule: the meaning of the firmware stays what it is; only modules, constants and names go. The sources are data and are not run.
"""

import ast
from collections.abc import Iterable, Mapping
from copy import deepcopy

from tools.micropython.constants import fold_globals, fold_reads, write_texts
from tools.micropython.constructors import unfold
from tools.micropython.gather import Gatherer
from tools.micropython.inline import Inliner
from tools.micropython.members import with_choices
from tools.micropython.names import Names, known_names
from tools.micropython.origin import mark, origins
from tools.micropython.program import (
    Binding,
    BundleError,
    Extern,
    Module,
    Own,
    Program,
    Sibling,
    absolute,
)
from tools.micropython.prune import literals, prune, split_tuples, uses, without_needless
from tools.micropython.raised import spared, with_spared_errors
from tools.micropython.rows import pack_numbers
from tools.micropython.scopes import ScopedTransformer, bound_names, without_annotations
from tools.micropython.tables import join_words
from tools.micropython.texts import with_filled_texts
from tools.micropython.words import name_words, without_names


class _Linker(ScopedTransformer):
    """Rewrites one module so that its globals are the bundle's."""

    def __init__(self, program: Program, module: Module, names: Names) -> None:
        super().__init__()
        self.program = program
        self.module = module
        self.names = names
        self.used: set[Binding] = set()

    def _reference(self, binding: Binding, context: ast.expr_context) -> ast.expr:
        if isinstance(binding, int | str):
            return ast.Constant(binding)
        if isinstance(binding, Sibling):
            raise BundleError(f"{self.module.name}: the module {binding.module} is used as a value")
        self.used.add(binding)
        return ast.Name(self.names.of_global(binding), context)

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        """A global becomes the bundle's."""
        binding = self.module.globals.get(node.id)
        if binding is None or not self.is_global(node.id):
            return node
        return self._reference(binding, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        """`module.name` becomes a global."""
        if isinstance(node.value, ast.Name) and self.is_global(node.value.id):
            binding = self.module.globals.get(node.value.id)
            if isinstance(binding, Sibling):
                return self._reference(self.program.resolve(Own(binding.module, node.attr)), node.ctx)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:  # noqa: N802
        """An import inside a function: of functions of a late module, which may have other names there."""
        if not node.level:
            return node
        source = absolute(self.module.name, node)
        if source not in self.program.late:
            raise BundleError(f"{self.module.name}: {source} is always there; import it at the top")
        names = []
        for alias in node.names:
            binding = self.program.resolve(Own(source, alias.name))
            if not isinstance(binding, Own):
                raise BundleError(f"{self.module.name}: {alias.name} of {source} is a constant or a module")
            names.append(ast.alias(self.names.of_global(binding), alias.asname or alias.name))
        return ast.ImportFrom(self.program.short.get(source, source), names, 0)

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
        """`drop("planning")` names a late module: as the bundle calls it."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "drop" and len(node.args) == 1:
            (given,) = node.args
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                name = f"{self.program.package}.{given.value}"
                if name not in self.program.short:
                    raise BundleError(f"{self.module.name}: {given.value} is dropped, and is no late module")
                node.args = [ast.Constant(self.program.short[name])]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        """The name of a global function."""
        if not self._locals:
            owner = self._in_class or self.module.name.rpartition(".")[2]
            mark(node, f"{owner}.{node.name}")
        if not self._locals and not self._in_class:
            node.name = self.names.of_global(Own(self.module.name, node.name))
        for statement in [part for part in node.body if self._is_alias(part)]:
            self._dissolve(node, statement)
        return super().visit_FunctionDef(node)

    def _is_alias(self, node: ast.stmt) -> bool:
        """Is it `p = protocol`, a short name for a module of the package?"""
        if (
            not isinstance(node, ast.Assign)
            or not isinstance(node.value, ast.Name)
            or not self.is_global(node.value.id)
        ):
            return False
        return isinstance(self.module.globals.get(node.value.id), Sibling) and isinstance(node.targets[0], ast.Name)

    def _dissolve(self, function: ast.FunctionDef, alias: ast.stmt) -> None:
        """Write the module where its short name stands."""
        function.body.remove(alias)
        (short,) = bound_names([alias])
        if (
            short in bound_names(function.body)
            or not isinstance(alias, ast.Assign)
            or not isinstance(alias.value, ast.Name)
        ):
            raise BundleError(f"{self.module.name}: {short} is a module and something else in {function.name}")
        for name in ast.walk(function):
            if isinstance(name, ast.Name) and name.id == short:
                name.id = alias.value.id

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802
        """The name of a global class; its body is no scope for its methods."""
        self._in_class = node.name
        node.name = self.names.of_global(Own(self.module.name, node.name))
        node.bases = [self.visit(base) for base in node.bases]
        kept = [part for part in node.body if not isinstance(part, ast.AnnAssign)]  # declarations have had their say
        node.body = [self.visit(part) if isinstance(part, ast.FunctionDef) else part for part in kept] or [ast.Pass()]
        self._in_class = ""
        return node

    _in_class = ""

    def link(self) -> list[ast.stmt]:
        """The module's statements without imports, constants and docstring."""
        return [self.visit(deepcopy(node)) for node in self.module.tree.body if not self._gone(node)]

    def _gone(self, node: ast.stmt) -> bool:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return True
        return isinstance(node, ast.Assign) and all(
            isinstance(self.module.globals.get(name), int | str) for name in bound_names([node])
        )


def _import(binding: Extern, name: str) -> ast.stmt:
    alias = ast.alias(binding.name or binding.module)
    alias.asname = name if name != alias.name else None
    return ast.ImportFrom(binding.module, [alias], 0) if binding.name else ast.Import([alias])


def _text(module: str, statements: list[ast.stmt], names: Names, *, resident: bool = False) -> str:
    tree = names.shorten(ast.fix_missing_locations(ast.Module(with_choices(statements), [])))
    if resident:
        name_words(tree)  # what is loaded for a moment would leave its names behind
    text = ast.unparse(tree) + "\n"
    names.lines |= origins(module, tree, text)
    return text


def bundle(
    sources: Mapping[str, str],
    outside: Mapping[str, str],
    entries: Mapping[str, tuple[str, ...]],
    meanings: dict[str, list[str]] | None = None,
) -> dict[str, str]:
    """The application's files, by dotted name: the first entry holds all that is resident, the others hand on their names.

    `sources`: the package's modules. `outside`: firmware that is not bundled, whose names therefore stay. `entries`: the modules
    that are imported from outside, with what is imported of them. A module that is imported inside functions only is a file of
    its own, under a name that costs nothing, with the modules that nothing resident needs; one that nobody imports keeps its names. `meanings` is
    filled with what each short name stands for, and with the functions that lines come from. Raises BundleError.
    """
    sources = {name: with_filled_texts(without_annotations(text)) for name, text in sources.items()}
    errors = spared(sources)
    sources = with_spared_errors(sources)
    program = Program(sources, tuple(entries))
    main = next(iter(entries))
    kept = {name: program.resolve(Own(module, name)) for module, found in entries.items() for name in found}
    names = Names(sources, outside, kept)
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value))
        for name, value in kept.items()
        if isinstance(value, int | str)
    ]
    for name in program.late.keys() - program.short.keys():
        for own, binding in program.modules[name].globals.items():
            if binding == Own(name, own):
                names.keep(binding)
    linked, used = _link(program, program.resident, names)
    body += split_tuples(linked)
    cells = {name: cell for name, cell in program.late.items() if any(program.modules[part].tree.body for part in cell)}
    parts: dict[str, list[ast.stmt]] = {}
    for name, cell in cells.items():
        parts[name], taken = _link(program, cell, names)
        used |= taken
    stays = {*kept, *names.kept}
    unfold([body, *parts.values()], stays, names.of_group)
    Inliner([body, *parts.values()], stays, names.anybodys).run()
    parts = {name: prune(part, _own(program, name, names)) for name, part in parts.items()}
    body = without_needless(body, {*kept, *uses([part for late in parts.values() for part in late])})
    bodies = [body, *parts.values()]
    fold_globals(body)
    fold_reads(bodies, stays)
    pack_numbers(bodies, stays, names.of_group)
    join_words(bodies, stays, names.of_group)
    write_texts(bodies, stays)
    Gatherer(bodies, stays, names.foreign, names.of_group, names.of_method).run()
    only_late = {name: node for name, node in literals(body).items() if name not in kept}
    externs = _externs(used)
    late: dict[str, str] = {}
    shared: set[str] = set()
    for name, part in parts.items():
        late[program.short.get(name, name)], wanted = _late(program, name, part, main, names, only_late, body, externs)
        shared |= wanted
    body = prune(body, shared | set(kept))
    files = {main: _text(main, _imports(externs, body, names) + body, names, resident=True)}
    late = {name: without_names(text, files[main], known_names()) for name, text in late.items()}
    for module, found in entries.items():
        if module != main:
            files[module] = f"from {main} import {', '.join(found)}\n"
    if meanings is not None:
        meanings |= names.meanings(program) | names.lines
        for own, name in errors.items():
            meanings[name] = [f"errors.{own}", *meanings.get(name, [])]
    return files | late


def _link(program: Program, modules: Iterable[str], names: Names) -> tuple[list[ast.stmt], set[Binding]]:
    """The statements of several modules as one, and what they use."""
    body: list[ast.stmt] = []
    used: set[Binding] = set()
    for name in modules:
        linker = _Linker(program, program.modules[name], names)
        body += linker.link()
        used |= linker.used
    return body, used


def _late(
    program: Program,
    name: str,
    body: list[ast.stmt],
    main: str,
    names: Names,
    only_late: Mapping[str, ast.stmt],
    resident: list[ast.stmt],
    externs: list[Extern],
) -> tuple[str, set[str]]:
    """A late module with what comes with it, and the names that it takes from the bundle. Of `only_late`, literals that no resident reads, it has its
    own copy: a table of limits need not lie in the heap between two messages."""
    shared = uses(body).keys() & bound_names(resident)
    imports = _imports(externs, body, names)
    copies = [deepcopy(only_late[item]) for item in sorted(shared & only_late.keys())]
    shared -= only_late.keys()
    if shared:
        imports.append(ast.ImportFrom(main, [ast.alias(item) for item in sorted(shared)], 0))
    return _text(
        program.short.get(name, name), imports + prune(copies + body, _own(program, name, names)), names
    ), shared


def _own(program: Program, name: str, names: Names) -> set[str]:
    """The globals of a late module itself, which others may import."""
    mine = (item for item in program.modules[name].globals.values() if isinstance(item, Own) and item.module == name)
    return {names.of_global(item) for item in mine}


def _imports(externs: list[Extern], body: list[ast.stmt], names: Names) -> list[ast.stmt]:
    """What `body` needs from outside of the package."""
    read = uses(body)
    return [_import(item, names.of_global(item)) for item in externs if read[names.of_global(item)]]


def _externs(used: set[Binding]) -> list[Extern]:
    return sorted((binding for binding in used if isinstance(binding, Extern)), key=str)
