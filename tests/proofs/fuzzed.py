"""Fuzzed: the MQTT codec under coverage-guided fuzzing, in this very interpreter. `python -m tests.proofs.fuzzed --help`

Rule: an input that takes a road through firmware/sprinkler/mqtt.py that none took before (its branches, counted in powers of two, by `sys.monitoring`) is
kept and changed further. Each input is fed whole and in pieces. What must hold: packets or a LinkError and nothing else, the same packets however the bytes are
cut, and never more held than one message and its header.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable
from types import CodeType

from sim import mqtt as wire
from sprinkler import mqtt
from sprinkler.errors import LinkError

SIZE_MAX = 300
HELD_MAX = SIZE_MAX + 5
INPUT_MAX = 1200
TOOL = 3  # of sys.monitoring, which leaves 3 and 4 to anyone
EVENTS = sys.monitoring.events

SEEDS = (
    b"\x20\x02\x01\x00", b"\x40\x02\x01\x02", b"\x90\x04\x00\x07\x01\x80", b"\xd0\x00", b"\x30\x05\x00\x03a/bhi"[:9], b"\x3b\x09\x00\x03a/b\x00\x0ahi",
    wire.publish(wire.Publish("solar/command", b"x" * 400, 1, retain=False, dup=False, packet_id=77)),
)  # fmt: skip


class BrokenError(Exception):
    """The codec did what it must not do; says what."""


class Roads:
    """Which branches of the codec an input takes, and how often."""

    def __init__(self) -> None:
        self.taken: dict[tuple[CodeType, int, int], int] = {}
        self.known: set[tuple[CodeType, int, int, int]] = set()
        self.branches: set[tuple[CodeType, int, int]] = set()

    def __enter__(self) -> Roads:
        sys.monitoring.use_tool_id(TOOL, "fuzzed")
        for event in (EVENTS.BRANCH_LEFT, EVENTS.BRANCH_RIGHT):
            sys.monitoring.register_callback(TOOL, event, self._note)
        for code in codes():
            sys.monitoring.set_local_events(TOOL, code, EVENTS.BRANCH_LEFT | EVENTS.BRANCH_RIGHT)
        return self

    def __exit__(self, *_: object) -> None:
        for code in codes():
            sys.monitoring.set_local_events(TOOL, code, 0)
        sys.monitoring.free_tool_id(TOOL)

    def _note(self, code: CodeType, start: int, end: int) -> None:
        road = (code, start, end)
        self.taken[road] = self.taken.get(road, 0) + 1

    def is_new(self) -> bool:
        """Was there something in the last input that no other had? Forgets it."""
        found = {(*road, count.bit_length()) for road, count in self.taken.items()}
        self.branches |= self.taken.keys()
        self.taken = {}
        new = not found <= self.known
        self.known |= found
        return new


def codes() -> list[CodeType]:
    """The code of what takes bytes from a broker."""
    kinds = (mqtt.Decoder.feed, mqtt.Decoder._begin, mqtt.Decoder._finish, mqtt._parse, mqtt._parse_publish)
    return [kind.__code__ for kind in kinds]


def all_branches() -> int:
    """How many roads there are out of all branches of that code."""
    return sum(2 for code in codes() for _ in code.co_branches())


def packets(data: bytes, pieces: Iterable[int]) -> tuple[list[tuple[object, ...]], bool]:
    """(packets, whether the connection was closed) of `data` in those pieces. Raises BrokenError."""
    decoder, found, sizes = mqtt.Decoder(SIZE_MAX), [], iter(pieces)
    while data:
        size = next(sizes, len(data))
        try:
            found += decoder.feed(data[:size])
        except LinkError:
            return found, True
        except Exception as error:
            raise BrokenError(f"{type(error).__name__}: {error}") from error
        if len(decoder._packet or b"") + len(decoder._head) > 2 * HELD_MAX or len(decoder._packet or b"") > HELD_MAX:
            raise BrokenError(f"holds {len(decoder._packet or b'')} bytes")
        data = data[size:]
    return found, False


def judge(data: bytes, chance: random.Random) -> None:
    """Feed one input whole and in pieces. Raises BrokenError."""
    whole, closed = packets(data, ())
    for packet in whole:
        if packet[0] not in (mqtt.CONNACK, mqtt.PUBLISH, mqtt.PUBACK, mqtt.SUBACK, mqtt.PINGRESP):
            raise BrokenError(f"a packet of kind {packet[0]}")
    cut, closed_too = packets(data, [chance.randint(1, 9) for _ in range(chance.randint(1, 40))])
    if closed != closed_too or (not closed and comparable(whole) != comparable(cut)):
        raise BrokenError(f"{comparable(whole)}, but in pieces {comparable(cut)}")


def comparable(found: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Packets with their payloads as bytes."""
    return [tuple(bytes(part) if isinstance(part, memoryview) else part for part in packet) for packet in found]


