"""A function that became a branch of another one does what it did; what could be something else than the function called stays."""

import ast
import random
from collections.abc import Iterator
from types import ModuleType

import pytest

from tools.micropython.bundler import gather as gathering
from tools.micropython.bundler.bundle import bundle
from tools.micropython.bundler.gather import Gatherer


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions of whatever size are put together."""
    monkeypatch.setattr(gathering, "STEPS", (0,))


def gather(*bodies: list[ast.stmt], taken: tuple[str, ...] = ("append",)) -> int:
    return Gatherer(bodies, {"run"}, taken, lambda name: f"group_{name}", lambda name: f"group_{name}").run()


def executed(*texts: str) -> ModuleType:
    """The first is resident; the others are loaded later, with its names."""
    module = ModuleType("gathered")
    for text in texts:
        exec(compile(text, "gathered", "exec"), vars(module))  # noqa: S102 - sources from this file
    return module


def outcome(module: ModuleType, value: object) -> object:
    try:
        return module.run(value)
    except (ArithmeticError, LookupError, TypeError) as error:
        return type(error), error.args
    except NameError as error:
        return type(error)  # it says the variable's name


def texts(trees: list[ast.Module]) -> list[str]:
    return [ast.unparse(ast.fix_missing_locations(tree)) for tree in trees]


def functions(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))


PAIR = "def f(x):\n    return x + 1\ndef g(x):\n    return x * f(x)\n"
CASES = {
    "functions that call each other": (PAIR + "def run(a):\n    return (f(a), g(a), f(g(a)))", [1, 5]),
    "recursion": (
        "def f(n, held):\n    n2 = n - 1\n    return held if n < 1 else f(n2, held + [n2])\ndef g(n):\n    return n < 2 or h(n - 1)\n"
        "def h(n):\n    return n > 1 and g(n - 1)\ndef run(a):\n    return (f(a, []), g(a), h(a))",
        [0, 1, 6, 7],
    ),
    "words, and what is given where nothing is": (
        "def f(x, y=2, z='z'):\n    return (x, y, z)\ndef g(x=None, *, k=1):\n    return (x, k)\ndef h(x=5):\n    return x\n"
        "def run(a):\n    return (f(a), f(a, z=1), f(x=a, y=3), f(a, 1, a), h(), h(a), g(a, k=3))",
        [1],
    ),
    "the order in which arguments are evaluated": (
        "def f(x, y, z=0):\n    return (x, y, z)\ndef g(log, x):\n    log.append(x)\n    return x\n"
        "def run(a):\n    log = []\n    return (f(g(log, 1), y=g(log, 2)), f(x=g(log, 3), y=g(log, 4), z=g(log, 5)) if a else 0, log)",
        [0],
    ),
    "errors, in the function and out of it": (
        "def f(x):\n    try:\n        return 1 // x\n    except ZeroDivisionError as e:\n        y = str(e)\n    finally:\n        x = 0\n    return (x, y)\n"
        "def g(x):\n    return [][x]\ndef run(a):\n    try:\n        return (f(a), g(a))\n    except IndexError as e:\n        return (f(a), str(e))",
        [0, 2],
    ),
    "loops that return, and such that end": (
        "def f(xs):\n    for x in xs:\n        if x > 2:\n            return x\n    else:\n        x = 9\n    y = x\n    return -y\n"
        "def g(n):\n    while n:\n        n -= 1\n        if n % 3 == 1:\n            continue\n        if n % 5 == 4:\n            break\n    return n\n"
        "def run(a):\n    return (f(a), g(len(a) * 7), f(a[:1]))",
        [[1, 3], [1], []],
    ),
    "comprehensions with variables of the same name": (
        "def f(x):\n    y = [x + 1 for x in x if x]\n    return (y, {k__: a0__ for k__, a0__ in enumerate(x)})\n"
        "def g(y):\n    x = 3\n    return [y for y in y] * x\n"
        "def run(a):\n    return (f(a), g(a))",
        [[1, 0, 2]],
    ),
    "names that branches have themselves": (
        "def f(k__, a0__, l0__):\n    l1__ = k__\n    k__ = a0__\n    return (k__, a0__, l0__, l1__)\ndef g(a1__, a0__):\n    return (a1__, a0__)\n"
        "def run(a):\n    return (f(1, 2, a), g(a, 4), f(k__=3, a0__=2, l0__=1) if a else 0)",
        [0, 5],
    ),
    "imports, and what is deleted": (
        "def f(x):\n    import json\n    from math import floor, ceil as up\n    return json.dumps([floor(x), up(x)])\n"
        "def g(x):\n    y = x\n    del y\n    return y\ndef run(a):\n    return g(a) if a < 0 else f(a)",
        [1.5, -1],
    ),
    "nothing returned": (
        "def f(out):\n    out.append(1)\ndef g(out):\n    if out:\n        return\n    f(out)\n"
        "def run(a):\n    out = []\n    return (f(out), g(out), g([]), out)",
        [0],
    ),
    "methods, by whatever the object is called": (
        "class A:\n    def __init__(self, n):\n        self.n = n\n    def add(self, d=1):\n        self.n += d\n        return self\n"
        "    def told(this):\n        return ('A', this.n)\ndef run(a):\n    return A(a).add().add(d=5).told()",
        [1],
    ),
    "methods of one name in several classes": (
        "class A:\n    def first(self, x):\n        return ('A1', x)\n    def second(self):\n        return 'A2'\n"
        "class B:\n    def second(self):\n        return 'B2'\n    def first(self, y):\n        y += 1\n        return ('B1', y)\n"
        "    def third(self):\n        return 'B3'\n"
        "class C:\n    def third(self):\n        return 'C3'\n"
        "def run(a):\n    return [(o.first(a), o.second()) for o in (A(), B())] + [o.third() for o in (B(), C())]",
        [1],
    ),
    "private methods of one name, with different arguments": (
        "class A:\n    def _in(self, x):\n        return x + 1\n    def go(self, x):\n        return self._in(x) * 2\n"
        "class B:\n    def _in(self):\n        return 7\n    def go(self, x):\n        return self._in() + x\n"
        "def run(a):\n    return (A().go(a), B().go(a))",
        [1, 2],
    ),
    "an attribute with the name of a function": (
        "def f(x):\n    return x + 1\ndef g(x):\n    return x - 1\nclass A:\n    def __init__(self):\n        self.f = 5\n"
        "def run(a):\n    return f(A().f) + g(a)",
        [1],
    ),
    "calls while the module is loaded": ("X = []\n" + PAIR + "Y = g(3)\ndef run(a):\n    return (X, Y, f(a))", [1]),
}


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize(("source", "given"), CASES.values(), ids=CASES)
def test_what_is_gathered_does_what_it_did(source: str, given: list):
    tree = ast.parse(source)
    gone = gather(tree.body)
    assert functions(tree) == functions(ast.parse(source)) - gone < functions(ast.parse(source))
    before, after = executed(source), executed(*texts([tree]))
    for value in given:
        assert repr(outcome(after, value)) == repr(outcome(before, value))


CLASS = "class A:\n    def one(self, x=1):\n        return ('A1', x)\n    def two(self):\n        return 'A2'\n"
STAYS = {
    "yields": "def f(x):\n    yield x\ndef g(x):\n    yield -x\ndef run(a):\n    return [*f(a), *g(a)]",
    "is a value": PAIR.replace("f(x)\n", "max(map(f, [x]))\n") + "def run(a):\n    return g(a)",
    "is called with a star": "def f(*x):\n    return x\ndef g(x):\n    return x\ndef run(a):\n    return (f(*a), g(*a))",
    "nests": "def f(x):\n    return lambda: x\ndef g(x):\n    def h():\n        return x\n    return h\ndef run(a):\n    return (f(a)(), g(a)())",
    "is called by its name from outside": "def f(x):\n    return 1\ndef run(a):\n    return f(a) if a else run(1)",
    "is captured by a comprehension": "def f(x):\n    return [x for y in x]\ndef g(x):\n    return {y: x for y in x}\ndef run(a):\n    return (f(a), g(a))",
    "binds the first part of a name": "def f(x):\n    import os.path\n    return os.path.sep\ndef g(x):\n    return x\ndef run(a):\n    return (f(a), g(a))",
    "is defined twice": "def f(x):\n    return 1\nY = f(0)\ndef f(x):\n    return 2\ndef run(a):\n    return (Y, f(a))",
    "may be defined otherwise": PAIR
    + "if g(2):\n    def f(x):\n        return -x\n    def g(x):\n        return -1\ndef run(a):\n    return (f(a), g(a))",
    "is a method of another class's heir": CLASS
    + "class B(A):\n    def one(self, x=1):\n        return ('B1', x)\ndef run(a):\n"
    "    return (A().one(a), B().one(a), A().two(), B().two())",
    "is called of its class": CLASS.replace("def two(self", "def two(self, x=1")
    + "def run(a):\n    return (A.one(A()), A.two(A()))",
    "is called of what the class inherits from": CLASS
    + "class B(A):\n    def go(self):\n        return (super().one(), super().two())\n"
    "def run(a):\n    return B().go()",
    "has a second name in its class": CLASS
    + "    again, more = one, two\ndef run(a):\n    return (A().one(), A().again(), A().two(), A().more())",
    "is something else in another class": CLASS + "class B:\n    one = dict\n"
    "def run(a):\n    return [x.one() for x in (A(), B())] + [A().two()]",
    "is something else in another object": CLASS + "class B:\n    def __init__(self):\n        self.one = lambda: 2\n"
    "def run(a):\n    return [x.one() for x in (A(), B())] + [A().two()]",
    "is asked for by a text": CLASS
    + "def run(a):\n    return (A().one(), getattr(A(), 'one')(), hasattr(A(), 'two'), A().two())",
    "is asked for by a text that lies elsewhere": CLASS
    + "N = ('one', 'two')\ndef run(a):\n    return (A().one(), A().two(), [getattr(A(), n)() for n in N])",
    "has arguments of other names elsewhere": "class A:\n    def f(self, x, y):\n        return x - y\nclass B:\n    def f(self, y, x):\n        return x - y\n"
    "    def g(self):\n        return 1\ndef run(a):\n    return [o.f(x=a, y=1) for o in (A(), B())] + [B().g()]",
    "is given words in another order": "def f(x, y):\n    return (x, y)\ndef g(x):\n    return x\ndef run(a):\n    return f(y=g(a), x=g(1))",
    "nobody calls": PAIR.replace("f(x)\n", "x\n") + "def run(a):\n    return a",
    "takes no `self`": "class A:\n    def f():\n        return 1\n    def g():\n        return 2\ndef run(a):\n    return (A().f(), A().g())",
    "is given too much": "def f(x):\n    return x\ndef g(x):\n    return f(x, 1, 2, 3)\ndef run(a):\n    return g(a, 1)",
}


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("source", STAYS.values(), ids=STAYS)
def test_what_could_be_something_else_stays(source: str):
    tree = ast.parse(source)
    assert gather(tree.body) == 0
    assert texts([tree]) == texts([ast.parse(source)])


@pytest.mark.parametrize("taken", ["one", "two"])
def test_a_method_that_an_object_of_someone_else_may_have_stays(taken: str):
    source = CLASS + "def run(a):\n    return (A().one(a), A().two())"
    assert gather(ast.parse(source).body, taken=(taken,)) == 0
    assert gather(ast.parse(source).body) == 1


LATE = {
    "what is resident is called": [PAIR, "def h(x):\n    return f(x) + g(x)\ndef i(x):\n    return f(-x)\ndef run(a):\n    return (h(a), i(a))"],
    "functions that each of two brings": [PAIR, "def h(x):\n    return f(x)\ndef i(x):\n    return 5\nZ = h(1) + i(2)", "def h(x):\n    return f(x)\n"
    "def i(x):\n    return 5\ndef run(a):\n    return (h(a), i(a), g(a), Z)"],
    "methods of what is resident, and of its own": [CLASS, "class B:\n    def two(self):\n        return 'B2'\n    def one(self, x=1):\n        return 'B1'\n"
    "def run(a):\n    return [(o.one(), o.two(), o.one(a)) for o in (A(), B())]"],
    "a function that nobody resident calls": [PAIR, "def run(a):\n    return g(f(a))"],
}  # fmt: skip


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("sources", LATE.values(), ids=LATE)
def test_what_is_loaded_later_finds_the_branches(sources: list[str]):
    trees = [ast.parse(source) for source in sources]
    assert gather(*(tree.body for tree in trees)) > 0
    before, after = executed(*sources), executed(*texts(trees))
    for value in (0, 3):
        assert outcome(after, value) == outcome(before, value)


@pytest.mark.parametrize("count", [2, 3, 5, 8, 31, 64])
def test_each_of_many_branches_is_found(count: int):
    source = "".join(f"def f{n}(x):\n    return (x, {n})\n" for n in range(count))
    source += f"def run(a):\n    return [{', '.join(f'f{n}(a)' for n in range(count))}]"
    tree = ast.parse(source)
    assert gather(tree.body) == count - 1
    assert functions(tree) == 2
    assert executed(*texts([tree])).run("x") == [("x", n) for n in range(count)]


def test_a_large_function_is_not_put_together_with_small_ones():
    large = f"def f(x):\n    return {'[x, ' * 20}x{']' * 20}\ndef g(x):\n    return {'(x, ' * 20}x{')' * 20}\n"
    tree = ast.parse(
        large + "def h(x):\n    return x\ndef i(x):\n    return -x\ndef run(a):\n    return (f(a), g(a), h(a), i(a))"
    )
    assert gather(tree.body) == 2


def statements(chance: random.Random, names: list[str], calls: list[str]) -> Iterator[str]:
    """Of a function with the arguments `names`, which may call what `calls` has."""
    for _ in range(chance.randrange(1, 5)):
        value = chance.choice(["x1", *names]) if names else "3"
        call = chance.choice([*calls, "abs({})"]).format(*(chance.choice([*names, "7", "len('ab')"]) for _ in range(4)))
        yield chance.choice(
            (
                f"x1 = {call} if {value} else {value}",
                f"x1 += {call}",
                f"for x2 in range({value} % 4):\n        x1 -= x2",
                f"x1 += sum([x2 * 2 for x2 in range(abs({value}) % 3)])",
                f"if x1 > {value}:\n        return {call}",
                f"try:\n        x1 = x1 // {value}\n    except ZeroDivisionError as x3:\n        x1 += len(str(x3))",
            )
        )


def program(chance: random.Random) -> str:
    """Functions and methods of two classes, each of which calls some that come before it."""
    groups: dict[str, list[str]] = {"": [], "A": [], "B": []}
    calls: list[str] = []
    made: list[str] = []
    for number in range(14):
        owner = chance.choice(("", "", "A", "B"))
        name = (
            f"n{number}"
            if number < 4 or not owner
            else f"m{chance.randrange(4)}_{owner if chance.random() < 0.5 else ''}"
        )
        if f"{owner}.{name}" in made or any(item.split(".")[1] == name for item in made):
            continue
        made.append(f"{owner}.{name}")
        count = chance.randrange(4)
        names = [f"p{at}" for at in range(count)]
        given = [f"{item}={at}" if at == count - 1 and chance.random() < 0.4 else item for at, item in enumerate(names)]
        body = ["x1 = 1", *statements(chance, names, calls), "return x1"]
        text = f"def {name}({', '.join([*(['self'] if owner else []), *given])}):\n    " + "\n    ".join(body)
        groups[owner].append(text)
        places = [chance.choice((f"{item}={{}}", "{}")) if item == names[-1] else "{}" for item in names]
        calls.append(f"{owner + '().' if owner else ''}{name}({', '.join(places)})")
    classes = [
        f"class {name}:\n    pass\n    " + "\n".join(groups[name]).replace("\n", "\n    ") for name in ("A", "B")
    ]
    results = ", ".join(call.format("a", "2", "a", "1") for call in calls)
    return "\n".join([*groups[""], *classes, f"def run(a):\n    return [{results}]"])


@pytest.mark.usefixtures("together")
def test_little_programs_do_what_they_did():
    gone = 0
    for seed in range(300):
        source = program(random.Random(seed))
        tree = ast.parse(source)
        gone += gather(tree.body)
        before, after = executed(source), executed(*texts([tree]))
        for value in (-2, 0, 1, 5):
            assert outcome(after, value) == outcome(before, value), source
    assert gone > 1500


def test_no_object_has_an_attribute_with_the_name_of_the_gathered_methods():
    """Among the interpreter's names that are to spare, as many as may be are attributes."""
    source = "class A:\n    def __init__(self):\n        self.mine = 1{}\n    def wide_one(self):\n        x = self.mine\n        return x\n"
    source += "    def wide_two(self):\n        x = 2\n        return x\n"
    source += "def run():\n    a = A()\n    return (a.wide_one(), a.wide_one(), a.wide_two(), a.wide_two())\n"
    taken: list[str] = []
    for _ in range(3):
        meanings: dict[str, list[str]] = {}
        files = bundle(
            {"app.main": source.format("".join(f"\n        self.{name} = 7" for name in taken))},
            {},
            {"app.main": ("run",)},
            meanings,
        )
        name = next(short for short, meant in meanings.items() if meant == ["gathered.method_few_11"])
        assert name not in taken
        assert executed(files["app.main"]).run() == (1, 1, 2, 2)
        taken.append(name)
