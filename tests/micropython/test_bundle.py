"""Bundling changes what firmware costs, never what it does."""

import contextlib
import io
import re
import sys
from types import ModuleType

import pytest

from sim.remote.interpreter import ROOT
from tools.micropython.bundler.bundle import bundle
from tools.micropython.bundler.names import known_names
from tools.micropython.bundler.program import BundleError
from tools.micropython.package import bundled

MAIN = {"app.main": ("run",)}
ORDER = (
    "app.low",
    "app.deep",
    "app.main",
    "app.rare",
    "app.other",
    "abs",
    "all",
)  # in which the modules of the examples are loaded


def execute(files: dict[str, str]) -> str:
    """What `run()` of app.main prints, the files being modules of a package."""
    finder = {}
    for name in ("app", *files):
        module = finder[name] = ModuleType(name)
        module.__package__ = name if name == "app" else name.rpartition(".")[0]
        module.__path__ = []
    before = dict(sys.modules)
    sys.modules.update(finder)
    printed = io.StringIO()
    try:
        for name in sorted(files, key=ORDER.index):
            exec(files[name], vars(finder[name]))  # noqa: S102 - sources from this file
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(finder[parent], child, finder[name])
        with contextlib.redirect_stdout(printed):
            finder["app.main"].run()
    finally:
        for name in finder:
            sys.modules.pop(name, None)
        sys.modules.update(before)
    return printed.getvalue()


def merged(sources: dict[str, str], outside: str = "") -> dict[str, str]:
    """The bundle of a little package; it must print what the package does."""
    files = bundle(sources, {"outside.py": outside}, MAIN)
    assert execute(files) == execute(sources)
    return files


PACKAGES = {
    "a constant, a table and a function of another module": {
        "app.low": "LIMIT = 3\nTABLE = (1, LIMIT)\ndef twice(value):\n    return value * 2 + LIMIT\n",
        "app.main": "from . import low\nfrom .low import LIMIT, twice\ndef run():\n    print(low.TABLE, LIMIT, twice(low.LIMIT))\n",
    },
    "globals of one name in two modules": {
        "app.low": "def _text():\n    return 'low'\ndef low():\n    return _text()\n",
        "app.main": "from .low import low\ndef _text():\n    return 'main'\ndef run():\n    print(low(), _text())\n",
    },
    "a local that is called like a global of another module": {
        "app.low": "def mode(value):\n    return value + 1\n",
        "app.main": "from . import low\ndef run():\n    mode = low.mode(1)\n    print(mode, [low for low in range(2)], low.mode(2))\n",
    },
    "a global that is called like a local elsewhere": {
        "app.low": "size = [1]\ndef grow():\n    size.append(2)\n    return size\n",
        "app.main": "from .low import grow\ndef run():\n    size = 5\n    print(grow(), size)\n",
    },
    "arguments by position, by name and in closures": {
        "app.main": "def call(first, second=2, *, third=3):\n    return lambda other: (first, second, third, other)\n"
        "def run():\n    print(call(1)(4), call(1, second=5, third=6)(7), [call(item)(item) for item in (1, 2)])\n",
    },
    "attributes that are also looked up by a text": {
        "app.main": "class Config:\n    def __init__(self):\n        for name in ('host', 'port'):\n"
        "            setattr(self, name, name)\n        self.tries_left = 3\n"
        "def run():\n    c = Config()\n    print(c.host, c.port, c.tries_left, hasattr(c, 'nothing'))\n",
    },
    "classes, their constants and their methods": {
        "app.low": "class Base:\n    COUNT = 4\n    def shown(self):\n        return 'base%d' % self.COUNT\n",
        "app.main": "from .low import Base\nclass Child(Base):\n    COUNT = 5\n    def shown(self):\n"
        "        return super().shown() + '!'\ndef run():\n    print(Child().shown(), Base.COUNT)\n",
    },
    "errors, caught by name": {
        "app.low": "class LowError(Exception):\n    pass\ndef fail():\n    raise LowError('why')\n",
        "app.main": "from .low import LowError, fail\ndef run():\n    try:\n        fail()\n    except LowError as error:\n        print(error)\n",
    },
    "errors that say nothing but their name": {
        "app.low": "class AppError(Exception):\n    'any'\nclass LowError(AppError):\n    'low'\nclass HighError(AppError):\n    pass\n"
        "def why():\n    return 'why'\n",
        "app.main": "from .low import HighError, LowError, why\ndef fail(kind):\n    raise kind(why())\ndef run():\n"
        "    for kind in (LowError, HighError, ValueError):\n        try:\n            fail(kind)\n        except LowError as error:\n"
        "            print('low', error)\n        except (HighError, ValueError) as error:\n            print('high', error)\n",
    },
    "errors that are caught by what they inherit from": {
        "app.main": "class AppError(Exception):\n    pass\nclass LowError(AppError):\n    pass\ndef run():\n    try:\n        raise LowError('why')\n"
        "    except AppError as error:\n        print(error)\n",
    },
    "words in several places": {
        "app.main": "WORDS = ('low_battery', 'ok', 'late')\nMORE = ((1, 'low_battery'), (2, 'ok'))\ndef run():\n"
        "    print(WORDS, MORE, 'low_battery', 'run_finished', ['run_finished'])\n",
    },
    "a short name for a module inside a function": {
        "app.low": "A = 1\ndef b():\n    return 2\n",
        "app.main": "from . import low\ndef run():\n    p = low\n    print(p.A, p.b())\n",
    },
    "modules from outside": {
        "app.low": "import json\ndef text(value):\n    return json.dumps(value)\n",
        "app.main": "import json\nfrom .low import text\ndef run():\n    print(text([1]), json.loads('[2]'))\n",
    },
    "a constant that is built from others": {
        "app.low": "A, B = range(2)\nC = A + B * 5\nNAME = 'short'\n",
        "app.main": "from .low import A, B, C, NAME\ndef run():\n    print(A, B, C, NAME, -C)\n",
    },
    "a table used once, in a loop": {
        "app.main": "_ROWS = ((1, 'one'), (2, 'two'))\ndef run():\n    for number, word in _ROWS:\n        print(number, word)\n",
    },
}


