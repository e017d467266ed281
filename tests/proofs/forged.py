"""Forged: commands that must not water, by the hundred thousand, on the shipped firmware with its real signatures. `python -m tests.proofs.forged --help`

Rule: every message goes through the shipped codec and inbox of a board that runs in the simulator. It counts as accepted if it asked anything of the
core, or if the water meter moved; as answered if the board said why not, or counted it as tampering. After every bad batch a good command must get through,
so that a deaf board proves nothing.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sim import mqtt as wire
from sim.board import SimulatedBoard
from sim.broker import Broker
from sim.crew import Crew, Tell
from sim.provision import Settings
from sim.world import Scenario, World
from sprinkler import app as application
from sprinkler import auth, mqtt, protocol

BATCH = 500
OTHER = "ffffffff"
SIZE_MAX = 2560  # what the board's decoder holds (joining.py)


@dataclass
class Tally:
    """What became of so many messages of one kind."""

    messages: int = 0
    accepted: int = 0
    answered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class Target:
    """A board that is up, has the time, and would water for anyone with the key."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        begin, apps = application.App.__init__, []

        def caught(app: application.App, board: object) -> None:
            apps.append(app)
            begin(app, board)

        application.App.__init__ = caught  # type: ignore[method-assign]
        try:
            self.world = World(Scenario(zones=2, clouds=False, seed=seed))
            self.board = SimulatedBoard(
                self.world, Broker(keep_log=False), settings=Settings(always_responsive=True), seed=seed
            )
            self.board.run_for(15)
        finally:
            application.App.__init__ = begin  # type: ignore[method-assign]
        (self.app,) = apps
        self.decoder = mqtt.Decoder(SIZE_MAX)
        self.topic = protocol.topic(self.board.device_id, protocol.COMMAND)
        self.key = self.board.key
        self.count = 0
        self.spent: list[bytes] = []  # good ones that the board has taken
        self.said: list[tuple[bool, str]] = []
        self.app.outbox.reply = lambda _id, accepted, reason, *_: self.said.append((accepted, reason))

    def now(self) -> int:
        """By the board's own clock, which is what a command expires by."""
        return int(self.app.clock.unix(self.app.clock.now_s()))

    def run(self, **changes: Any) -> dict[str, Any]:
        """A command that would water, spoiled by `changes`; its counter is fresh."""
        self.count += 1
        return {
            "id": f"f{self.count % 10**12}", "counter": max(self.app.memory.counter, self.now() * 1000) + 1 + self.random.randrange(1000),
            "expires_at": self.now() + 120, "command": "run", "zone": 1, "run_time_s": 600, **changes,
        }  # fmt: skip

    def signed(self, content: Any, *, key: bytes | None = None, topic: str | None = None) -> bytes:
        return auth.sign(key or self.key, topic or self.topic, json.dumps(content).encode())

    def hear(self, payload: bytes, *, topic: str | None = None, retained: bool = False) -> tuple[int, int, str]:
        """Through codec and inbox: (requests, answers, reason)."""
        message = wire.Publish(topic or self.topic, payload, 1, retained, dup=False, packet_id=1)
        suspicious, self.said = self.app.inbox.suspicious, []
        for packet in self.decoder.feed(wire.publish(message)):
            self.app.inbox.hear(packet[1], packet[2], packet[4])
        requests, _ = self.app.inbox.take()
        counted = self.app.inbox.suspicious - suspicious
        reason = self.said[0][1] if self.said else ("tampering" if counted else "")
        return len(requests) + sum(accepted for accepted, _ in self.said), counted + len(self.said), reason

    def good(self) -> bool:
        """A good command still gets through; what it asks for is not carried out."""
        payload = self.signed(self.run())
        self.spent = [*self.spent[-99:], payload]
        return self.hear(payload)[0] == 1

    def watered(self) -> bool:
        """Let the board live for a moment; has water run since it was made?"""
        self.board.run_for(0.3)
        self.world.advance()
        return any(zone.valve.open or zone.meter_ml for zone in self.world.zones)


