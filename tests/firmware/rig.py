"""A board under test: the whole firmware on the simulated port, with someone who speaks for Home Assistant."""

import json
from typing import Any

from sim.board import SimulatedBoard
from sim.broker import Broker
from sim.provision import Settings
from sim.world import Scenario, World
from sprinkler import protocol
from sprinkler.auth import sign

START = 1_800_000_000  # 2027-01-15 08:00 UTC, a Friday


class Rig:
    """One board in a dry, cloudless world. Virtual time; nothing here sleeps."""

    def __init__(
        self, *, zones: int = 2, responsive: bool = True, scenario: dict[str, Any] | None = None, **settings: Any
    ) -> None:
        self.world = World(Scenario(zones=zones, clouds=False, **(scenario or {})))
        self.broker = Broker()
        self.board = SimulatedBoard(
            self.world, self.broker, settings=Settings(always_responsive=responsive, **settings), seed=1
        )
        self.world.parts_ma = self.board.bench.flow_meter_ma = 0.0  # the battery's tests are about the board's own draw
        self.key = self.board.key
        self.counter = 0
        self.moves: list[tuple[float, int, bool]] = []
        self.world.on_valve.append(
            lambda zone: self.moves.append((self.now(), zone + 1, self.world.zones[zone].valve.open))
        )
        self._read = 0

    def now(self) -> float:
        """True time in Unix seconds."""
        return self.world.unix_s()

    def run(self, seconds: float) -> None:
        self.board.run_for(seconds)

    def settle(self) -> None:
        """Boot, connect, set the clock, verify every valve."""
        self.run(15)

    def topic(self, leaf: str) -> str:
        return protocol.topic(self.board.device_id, leaf)

    # What Home Assistant says

    def send(self, leaf: str, content: dict[str, Any], *, retain: bool = False, key: bytes | None = None) -> None:
        """Publish a signed message."""
        topic = self.topic(leaf)
        self.broker.publish(topic, sign(key or self.key, topic, json.dumps(content).encode()), retain=retain)

    def command(self, command: str, *, retain: bool = False, key: bytes | None = None, **fields: Any) -> str:
        """Publish a good command (unless `fields` spoil it); its id."""
        self.counter += 1
        content = {
            "id": f"c{self.counter}",
            "counter": int(self.now() * 1000) + self.counter,
            "expires_at": int(self.now()) + 120,
            "command": command,
        }
        content.update(fields)
        self.send(protocol.COMMAND, content, retain=retain, key=key)
        return content["id"]

    def desired(self, version: int = 1, programs: list[dict[str, Any]] | None = None, **settings: Any) -> None:
        self.send(protocol.DESIRED, {"version": version, "settings": settings, "programs": programs or []}, retain=True)

    # What the board says

    def said(self, leaf: str) -> list[dict[str, Any]]:
        """Everything the board published on a topic."""
        return [
            json.loads(m.payload.split(b"\n")[0])
            for m in self.broker.messages(self.topic(leaf))
            if m.sender.startswith("sprinkler-")
        ]

    def state(self) -> dict[str, Any]:
        return self.said(protocol.STATE)[-1]

    def zone(self, zone: int = 1) -> dict[str, Any]:
        return self.state()["zones"][zone - 1]

    def reply(self, command_id: str) -> dict[str, Any]:
        """The one answer to a command."""
        (reply,) = [r for r in self.said(protocol.REPLY) if r["id"] == command_id]
        return reply

    def events(self, event: str) -> list[dict[str, Any]]:
        """Events of a kind, each number once."""
        found = {(e["boot_id"], e["n"]): e for e in self.said(protocol.EVENT) if e["event"] == event}
        return list(found.values())

    # What is true

    def open_zones(self) -> list[int]:
        return [i + 1 for i, zone in enumerate(self.world.zones) if zone.valve.open]

    def litres(self, zone: int = 1) -> float:
        """The independent meter."""
        self.world.advance()
        return self.world.zones[zone - 1].meter_ml / 1000

    def opened_s(self) -> float:
        """How long a valve was open in all, so far."""
        total, since = 0.0, {}
        for at, zone, is_open in [*self.moves, *[(self.now(), z, False) for z in self.open_zones()]]:
            if is_open:
                since.setdefault(zone, at)
            elif zone in since:
                total += at - since.pop(zone)
        return total
