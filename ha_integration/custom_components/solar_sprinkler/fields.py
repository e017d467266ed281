"""Strict readers for the values of a JSON object, one per dataclass field.

Rule: a model states beside each field how it is read (`n: int = integer(COUNT)`); `read` builds the model from an object or raises
ModelError. Unknown keys are ignored. Knows no message and nothing of Home Assistant.
"""

from collections.abc import Callable
from dataclasses import MISSING, field, fields
from functools import cache
import json
import re
from typing import Any

from .errors import ModelError

type Reader = Callable[[str, Any], Any]  # (key, value) -> checked value

WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
LISTED_MAX = 64  # entries of any list
_READER = "reader"


def _fail(key: str, expected: str) -> ModelError:
    return ModelError(f"{key} is not {expected}")


def integer(limits: tuple[int, int]) -> Any:
    """An integer within `limits`, both included; true and false are none."""
    low, high = limits

    def reader(key: str, value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _fail(key, f"an integer from {low} to {high}")
        return value

    return _field(reader)


def maybe(inner: Any) -> Any:
    """What `inner` reads, or null: the board has no such sensor, or it failed."""
    read_inner: Reader = inner.metadata[_READER]
    return _field(lambda key, value: None if value is None else read_inner(key, value))


def optional(inner: Any, default: Any) -> Any:
    """What `inner` reads; a key that is not there, as an older firmware leaves it out, reads as `default`."""
    return field(default=default, metadata=inner.metadata)


def truth() -> Any:
    """True or false."""

    def reader(key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise _fail(key, "true or false")
        return value

    return _field(reader)


def text(pattern: re.Pattern[str]) -> Any:
    """A string that matches `pattern` as a whole."""

    def reader(key: str, value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _fail(key, f"text like {pattern.pattern}")
        return value

    return _field(reader)


def word() -> Any:
    """Any short lower-case word, known or not."""
    return text(WORD)


def word_or_empty() -> Any:
    """A word, or the empty string for none."""
    return text(re.compile(f"(?:{WORD.pattern})?"))


def one_of(words: tuple[str, ...], otherwise: str | None = None) -> Any:
    """A word of `words`; another word becomes `otherwise`, or is refused when that is None."""
    read_word: Reader = word().metadata[_READER]

    def reader(key: str, value: Any) -> str:
        found: str = read_word(key, value)
        if found in words:
            return found
        if otherwise is None:
            raise _fail(key, " or ".join(words))
        return otherwise

    return _field(reader)


def several(inner: Any, most: int = LISTED_MAX) -> Any:
    """A list of at most `most` entries, each as `inner` reads it."""
    read_inner: Reader = inner.metadata[_READER]

    def reader(key: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise _fail(key, f"a list of at most {most}")
        return tuple(read_inner(key, entry) for entry in value)

    return _field(reader)


def mapping() -> Any:
    """Any object, as it is."""

    def reader(key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _fail(key, "an object")
        return value

    return _field(reader)


def nested(model: type) -> Any:
    """An object that is itself a model."""
    return _field(lambda _key, value: read(model, value))


def _field(reader: Reader) -> Any:
    return field(metadata={_READER: reader})


@cache
def _plan(model: type) -> tuple[tuple[str, Reader, bool], ...]:
    """Key, reader, and whether it may be left out, of each field; looked up once, because a state is read for every change on a board."""
    return tuple((each.name, each.metadata[_READER], each.default is not MISSING) for each in fields(model))


def read[Model](model: type[Model], value: Any) -> Model:
    """Build `model` from a decoded JSON object; raises ModelError."""
    if not isinstance(value, dict):
        raise ModelError("not an object")
    found = {}
    for name, reader, is_optional in _plan(model):  # type: ignore[arg-type]  # a class can be hashed, whatever mypy thinks of it
        if name in value:
            found[name] = reader(name, value[name])
        elif not is_optional:
            raise ModelError(f"{name} is missing")
    return model(**found)


def decode(body: bytes, length_max: int) -> Any:
    """Decode JSON text of at most `length_max` bytes, UTF-8; raises ModelError."""
    if len(body) > length_max:
        raise ModelError(f"{len(body)} bytes, more than {length_max}")
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested too deeply
        raise ModelError("not JSON") from error
