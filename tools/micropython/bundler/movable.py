"""Which functions can be branches of another one, and which names may mean something besides the functions that bear them.

Rule: what cannot be told by the text stays: where a class inherits, where a name is bound in the midst of others, where it is looked up by a text. It must not
know what takes the place of a function.
"""

import ast
from collections.abc import Iterator, Sequence

from tools.micropython.bundler.scopes import COMPREHENSIONS, FUNCTIONS, arguments, bound_names
from tools.micropython.bundler.walking import walk

LOOKUPS = ("getattr", "hasattr", "setattr", "delattr")  # by a text; the first two also by one that is only known later


def methods(part: ast.stmt) -> list[ast.FunctionDef]:
    """Those of a class."""
    return [item for item in part.body if isinstance(item, ast.FunctionDef)] if isinstance(part, ast.ClassDef) else []


def is_movable(function: ast.FunctionDef) -> bool:
    """Can its statements stand elsewhere? Not if it yields, nests, or takes arguments in a fancy way."""
    args = function.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or function.decorator_list:
        return False
    if not all(isinstance(default, ast.Constant) for default in args.defaults):
        return False
    fancy = (*FUNCTIONS, ast.ClassDef, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.NamedExpr)
    return not any(isinstance(node, fancy) for part in function.body for node in walk(part))


def is_simple(function: ast.FunctionDef) -> bool:
    """Can it be a branch, whose variables have other names? Not if one of them belongs to a comprehension as well, or is the first part of a dotted name."""
    nodes = [node for part in function.body for node in walk(part)]
    if any(isinstance(node, ast.alias) and "." in node.name and not node.asname for node in nodes):
        return False
    return is_movable(function) and not any(_captured(function, nodes))


def _captured(function: ast.FunctionDef, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Its variables that a comprehension uses, but for what that runs over: they are no places in its frame."""
    own = {arg.arg for arg in arguments(function)} | bound_names(function.body)
    for node in nodes:
        if isinstance(node, COMPREHENSIONS):
            outside = {id(name) for name in walk(node.generators[0].iter)}
            targets = {name for loop in node.generators for name in walk(loop.target)}
            bound = {name.id for name in targets if isinstance(name, ast.Name)}
            inside = (name.id for name in walk(node) if isinstance(name, ast.Name) and id(name) not in outside)
            yield from own.intersection(inside) - bound


def is_of_an_object(called: ast.Attribute, classes: set[str]) -> bool:
    """Is it a method of an object that is called, and not one of a class or of what that inherits from?"""
    match called.value:
        case ast.Name(id=name):
            return name not in classes
        case ast.Call(func=ast.Name(id="super")):
            return False
    return True


def family(parts: Sequence[ast.stmt]) -> set[str]:
    """Classes that inherit or are inherited from: which one's method is meant depends on the object."""
    classes = [node for part in parts for node in walk(part) if isinstance(node, ast.ClassDef)]
    return {node.name for node in classes if node.bases} | {
        ast.unparse(base) for node in classes for base in node.bases
    }


def ambiguous(parts: Sequence[ast.stmt]) -> set[str]:
    """Names that stand for something besides a function of a module or class, or that are asked for by a text."""
    names: set[str] = set()
    plain = {id(part) for outer in parts for part in (outer, *methods(outer))}
    for node in (node for part in parts for node in walk(part)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if id(node) not in plain:
                names.add(name)
            case ast.ImportFrom(names=aliases) | ast.Import(names=aliases):
                names |= {name for alias in aliases for name in (alias.name, alias.asname) if name}
            case ast.Call(func=ast.Name(id=lookup), args=[_, wanted, *_]) if lookup in LOOKUPS:
                unknown = lookup in LOOKUPS[:2] and not isinstance(wanted, ast.Constant)
                names |= _texts(parts if unknown else [wanted])
    for part in parts:
        if isinstance(part, ast.ClassDef):
            names |= _names_in_class(part)
    return names


def _texts(nodes: Sequence[ast.AST]) -> set[str]:
    found = (node for outer in nodes for node in walk(outer) if isinstance(node, ast.Constant))
    return {node.value for node in found if isinstance(node.value, str)}


def _names_in_class(part: ast.ClassDef) -> set[str]:
    """What its statements mention that are no methods, and what decorates those."""
    own = [item for item in part.body if not isinstance(item, ast.FunctionDef)]
    beside = [*own, *(node for method in methods(part) for node in method.decorator_list)]
    return {node.id for item in beside for node in walk(item) if isinstance(node, ast.Name)}


def private(parts: Sequence[ast.stmt]) -> set[str]:
    """Names with an underscore that are mentioned of `self` alone, in classes that have such a method: elsewhere another one is meant."""
    names: set[str] = set()
    others: set[str] = set()
    for part in parts:
        has = {method.name for method in methods(part) if method.name.startswith("_")}
        own = {
            id(node)
            for method in methods(part)
            for node in walk(method)
            if isinstance(node, ast.Attribute)
            and node.attr in has
            and [ast.unparse(node.value)] == [arg.arg for arg in method.args.args[:1]]
        }
        names |= has
        others |= {node.attr for node in walk(part) if isinstance(node, ast.Attribute) and id(node) not in own}
    return names - others
