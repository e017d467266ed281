"""Events and samples over any order of outages: of the broker, of what it remembers, of Wi-Fi and of Home Assistant. What was numbered is stored, or counted.

The one who stores keeps the wire's rules: it takes the next number only; when one is missing that the board still holds, it asks by its last ack again.
"""

import json
import random
from typing import Any

import pytest

from sim.broker import Message
from sprinkler import protocol

from .rig import Rig


class Keeper:
    """Stands for Home Assistant: stores in order, acknowledges what it stored, and can be away."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.here = True
        self.asked = False  # for what is missing, since something new came
        self.stored: dict[tuple[int, str], dict[int, Any]] = {}
        self.given_up: dict[tuple[int, str], set[int]] = {}
        rig.broker.subscribe(rig.topic(protocol.EVENT), self._event)
        rig.broker.subscribe(rig.topic(protocol.TELEMETRY), self._telemetry)

    def _event(self, message: Message) -> None:
        event = json.loads(message.payload)
        if self.here and self._take(event["boot_id"], "event", event["oldest"], [event]):
            self.acknowledge(event["boot_id"])

    def _telemetry(self, message: Message) -> None:
        told = json.loads(message.payload)
        if self.here and self._take(told["boot_id"], "sample", told["oldest"], told["samples"]):
            self.acknowledge(told["boot_id"])

    def last(self, boot_id: int, kind: str) -> int:
        known = self.stored.get((boot_id, kind), {}).keys() | self.given_up.get((boot_id, kind), set())
        return max(known, default=0)

    def _take(self, boot_id: int, kind: str, oldest: int, records: list[dict[str, Any]]) -> bool:
        """Store what comes next, and note what the board says that it gave up: below `oldest`, or between `after` and a number."""
        stored = self.stored.setdefault((boot_id, kind), {})
        before = len(stored)
        given_up = self.given_up.setdefault((boot_id, kind), set())
        for record in records:
            number, last = record["n"], self.last(boot_id, kind)
            given_up |= set(range(last + 1, min(oldest, number)))
            if "after" in record and record["after"] <= self.last(boot_id, kind):
                given_up |= set(range(self.last(boot_id, kind) + 1, number))
            if number == self.last(boot_id, kind) + 1:
                stored[number] = record
        if len(stored) > before:
            self.asked = False
            return True
        missing = records[0]["n"] > self.last(boot_id, kind) + 1 and not self.asked
        self.asked = self.asked or missing
        return missing

    def acknowledge(self, boot_id: int) -> None:
        ack = {"boot_id": boot_id, "event": self.last(boot_id, "event"), "sample": self.last(boot_id, "sample")}
        self.rig.send(protocol.ACK, ack, retain=True)

    def come_back(self) -> None:
        """As after a restart: the last ack again, so that the board says the rest once more."""
        self.here = True
        for boot_id in {boot_id for boot_id, _ in self.stored}:
            self.acknowledge(boot_id)


def trouble(rig: Rig, keeper: Keeper, chance: random.Random) -> None:
    """One more thing goes away or comes back."""
    network, broker = rig.board.network, rig.broker
    match chance.randrange(12):
        case 0:
            broker.stop(keep=chance.random() < 0.5)
        case 1 | 2 | 3:
            broker.start()
        case 4:
            keeper.here = False
        case 5 | 6:
            keeper.come_back()
        case 7:
            network.wifi_up = not network.wifi_up
        case 8:
            broker.drop("sprinkler-" + rig.board.device_id)
        case _:
            rig.command(
                "run", zone=chance.choice((1, 2)), run_time_s=chance.randint(5, 60), expires_at=int(rig.now()) + 20000
            )


@pytest.mark.parametrize("responsive", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_goes_away_in_whatever_order_no_event_or_sample_is_lost_that_is_not_counted(seed, responsive):
    chance = random.Random(seed)
    rig = Rig(responsive=responsive)
    keeper = Keeper(rig)
    starts = [500 + 40 * number for number in range(8)]  # so that there is something to tell of every outage
    days = {"weekdays": list(range(7)), "run_time_s": 30}
    rig.desired(
        1, programs=[{"id": i + 1, "zone": i % 2 + 1, "start_min": start, **days} for i, start in enumerate(starts)]
    )
    rig.run(60)
    for _ in range(40 if responsive else 120):
        trouble(rig, keeper, chance)
        rig.run(chance.choice((1, 20, 200, 2000) if responsive else (1, 60, 900, 4000)))
    rig.board.network.wifi_up = True
    rig.broker.stop()
    rig.broker.start()
    keeper.come_back()
    rig.run(600 if responsive else 5000)
    state = rig.state()
    boot_id = state["boot_id"]
    assert len({boot for boot, _ in keeper.stored}) == 1, "nobody took its memory"
    for kind, promised in (("event", state["event"]), ("sample", state["sample"])):
        stored, given_up = keeper.stored[boot_id, kind], keeper.given_up[boot_id, kind]
        missing = set(range(1, promised + 1)) - stored.keys() - given_up
        assert not {n for n in missing if n < promised - 1}, f"{kind}: {sorted(missing)}"
        assert len(given_up) <= rig.said(protocol.TELEMETRY)[-1]["dropped"]
        assert len(stored) >= (20 if kind == "sample" else 5)
    started = {e["run_id"] for e in keeper.stored[boot_id, "event"].values() if e["event"] == "run_started"}
    finished = {e["run_id"] for e in keeper.stored[boot_id, "event"].values() if e["event"] == "run_finished"}
    assert started == finished
    assert len(started) == len([move for move in rig.moves if move[2]])
    rig.board.stop()
