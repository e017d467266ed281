"""What the ESP8266's MicroPython lacks, or its heap cannot afford, does not stand in firmware/."""

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware"
FILES = sorted(FIRMWARE.rglob("*.py"))

MISSING_METHODS = {
    "partition",
    "rpartition",
    "splitlines",
    "center",
    "removeprefix",
    "removesuffix",
    "indices",
    "_replace",
    "crc32",
    "isidentifier",
}
MISSING_NAMES = {"complex", "compile", "execfile", "NotImplemented", "__file__", "__setattr__", "__delattr__"}
MISSING_MODULES = {
    "dataclasses",
    "enum",
    "typing",
    "__future__",
    "asyncio",
    "random",
    "re",
    "collections",
    "datetime",
    "logging",
}


def problems(source: str) -> list[str]:
    """What a board would choke on in `source`."""
    found = []
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in MISSING_METHODS:
            found.append(f"{node.lineno}: .{node.attr}")
        elif isinstance(node, ast.Name) and node.id in MISSING_NAMES:
            found.append(f"{node.lineno}: {node.id}")
        elif isinstance(node, ast.FunctionDef) and node.name in MISSING_NAMES:
            found.append(f"{node.lineno}: {node.name}")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"{node.lineno}: import {name}" for name in names if name.split(".")[0] in MISSING_MODULES]
        elif isinstance(node, (ast.JoinedStr, ast.Match, ast.AsyncFunctionDef, ast.Await)):
            found.append(f"{node.lineno}: {type(node).__name__}")
        elif isinstance(node, ast.Raise) and node.cause is not None:
            found.append(f"{node.lineno}: raise ... from")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "pow"
            and len(node.args) == 3
        ):
            found.append(f"{node.lineno}: pow with three arguments")
        elif isinstance(node, ast.Call) and any(keyword.arg == "strict" for keyword in node.keywords):
            found.append(f"{node.lineno}: zip(strict=)")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{node.lineno}: a float")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            found.append(f"{node.lineno}: / makes a float")
    return found + mutable_state(tree)


def mutable_state(tree: ast.Module) -> list[str]:
    """Module-level lists, dicts, sets and calls, and `global`: one process must be able to hold thousands of boards."""
    found = [f"{node.lineno}: global" for node in ast.walk(tree) if isinstance(node, ast.Global)]
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value:
            kinds = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)
            found += [
                f"{node.lineno}: mutable module state"
                for node in ast.walk(statement.value)
                if isinstance(node, kinds) and not is_range(node)
            ]
    return found


def is_range(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FIRMWARE)))
def test_firmware_uses_only_what_the_board_has(path):
    allowed = {"boot.py", "main.py"}  # they run once, and hold the board's only globals
    found = problems(path.read_text())
    if path.name in allowed:
        found = [problem for problem in found if "mutable" not in problem]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "a.partition('b')",
        "import enum",
        "f'{x}'",
        "raise A from b",
        "pow(1, 2, 3)",
        "x = 1.5",
        "a / b",
        "STATE = []",
        "CACHE = dict()",
        "zip(a, strict=True)",
        "NotImplemented",
    ],
)
def test_the_lint_sees(source):
    assert problems(source)
