"""Constants that do not lie in the heap are read as if they did."""

import ast
from collections.abc import Callable

import pytest

from tools.micropython.bundler.constants import fold_globals, fold_reads, write_texts
from tools.micropython.bundler.members import with_choices
from tools.micropython.bundler.rows import pack_numbers
from tools.micropython.bundler.tables import join_words

type Body = list[ast.stmt]

WORDS = ("", *(f"word_number_{i}" for i in range(9)))  # enough to be worth a text


def told(body: Body, values: list[object]) -> list[object]:
    """What `run` returns for each value, or what error it raises."""
    module = ast.parse(ast.unparse(ast.fix_missing_locations(ast.Module(body, []))))
    names: dict[str, Callable[[object], object]] = {}
    exec(compile(module, "example", "exec"), names)  # noqa: S102 - sources from this file
    found: list[object] = []
    for value in values:
        try:
            found.append(names["run"](value))
        except (IndexError, ValueError) as error:
            found.append(type(error))
    return found


def changed(source: str, change: Callable[[Body], object], values: list[object]) -> str:
    """The source after `change`, by which `run` must have stayed what it was."""
    body = ast.parse(source).body
    before = told(body, values)
    change(body)
    assert told(body, values) == before
    return ast.unparse(ast.Module(body, []))


def choices(body: Body) -> None:
    body[:] = with_choices(body)


def folds(body: Body) -> None:
    fold_globals(body)
    fold_reads([body], ())
    choices(body)


def joins(body: Body) -> None:
    join_words([body], (), lambda name: f"the_{name}")


def packs(body: Body) -> None:
    pack_numbers([body], (), lambda name: f"the_{name}")


@pytest.mark.parametrize(
    "test",
    [
        "a in ('x', 'y')",
        "a not in ('x', 'y')",
        "a in ('x',)",
        "not a in ('x', 'y') and a != 'z'",
        "[a][0 + 0] in (1, 2)",
        "(3, 4)[a == 'x']",
        "(3, 4)[a in ('x', 'y')]",
        "[(3, 4)[not a], a in (None, -1, 'x')]",
    ],
)
def test_a_choice_is_what_the_tuple_said(test: str):
    changed(f"def run(a):\n    return {test}", choices, ["x", "y", "z", "", None, -1, 1])


def test_a_choice_needs_no_tuple():
    text = changed("def run(a):\n    b = [a]\n    return b[0] in ('x', 'y'), (1, 2)[a == 'x']", choices, ["x", "z"])
    assert "'x' or b[0] == 'y'" in text
    assert "2 if a == 'x' else 1" in text


@pytest.mark.parametrize("targets", ["b, c", "b[0], c", "(b, c)", "*b, c"])
def test_several_constants_are_assigned_one_after_the_other(targets: str):
    text = changed(f"def run(a):\n    b = [a]\n    {targets} = ('x', None)\n    return b, c", choices, [1])
    assert ("c = None" in text) == ("*" not in targets)


@pytest.mark.parametrize(
    "test", ["len(a) in (1, 2)", "a[len(a) - 1] in ('x', 'y')", "a in ()", "a in ((1, 2), 'x')", "(3, 4)[a != 'x':]"]
)
def test_what_is_called_or_is_no_choice_stays(test: str):
    assert test in changed(f"def run(a):\n    return {test}", choices, ["x", "xy"])


def test_tuples_that_are_put_together_become_one():
    source = "A = (1, 2)\nB = A + (120,) * 2 + ((0,) * 3 + A)\ndef run(a):\n    return B[a:], A"
    assert "B = (1, 2, 120, 120, 0, 0, 0, 1, 2)" in changed(source, folds, [0, 3])


def test_texts_are_put_together_only_where_nothing_resident_reads_them():
    source = "WORD = 'a word that is long'\nTABLE = ('x', WORD)\nOTHER = ('y', WORD)\ndef run(a):\n    return TABLE, a"
    text = changed(source, folds, [0])
    assert "TABLE = ('x', WORD)" in text
    assert "OTHER = ('y', 'a word that is long')" in text


def test_what_is_made_of_something_else_is_not_folded():
    source = "A = [1]\nB = (1, A) * 2\nC = (1,)\nC += (2,)\ndef run(a):\n    return B, C[0], C"
    assert changed(source, folds, [0]) == ast.unparse(ast.parse(source))


@pytest.mark.parametrize(
    ("read", "folded"),
    [
        ("T[1]", "7"),
        ("T[1 + 1]", "9"),
        ("T[-1]", "9"),
        ("len(T)", "3"),
        ("T.index(9)", "2"),
        ("T[1:]", "(7, 9)"),
        ("a in T", "a == 5 or a == 7 or a == 9"),
    ],
)
def test_what_is_read_off_a_table_is_a_number(read: str, folded: str):
    source = f"T = (5, 7, 9)\ndef run(a):\n    return {read}"
    assert f"return {folded}" in changed(source, folds, [5, 6])


@pytest.mark.parametrize("read", ["T[3]", "T.index(8)"])
def test_what_a_table_does_not_have_is_still_an_error(read: str):
    changed(f"T = (5, 7, 9)\ndef run(a):\n    return {read}", folds, [0])


def test_a_table_that_is_needed_as_it_is_is_not_cut():
    source = "T = (5, 7, 9)\ndef run(a):\n    return (T[1:], T[a], a in T)"
    assert changed(source, folds, [0, 1]) == ast.unparse(ast.parse(source))


