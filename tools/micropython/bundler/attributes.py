"""Short names for attributes and methods, as few as may be: two attributes may share one unless some object could have both.

Rule: what a class has is what it declares, defines, or stores in `self`; whoever stores something in another object stores what its class has. An attribute
that is stored and that no class has goes with none. It must not know which names are free of cost.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from tools.micropython.bundler.scopes import bound_names
from tools.micropython.bundler.walking import walk


def _self_stores(method: ast.FunctionDef) -> Iterator[str]:
    me = method.args.args[0].arg if method.args.args else ""
    for node in walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == me:
            yield node.attr


def owners(trees: Sequence[ast.Module]) -> dict[str, set[str]]:
    """The classes that have each attribute; `"*"`: any may, for it is stored and none has it. Classes that inherit from each other are one."""
    classes = [node for tree in trees for node in walk(tree) if isinstance(node, ast.ClassDef)]
    family = {node.name: node.name for node in classes}

    def head(name: str) -> str:
        return name if family[name] == name else head(family[name])

    found: dict[str, set[str]] = {}
    for node in classes:
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in family:
                family[head(node.name)] = head(base.id)
    for node in classes:
        names = set(bound_names(node.body))
        for part in node.body:
            if isinstance(part, ast.FunctionDef):
                names |= set(_self_stores(part))
        for name in names:
            found.setdefault(name, set()).add(head(node.name))
    stored = (node for tree in trees for node in walk(tree) if isinstance(node, ast.Attribute))
    for attribute in stored:
        if isinstance(attribute.ctx, ast.Store):
            found.setdefault(attribute.attr, {"*"})
    return found


def shared_names(trees: Sequence[ast.Module], stays: Collection[str], spare: Sequence[str]) -> dict[str, str]:
    """A name of `spare`, the first ones before the others, for each attribute that is not in `stays`; the most used ones first."""
    has = owners(trees)
    used = Counter(node.attr for tree in trees for node in walk(tree) if isinstance(node, ast.Attribute))
    taken: dict[str, set[str]] = {"*": set()}
    for name, classes in has.items():
        for owner in classes:
            taken.setdefault(owner, set())
            if name in stays:
                taken[owner].add(name)
    short: dict[str, str] = {}
    for name in sorted(has.keys() - set(stays), key=lambda item: (-used[item], item)):
        if name.startswith("__"):
            continue
        rivals = taken.keys() if "*" in has[name] else has[name] | {"*"}
        forbidden = set().union(*(taken[owner] for owner in rivals))
        found = next((word for word in spare if word not in forbidden), None)
        if found is not None:
            short[name] = found
            for owner in has[name]:
                taken[owner].add(found)
    return short
