"""A function's statements without its returns, so that they can stand in the midst of another function.

Rule: a return becomes an assignment; what would have been skipped by it goes into the branch that does not return. It must not know where the statements go.
"""

import ast

from tools.micropython.bundler.walking import walk

_NESTED = (ast.FunctionDef, ast.Lambda, ast.ClassDef)


class UnsupportedError(Exception):
    """A return stands where it cannot be replaced."""


def _returns(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Return) for part in walk(node))


def _breaks(body: list[ast.stmt]) -> bool:
    """Does a `break` in `body` end the loop around it?"""
    for part in body:
        if isinstance(part, ast.Break):
            return True
        loops = isinstance(part, (ast.For, ast.While))
        for name in ("body", "orelse", "finalbody", "handlers"):
            inner = getattr(part, name, [])
            if name == "handlers":
                inner = [statement for handler in inner for statement in handler.body]
            if not (loops and name == "body") and _breaks(inner):
                return True
    return False


def ends(body: list[ast.stmt]) -> bool:
    """True if nothing that follows `body` is ever reached."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
        return True
    if isinstance(last, ast.If):
        return ends(last.body) and ends(last.orelse)
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value:
        return not _breaks(last.body)
    return isinstance(last, ast.Try) and (
        ends(last.finalbody) or (ends(last.orelse or last.body) and all(ends(h.body) for h in last.handlers))
    )


def without_returns(body: list[ast.stmt], target: str | None) -> list[ast.stmt]:
    """`body`, a function's, with its value in the variable `target` (None: nobody wants it). Raises UnsupportedError."""
    return _Converter(target).sequence(body, [])


class _Converter:
    def __init__(self, target: str | None) -> None:
        self.target = target

    def _leave(self, value: ast.expr | None, leave: list[ast.stmt]) -> list[ast.stmt]:
        if self.target is not None:
            return [ast.Assign([ast.Name(self.target, ast.Store())], value or ast.Constant(None)), *leave]
        if value is None or isinstance(value, (ast.Name, ast.Constant)):
            return leave or [ast.Pass()]
        return [ast.Expr(value), *leave]

    def sequence(self, body: list[ast.stmt], leave: list[ast.stmt], falls: bool = True) -> list[ast.stmt]:
        """`body` with its returns replaced; `leave` (a break, or nothing) follows each value. `falls`: reaching the end is a return, too."""
        out: list[ast.stmt] = []
        for index, part in enumerate(body):
            if isinstance(part, ast.Return):
                return out + self._leave(part.value, leave)
            if not _returns(part):
                out.append(part)
                continue
            rest = body[index + 1 :]
            return out + self._compound(part, rest, leave, falls)
        if falls and not ends(body) and self.target is not None:
            out += self._leave(None, leave)
        return out or [ast.Pass()]

    def _compound(self, part: ast.stmt, rest: list[ast.stmt], leave: list[ast.stmt], falls: bool) -> list[ast.stmt]:
        if isinstance(part, ast.If):
            return [self._if(part, rest, leave, falls)]
        if isinstance(part, ast.Try):
            return [self._try(part, rest, leave, falls)]
        if isinstance(part, (ast.For, ast.While)) and not part.orelse and not _breaks(part.body) and not leave:
            if any(_returns(inner) for inner in _loops_in(part.body)):
                raise UnsupportedError
            part.body = self.sequence(part.body, [ast.Break()], False)
            endless = isinstance(part, ast.While) and isinstance(part.test, ast.Constant)
            part.orelse = [] if endless else self.sequence(rest, leave, falls)
            return [part]
        raise UnsupportedError

    def _if(self, part: ast.If, rest: list[ast.stmt], leave: list[ast.stmt], falls: bool) -> ast.stmt:
        open_ways = [not ends(part.body), not ends(part.orelse)]
        if all(open_ways) and rest:
            raise UnsupportedError  # it would stand there twice
        part.body = self.sequence(part.body + (rest if open_ways[0] else []), leave, falls)
        part.orelse = self.sequence(part.orelse + (rest if open_ways[1] else []), leave, falls)
        return part

    def _try(self, part: ast.Try, rest: list[ast.stmt], leave: list[ast.stmt], falls: bool) -> ast.stmt:
        if any(_returns(node) for node in part.finalbody):
            raise UnsupportedError
        if rest:
            if any(_returns(node) for node in (*part.body, *part.orelse)) or part.finalbody:
                raise UnsupportedError
            if not all(ends(handler.body) for handler in part.handlers):
                raise UnsupportedError
            for handler in part.handlers:
                handler.body = self.sequence(handler.body, leave, falls)
            part.orelse = self.sequence(part.orelse + rest, leave, falls)
            return part
        if part.orelse:
            if any(_returns(node) for node in part.body):
                raise UnsupportedError
            part.orelse = self.sequence(part.orelse, leave, falls)
        else:
            part.body = self.sequence(part.body, leave, falls)
        for handler in part.handlers:
            handler.body = self.sequence(handler.body, leave, falls)
        return part


def _loops_in(body: list[ast.stmt]) -> list[ast.stmt]:
    """The loops inside `body`, at any depth but in functions."""
    return [node for part in body for node in walk(part) if isinstance(node, (ast.For, ast.While))]
