"""One module out of many: the application merged into a single file, its constants folded, its names shortened.

On a board code that runs from ROMFS is free, names are not: every module costs its table of names, every global a place in a dict, every
new name its entry in the interpreter's list (which doubles when it is full). Merging and renaming halve what the application takes.
Rule: the meaning of the firmware stays what it is; only modules, constants and names go. The sources are data and are not run.
"""

import ast
from collections.abc import Mapping

from tools.micropython.names import Names
from tools.micropython.program import Binding, BundleError, Extern, Module, Own, Program, Sibling
from tools.micropython.prune import prune
from tools.micropython.scopes import ScopedTransformer, bound_names


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

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        """The name of a global function."""
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
        node.name = self.names.of_global(Own(self.module.name, node.name))
        node.bases = [self.visit(base) for base in node.bases]
        self._in_class = True
        node.body = [self.visit(part) if isinstance(part, ast.FunctionDef) else part for part in node.body]
        self._in_class = False
        return node

    _in_class = False

    def link(self) -> list[ast.stmt]:
        """The module's statements without imports, constants and docstring."""
        return [self.visit(node) for node in self.module.tree.body if not self._gone(node)]

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


def _text(statements: list[ast.stmt], names: Names) -> str:
    tree = ast.fix_missing_locations(ast.Module(statements, []))
    return ast.unparse(names.shorten(tree)) + "\n"


def bundle(
    sources: Mapping[str, str], outside: Mapping[str, str], entries: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """The application's files, by dotted name: the first entry holds all that is resident, the others hand on their names.

    `sources`: the package's modules. `outside`: firmware that is not bundled, whose names therefore stay. `entries`: the modules
    that are imported from outside, with what is imported of them. Modules that no resident imports at its top stay files of
    their own. Raises BundleError.
    """
    program = Program(sources, tuple(entries))
    main = next(iter(entries))
    kept = {name: program.resolve(Own(module, name)) for module, found in entries.items() for name in found}
    names = Names(sources, outside, kept)
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value))
        for name, value in kept.items()
        if isinstance(value, int | str)
    ]
    used: set[Binding] = set()
    for name in program.resident:
        linker = _Linker(program, program.modules[name], names)
        body += linker.link()
        used |= linker.used
    body = prune(body, _shared(program, names) | set(kept))
    externs = [_import(binding, names.of_global(binding)) for binding in sorted(_externs(used), key=str)]
    files = {main: _text(externs + body, names)}
    for module, found in entries.items():
        if module != main:
            files[module] = f"from {main} import {', '.join(found)}\n"
    for name in program.on_demand:
        if program.modules[name].tree.body:
            files[name] = _on_demand(program, name, main, names)
    return files


def _shared(program: Program, names: Names) -> set[str]:
    """Names of the bundle's globals that modules loaded on demand take from it."""
    shared: set[str] = set()
    for name in program.on_demand:
        for binding in program.modules[name].globals.values():
            if isinstance(binding, Own) and binding.module in program.resident:
                shared.add(names.of_global(binding))
            elif isinstance(binding, Sibling):
                own = program.modules[binding.module].globals.values()
                shared |= {names.of_global(item) for item in own if isinstance(item, Own)}
    return shared


def _externs(used: set[Binding]) -> list[Extern]:
    return [binding for binding in used if isinstance(binding, Extern)]


def _on_demand(program: Program, name: str, main: str, names: Names) -> str:
    """A module that is loaded when it is needed: it takes what it uses from the bundle, and keeps the names of its own globals."""
    module = program.modules[name]
    for own, binding in module.globals.items():
        if binding == Own(name, own):
            names.keep(binding)
    linker = _Linker(program, module, names)
    body = linker.link()
    shared = [
        names.of_global(item) for item in linker.used if isinstance(item, Own) and item.module in program.resident
    ]
    imports: list[ast.stmt] = [_import(item, names.of_global(item)) for item in _externs(linker.used)]
    if shared:
        imports.append(ast.ImportFrom(main, [ast.alias(item) for item in sorted(shared)], 0))
    return _text(imports + body, names)
