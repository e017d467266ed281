"""Frames and values of the wire to the interpreter; tools/micropython/port/wire.c says what they look like.

Rule: bytes in, values out, and back. No process, no hardware.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sim.errors import SimError

KINDS = (
    OSError,
    KeyError,
    IndexError,
    OverflowError,
    NotImplementedError,
    MemoryError,
    AttributeError,
    TypeError,
    ValueError,
)

type Value = Any  # None, bool, int, float, str, bytes, Ref, or a tuple or list of these


class WireError(SimError):
    """The interpreter and this program do not speak the same wire; build both from one checkout."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A hardware object as the interpreter names it: the type's name there, and a number."""

    type: str
    id: int


@dataclass(slots=True)
class Call:
    """A call from the interpreter. Since its last one: `feeds`: feedings of the watchdog, each with the `work` and `looks` since what was before it; then
    `work`: tens of jumps and returns that it made; `looks`: how often it looked at its ticks; `clock`: whether it read its clock."""

    feeds: tuple[tuple[int, int], ...]
    work: int
    looks: int
    clock: bool
    name: str
    args: tuple[Value, ...]
    kwargs: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Heap:
    """Figures of the heap in bytes; `largest` free piece, `peak` in use at any collection, `stack` of C in use; `names` that came with the program;
    `tightest`: the smallest that the largest free piece was at any collection."""

    used: int
    free: int
    largest: int
    peak: int
    stack: int
    names: int
    tightest: int


def _sized(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def _number(value: float) -> bytes:
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    return b"I" + struct.pack("<q", value)


def encode(value: object) -> bytes:
    """One value. Raises TypeError for what the interpreter cannot be told."""
    match value:
        case None:
            return b"N"
        case bool():
            return b"T" if value else b"F"
        case int() | float():
            return _number(value)
        case str():
            return b"S" + _sized(value.encode())
        case bytes() | bytearray() | memoryview():
            return b"B" + _sized(bytes(value))
        case tuple() | list():
            kind = b"(" if isinstance(value, tuple) else b"["
            return kind + bytes((len(value),)) + b"".join(encode(item) for item in value)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot go over the wire")


_NOW = struct.Struct("<BqqdII")


def now(ticks_us: int, clock_us: int, drift: float, work_us: int, look_us: int) -> bytes:
    """What time it is, as part of an answer: the interpreter then reckons it by itself until its next call. `work_us`, `look_us`: what ten jumps, and a
    look at the ticks, cost."""
    return _NOW.pack(1, ticks_us, clock_us, drift, work_us, look_us)


ASK = bytes(_NOW.size)  # instead of that: every look at the time is a call


def answer(value: object, now: bytes = ASK) -> bytes:
    """The frame that answers a call."""
    return _sized(b"R" + now + encode(value))


def error(raised: Exception, now: bytes = ASK) -> bytes:
    """The frame that makes a call raise; arguments that cannot travel are left behind."""
    args = tuple(arg for arg in raised.args if isinstance(arg, str | bytes | int))[:1]  # of OSError the number alone
    name = next(base.__name__ for base in (*KINDS, type(raised)) if isinstance(raised, base))
    return _sized(b"E" + now + _sized(name.encode()) + encode(args))


def interrupt(slot: int, times: int = 1) -> bytes:
    """The frame that runs the handler of a callback slot, so many times."""
    return _sized(b"I" + struct.pack("<II", slot, times))


def measure(*, collect: bool, dump: bool = False) -> bytes:
    """The frame that asks for the heap's figures; `dump`: print what lies where in it, too, and every name."""
    return _sized(b"G" + bytes((2 if dump else collect,)))


_SIZE, _COUNTS, _TOLD = struct.Struct("<I"), struct.Struct("<II"), struct.Struct("<IIB")
_I64, _F64, _I32, _HEAP = struct.Struct("<q"), struct.Struct("<d"), struct.Struct("<i"), struct.Struct("<7I")

type Read = tuple[Value, int]  # a value, and where in the frame it ends


def _sized_at(data: bytes, at: int) -> tuple[bytes, int]:
    """What is as long as the word before it says."""
    start = at + 4
    end = start + _SIZE.unpack_from(data, at)[0]
    if end > len(data):
        raise IndexError
    return data[start:end], end


def _text_at(data: bytes, at: int) -> tuple[str, int]:
    content, at = _sized_at(data, at)
    return content.decode(), at


def _items_at(data: bytes, at: int) -> tuple[list[Value], int]:
    items = []
    count = data[at]
    at += 1
    for _ in range(count):
        item, at = _value_at(data, at)
        items.append(item)
    return items, at


def _tuple_at(data: bytes, at: int) -> Read:
    items, at = _items_at(data, at)
    return tuple(items), at


def _object_at(data: bytes, at: int) -> Read:
    name, at = _text_at(data, at)
    return Ref(name, _I32.unpack_from(data, at)[0]), at + 4


_READERS: dict[int, Callable[[bytes, int], Read]] = {
    ord("N"): lambda _, at: (None, at),
    ord("T"): lambda _, at: (True, at),
    ord("F"): lambda _, at: (False, at),
    ord("I"): lambda data, at: (_I64.unpack_from(data, at)[0], at + 8),
    ord("D"): lambda data, at: (_F64.unpack_from(data, at)[0], at + 8),
    ord("S"): _text_at,
    ord("B"): _sized_at,
    ord("("): _tuple_at,
    ord("["): _items_at,
    ord("O"): _object_at,
}


def _value_at(data: bytes, at: int) -> Read:
    read = _READERS.get(data[at])
    if read is None:
        raise WireError(f"a value of unknown kind {data[at : at + 1]!r} from the interpreter")
    return read(data, at + 1)


def _call(data: bytes) -> Call:
    at = 2 + data[1] * _COUNTS.size
    feeds = tuple(_COUNTS.iter_unpack(data[2:at]))
    work, looks, clock = _TOLD.unpack_from(data, at)
    name, at = _text_at(data, at + _TOLD.size)
    args, at = _value_at(data, at)
    if not isinstance(args, tuple):
        raise WireError("a call from the interpreter has no arguments")
    kwargs = {}
    left = data[at]
    at += 1
    for _ in range(left):
        key, at = _text_at(data, at)
        kwargs[key], at = _value_at(data, at)
    return Call(feeds, work, looks, bool(clock), name, args, kwargs)


def decode(frame: bytes) -> Call | Heap | None:
    """A frame from the interpreter, without its length: a call, the heap's figures, or None: an interrupt has been handled. Raises WireError."""
    try:
        match frame[:1]:
            case b"C":
                return _call(frame)
            case b"A":
                return None
            case b"M":
                return Heap(*_HEAP.unpack_from(frame, 1))
    except (IndexError, struct.error) as error:
        raise WireError("a frame from the interpreter ends too early") from error
    raise WireError(f"a frame of unknown kind {frame[:1]!r} from the interpreter")
