"""The statements of several modules as those of one: globals have the bundle's names, constants of other modules are written where they are used.

Rule: imports, constants and docstrings go, and what functions do stays what it is. It must not know what becomes of the statements.
"""

import ast
from collections.abc import Iterable

from tools.micropython.bundler.names import Names
from tools.micropython.bundler.origin import mark
from tools.micropython.bundler.program import Binding, BundleError, Module, Own, Program, Sibling, absolute
from tools.micropython.bundler.scopes import ScopedTransformer, bound_names
from tools.micropython.bundler.walking import copied, walk


class Linker(ScopedTransformer):
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

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A global becomes the bundle's."""
        binding = self.module.globals.get(node.id)
        if binding is None or not self.is_global(node.id):
            return node
        return self._reference(binding, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`module.name` becomes a global."""
        if isinstance(node.value, ast.Name) and self.is_global(node.value.id):
            binding = self.module.globals.get(node.value.id)
            if isinstance(binding, Sibling):
                return self._reference(self.program.resolve(Own(binding.module, node.attr)), node.ctx)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
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

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`drop("planning")` names a late module: as the bundle calls it."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "drop" and len(node.args) == 1:
            (given,) = node.args
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                name = f"{self.program.package}.{given.value}"
                if name not in self.program.short:
                    raise BundleError(f"{self.module.name}: {given.value} is dropped, and is no late module")
                node.args = [ast.Constant(self.program.short[name])]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
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
        for name in walk(function):
            if isinstance(name, ast.Name) and name.id == short:
                name.id = alias.value.id

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
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
        return [self.visit(copied(node)) for node in self.module.tree.body if not self._gone(node)]

    def _gone(self, node: ast.stmt) -> bool:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return True
        return isinstance(node, ast.Assign) and all(
            isinstance(self.module.globals.get(name), int | str) for name in bound_names([node])
        )


def link(program: Program, modules: Iterable[str], names: Names) -> tuple[list[ast.stmt], set[Binding]]:
    """The statements of several modules as one, and what they use."""
    body: list[ast.stmt] = []
    used: set[Binding] = set()
    for name in modules:
        linker = Linker(program, program.modules[name], names)
        body += linker.link()
        used |= linker.used
    return body, used