def test_a_number_that_is_an_object_to_the_interpreter_stays_in_its_table():
    assert "T[0]" in changed("T = (1 << 40, 2)\nU = (1099511627776, 2)\ndef run(a):\n    return U[0], T[0]", folds, [0])


def test_texts_are_written_where_they_are_used():
    text = changed("A = '/a/long/path/name'\nB = b'xy'\ndef run(a):\n    return A + A, B", _texts, [0])
    assert "return ('/a/long/path/name' + '/a/long/path/name', b'xy')" in text


def _texts(body: Body) -> None:
    write_texts([body], ())


@pytest.mark.parametrize(
    "lines",
    [
        "    return T[a]",
        "    return T.index(T[a]), U.index('end'), U[a - 8]",
        "    found = []\n    for i, word in enumerate(T):\n        if i == a:\n            continue\n        found.append((word, i))\n    return found",
        "    found = []\n    for word in T:\n        if word == T[a]:\n            break\n        found.append(word)\n    else:\n        found = 0\n"
        "    return found, word",
    ],
)
def test_words_are_asked_from_one_text(lines: str):
    text = changed(f"T = {WORDS}\nU = ('start', 'end', '')\ndef run(a):\n{lines}", joins, [0, 1, 8, 9, 10, 11])
    assert "T =" not in text


@pytest.mark.parametrize(
    "word",
    ["", "word_number_0", "word_number_8", "word_number", "end", "word_number_0\nword_number_1", None, 5, b"end"],
)
def test_the_place_of_a_word_is_that_in_its_table(word: object):
    source = f"T = {WORDS}\nU = ('start', 'end')\ndef run(a):\n    return T.index(a)\ndef other(a):\n    return U[a]"
    assert "T =" not in changed(source, joins, [word])


@pytest.mark.parametrize("use", ["T", "T[1:]", "a in T", "[w for w in T]", "T.count(a)", "max(T)"])
def test_a_table_of_which_more_is_wanted_stays(use: str):
    source = f"T = {WORDS}\ndef run(a):\n    return T[a], {use}"
    assert changed(source, joins, [1]) == ast.unparse(ast.parse(source))


def test_words_that_hold_what_would_part_them_stay():
    assert "T =" in changed(f"T = {(*WORDS, 'two\nlines')}\ndef run(a):\n    return T[a]", joins, [1, 10])


def test_a_table_that_is_cheaper_than_its_functions_stays():
    assert "T =" in changed("T = ('one', 'two')\ndef run(a):\n    return T[a]", joins, [1])


def test_a_table_that_only_others_read_stays_for_them():
    body = ast.parse(f"T = {WORDS}").body
    join_words([body, ast.parse("def late(a):\n    return T[a]").body], (), str)
    assert ast.unparse(body[0]).startswith("T =")


def test_a_late_module_asks_the_resident_text():
    late = ast.parse("def late(a):\n    return T[a]").body
    join_words([ast.parse(f"T = {WORDS}\ndef run(a):\n    return T[a]").body, late], (), lambda name: f"the_{name}")
    assert "the_word(a, 1, " in ast.unparse(late[0])


def test_numbers_are_read_off_bytes():
    text = changed("T = (0, 255, 256, 65535)\ndef run(a):\n    return T[a], 2 * T[a - 1]", packs, [0, 1, 2, 3, -3, 4])
    assert "T" not in text


@pytest.mark.parametrize("table", ["(1, 2)", "(1, 2, -3)", "(1, 2, 65536)", "(1, 2, None)", "(1, 2, True)"])
def test_a_table_that_bytes_cannot_hold_or_would_not_shorten_stays(table: str):
    assert "T =" in changed(f"T = {table}\ndef run(a):\n    return T[a]", packs, [0, 1])


@pytest.mark.parametrize("use", ["T[len(a)]", "T[1:]", "a in T"])
def test_a_table_of_numbers_of_which_more_is_wanted_stays(use: str):
    assert "T =" in changed(f"T = (1, 2, 3)\ndef run(a):\n    return {use}", packs, ["x"] if "len" in use else [2])


ROWS = "T = ((1, 'one', 10), (2, '', 20), (255, 'more', 0))\n"


@pytest.mark.parametrize(
    "lines",
    [
        "    for a_, b, c in T:\n        if a_ == a:\n            return b, c\n    return None",
        "    return [(b, c, a_) for a_, b, c in T if a_ > a]",
        "    return [[c for _, __, c in T]]",
    ],
)
def test_rows_are_read_off_bytes_and_columns(lines: str):
    text = changed(f"{ROWS}def run(a):\n{lines}", packs, [0, 2, 255, 7])
    assert "T =" not in text
    assert "the_T_1 = ('one', '', 'more')" in text


@pytest.mark.parametrize(
    "table", ["((1, 2), (3,))", "((1, 2), 3)", "((1, 2), (3, 256))", "((1, 2), (3, 'x'))", "((1, 2),)"]
)
def test_rows_that_bytes_cannot_hold_stay(table: str):
    body = ast.parse(f"T = {table}\ndef run():\n    return [a for a, b in T]").body
    before = ast.dump(ast.Module(body, []))
    packs(body)
    assert ast.dump(ast.Module(body, [])) == before


@pytest.mark.parametrize(
    "use",
    [
        "T[0]",
        "[[c for c in (a, b)] for a, b, c in T]",
        "[row for row in T]",
        "[lambda: a for a, b, c in T]",
        "sum(a for a, b, c in T)",
    ],
)
def test_rows_of_which_more_is_wanted_stay(use: str):
    source = f"{ROWS}def run(a):\n    return repr({use})[:9]"
    assert changed(source, packs, [0]) == ast.unparse(ast.parse(source))
