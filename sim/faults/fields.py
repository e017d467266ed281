"""What a kind of fault is: its fields with their limits, and what it does.

Rule: knows no kind. A field's value in a scenario is one number, a range [low, high] that a seed draws from, or (of a choice) words to choose from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.faults.life import Life

type Value = float | int | str
type Undo = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Number:
    """A number within limits; `default` None: it must be given."""

    low: float
    high: float
    default: float | None = None
    whole: bool = False

    def wish(self) -> str:
        """What is wanted, in words."""
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}, or a range [low, high] of such"

    def read(self, found: Any) -> tuple[str, tuple[Value, ...]]:
        """(what is wrong with `found` or "", its value or range)."""
        ends = found if isinstance(found, list) else [found]
        kinds = (int,) if self.whole else (int, float)
        good = len(ends) in (1, 2) and all(isinstance(end, kinds) and not isinstance(end, bool) for end in ends)
        if not good or not all(self.low <= end <= self.high for end in ends) or ends[0] > ends[-1]:
            return f"must be {self.wish()}, not {found!r}", ()
        return "", tuple(ends) if self.whole else tuple(map(float, ends))  # [0, 24] h is no range of whole hours


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]
    default: str | None = None

    def wish(self) -> str:
        """What is wanted, in words."""
        return f"one of {', '.join(self.words)}, or a list of them to choose from"

    def read(self, found: Any) -> tuple[str, tuple[Value, ...]]:
        """(what is wrong with `found` or "", the words)."""
        words = found if isinstance(found, list) else [found]
        if not words or any(word not in self.words for word in words):
            return f"must be {self.wish()}, not {found!r}", ()
        return "", tuple(words)


@dataclass(frozen=True, slots=True)
class Text:
    """Any words."""

    default: str | None = None

    def wish(self) -> str:
        """What is wanted, in words."""
        return "words in quotes"

    def read(self, found: Any) -> tuple[str, tuple[Value, ...]]:
        """(what is wrong with `found` or "", the words)."""
        return ("", (found,)) if isinstance(found, str) else (f"must be {self.wish()}, not {found!r}", ())


type Rule = Number | Choice | Text


class Args:
    """The values of one fault, drawn; `random` is its own, for what no field names (which bit flips)."""

    def __init__(self, values: Mapping[str, Value], seed: str) -> None:
        self.values = values
        self.random = Random(seed)

    def number(self, key: str) -> float:
        """A number by its name."""
        return float(self.values[key])

    def whole(self, key: str) -> int:
        """A whole number by its name."""
        return int(self.values[key])

    def word(self, key: str) -> str:
        """A word by its name."""
        return str(self.values[key])

    @property
    def zone(self) -> int:
        """The zone, from 0."""
        return int(self.values["zone"]) - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """`apply(life, args)` does it; where it `lasts`, it returns what takes it back. `says` is its line in the documents."""

    says: str
    apply: Callable[[Life, Args], Undo | None]
    fields: Mapping[str, Number | Choice] = field(default_factory=dict)
    lasts: bool = False


ZONE = Number(1, 4, 1, whole=True)