@pytest.mark.parametrize("sources", PACKAGES.values(), ids=PACKAGES)
def test_a_bundle_does_what_the_package_did(sources: dict[str, str]):
    assert list(merged(sources)) == ["app.main"]


def test_a_function_imported_inside_another_comes_with_the_modules_that_only_it_needs():
    sources = {
        "app.low": "def helper(value):\n    return value + 2\n",
        "app.deep": "from .low import helper\nTABLE = (1, 2, 3)\ndef summed():\n    return helper(sum(TABLE))\n",
        "app.main": "from .low import helper\ndef run():\n    from .rare import shown as show\n    shown = 1\n    print(helper(shown), show(2))\n",
        "app.rare": "from .deep import summed\ndef _inner(value):\n    return value * summed()\ndef shown(value):\n    return _inner(value)\n",
    }
    files = merged(sources)
    assert list(files) == ["app.main", "abs"]
    assert "TABLE" not in files["app.main"]


def test_a_table_of_globals_that_nobody_reads_goes_and_takes_them_along():
    sources = {
        "app.low": "FIRST = 'a text that is no constant'\nTABLE = (FIRST, (1, FIRST))\ndef twice(value):\n    return 2 * value\n",
        "app.main": "from .low import twice\ndef run():\n    print(twice(2), twice(3))\n",
    }
    assert "a text" not in merged(sources)["app.main"]


def test_errors_that_say_nothing_but_their_name_are_no_classes():
    assert "class" not in merged(PACKAGES["errors that say nothing but their name"])["app.main"]
    assert merged(PACKAGES["errors that are caught by what they inherit from"])["app.main"].count("class") == 2


def test_words_in_several_places_are_names():
    first = merged(PACKAGES["words in several places"])["app.main"].splitlines()[0]
    assert first == "lambda low_battery, ok, run_finished: 0"


def test_a_word_of_a_late_module_is_no_name_unless_it_is_a_key():
    sources = {
        "app.main": "def run():\n    from .rare import shown\n    print('here', shown({'depth': 3}))\n",
        "app.rare": "def shown(given, how='so'):\n    'told'\n    return given.get('depth'), 'depth' in given, ['rare', 'here', '', 'rarest_of_words'], how\n",
    }
    late = merged(sources)["abs"]
    assert late.splitlines()[-1].endswith(" = ('rare',)")
    assert "'depth'" in late


def test_two_late_modules_may_each_bring_the_same_one():
    sources = {
        "app.deep": "def summed():\n    return 6\n",
        "app.main": "def run():\n    from .rare import shown\n    from .other import told\n    print(shown(), told())\n",
        "app.rare": "from .deep import summed\ndef shown():\n    return summed()\n",
        "app.other": "from .deep import summed\ndef told():\n    return summed() + 1\n",
    }
    assert list(merged(sources)) == ["app.main", "abs", "all"]


def test_a_table_that_only_late_modules_read_lies_in_each_of_them():
    sources = {
        "app.low": "TABLE = (1, 2, 3)\nBOTH = (4, 5)\n",
        "app.main": "from . import low\ndef run():\n    from .rare import shown\n    from .other import told\n    print(shown(), told(), low.BOTH)\n",
        "app.rare": "from .low import BOTH, TABLE\ndef shown():\n    return TABLE[1:], TABLE, BOTH\n",
        "app.other": "from . import low\ndef told():\n    return sum(low.TABLE)\n",
    }
    files = merged(sources)
    assert "(1, 2, 3)" not in files["app.main"]
    assert "(4, 5)" in files["app.main"]
    assert "(4, 5)" not in files["abs"]


def test_a_late_module_is_dropped_by_the_name_that_it_has_in_the_bundle():
    sources = {
        "app.main": "class Board:\n    def drop(self, name):\n        print(len(name) > 0)\n"
        "def run():\n    from .rare import shown\n    print(shown())\n    Board().drop('rare')\n",
        "app.rare": "def shown():\n    return 1\n",
    }
    assert "'abs'" in merged(sources)["app.main"]


