"""What the ESP8266's MicroPython lacks, or its heap cannot afford, does not stand in firmware/.

Two lists come first: what no MicroPython board has, and what works on its unix and wasm builds but fails on this port, so that no other test
would see it. The rest is the house's own: no float, no state in modules, no sentences.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.micropython.bundler.scopes import is_for_types

FIRMWARE = Path(__file__).parents[2] / "firmware"
FILES = sorted(FIRMWARE.rglob("*.py"))
RUN_ONCE = {"boot.py", "main.py"}  # they run once, and hold the board's only globals
BUILDS_MESSAGES = {"announcing.py", "report.py", "health.py", "progress.py"}  # JSON is not a sentence

# Methods and functions, whether as an attribute or imported by name
MISSING_METHODS = {
    *("partition", "rpartition", "splitlines", "center", "removeprefix", "removesuffix", "isidentifier"),
    *("indices", "_replace", "heapreplace", "heappushpop", "crc32", "md5"),
}
MISSING_NAMES = {"complex", "compile", "execfile", "NotImplemented", "__file__", "__setattr__", "__delattr__"}
MISSING_MODULES = {
    *("dataclasses", "enum", "typing", "__future__", "asyncio", "collections", "datetime", "logging", "re"),
    *("abc", "contextlib", "functools", "itertools", "pathlib", "string", "traceback", "unittest", "warnings"),
}
# Of these modules the port has only a part
PARTS = {
    "random": {"seed", "getrandbits"},
    "math": {
        *("acos", "asin", "atan", "atan2", "ceil", "copysign", "cos", "degrees", "e", "exp", "fabs", "floor", "fmod"),
        *("frexp", "isfinite", "isinf", "isnan", "ldexp", "log", "modf", "pi", "pow", "radians", "sin", "sqrt", "tan"),
        "trunc",
    },
}
NEW_SYNTAX = (
    *(ast.JoinedStr, ast.TemplateStr, ast.Match, ast.TryStar, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith),
    *(ast.Await, ast.TypeAlias, ast.TypeVar),
)
WORD = re.compile(r"[a-z0-9_]*")
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Call)


def problems(source: str, name: str = "module.py") -> list[str]:
    """What a board would choke on in `source`, the text of the file `name`."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        found += [f"{node.lineno}: {text}" for text in (*absent(node), *no_integers(node), *sentences(node, name))]
    return found + ([] if name in RUN_ONCE else [f"{line}: mutable module state" for line in shared_state(tree)])


def absent(node: ast.AST) -> Iterator[str]:
    """What the interpreter of the board does not have."""
    if isinstance(node, ast.Attribute) and node.attr in MISSING_METHODS | MISSING_NAMES:
        yield f".{node.attr}"
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.attr not in PARTS.get(node.value.id, {node.attr}):
            yield f"{node.value.id}.{node.attr}"
    elif isinstance(node, ast.Name) and node.id in MISSING_NAMES:
        yield node.id
    elif isinstance(node, ast.FunctionDef):
        if node.name in MISSING_NAMES:
            yield node.name
        if node.args.posonlyargs:
            yield "positional-only arguments"
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from absent_imports(node)
    elif isinstance(node, NEW_SYNTAX):
        yield type(node).__name__
    elif isinstance(node, ast.Raise) and node.cause is not None:
        yield "raise ... from"
    elif isinstance(node, ast.Call):
        yield from absent_arguments(node)


def absent_arguments(call: ast.Call) -> Iterator[str]:
    """Builtins that take less than elsewhere."""
    if isinstance(call.func, ast.Name) and call.func.id == "pow" and len(call.args) == 3:
        yield "pow with three arguments"
    if any(keyword.arg == "strict" for keyword in call.keywords):
        yield "zip(strict=)"


def absent_imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Modules that are not there, and names that are not in them."""
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    own = isinstance(node, ast.ImportFrom) and node.level
    yield from (f"import {name}" for name in modules if not own and name.split(".")[0] in MISSING_MODULES)
    if isinstance(node, ast.ImportFrom) and not own:
        for alias in node.names:
            if alias.name in MISSING_METHODS | {"*"} or alias.name not in PARTS.get(node.module or "", {alias.name}):
                yield f"{node.module}.{alias.name}"


def no_integers(node: ast.AST) -> Iterator[str]:
    """Floats have 22 bits there, and no place in firmware."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
        yield f"the number {node.value}"
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
        yield "/ makes a float"
    elif isinstance(node, ast.Name) and node.id == "float":
        yield "float"


def sentences(node: ast.AST, name: str) -> Iterator[str]:
    """Formatted messages cost heap and help nobody: the board says words, and people read them elsewhere."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("print", "format"):
            yield node.func.id
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "format_map"):
            yield f".{node.func.attr}"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and name not in BUILDS_MESSAGES:
        text = node.left.value if isinstance(node.left, ast.Constant) else ""
        text = text.decode() if isinstance(text, bytes) else text
        if isinstance(text, str) and re.search(r"[A-Za-z]", re.sub(r"%[-0-9.]*[a-zA-Z]", "", text)):
            yield "a formatted message"
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        for arg in node.exc.args:
            said = arg.value if isinstance(arg, ast.Constant) else ""
            if isinstance(arg, (ast.BinOp, ast.JoinedStr)) or (isinstance(said, str) and not WORD.fullmatch(said)):
                yield "raised with more than a word"


def shared_state(tree: ast.Module) -> Iterator[int]:
    """Lines with what two boards in one process would share: things in modules, classes or defaults that can change, `global`, what an import does."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.Lambda)):
            defaults = [value for value in (*node.args.defaults, *node.args.kw_defaults) if value is not None]
            yield from (part.lineno for value in defaults for part in ast.walk(value) if isinstance(part, MUTABLE))
        elif isinstance(node, (ast.Module, ast.ClassDef)):
            yield from outside_functions(node.body)


