"""A function that is one expression does what it did where it is written; what could be something else than the function called stays a call."""

import ast
import random
from types import ModuleType

import pytest

from tools.micropython.bundler.expressions import write_expressions


def written(*sources: str, taken: tuple[str, ...] = ("append", "pop")) -> tuple[list[str], int]:
    """The bodies as texts, the first of which is resident, and how often an expression was written."""
    bodies = [ast.parse(source).body for source in sources]
    done = 0
    while found := write_expressions(bodies, taken):
        done += found
        assert done < 1000, "it does not end"
    return [ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) for body in bodies], done


def executed(*texts: str) -> ModuleType:
    """The first is resident; each of the others is loaded later, and has its globals as they are then."""
    modules = [ModuleType("written") for _ in texts]
    for module, text in zip(modules, texts, strict=True):
        vars(module).update({name: value for name, value in vars(modules[0]).items() if not name.startswith("__")})
        exec(compile(text, "written", "exec"), vars(module))  # noqa: S102 - sources from this file
    return modules[-1]


def outcome(module: ModuleType, value: object) -> str:
    try:
        return repr(module.run(value))
    except (ArithmeticError, AttributeError, LookupError, TypeError, NameError) as error:
        return repr(type(error))


def unchanged(source: str) -> str:
    return ast.unparse(ast.parse(source))


BOX = "class Box:\n    def __init__(self, n):\n        self.n = n\n        self.box = self\n        self.sock = self if n else None\n        self.log = []\n"
TELL = "    def tell(self, x):\n        self.log.append(x)\n        self.n += 1\n        return self\n"
WRITTEN = {
    "a function": "def f(x, y):\n    return x * 2 - y\ndef run(a):\n    return f(a, 3) * 2",
    "a function of a function": "def f(x):\n    return x + 1\ndef g(x):\n    return f(x) * x\ndef run(a):\n    return g(a)",
    "a function that is called for what it does": "def f(x, y):\n    x.append(y)\ndef run(a):\n    log = []\n    f(log, a)\n    return log",
    "a method": BOX + "    def told(self, x):\n        return self.n - x\ndef run(a):\n    return Box(a).told(a)",
    "a method of what hangs on a name": BOX
    + "    def told(self):\n        return self.n\ndef run(a):\n    b = Box(a)\n    return b.box.box.told()",
    "a method that does not read what it is called of": BOX
    + "    def told(self, x):\n        return x * 2 if x else 0\ndef run(a):\n    b = Box(a)\n    return b.box.told(a)",
    "an argument that is read twice": "def f(x):\n    return x + x\ndef run(a):\n    return f(a)",
    "an argument that is called first": "def f(x, y):\n    return x - y\ndef run(a):\n    log = [1, a]\n    return f(log.pop(), a)",
    "a call in a default": "def f(x):\n    return x + 1\ndef g(x=f(2)):\n    y = x\n    return y\ndef run(a):\n    return g()",
    "a call while the module is loaded": "def f(x):\n    return x + 1\nY = f(2)\ndef run(a):\n    return Y",
    "an argument whose name is another global's": "x = 5\ndef f(x):\n    return x + 1\ndef run(a):\n    return f(a) + x",
    "a call in a comprehension": "def f(x, y):\n    return x + y\ndef run(a):\n    return [f(y, a) for y in range(3)]",
}