def test_what_is_dropped_must_be_a_late_module():
    sources = {"app.main": "def run(board):\n    board.drop('rarely')\n"}
    with pytest.raises(BundleError, match="rarely"):
        bundle(sources, {}, MAIN)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("from .low import helper", "always there"),
        ("from .rare import LIMIT", "constant"),
        ("from .none import x", "not a module"),
    ],
)
def test_an_import_inside_a_function_that_cannot_be_merged_is_refused(line: str, problem: str):
    sources = {
        "app.low": "def helper():\n    return 1\n",
        "app.rare": "LIMIT = 3\n",
        "app.main": f"from .low import helper\ndef run():\n    {line}\n    print(helper())\n",
    }
    with pytest.raises(BundleError, match=problem):
        bundle(sources, {}, MAIN)


def test_a_module_loaded_on_demand_takes_what_it_needs_from_the_bundle():
    sources = {
        "app.low": "STEP = 2\nLONG_TABLE = [1, 2]\ndef helper(value):\n    return value + STEP\n",
        "app.rare": "from . import low\nfrom .low import STEP, helper\nclass Rare:\n    def go(self):\n        return helper(STEP), low.LONG_TABLE\n",
        "app.main": "from .low import helper\ndef run():\n    from app.rare import Rare\n    print(helper(1), Rare().go())\n",
    }
    files = merged(sources)
    assert list(files) == ["app.main", "app.rare"]
    assert "from app.main import" in files["app.rare"]


def test_names_that_unbundled_firmware_uses_stay():
    sources = {
        "app.main": "class Valve:\n    def pulse_it(self):\n        self.hidden_word = 1\ndef run():\n    print(Valve().pulse_it())\n"
    }
    files = merged(sources, outside="valve.pulse_it()")
    assert "pulse_it" in files["app.main"]
    assert "hidden_word" not in files["app.main"]


def test_unused_globals_go():
    assert (
        "nobody"
        not in merged({"app.main": "def nobody():\n    pass\nFORGOTTEN = (1, 2)\ndef run():\n    print(1)\n"})[
            "app.main"
        ]
    )


def test_annotations_leave_no_trace():
    annotated = "def twice(value: Number | None, *more: Number) -> Number:\n    return value * 2\ndef run() -> None:\n    print(twice(2))\n"
    bare = "def twice(value, *more):\n    return value * 2\ndef run():\n    print(twice(2))\n"
    assert merged({"app.main": annotated}) == merged({"app.main": bare})


def test_what_is_imported_for_annotations_leaves_no_trace():
    """A late module names the type of what it is handed; nothing is loaded for that."""
    typed = "if False:\n    from .main import House\ndef name(house: 'House') -> str:\n    found: str = house.name\n    return found\n"
    bare = "def name(house):\n    found = house.name\n    return found\n"
    main = "class House:\n{}    def __init__(self):\n        self.name = 'h'\ndef run():\n    from .rare import name\n    print(name(House()))\n"
    with_types = merged({"app.main": main.format("    name: str\n"), "app.rare": typed})
    assert with_types == merged({"app.main": main.format(""), "app.rare": bare})


def test_what_a_class_only_declares_shares_no_name_with_what_it_has():
    """It is stored by another module, and another class stores something of the same name."""
    main = "class House:\n    paint: int\n    def __init__(self):\n        self.roofs = 1\nclass Brush:\n    def __init__(self):\n        self.paint = 2\n"
    main += "def run():\n    from .rare import coat\n    house = House()\n    coat(house)\n    print(house.paint, house.roofs, Brush().paint)\n"
    files = merged({"app.main": main, "app.rare": "def coat(house):\n    house.paint = 3\n"})
    assert "None" not in files["app.main"]


def test_a_module_used_as_a_value_is_refused():
    sources = {"app.low": "A = 1\n", "app.main": "from . import low\ndef run():\n    print(low)\n"}
    with pytest.raises(BundleError, match="used as a value"):
        bundle(sources, {}, MAIN)


def test_what_does_not_exist_is_refused():
    with pytest.raises(BundleError, match="has no missing"):
        bundle({"app.low": "A = 1\n", "app.main": "from .low import missing\ndef run():\n    pass\n"}, {}, MAIN)


def test_the_known_names_are_the_interpreters_own():
    """A name that is not in read-only memory would be counted as new."""
    from sim.remote import run_script

    names = " ".join(name for name in known_names() if not name.startswith("__"))
    source = f"import micropython\nmicropython.qstr_info()\nfor name in {names!r}.split(): getattr(1, name, 0)\nmicropython.qstr_info()"
    counts = [int(count) for count in re.findall(r"n_qstr=(\d+)", run_script(source, heap=400_000).check())]
    assert counts[1] == counts[0]


def test_the_applications_bundle_has_no_relative_import_left():
    for name, text in bundled(ROOT / "firmware").items():
        assert not re.search(r"^\s*from \.", text, re.MULTILINE), name
