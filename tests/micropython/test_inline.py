"""A function that is written where it is called does what it did as a function; so does the whole core, over ten thousand steps of a random life."""

import ast
import random
import sys
from types import ModuleType

import pytest

from sim.provision import FIRMWARE
from sprinkler.core import controller
from sprinkler.core.safety import LIMITS
from tools.micropython.bundler.attributes import owners, shared_names
from tools.micropython.bundler.bundle import bundle
from tools.micropython.bundler.inline import Inliner
from tools.micropython.package import package_sources

CASES = {
    "a value in the midst of an expression": (
        "def f(x):\n    y = x + 1\n    return y * 2\ndef run(a):\n    y = 5\n    return (f(a) + y, y)",
        [1, 2],
    ),
    "returns that guard the rest": (
        "def f(x):\n    if x < 0:\n        return 'low'\n    if x > 9:\n        return 'high'\n    x += 1\n    return x\n"
        "def run(a):\n    r = [f(a)]\n    return r",
        [-1, 3, 10],
    ),
    "a return out of a loop, and what follows the loop": (
        "def f(xs):\n    for x in xs:\n        if x > 2:\n            return x\n    return None\ndef run(a):\n    r = f(a)\n    return (r, 1)",
        [[1, 3, 4], [1], []],
    ),
    "a return out of an endless loop": (
        "def f(x):\n    while True:\n        x += 1\n        if x % 7 == 0:\n            return x\ndef run(a):\n    r = f(a)\n    return (r, a)",
        [1, 7],
    ),
    "errors caught, with a return in each way": (
        "def f(x):\n    try:\n        n = 10 // x\n    except ZeroDivisionError:\n        return 'none'\n    n += 1\n    return n\n"
        "def run(a):\n    r = f(a)\n    return [r, r]",
        [0, 3],
    ),
    "an error of the rest is not caught by what came before it": (
        "def f(x):\n    try:\n        n = 10 // x\n    except ZeroDivisionError:\n        return 'none'\n    return 1 // (n - 5)\n"
        "def run(a):\n    try:\n        r = f(a)\n        return r\n    except ZeroDivisionError:\n        return 'outside'",
        [0, 2, 5],
    ),
    "nothing returned, at the end of a function": (
        "def f(out, x):\n    if x:\n        return\n    out.append(x)\ndef run(a):\n    out = []\n    g(out, a)\n    return out\n"
        "def g(out, x):\n    out.append(9)\n    f(out, x)",
        [0, 1],
    ),
    "a condition, also behind elif": (
        "def f(x):\n    x = x % 3\n    return x == 1\n"
        "def run(a):\n    if a > 10:\n        return 'big'\n    elif f(a):\n        return 'one'\n    return 'other'",
        [1, 2, 4, 11],
    ),
    "variables of one name, in turns of a loop": (
        "def f(x):\n    t = [i * x for i in range(x)]\n    return sum(t)\n"
        "def run(a):\n    t = 0\n    for i in range(a):\n        t += 1\n        s = f(i)\n        t += s\n    return (t, i)",
        [1, 5],
    ),
    "a method, of another object": (
        "class A:\n    def __init__(self, n):\n        self.n = n\n    def only(self, d=2):\n        self.n += d\n        return self.n\n"
        "def run(a):\n    x = A(a)\n    r = x.only()\n    return (r, x.n)",
        [1],
    ),
    "an argument that is evaluated once, in its order": (
        "def f(x, y):\n    return (x, x, y)\ndef run(a):\n    log = []\n    r = f(log.append(1), log.append(2))\n    return (r, log)",
        [0],
    ),
}


def execute(tree: ast.Module) -> ModuleType:
    module = ModuleType("inlined")
    exec(compile(ast.fix_missing_locations(tree), "inlined", "exec"), vars(module))  # noqa: S102 - sources from this file
    return module


@pytest.mark.parametrize(("source", "given"), CASES.values(), ids=CASES)
def test_what_is_inlined_does_what_it_did(source: str, given: list):
    tree = ast.parse(source)
    before = execute(ast.parse(source))
    assert Inliner([tree.body], {"run"}, {"append"}).run() != []
    assert ast.unparse(ast.fix_missing_locations(tree)).count("def ") < source.count("def ")
    after = execute(ast.parse(ast.unparse(ast.fix_missing_locations(tree))))
    for value in given:
        assert after.run(value) == before.run(value)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    yield x\ndef run(a):\n    r = list(f(a))\n    return r",
        "def f(x):\n    return x\ndef run(a):\n    return [f(a), f(a)]",
        "def f(x):\n    return x\ndef run(a):\n    return list(map(f, a))",
        "def f(x):\n    return x\ndef run(a):\n    r = [f(x) for x in a]\n    return r",
        "def f(m):\n    m.n = 2\n    return 1\ndef run(a):\n    return a.n + f(a)",
        "class A:\n    def m(self):\n        return 1\nclass B:\n    def m(self):\n        return 2\ndef run(a):\n    r = a.m()\n    return r",
    ],
    ids=["yields", "called twice", "a value", "in a comprehension", "after what it changes", "a method of two classes"],
)
def test_what_cannot_be_inlined_stays(source: str):
    tree = ast.parse(source)
    assert Inliner([tree.body], {"run"}, set()).run() == []
    assert ast.unparse(tree) == ast.unparse(ast.parse(source))