# What is sent: each makes one payload, with the topic and the retain flag it comes with


def _unsigned(t: Target) -> bytes:
    body = json.dumps(t.run()).encode()
    return t.random.choice(
        (body, body + b"\n", body + b"\n" + b"0" * 32, body + b"\n" + t.random.randbytes(16).hex().encode())
    )


def _replayed(t: Target) -> bytes:
    return (
        t.random.choice(t.spent)
        if t.random.random() < 0.5
        else t.signed(t.run(counter=t.random.randint(1, max(1, t.app.memory.counter))))
    )


def _expired(t: Target) -> bytes:
    return t.signed(t.run(expires_at=t.now() - t.random.choice((0, 1, 60, 86400, t.now()))))


def _from_the_future(t: Target) -> bytes:
    late = t.now() + protocol.EXPIRES_S_MAX + t.random.randint(2, 10**6)
    return t.signed(t.run(**t.random.choice(({"expires_at": late}, {"counter": late * 1000}, {"counter": 2**48}))))


def _other_key(t: Target) -> bytes:
    return t.signed(t.run(), key=t.random.choice((bytes(16), t.random.randbytes(16), t.key[:15], t.key[::-1])))


def _other_topic(t: Target) -> bytes:
    leaf, device = t.random.choice(protocol.TO_BOARD), t.board.device_id
    topic = protocol.topic(*((device, leaf) if leaf != protocol.COMMAND else (OTHER, leaf)))
    return t.signed(t.run(), topic=topic)


def _downgraded(t: Target) -> bytes:
    """A weaker signature, or a command of a protocol without counter or expiry."""
    body = json.dumps(t.run()).encode()
    signed = auth.sign(t.key, t.topic, body)
    weaker = (
        signed[:-1], signed[:-16], body + b"\n" + signed[-32:].upper(), body + signed[-32:], signed + b"\n", auth.sign(t.key, "", body),
        auth.sign(b"", t.topic, body), body + b"\n" + hashlib.sha256(body).hexdigest()[:32].encode(),
    )  # fmt: skip
    if t.random.random() < 0.6:
        return t.random.choice(weaker)
    content = t.run()
    del content[t.random.choice(("id", "counter", "expires_at", "zone", "run_time_s"))]
    return t.signed({**content, "protocol": 0})


def _oversized(t: Target) -> bytes:
    return t.signed(t.run(note="x" * t.random.choice((2048, 2300, 3000))))


