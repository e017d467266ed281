"""A constructor that is written where the object is made does what it did; a class that has nothing left is one with the others of that kind."""

import ast
from itertools import count

import pytest

from tools.micropython.bundler.constructors import unfold

LAMP = "class Lamp:\n    def __init__(self, colour, lit=False):\n        self.colour = colour\n        self.lit = lit\n"
ROOM = "class Room:\n    def __init__(self, lamp):\n        self.lamp = lamp\n    def light(self):\n        return self.lamp.colour\n"


def unfolded(*texts, keep=()):
    """The bodies, as texts; the first one has the classes."""
    bodies = [ast.parse(text).body for text in texts]
    numbers = count()
    unfold(bodies, keep, lambda name: f"{name.lower()}_{next(numbers)}")
    return [ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) for body in bodies]


def told(texts, result):
    """What `result` is once all of `texts` were run, one after the other."""
    scope = {}
    for text in texts:
        exec(text, scope)  # noqa: S102 - sources from this file
    return eval(result, scope)  # noqa: S307


@pytest.mark.parametrize(
    ("rest", "result"),
    [
        ("lamp = Lamp('red')", "(lamp.colour, lamp.lit)"),
        ("def make(lit):\n    return Lamp(lit=lit, colour='blue')\nlamp = make(True)", "(lamp.colour, lamp.lit)"),
        ("lamps = [0, 0]\nlamps[1] = Lamp('red', True)", "(lamps[0], lamps[1].colour)"),
        ("a = b = Lamp('red')", "(a is b, a.colour)"),
        (
            "def make(colour):\n    if colour:\n        return Lamp(colour)\n    return Lamp('dark')\na, b = make(''), make('red')",
            "(a.colour, b.colour)",
        ),
    ],
)
def test_an_object_is_what_it_was(rest, result):
    after = unfolded(LAMP + rest)
    assert "__init__" not in after[0]
    assert told(after, result) == told([LAMP + rest], result)


def test_a_constructor_may_be_called_in_a_module_that_is_loaded_later():
    after = unfolded(LAMP + ROOM, "room = Room(Lamp)\nroom.lamp = Lamp('red')")
    assert told(after, "room.light()") == "red"


def test_the_arguments_are_evaluated_before_the_object_is_stored():
    rest = "lamp = None\ndef before():\n    return lamp\nlamp = Lamp(before())"
    assert told(unfolded(LAMP + rest), "lamp.colour") is None


@pytest.mark.parametrize(
    "rest",
    ["kind = Lamp\nlamp = Lamp('red')", "lamps = [Lamp('red')]", "lamp = Lamp('red') if True else None", ""],
)
def test_a_class_that_is_used_in_another_way_keeps_its_constructor(rest):
    assert "__init__" in unfolded(LAMP + rest)[0]


def test_a_class_that_somebody_outside_makes_objects_of_keeps_its_constructor():
    assert "__init__" in unfolded(LAMP + "lamp = Lamp('red')", keep={"Lamp"})[0]


def test_a_class_that_inherits_or_has_values_of_its_own_keeps_its_constructor():
    heir = "class Heir(Exception):\n    def __init__(self):\n        self.x = 1\nheir = Heir()"
    held = "class Held:\n    y = 2\n    def __init__(self):\n        self.x = 1\nheld = Held()"
    assert all("__init__" in unfolded(text)[0] for text in (heir, held))


def test_classes_that_have_nothing_of_their_own_are_one():
    text = LAMP + LAMP.replace("Lamp", "Torch") + ROOM + "a = Lamp('red')\nb = Torch('blue', True)\nroom = Room(b)"
    (after,) = unfolded(text)
    assert [line for line in after.splitlines() if line.startswith("class")] == ["class Lamp:", "class Room:"]
    assert told([after], "(a.colour, a.lit, b.colour, b.lit, room.light())") == ("red", False, "blue", True, "blue")
