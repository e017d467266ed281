"""What the bundler takes for a function's frame is what the interpreter's compiler makes of it; what is gathered to lie in C's stack does."""

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from sim.remote.interpreter import ROOT
from tools.micropython.bundler.frames import HANDLER, ON_STACK, Frame, measure
from tools.micropython.bundler.scopes import COMPREHENSIONS, FUNCTIONS, without_annotations
from tools.micropython.package import bundled, compile_text, package_sources

FOLDED = 2  # words that the compiler may save by what it calculates itself


class Compiled(NamedTuple):
    """A function as it lies in an .mpy: its prelude (py/bc.h), and what nests in it."""

    state: int
    handlers: int
    inner: list[Compiled]

    @property
    def words(self) -> int:
        return self.state + HANDLER * self.handlers


class Reader:
    """An .mpy file (py/persistentcode.c)."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 4

    def number(self) -> int:
        value = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value

    def module(self) -> Compiled:
        names, objects = self.number(), self.number()
        for _ in range(names):
            length = self.number()
            self.at += 0 if length & 1 else (length >> 1) + 1
        for _ in range(objects):
            self.skip_object()
        return self.function()

    def skip_object(self) -> None:
        kind = self.data[self.at]
        self.at += 1
        if kind in (1, 2, 3, 4):  # the function table, None, False, True, ...
            return
        length = self.number()
        if kind == 10:  # a tuple
            for _ in range(length):
                self.skip_object()
        else:
            self.at += length + (kind in (5, 6))  # texts and bytes end with a zero

    def function(self) -> Compiled:
        head = self.number()
        code = self.data[self.at : self.at + (head >> 3)]
        self.at += head >> 3
        state, handlers = code[0] >> 3 & 15, code[0] >> 2 & 1
        at = 0
        while code[at] & 0x80:
            state |= (code[at + 1] & 0x30) << 2 * at
            handlers |= (code[at + 1] & 2) << at
            at += 1
        return Compiled(state + 1, handlers, [self.function() for _ in range(self.number() if head & 4 else 0)])


def nested(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """What has code of its own in `nodes`, in the order in which the compiler comes to it."""
    for node in nodes:
        if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)):
            yield node
        elif isinstance(node, ast.Assign):
            yield from nested([node.value, *node.targets])
        else:
            yield from nested(list(ast.iter_child_nodes(node)))
        if isinstance(node, COMPREHENSIONS):
            yield from nested([node.generators[0].iter])


def inside(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, COMPREHENSIONS):
        first, *others = node.generators
        loops = [part for loop in others for part in (loop.iter, *loop.ifs)]
        return [*first.ifs, *loops, *([node.value, node.key] if isinstance(node, ast.DictComp) else [node.elt])]
    return [node.body] if isinstance(node, ast.Lambda) else node.body


def pairs(node: ast.AST, compiled: Compiled) -> Iterator[tuple[ast.FunctionDef, Compiled]]:
    if isinstance(node, ast.FunctionDef):
        yield node, compiled
    for inner, its in zip(nested(inside(node)), compiled.inner, strict=True):
        yield from pairs(inner, its)


def functions(text: str) -> list[tuple[ast.FunctionDef, Compiled]]:
    return list(pairs(ast.parse(text), Reader(compile_text(text, "frames", 2)).module()))


def nests(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, (*FUNCTIONS, ast.ClassDef)) for part in function.body for node in ast.walk(part))


BODIES = {
    "nothing": "pass",
    "a call with words": "return a.b(a, 1, c=a, d=a.e)",
    "a call with a star": "return a(1, *b, **c)",
    "a method in a method": "a.b(1, 2, a.c(1, 2, a.d(3)))",
    "comparisons in a chain": "return 0 <= a.b < c[a + 1] <= 7",
    "sums that lean to the right": "return a + (b - (c * (a // b)))",
    "what is calculated when it is compiled": "return a[60 * 60 - 1], -5, (1, ('x', 2 << 3))",
    "slices": "return a[1:b], a[:c], a[b:c:a]",
    "an object that is written out": "return {a: b + c, 'x': [a, b, {c}]}",
    "something added to an item of an attribute": "a.b[c + 1] += a.d(b)\na.e -= b\nb += c",
    "several targets": "a = b = c = a.d, b, c\na.x, b[1], (c, d) = e = b",
    "a loop over anything": "for a, (b, d) in c.items():\n    a(b, c, d)",
    "a loop over a range": "for d in range(a, b.c, 2):\n    e = a(b, c, d)\nelse:\n    a(1)",
    "a loop to a number": "for d in range(7):\n    pass",
    "loops in loops": "for d in a:\n    for e in range(len(b)):\n        for f in c:\n            return f",
    "an error that is caught": "try:\n    a(1)\nexcept (OSError, ValueError):\n    b(1, 2)",
    "an error that is held": "try:\n    a()\nexcept OSError as e:\n    b(e, 1)\nexcept:\n    c()\nelse:\n    a(1, 2, 3)",
    "what is done in any case": "try:\n    a(b, c)\nfinally:\n    b(c, 1, 2)",
    "all of it": "try:\n    try:\n        a()\n    except OSError as e:\n        raise ValueError from e\nfinally:\n    c()",
    "files": "with a(b) as d, c:\n    try:\n        d(1)\n    finally:\n        pass",
    "imports": "from x import f as g, h, i, j\nimport y\ng(h)",
    "what comprehensions take": "return [d * b for d in a.x(1) if d > c], {d: c for d in b}, sum(d for d in c)",
    "deletions": "del a, b[1], c.d",
    "conditions": "while a and not b(1):\n    return (b if c else a(b)) or c",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_frame_is_counted_as_the_compiler_makes_it(body: str):
    text = "def f(a, b, c):\n    " + body.replace("\n", "\n    ") + "\n"
    ((function, compiled),) = functions(text)
    assert measure(function).words == compiled.words


def test_what_nests_deep_is_counted():
    for depth in range(1, 40):
        ((function, compiled),) = functions(f"def f(a):\n    return {'a(1, ' * depth}a{')' * depth}\n")
        assert measure(function) == Frame(1, compiled.state - 1, 0)


@cache
def board() -> tuple[dict[str, str], dict[str, list[str]]]:
    meanings: dict[str, list[str]] = {}
    return bundled(ROOT / "firmware", meanings), meanings


@pytest.mark.parametrize("of", ["sources", "bundle"])
def test_no_frame_of_the_firmware_is_larger_than_it_is_counted(of: str):
    texts = package_sources(ROOT / "firmware") if of == "sources" else board()[0]
    found = [pair for text in texts.values() for pair in functions(without_annotations(text)) if not nests(pair[0])]
    assert len(found) > 150
    wrong = [
        (function.name, measure(function), compiled)
        for function, compiled in found
        if not 0 <= measure(function).words - compiled.words <= FOLDED
    ]
    assert not wrong


def test_what_is_gathered_to_lie_in_the_stack_does():
    texts, meanings = board()
    small = {
        short
        for short, meant in meanings.items()
        if any(name.startswith("gathered.") and name.endswith(f"_{ON_STACK}") for name in meant)
    }
    frames = [
        compiled.words for text in texts.values() for function, compiled in functions(text) if function.name in small
    ]
    assert len(frames) > 15
    assert max(frames) <= ON_STACK