def outside_functions(body: list[ast.stmt]) -> Iterator[int]:
    """The same, of statements that run when the module is imported."""
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.lineno for target in targets if isinstance(target, (ast.Attribute, ast.Subscript)))
            for part in ast.walk(statement.value) if statement.value else ():
                if isinstance(part, MUTABLE) and not is_range(part):
                    yield part.lineno
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            pass  # a docstring
        elif is_for_types(statement):
            pass  # nobody runs it
        elif not isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass)):
            yield statement.lineno


def is_range(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FIRMWARE)))
def test_firmware_uses_only_what_the_board_has(path):
    assert problems(path.read_text(), path.name) == []


NO_BOARD_HAS = [
    "import dataclasses",
    "from dataclasses import dataclass",
    "import enum",
    "import typing",
    "from __future__ import annotations",
    "match a:\n    case 1:\n        pass",
    "raise A from b",
    "point._replace(x=1)",
    "a.removeprefix('b')",
    "a.removesuffix('b')",
    "zip(a, b, strict=True)",
    "import heapq\nheapq.heapreplace(a, 1)",
    "from heapq import heapreplace",
    "f'{x}'",
    "async def f():\n    pass",
    "try:\n    pass\nexcept* OSError:\n    pass",
    "type Word = str",
    "def f[T](x: T):\n    pass",
    "def f(x, /):\n    pass",
    "import asyncio",
    "import os.path, re",
]
ONLY_THIS_PORT_LACKS = [
    "a.partition('b')",
    "a.rpartition('b')",
    "a.splitlines()",
    "a.center(9)",
    "slice(1, 2).indices(3)",
    "complex(1, 2)",
    "x = 1j",
    "compile(a, b, c)",
    "execfile(a)",
    "pow(1, 2, 3)",
    "NotImplemented",
    "class A:\n    def __setattr__(self, name, value):\n        pass",
    "class A:\n    def __delattr__(self, name):\n        pass",
    "object.__setattr__(a, b, c)",
    "__file__",
    "module.__file__",
    "import binascii\nbinascii.crc32(a)",
    "from binascii import crc32",
    "import random\nrandom.randint(1, 2)",
    "from random import choice",
    "from random import *",
    "import math\nmath.tau",
    "import math\nmath.inf",
    "import math\nmath.nan",
    "import math\nmath.erf(a)",
    "import math\nmath.gamma(a)",
    "from math import sinh",
    "import hashlib\nhashlib.md5(a)",
    "from hashlib import md5",
]
THE_HOUSE_FORBIDS = [
    "x = 1.5",
    "def f(a, b):\n    return a / b",
    "def f(a):\n    a /= 2",
    "def f(a):\n    return float(a)",
    "STATE = []",
    "CACHE = dict()",
    "BUFFER = bytearray(9)",
    "TABLE = (1, [2])",
    "A: list = []",
    "NAMES = [str(i) for i in (1, 2)]",
    "if True:\n    CACHE = {}",
    "if False:\n    CACHE = {}",
    "if False:\n    from .app import App\nelse:\n    CACHE = {}",
    "for i in (1, 2):\n    pass",
    "start()",
    "other.SETTING = 1",
    "class A:\n    seen = []",
    "def f(found=[]):\n    pass",
    "def f():\n    global a\n    a = 1",
    "def f():\n    print(1)",
    "def f(a):\n    return 'zone {} is open'.format(a)",
    "def f(a):\n    return 'zone %d is open' % a",
    "def f(a):\n    return b'zone %d' % a",
    "def f(a):\n    raise ValueError('no such zone')",
    "def f(a):\n    raise ValueError('zone' + a)",
]


@pytest.mark.parametrize("source", NO_BOARD_HAS + ONLY_THIS_PORT_LACKS + THE_HOUSE_FORBIDS)
def test_the_lint_bites(source):
    assert problems(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""\n\nimport json\nfrom . import protocol\n\nA, B = range(2)\nWORDS = ("a", "b")\nMASK = 1 << 3 | A\n',
        "import random\ndef f():\n    random.seed(1)\n    return random.getrandbits(8)\n",
        "import hashlib\ndef f(a):\n    return hashlib.sha256(a).digest()\n",
        "def f(a, b=()):\n    return '%02x' % a, a % b, pow(a, 2), [a for a in b]\n",
        "def f(a):\n    raise ValueError('tz_rule')\n",
        "class A:\n    LIMIT = 3\n    word: str\n\n    def __init__(self):\n        self.items = []\n",
        "from . import re\nfrom .re import md5\n",
    ],
)
def test_the_lint_lets_good_firmware_pass(source):
    assert problems(source) == []


def test_what_only_boot_and_main_may_do_and_where_json_is_built():
    assert problems("start()", "main.py") == problems("def f(a):\n    return 'zone %d' % a", "report.py") == []
