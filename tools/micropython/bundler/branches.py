"""Several functions as the branches of one, and the calls of them.

Rule: a branch has the function's statements; only its variables have other names, so that branches share their places in the frame. It must not know why
these functions were put together.
"""

import ast
from collections.abc import Sequence

from tools.micropython.bundler.scopes import bound_names
from tools.micropython.bundler.walking import Transformer, walk

CHOICE = "k__"  # the argument that chooses

type Branch = tuple[int, ast.FunctionDef, int]  # its number, what it was, how often it is called


class _Rename(Transformer):
    """Gives a function's variables other names. The variables of comprehensions are their own."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self._hidden: list[set[str]] = []

    def _of(self, name: str) -> str:
        return name if any(name in names for names in self._hidden) else self.names.get(name, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A variable, or what is none of this function's."""
        node.id = self._of(node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """The variable that holds the error."""
        node.name = self._of(node.name) if node.name else None
        return self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        """The variable that an import binds."""
        name = node.asname or node.name
        if self._of(name) != name:
            node.asname = self._of(name)
        return node

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.AST:
        first = node.generators[0]
        first.iter = self.visit(first.iter)  # evaluated outside
        names = (name for loop in node.generators for name in walk(loop.target))
        self._hidden.append({name.id for name in names if isinstance(name, ast.Name)})
        for loop in node.generators:
            loop.iter = loop.iter if loop is first else self.visit(loop.iter)
            loop.ifs = [self.visit(condition) for condition in loop.ifs]
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                setattr(node, part, self.visit(getattr(node, part)))
        self._hidden.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - names of ast's


def complete(call: ast.Call, function: ast.FunctionDef, *, bound: bool) -> list[ast.expr] | None:
    """All arguments of a call in the order of the function's (`bound`: but for its first), or None if that cannot be told, or if it would change the order
    in which they are evaluated."""
    names = [arg.arg for arg in function.args.args][bound:]
    if any(isinstance(arg, ast.Starred) for arg in call.args) or len(call.args) > len(names):
        return None
    if any(word.arg not in names[len(call.args) :] for word in call.keywords):
        return None
    by_name = {word.arg: word.value for word in call.keywords}
    if list(by_name) != [name for name in names if name in by_name]:
        return None
    defaults = dict(zip(names[len(names) - len(function.args.defaults) :], function.args.defaults, strict=True))
    given = [*call.args]
    for name in names[len(given) :]:
        value = by_name.get(name, defaults.get(name))
        if value is None:
            return None
        given.append(value)
    return given


def widened(call: ast.Call, function: ast.FunctionDef, number: int, arity: int, *, bound: bool) -> list[ast.expr]:
    """What a call of `function` gives when it is one of branch `number` of a function that takes `arity` arguments besides."""
    given = complete(call, function, bound=bound) or []
    return [ast.Constant(number), *given, *(ast.Constant(None) for _ in range(arity - len(given) - bound))]


def redirect(call: ast.Call, function: ast.FunctionDef, name: str, number: int, arity: int, *, bound: bool) -> None:
    """Let a call of `function` be one of branch `number` of the function `name`, which takes `arity` arguments besides."""
    if isinstance(call.func, ast.Attribute):
        call.func.attr = name
    elif isinstance(call.func, ast.Name):
        call.func.id = name
    call.args = widened(call, function, number, arity, bound=bound)
    call.keywords = []


def gathered(branches: Sequence[Branch], name: str, arity: int, *, method: bool) -> ast.FunctionDef:
    """One function whose branches are those functions, in the order of their numbers."""
    names = [f"a{at}__" for at in range(arity)]
    for _, function, _ in branches:
        own = [arg.arg for arg in function.args.args]
        variables = sorted(bound_names(function.body) - set(own))
        places = dict(zip(own, names, strict=False)) | {variable: f"l{at}__" for at, variable in enumerate(variables)}
        function.body = [_Rename(places).visit(part) for part in function.body]
    args = [ast.arg(arg) for arg in [*names[:method], CHOICE, *names[method:]]]
    return ast.FunctionDef(
        name=name,
        args=ast.arguments(posonlyargs=[], args=args, kwonlyargs=[], kw_defaults=[], defaults=[]),
        body=_choice(branches),
        decorator_list=[],
        type_params=[],
    )


def _choice(branches: Sequence[Branch]) -> list[ast.stmt]:
    """The statements of the number that is given, found by halving: what is called in many places is found sooner."""
    if len(branches) == 1:
        return branches[0][1].body
    half = sum(often for *_, often in branches) / 2
    cuts = range(1, len(branches))
    cut = min(cuts, key=lambda at: abs(sum(often for *_, often in branches[:at]) - half))
    test = ast.Compare(ast.Name(CHOICE, ast.Load()), [ast.Lt()], [ast.Constant(branches[cut][0])])
    return [ast.If(test, _choice(branches[:cut]), _choice(branches[cut:]))]