def test_attributes_share_a_name_unless_one_object_could_have_both():
    tree = ast.parse(
        "class A:\n    def __init__(self):\n        self.one = self.two = 1\nclass B:\n    def __init__(self):\n        self.three = 1\n"
        "class C(A):\n    def four(self):\n        self.close()\ndef f(x):\n    x.stray = 1\n    x.two = 2\n"
    )
    assert owners([tree])["two"] == {"A"}
    assert owners([tree])["four"] == {"A"}
    assert owners([tree])["stray"] == {"*"}
    short = shared_names([tree], {"close"}, ["a", "b", "c", "d", "e"])
    assert len({short["one"], short["two"], short["four"], short["stray"]}) == 4
    assert short["three"] in {short["one"], short["two"], short["four"]}


def test_the_core_as_a_board_has_it_decides_what_its_sources_decide():
    """What was inlined, pruned and renamed, beside what was written: the same states, actions and times."""
    core = {name: text for name, text in package_sources(FIRMWARE).items() if name.startswith("sprinkler.core.")}
    entry = "sprinkler.core.controller"
    kept = ("step", "booted", "asleep", "idle", "stuck")
    text = bundle(core, {}, {entry: kept})[entry]
    assert text.count("def ") < "".join(core.values()).count("def ") // 2
    board = execute(ast.parse(text))
    chance = random.Random(1)
    for life in range(120):
        zones = 1 + life % 4
        limits = LIMITS if life % 3 else (*LIMITS[:11], 0, 3, *LIMITS[13:])
        journal = (1, 1 + life % 8, 600_000, 60_000, life % 2) if life % 5 == 0 else None
        cause = chance.choice(("power_on", "watchdog", "timer"))
        faults = [chance.choice((0, 0, 1, 8)) for _ in range(zones)]
        state = controller.booted(zones, faults, journal, cause, limits)
        assert board.booted(zones, faults, journal, cause, limits) == state
        assert board.asleep(zones, faults, limits) == controller.asleep(zones, faults, limits)
        for _ in range(120):
            zone = 1 + chance.randrange(zones)
            requests = chance.choice(
                (
                    [],
                    [],
                    [],
                    [("run", zone, chance.randrange(0, 900_000), chance.randrange(9))],
                    [("stop", chance.choice((0, zone)))],
                    [("bare_stop",), ("run", zone, 60_000, 0)],
                    [("check", zone)],
                    [("failed", zone, chance.choice(("storage", "sensor")))],
                    [("cut", zone, "wet")],
                    [("clear_fault", chance.choice((0, zone)))],
                )
            )
            readings = (chance.choice((4000, 4000, 4000, 3400, 0)), chance.choice((0, 0, 20, 300)))
            arguments = (state, chance.randrange(0, 40_000), readings, requests, limits)
            expected = controller.step(*arguments)
            assert board.step(*arguments) == expected
            state = expected[0]
            assert (board.idle(state), board.stuck(state)) == (controller.idle(state), controller.stuck(state))


HELD = {
    "in the midst": "def f(x):\n    held = [x]\n    return len(held)\ndef run(a, tell):\n    n = f(a)\n    tell()\n    return n",
    "at the end of one that is inlined itself": "def f(x):\n    held = [x]\n    held.append(held)\n"
    "def g(x):\n    y = x\n    f(y)\ndef run(a, tell):\n    g(a)\n    tell()\n    return 1",
    "at the end of one that is inlined itself, and nothing at first": "def f(x):\n    held = None\n    if x:\n        held = [x]\n    held.append(1)\n"
    "def g(x):\n    y = x\n    f(y)\ndef run(a, tell):\n    g(a)\n    tell()\n    return 1",
    "by one that fails, in one that does not": "def f(x):\n    held = [x]\n    held.append(1 // 0)\ndef g(x):\n    try:\n        f(x)\n        x = 1\n"
    "    except ZeroDivisionError:\n        x = 2\ndef run(a, tell):\n    g(a)\n    tell()\n    return 1",
}


@pytest.mark.parametrize("source", HELD.values(), ids=HELD)
def test_what_an_inlined_function_held_is_let_go_of(source: str):
    tree = ast.parse(source)
    Inliner([tree.body], {"run"}, {"append"}).run()
    assert ast.unparse(ast.fix_missing_locations(tree)).count("def ") == 1
    seen: list[dict[str, object]] = []
    execute(tree).run([7], lambda: seen.append(dict(sys._getframe(1).f_locals)))
    assert not [name for name, value in seen[0].items() if "__" in name and isinstance(value, list)]


def test_what_was_let_go_of_once_is_not_again():
    source = "def f(x):\n    held = [x]\n    return len(held)\ndef g(x):\n    n = f(x)\n    return n + 1\ndef run(a):\n    n = g(a)\n    return n"
    tree = ast.parse(source)
    Inliner([tree.body], {"run"}, set()).run()
    assert (
        ast.unparse(ast.fix_missing_locations(tree)).count("= None") == 4
    )  # what f held and gave, what g held and gave
