"""Frames and values of the wire to the interpreter; tools/micropython/port/wire.c says what they look like.

Rule: bytes in, values out, and back. No process, no hardware.
"""

import struct
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
    """A call from the interpreter. Since its last one: `work`: tens of jumps and returns that it made; `looks`: how often it looked at its ticks; `clock`:
    whether it read its clock."""

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


def interrupt(slot: int) -> bytes:
    """The frame that runs the handler of a callback slot."""
    return _sized(b"I" + struct.pack("<I", slot))


def measure(*, collect: bool, dump: bool = False) -> bytes:
    """The frame that asks for the heap's figures; `dump`: print what lies where in it, too, and every name."""
    return _sized(b"G" + bytes((2 if dump else collect,)))


class _Reader:
    """Takes a frame apart from front to back."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise WireError("a frame from the interpreter ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def count(self) -> int:
        return self.take(1)[0]

    def sized(self) -> bytes:
        (length,) = struct.unpack("<I", self.take(4))
        return self.take(length)

    def value(self) -> Value:
        kind = self.take(1)
        match kind:
            case b"N":
                return None
            case b"T" | b"F":
                return kind == b"T"
            case b"I":
                return int.from_bytes(self.take(8), "little", signed=True)
            case b"D":
                return float(struct.unpack("<d", self.take(8))[0])
            case b"S":
                return self.sized().decode()
            case b"B":
                return self.sized()
            case b"(":
                return tuple(self.value() for _ in range(self.count()))
            case b"[":
                return [self.value() for _ in range(self.count())]
            case b"O":
                name = self.sized().decode()
                return Ref(name, int.from_bytes(self.take(4), "little", signed=True))
        raise WireError(f"a value of unknown kind {kind!r} from the interpreter")


def decode(frame: bytes) -> Call | Heap | None:
    """A frame from the interpreter, without its length: a call, the heap's figures, or None: an interrupt has been handled."""
    reader = _Reader(frame)
    kind = reader.take(1)
    if kind == b"A":
        return None
    if kind == b"M":
        return Heap(*struct.unpack("<7I", reader.take(28)))
    if kind != b"C":
        raise WireError(f"a frame of unknown kind {kind!r} from the interpreter")
    work, looks, clock = struct.unpack("<IIB", reader.take(9))
    name = reader.sized().decode()
    args = reader.value()
    kwargs = {reader.sized().decode(): reader.value() for _ in range(reader.count())}
    if not isinstance(args, tuple):
        raise WireError("a call from the interpreter has no arguments")
    return Call(work, looks, bool(clock), name, args, kwargs)
