"""A package of firmware as data: its modules, what each of their globals means, and which modules are always loaded.

Rule: reads and never runs the sources; only constant expressions of literals are evaluated.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeIs

from tools.micropython.bundler.scopes import bound_names
from tools.micropython.bundler.walking import walk

SMALL_INT = 1 << 30
SHORT_TEXT = 10  # characters: such a text is a name to MicroPython, so it costs the same at every use


# What late modules are called in a bundle: names that every interpreter has in read-only memory, and no module of the port bears. By its own name a late
# module would leave 80 bytes behind: the name, the dotted name and the path of its file are never forgotten.
LATE_NAMES = (
    *("abs", "all", "any", "bin", "chr", "dir", "divmod", "eval", "exec", "filter", "hash", "hex", "id"),
    *("iter", "map", "max", "min", "next", "oct", "ord", "pow", "repr", "round", "set", "sorted", "sum", "zip"),
    *(
        "callable",
        "getattr",
        "globals",
        "hasattr",
        "isinstance",
        "issubclass",
        "locals",
        "reversed",
        "setattr",
        "super",
    ),
)


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


def late_imports(module: Module) -> list[str]:
    """The modules that functions of `module` import from the package."""
    nodes = (node for part in module.tree.body for node in walk(part) if part is not node)
    return [absolute(module.name, node) for node in nodes if isinstance(node, ast.ImportFrom) and node.level]


def _is_constant(value: object) -> TypeIs[Constant]:
    return (type(value) is int and abs(value) < SMALL_INT) or (isinstance(value, str) and len(value) <= SHORT_TEXT)


class Program:
    """The package's modules. `sources` has their texts by dotted name ("sprinkler.core.safety")."""

    def __init__(self, sources: Mapping[str, str], entries: tuple[str, ...]) -> None:
        self.modules = {name: Module(name, ast.parse(text)) for name, text in sources.items()}
        self.resident: list[str] = []
        for entry in entries:
            self._needed(entry, self.resident)
        self.package = next(iter(sources)).split(".")[0]
        self.late: dict[str, list[str]] = {}
        self._find_late()
        if len(self.late) > len(LATE_NAMES):
            raise BundleError(f"more than {len(LATE_NAMES)} late modules: add to LATE_NAMES")
        self.short = dict(zip(self.late, LATE_NAMES, strict=False))
        for name in self.modules:
            if name not in self.resident and not any(name in cell for cell in self.late.values()):
                self.late[name] = self._needed(name, [*self.resident])
        for name in (*self.resident, *(name for cell in self.late.values() for name in cell)):
            self._read(self.modules[name])

    def _find_late(self) -> None:
        """Modules that are imported inside functions: `late` has, for each, what is loaded with it, itself last."""
        pending = [*self.resident]
        while pending:
            for target in late_imports(self.modules[pending.pop()]):
                if target not in self.modules:
                    raise BundleError(f"{target} is imported inside a function, and is not a module of the package")
                if target not in self.resident and target not in self.late:
                    self.late[target] = self._needed(target, [*self.resident])
                    pending += self.late[target]

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

    def _needed(self, name: str, known: list[str]) -> list[str]:
        """A module that is not in `known`, after those that it imports; adds them to `known`."""
        if name in known:
            return []
        found: list[str] = []
        for node in self.modules[name].tree.body:
            if isinstance(node, ast.ImportFrom) and node.level:
                for _, binding in self._imports(node, name):
                    if isinstance(binding, (Own, Sibling)):
                        found += self._needed(binding.module, known)
        if name not in known:
            found.append(name)
            known.append(name)
        return found

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
        used = {name.id for name in walk(node) if isinstance(name, ast.Name)}
        if not used <= {*known, "range"} or any(isinstance(part, ast.Attribute) for part in walk(node)):
            return None
        code = compile(ast.Expression(node), module.name, "eval")
        value: object = eval(code, {"__builtins__": {"range": range}}, known)  # noqa: S307 - literals, and names checked above
        return value
