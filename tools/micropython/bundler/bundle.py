"""One module out of many: the application merged into a single file, its constants folded, its names shortened.

On a board code that runs from ROMFS is free, names are not: every module costs its table of names, every global a place in a dict, every
new name its entry in the interpreter's list (which doubles when it is full). Merging and renaming halve what the application takes.
Rule: the meaning of the firmware stays what it is; only modules, constants and names go. The sources are data and are not run.
"""

import ast
from collections.abc import Collection, Mapping

from tools.micropython.bundler.constants import fold_globals, fold_reads, write_texts
from tools.micropython.bundler.constructors import unfold
from tools.micropython.bundler.expressions import write_expressions
from tools.micropython.bundler.gather import Gatherer
from tools.micropython.bundler.inline import Inliner
from tools.micropython.bundler.linker import link
from tools.micropython.bundler.members import with_choices
from tools.micropython.bundler.names import Names, known_names
from tools.micropython.bundler.origin import origins
from tools.micropython.bundler.program import Binding, Extern, Own, Program
from tools.micropython.bundler.prune import literals, prune, split_tuples, uses, without_needless
from tools.micropython.bundler.raised import spared, with_spared_errors
from tools.micropython.bundler.rows import pack_numbers
from tools.micropython.bundler.scopes import bound_names, without_annotations
from tools.micropython.bundler.tables import join_words
from tools.micropython.bundler.texts import with_filled_texts
from tools.micropython.bundler.walking import copied
from tools.micropython.bundler.words import name_words, without_names

type Body = list[ast.stmt]
type Parts = dict[str, Body]  # of each late module


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
    for name in program.late.keys() - program.short.keys():
        for own, binding in program.modules[name].globals.items():
            if binding == Own(name, own):
                names.keep(binding)
    body, parts, externs = _linked(program, names, kept)
    body, parts = _reduced(body, parts, program, names, {*kept, *names.kept})
    files = _written(main, body, parts, program, names, kept, externs)
    for module, found in entries.items():
        if module != main:
            files[module] = f"from {main} import {', '.join(found)}\n"
    if meanings is not None:
        meanings |= names.meanings(program) | names.lines
        for own, name in errors.items():
            meanings[name] = [f"errors.{own}", *meanings.get(name, [])]
    return files


def _linked(program: Program, names: Names, kept: Mapping[str, Binding]) -> tuple[Body, Parts, list[Extern]]:
    """The statements of the resident module, of each late one, and what they need from outside of the package."""
    body: Body = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value))
        for name, value in kept.items()
        if isinstance(value, int | str)
    ]
    linked, used = link(program, program.resident, names)
    body += split_tuples(linked)
    cells = {name: cell for name, cell in program.late.items() if any(program.modules[part].tree.body for part in cell)}
    parts: Parts = {}
    for name, cell in cells.items():
        parts[name], taken = link(program, cell, names)
        used |= taken
    return body, parts, sorted((binding for binding in used if isinstance(binding, Extern)), key=str)


def _reduced(body: Body, parts: Parts, program: Program, names: Names, stays: set[str]) -> tuple[Body, Parts]:
    """The same in fewer functions, classes, tuples and texts. `stays`: globals that somebody outside uses."""
    while write_expressions([body, *parts.values()], names.foreign):
        pass
    unfold([body, *parts.values()], stays, names.of_group)
    Inliner([body, *parts.values()], stays, names.anybodys).run()
    parts = {name: prune(part, _own(program, name, names)) for name, part in parts.items()}
    body = without_needless(body, {*stays, *uses([part for late in parts.values() for part in late])})
    bodies = [body, *parts.values()]
    fold_globals(body)
    fold_reads(bodies, stays)
    pack_numbers(bodies, stays, names.of_group)
    join_words(bodies, stays, names.of_group)
    write_texts(bodies, stays)
    Gatherer(bodies, stays, names.foreign, names.of_group, names.of_method).run()
    return body, parts


def _written(
    main: str, body: Body, parts: Parts, program: Program, names: Names, kept: Collection[str], externs: list[Extern]
) -> dict[str, str]:
    """The texts of the resident module and of the late ones."""
    only_late = {name: node for name, node in literals(body).items() if name not in kept}
    late: dict[str, str] = {}
    shared: set[str] = set()
    for name, part in parts.items():
        late[program.short.get(name, name)], wanted = _late(program, name, part, main, names, only_late, body, externs)
        shared |= wanted
    body = prune(body, shared | set(kept))
    text = _text(main, _imports(externs, body, names) + body, names, resident=True)
    return {main: text} | {name: without_names(other, text, known_names()) for name, other in late.items()}


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
    copies = [copied(only_late[item]) for item in sorted(shared & only_late.keys())]
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
