"""An update of the real firmware on the real interpreter: another bytecode runs afterwards, or the old one again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sim.broker import Broker
from sim.provision import Settings
from sim.remote import RemoteBoard
from sim.rom import SLOT_BYTES
from sim.world import Scenario, World
from tests.firmware.updates import Sender
from tests.micropython.conftest import COLLECT_EVERY
from tests.micropython.firmwares import version
from tools.micropython.package import build


class Rig:
    """A board on the interpreter, and someone who offers it `image`."""

    def __init__(self, image: bytes, *, zones: int = 4, responsive: bool = True) -> None:
        self.broker = Broker()
        self.world = World(Scenario(zones=zones, clouds=False))
        settings = Settings(zones=zones, always_responsive=responsive)
        self.board = RemoteBoard(
            self.world, self.broker, settings=settings, seed=1, build=build(), collect=COLLECT_EVERY
        )
        self.sender = Sender(self.board, self.broker, self.board.key, image)
        self.moves: list[int] = []
        self.world.on_valve.append(lambda zone: self.moves.append(zone + 1))

    def until(self, holds: Callable[[], bool], seconds: int) -> None:
        """Let time pass until `holds`."""
        for _ in range(seconds):
            self.board.run_for(1)
            if holds():
                return
        pytest.fail(f"not within {seconds} s; told {self.sender.told[-3:]}; printed {self.board.text[-2000:]}")

    def announced(self) -> str:
        """The version that the board's announce at the broker names."""
        topic = f"solar_sprinkler/{self.board.device_id}/announce"
        return str(json.loads(self.broker.retained[topic].payload.split(b"\n")[0])["firmware"])


@pytest.fixture
def make(peaks: dict[str, int], request: pytest.FixtureRequest) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def rig(*arguments: Any, **more: Any) -> Rig:
        rigs.append(Rig(*arguments, **more))
        return rigs[-1]

    yield rig
    for made in rigs:
        made.board.close()
        if made.board.heaps:
            peaks[request.node.name] = max(heap.peak for heap in made.board.heaps)


def test_another_version_arrives_runs_and_is_confirmed(make: Callable[..., Rig], note: Callable[[str], None]):
    made = version("0.2.0")
    rig = make(made.image)
    rig.until(lambda: rig.sender.last == ("none", ""), 40)
    assert rig.announced() == "0.1.0"
    began_us, erases = rig.board.timeline.now_us, sum(rig.board.image.erases)
    rig.sender.offer(size=made.manifest["size"], sha256=made.manifest["sha256"])
    rig.until(lambda: rig.sender.last[0] == "trial", 200)
    took_s = (rig.board.timeline.now_us - began_us) / 1e6
    erases = sum(rig.board.image.erases) - erases
    assert rig.announced() == "0.2.0", "what runs is what is told"
    rig.until(lambda: rig.sender.last == ("installed", ""), 100)
    assert rig.sender.told[-1]["firmware"] == "0.2.0"
    assert rig.board.image.path.read_bytes()[0xB0000 + SLOT_BYTES :].startswith(made.image)
    rig.board.power_cut()
    rig.board.run_for(30)
    assert rig.announced() == "0.2.0", "it stays"
    assert rig.moves == []
    assert "Traceback" not in rig.board.text
    note(
        f"update of {len(made.image)} B: {took_s:.0f} s until the new version reports, {rig.sender.sent_bytes} B sent, "
        f"{len(rig.sender.asked)} requests, {erases} sectors erased"
    )


@pytest.mark.parametrize(
    ("what", "file", "old", "new"),
    [
        (
            "falls at its start",
            "app.py",
            "    def run(self) -> None:",
            "    def run(self):\n        raise ValueError('new')",
        ),
        (
            "hangs at its start",
            "app.py",
            "    def run(self) -> None:",
            "    def run(self) -> None:\n        while True:\n            self._ms = 1",
        ),
        (
            "hangs while it is imported",
            "led.py",
            "\n\ndef show",
            "\n\nfor _ in range(10**9):\n    SHOWN_MS\n\n\ndef show",
        ),
        (
            "never reaches its broker",
            "joining.py",
            "    wlan = link.wlan\n",
            "    wlan = link.wlan\n    raise OSError(5)\n",
        ),
    ],
    ids=lambda value: value.replace(" ", "_") if " " in str(value)[:20] and len(str(value)) < 30 else "",
)
def test_a_version_that_does_not_hold_rolls_back_and_says_so(
    make: Callable[..., Rig], what: str, file: str, old: str, new: str
):
    made = version("0.2.0", file, old, new)
    rig = make(made.image, zones=1)
    rig.until(lambda: rig.sender.last == ("none", ""), 40)
    rig.sender.offer(size=made.manifest["size"], sha256=made.manifest["sha256"])
    rig.until(lambda: rig.sender.last[0] == "restarting", 200)
    rig.world.move_valve(0, opens=True)
    rig.until(lambda: not rig.world.zones[0].valve.open, 10)
    rig.until(lambda: rig.sender.last[0] == "rolled_back", 1500)
    assert rig.sender.last == ("rolled_back", "boots"), what
    assert rig.announced() == "0.1.0"
    assert not rig.world.zones[0].valve.open
