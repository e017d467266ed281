"""One module out of many: the application merged into a single file, its constants folded, its names shortened.

On a board code that runs from ROMFS is free, names are not: every module costs its table of names, every global a place in a dict, every
new name its entry in the interpreter's list (which doubles when it is full). Merging and renaming halve what the application takes.
Rule: the meaning of the firmware stays what it is; only modules, constants and names go. The sources are data and are not run.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeIs

from tools.micropython.names import Names
from tools.micropython.prune import prune
from tools.micropython.scopes import ScopedTransformer, bound_names

SMALL_INT = 1 << 30
SHORT_TEXT = 10  # characters: such a text is a name to MicroPython, so it costs the same at every use


class BundleError(Exception):
    """The firmware uses Python in a way that cannot be merged; the message says where."""


@dataclass(frozen=True, slots=True)
class Own:
    """A global that a module of the package defines."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Sibling:
    """A module of the package."""

    module: str


@dataclass(frozen=True, slots=True)
class Extern:
    """A module, or a name of a module, from outside of the package."""

    module: str
    name: str = ""


type Constant = int | str
type Binding = Own | Sibling | Extern | Constant


@dataclass(slots=True)
class Module:
    """A source file: what its globals mean."""

    name: str
    tree: ast.Module
    globals: dict[str, Binding] = field(default_factory=dict)


def absolute(module: str, node: ast.ImportFrom) -> str:
    """The dotted name of what a relative import imports from."""
    base = module.split(".")[: -node.level]
    return ".".join([*base, *([node.module] if node.module else [])])


def _is_constant(value: object) -> TypeIs[Constant]:
    return (type(value) is int and abs(value) < SMALL_INT) or (isinstance(value, str) and len(value) <= SHORT_TEXT)


class Program:
    """The package's modules. `sources` has their texts by dotted name ("sprinkler.core.safety")."""

    def __init__(self, sources: Mapping[str, str], entries: tuple[str, ...]) -> None:
        self.modules = {name: Module(name, ast.parse(text)) for name, text in sources.items()}
        self.resident: list[str] = []
        for entry in entries:
            self._require(entry)
        self.on_demand = [name for name in self.modules if name not in self.resident]
        for name in (*self.resident, *self.on_demand):
            self._read(self.modules[name])

    def _imports(self, node: ast.ImportFrom, module: str) -> Iterator[tuple[str, Binding]]:
        source = absolute(module, node)
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            if inner in self.modules:
                yield alias.asname or alias.name, Sibling(inner)
            elif source in self.modules:
                yield alias.asname or alias.name, Own(source, alias.name)
            else:
                raise BundleError(f"{module}: imports {inner}, which is not in the package")

    def _require(self, name: str) -> None:
        """Add a module to the residents, after those that it imports."""
        if name in self.resident:
            return
        for node in self.modules[name].tree.body:
            if isinstance(node, ast.ImportFrom) and node.level:
                for _, binding in self._imports(node, name):
                    if isinstance(binding, (Own, Sibling)):
                        self._require(binding.module)
        if name not in self.resident:
            self.resident.append(name)

    def _read(self, module: Module) -> None:
        """Find what the globals of a module mean; its imports were read before."""
        for node in module.tree.body:
            if isinstance(node, ast.ImportFrom) and node.level:
                for name, binding in self._imports(node, module.name):
                    module.globals[name] = self.resolve(binding)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    module.globals[alias.asname or alias.name] = Extern(node.module or "", alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    module.globals[alias.asname or alias.name] = Extern(alias.name)
            elif isinstance(node, ast.Assign) and (constants := self._constants(module, node)):
                module.globals |= constants
            else:
                module.globals |= {name: Own(module.name, name) for name in bound_names([node])}

    def resolve(self, binding: Binding) -> Binding:
        """What a name imported from a module of the package means there."""
        if not isinstance(binding, Own):
            return binding
        found = self.modules[binding.module].globals.get(binding.name)
        if found is None:
            raise BundleError(f"{binding.module} has no {binding.name}")
        return found

    def _constants(self, module: Module, node: ast.Assign) -> dict[str, Binding]:
        """The constants that an assignment defines: capital names of small integers and short texts."""
        target = node.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        if len(node.targets) != 1 or not all(isinstance(name, ast.Name) and name.id.isupper() for name in names):
            return {}
        values = self._evaluate(module, node.value)
        values = list(values) if isinstance(target, ast.Tuple) and isinstance(values, (tuple, range)) else [values]
        found = {
            name.id: value
            for name, value in zip(names, values, strict=False)
            if isinstance(name, ast.Name) and _is_constant(value)
        }
        constants: dict[str, Binding] = dict(found)
        return constants if len(constants) == len(names) == len(values) else {}

    def _evaluate(self, module: Module, node: ast.expr) -> object:
        """The value of an expression of literals and constants; None if it is anything else."""
        known = {name: value for name, value in module.globals.items() if isinstance(value, int | str)}
        used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        if not used <= {*known, "range"} or any(isinstance(part, ast.Attribute) for part in ast.walk(node)):
            return None
        code = compile(ast.Expression(node), module.name, "eval")
        value: object = eval(code, {"__builtins__": {"range": range}}, known)  # noqa: S307 - literals, and names checked above
        return value


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