def _flipped(t: Target) -> bytes:
    payload = bytearray(t.signed(t.run()))
    for bit in t.random.sample(
        range(len(payload) * 8), t.random.choice((1, 1, 1, 2, 3))
    ):  # none twice: that is no flip
        payload[bit // 8] ^= 1 << bit % 8
    return bytes(payload)


def _absurd(t: Target) -> bytes:
    """The key is right, the content is not."""
    spoil: tuple[dict[str, Any], ...] = (
        {"zone": 0}, {"zone": 3}, {"zone": -1}, {"zone": "1"}, {"zone": True}, {"zone": 1.0}, {"run_time_s": -1}, {"run_time_s": 86401},
        {"run_time_s": "60"}, {"run_time_s": None}, {"command": "RUN"}, {"command": "open"}, {"command": ["run"]}, {"id": ""}, {"id": "x" * 17},
        {"id": 7}, {"counter": -1}, {"counter": 1.5}, {"counter": "9"}, {"expires_at": "soon"}, {"expires_at": 2**32},
    )  # fmt: skip
    return t.signed(t.run(**t.random.choice(spoil)))


KINDS: dict[str, Callable[[Target], bytes]] = {
    "unsigned": _unsigned,
    "replayed": _replayed,
    "expired": _expired,
    "from the future": _from_the_future,
    "another key": _other_key,
    "signed for another topic or board": _other_topic,
    "downgraded": _downgraded,
    "oversized": _oversized,
    "retained": lambda t: t.signed(t.run()),
    "bits flipped": _flipped,
    "absurd": _absurd,
}


def batches(target: Target, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` bad messages, their kinds in turn."""
    names = list(KINDS)
    for number in range(count):
        kind = names[number % len(names)]
        yield kind, KINDS[kind](target)


def attack(item: tuple[int, int], tell: Tell) -> dict[str, Any]:
    """One board, `item` = (seed, messages): tallies by kind, whether good commands got through, whether water ran."""
    seed, count = item
    target = Target(seed)
    tallies = {kind: Tally() for kind in KINDS}
    heard = goods = 0
    watered = False
    for number, (kind, payload) in enumerate(_after_a_good_one(target, count)):
        requests, answers, reason = target.hear(payload, retained=kind == "retained")
        tally = tallies[kind]
        tally.messages += 1
        tally.accepted += requests > 0
        tally.answered += answers > 0
        tally.reasons[reason] += 1
        if number % BATCH == BATCH - 1:
            goods, heard = goods + 1, heard + target.good()
            watered = target.watered() or watered
            if tell((number + 1) / count):
                break
    watered = target.watered() or watered
    target.board.stop()
    return {"tallies": tallies, "good": goods, "heard": heard, "watered": watered}


def _after_a_good_one(target: Target, count: int) -> Iterator[tuple[str, bytes]]:
    target.good()  # there is something to replay
    yield from batches(target, count)


def summary(found: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """All boards' figures as one object."""
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        tallies = [one["tallies"][kind] for one in found]
        reasons: Counter[str] = sum((tally.reasons for tally in tallies), Counter())
        figures = {
            name: sum(getattr(tally, name) for tally in tallies) for name in ("messages", "accepted", "answered")
        }
        kinds[kind] = {**figures, "reasons": dict(reasons.most_common())}
    total = {name: sum(kind[name] for kind in kinds.values()) for name in ("messages", "accepted", "answered")}
    good = {name: sum(one[name] for one in found) for name in ("good", "heard")}
    return {
        **total,
        **good,
        "watered": any(one["watered"] for one in found),
        "seconds": round(seconds, 1),
        "kinds": kinds,
    }


def holds(result: dict[str, Any]) -> bool:
    """Nothing accepted, everything answered, no water, and every good command heard."""
    return (
        not result["accepted"]
        and not result["watered"]
        and result["answered"] == result["messages"]
        and result["heard"] == result["good"]
    )


def _show(result: dict[str, Any]) -> None:
    print(f"{'kind':36} {'messages':>9} {'accepted':>9} {'answered':>9}  refused as")
    for kind, row in result["kinds"].items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in row["reasons"].items())
        print(f"{kind:36} {row['messages']:>9} {row['accepted']:>9} {row['answered']:>9}  {reasons}")
    print(f"{'all':36} {result['messages']:>9} {result['accepted']:>9} {result['answered']:>9}")
    print(
        f"good commands between them: {result['good']}, heard: {result['heard']}; water ran: {'yes' if result['watered'] else 'no'}; {result['seconds']} s"
    )


def main(arguments: list[str] | None = None) -> int:
    """Send them; exit code 1 if one was accepted, one was passed over in silence, or a good one was not heard."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.forged",
        description="Commands that must not water, on the shipped firmware.",
        epilog="example: python -m tests.proofs.forged --messages 1000000 --jobs 2",
    )
    parser.add_argument("--messages", metavar="N", type=int, default=1_000_000, help="how many (default %(default)s)")
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the first board (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args(arguments)
    if options.messages < 1 or options.jobs < 1:
        parser.error("--messages and --jobs want 1 or more")
    boards = max(options.jobs, options.messages // 50_000)
    items = [(options.seed + number, -(-options.messages // boards)) for number in range(boards)]

    def progress(part: float) -> bool:
        if sys.stderr.isatty():
            print(f"\r{part:4.0%} ", end="", file=sys.stderr, flush=True)
        return False

    began_s = time.monotonic()
    result = summary(Crew(options.jobs).do(attack, items, progress), time.monotonic() - began_s)
    if options.json:
        print(json.dumps(result))
    else:
        _show(result)
    return 0 if holds(result) else 1


if __name__ == "__main__":
    sys.exit(main())