def changed(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A mutation, or several, of `data`; `other` may lend some bytes."""
    out = bytearray(data)
    for _ in range(1 << chance.randrange(4)):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(7):
            case 0 if out:
                out[at % len(out)] ^= 1 << chance.randrange(8)
            case 1 if out:
                out[at % len(out)] = chance.choice(
                    (0, 1, 2, 0x7F, 0x80, 0xFF, 0x20, 0x30, 0x32, 0x40, 0x90, 0xD0, chance.randrange(256))
                )
            case 2:
                out[at:at] = chance.randbytes(chance.randint(1, 8))
            case 3:
                del out[at : at + chance.randint(1, 8)]
            case 4:
                out[at:at] = out[at : at + chance.randint(1, 64)]
            case 5:
                start = chance.randrange(len(other) + 1)
                out[at:at] = other[start : start + chance.randint(1, 400)]
            case _:
                out[at:at] = bytes((chance.choice((0x20, 0x30, 0x32, 0x34, 0x40, 0x90, 0xD0)), chance.randrange(160)))
    return bytes(out[:INPUT_MAX])


def fuzz(seconds: float, executions: int, seed: int) -> dict[str, object]:
    """Fuzz until either runs out; the figures. Raises BrokenError with the input in it."""
    chance = random.Random(seed)
    corpus = list(SEEDS)
    began_s, count = time.perf_counter(), 0
    with Roads() as roads:
        while count < executions and (count % 256 or time.perf_counter() - began_s < seconds):
            data = (
                corpus[count] if count < len(SEEDS) else changed(chance.choice(corpus), chance.choice(corpus), chance)
            )
            count += 1
            try:
                judge(data, chance)
            except BrokenError as error:
                raise BrokenError(f"{error}; input {data.hex()}, seed {seed}") from error
            if roads.is_new() and count > len(SEEDS):
                corpus.append(data)
    took_s = time.perf_counter() - began_s
    return {
        "executions": count, "executions_per_s": round(count / took_s), "seconds": round(took_s, 1), "corpus": len(corpus),
        "branches": len(roads.branches), "branches_all": all_branches(),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Fuzz; exit code 1 and the input if something broke."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.fuzzed",
        description="Coverage-guided fuzzing of the MQTT codec.",
        epilog="example: python -m tests.proofs.fuzzed --seconds 600",
    )
    parser.add_argument("--seconds", metavar="N", type=float, default=300.0, help="how long (default %(default)s)")
    parser.add_argument("--executions", metavar="N", type=int, default=10**12, help="at most so many inputs")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="(default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a line")
    options = parser.parse_args(arguments)
    try:
        found = fuzz(options.seconds, options.executions, options.seed)
    except BrokenError as error:
        print(f"fuzzed: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['executions']} executions in {found['seconds']} s, {found['executions_per_s']} a second; {found['branches']} of {found['branches_all']}"
            f" ways out of branches taken, {found['corpus']} inputs kept; nothing broke"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
