"""A second board in the house, which sleeps between its wakes, with a run that was asked of it while it slept."""

import dataclasses
import time
from datetime import datetime
from typing import Any

from tests.e2e.house import House
from tools.demo import board, session
from tools.demo.board import Board, Scene, Truth
from tools.demo.progress import Progress
from tools.demo.witness import Witness

WAKE_INTERVAL_S = 60  # the shortest there is
DESIRED = {"version": 1, "settings": {"wake_interval_s": WAKE_INTERVAL_S}, "programs": []}
BEFORE_SLEEP_S = 40.0
RUN_TIME_S = 5
ZONE = 1


@dataclasses.dataclass(frozen=True)
class Queued:
    """A run that waits for the board's wake, or that has waited."""

    board: Board
    valve: str  # its entity id
    asked_at: float
    wakes_at: float
    answer: dict[str, Any]  # to who asked

    def truth(self) -> Truth:
        """What truly happens in the zone."""
        return Truth(self.board, ZONE)


async def queue_run(house: House) -> Queued:
    """Start a board that sleeps, pair it, and ask for water once it is asleep."""
    running, api = house.running, house.api
    folder = running.folder / "sleeper"
    sleeper = await board.start(folder, running.broker, Scene(sleeps=True), running.processes, "sleeper")
    witness = Witness(running.broker, sleeper, lambda _leaf, _body: None)
    witness.publish("desired", DESIRED, retain=True)
    lawn = await session.pair(api, sleeper, Progress(quiet=True))
    witness.close()
    valve, next_wake = lawn.entity("valve", ZONE), lawn.entity("next_wake")

    def wakes_at() -> float:
        shown = api.state(next_wake)
        return datetime.fromisoformat(shown).timestamp() if shown[:1].isdigit() else 0.0

    assert await api.until(lambda: wakes_at() > time.time(), BEFORE_SLEEP_S), "it does not go to sleep"
    asked_at = time.time()
    answer = await api.act("solar_sprinkler.run", valve, answers=True, duration={"seconds": RUN_TIME_S})
    return Queued(sleeper, valve, asked_at, wakes_at(), answer)