@pytest.mark.parametrize("source", WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_does_what_it_did(source: str):
    (text,), done = written(source)
    assert done > 0
    assert [outcome(executed(text), value) for value in (0, 3)] == [
        outcome(executed(source), value) for value in (0, 3)
    ]


def test_a_method_that_is_written_everywhere_is_gone():
    (text,), _ = written(BOX + "    def told(self):\n        return self.n\ndef run(a):\n    return Box(a).told()")
    assert "told" not in text


def test_a_method_that_is_a_value_too_is_not_gone():
    source = (
        BOX
        + "    def told(self):\n        return self.n\ndef run(a):\n    b = Box(a)\n    c = b.told\n    return (c(), b.told())"
    )
    (text,), done = written(source)
    assert (done, outcome(executed(text), 1)) == (1, "(1, 1)")


F = "def f(x):\n    return x + 1\n"
M = BOX + "    def m(self):\n        return self.n\n"
STAYS = {
    "an argument is called that is read later": "def f(x, y):\n    return x + y\ndef run(a):\n    return f(a.n, a.pop())",
    "an argument is called that is never read": "def f(x):\n    return 1\ndef run(a):\n    return f(a.pop())",
    "an argument is called that is read twice": "def f(x):\n    return x + x\ndef run(a):\n    return f(a.pop())",
    "two arguments are called": "def f(x, y):\n    return x + y\ndef run(a):\n    return f(a.pop(), a.pop())",
    "what hangs on a name is read in a branch": "def f(x, y):\n    return x if y else 0\ndef run(a):\n    return f(a.sock.x, a.y)",
    "what hangs on a name is read behind an and": "def f(x, y):\n    return y and x\ndef run(a):\n    return f(a.sock.x, a)",
    "what hangs on a name is read if one is less than another": "def f(x, y):\n    return 0 < y < x\ndef run(a):\n    return f(a.n, a)",
    "what hangs on a name is never read": "def f(x):\n    return 1\ndef run(a):\n    return f(a.sock.x)",
    "what hangs on a name is read after a call": "def f(x, y):\n    return y.pop() + x\ndef run(a):\n    return f(a.n, a)",
    "what hangs on a name is read after a call in a dict": "def f(x, y):\n    return {1: y.pop(), x: 2}\ndef run(a):\n    return f(a.n, a)",
    "what functions change is read after a call": "n = 1\ndef g():\n    global n\n    n += 1\n    return 1\ndef f(x):\n    return g() + x\n"
    "def run(a):\n    return f(n)",
    "given by name": F + "def run(a):\n    return f(x=a)",
    "given with a star": F + "def run(a):\n    return f(*a)",
    "an argument names something": "def f(x, y):\n    return x + y\ndef run(a):\n    return f(a, (a := 2))",
    "nothing returned, and read": "def f(x):\n    x.append(1)\ndef run(a):\n    return f(a)",
    "a default": "def f(x=1):\n    return x\ndef run(a):\n    return f(a)",
    "yields": "def f(x):\n    return (yield x)\ndef run(a):\n    return f(a)",
    "nests": "def f(x):\n    return lambda: x\ndef run(a):\n    return f(a)",
    "a comprehension": "def f(x):\n    return [y for y in x]\ndef run(a):\n    return f(a)",
    "hidden by an argument": F + "def run(f):\n    return f(1)",
    "hidden by a variable": F + "def run(a):\n    f = a\n    return f(1)",
    "hidden by a comprehension": F + "def run(a):\n    return [f(1) for f in a]",
    "what it reads is hidden": "def f(x):\n    return max(x, 1)\ndef run(a, max):\n    return f(a)",
    "what it reads is hidden by a comprehension": "n = 1\ndef f(x):\n    return x + n\ndef run(a):\n    return [f(a) for n in a]",
    "comes to itself": "def f(x):\n    return x and f(x.next)\ndef run(a):\n    return f(a)",
    "comes to itself at once": "def f(x):\n    return f(x)\ndef run(a):\n    return f(a)",
    "come to each other": "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\ndef run(a):\n    return f(a)",
    "methods that come to each other": BOX
    + "    def m(self):\n        return self.k()\n    def k(self):\n        return self.m()",
    "defined twice": F + F + "def run(a):\n    return f(a)",
    "defined otherwise": F + "f = abs\ndef run(a):\n    return f(a)",
    "may be defined otherwise": F + "if f:\n    def f(x):\n        return x\ndef run(a):\n    return f(a)",
    "changed by a function": F + "def g():\n    global f\n    f = abs\ndef run(a):\n    return f(a)",
    "a method of two classes": M + "class Other:\n    def m(self):\n        return 2\ndef run(a):\n    return a.m()",
    "a method that anybody has": BOX + "    def pop(self):\n        return self.n\ndef run(a):\n    return a.pop()",
    "a method that is inherited": M + "class Other(Box):\n    pass\ndef run(a):\n    return a.m()",
    "a method of a class that inherits": M.replace("Box:", "Box(Exception):") + "def run(a):\n    return a.m()",
    "a method that is asked for by a text": M + "def run(a):\n    return getattr(a, 'm')() or a.m()",
    "a method that bears a second name": M + "    k = m\ndef run(a):\n    return a.m() + a.k()",
    "a method with the name of an attribute": M
    + "class Other:\n    def __init__(self):\n        self.m = abs\ndef run(a):\n    return a.m()",
    "a method with the name of a class's attribute": M + "class Other:\n    m = abs\ndef run(a):\n    return a.m()",
    "a method that is called of its class": M + "def run(a):\n    return Box.m(a)",
    "a method that is decorated": BOX
    + "    @staticmethod\n    def m(x):\n        return x\ndef run(a):\n    return a.m(1)",
    "a method that the interpreter calls": BOX
    + "    def __call__(self):\n        return self.n\ndef run(a):\n    return a()",
}


@pytest.mark.parametrize("source", STAYS.values(), ids=STAYS)
def test_what_could_be_something_else_stays(source: str):
    assert written(source) == ([unchanged(source)], 0)


RESIDENT = "n = 1\ndef g(x):\n    y = x\n    return y\ndef f(x):\n    return g(x) + n\n"


def test_a_resident_function_is_written_in_a_late_body():
    texts, done = written(RESIDENT, "def run(a):\n    return f(a)")
    assert (done, outcome(executed(*texts), 2)) == (1, "3")


@pytest.mark.parametrize(
    ("resident", "late"),
    [
        (RESIDENT, "n = 5\ndef run(a):\n    return f(a)"),
        (RESIDENT, "from other import n\ndef run(a):\n    return f(a)"),
        (RESIDENT + "def h():\n    global n\n    n += 1", "def run(a):\n    h()\n    return f(a)"),
        ("def run(a):\n    return a.m()", "k = 3\n" + BOX + "    def m(self):\n        return self.n + k"),
        (RESIDENT, "from other import f\ndef run(a):\n    return f(a)"),
    ],
    ids=["has its own", "imports its own", "has what was", "has what the resident has not", "imports the function"],
)
def test_what_means_something_else_in_another_body_stays(resident: str, late: str):
    assert written(resident, late) == ([unchanged(resident), unchanged(late)], 0)


def test_a_late_body_calls_its_own_function_of_a_name():
    texts, _ = written("def f(x):\n    return 1\n", "def f(x):\n    return 2\ndef run(a):\n    return f(a)")
    assert outcome(executed(*texts), 0) == "2"


def box(chance: random.Random, calls: list[str], depth: int) -> str:
    """An object: what hangs on a name, or what a call gives that changes it."""
    change = f"p.tell({number(chance, ['p.n'], calls, depth - 1)})" if depth else "p"
    return chance.choice(["p", "p.box", "p.box.box", change])


def number(chance: random.Random, names: list[str], calls: list[str], depth: int) -> str:
    """An expression of `names`, which may fail, and of `calls`: of functions and methods that take an object and a number."""
    if depth <= 0:
        return chance.choice([*names, *names, "p.n", "p.box.n", "p.sock.n", "3"])
    one, other, third = (number(chance, names, calls, depth - 1) for _ in range(3))
    return chance.choice(
        [
            f"({one} + {other})",
            f"({one} if {other} else {third})",
            f"({one} and {other})",
            f"({one} < {other} < {third})",
            f"p.tell({one}).n",
            *(call.format(box(chance, calls, depth - 1), chance.choice([one, *names])) for call in calls),
        ]
    )


def program(chance: random.Random) -> str:
    """Functions and methods, each of which calls some that come before it; that `tell` is called can be told, by what it changes."""
    made, inside, calls = [], [BOX + TELL], []
    for at in range(8):
        text = f"def f{at}(p, q):\n    return {number(chance, ['q'], calls, chance.randrange(1, 3))}\n"
        method = chance.random() < 0.5
        (inside if method else made).append(text if not method else "    " + text.replace("\n    ", "\n        "))
        calls.append(f"{{}}.f{at}({{}})" if method else f"f{at}({{}}, {{}})")
    ways = [number(chance, ["a"], calls, 2) for _ in range(6)]
    body = "".join(
        f"    try:\n        out.append({way})\n    except AttributeError:\n        out.append('none')\n" for way in ways
    )
    return "".join([*inside, *made, f"def run(a):\n    p = Box(a)\n    out = []\n{body}    return (out, p.n, p.log)\n"])


def test_little_programs_do_what_they_did():
    total = 0
    for seed in range(300):
        source = program(random.Random(seed))
        (text,), done = written(source)
        total += done
        for value in (0, 2):
            assert outcome(executed(text), value) == outcome(executed(source), value), source
    assert total > 1000
