"""A board that sleeps: what is asked of it meanwhile waits for its wake, and everyone can see that.

It comes first, because it waits the longest: the checks of ./demo run beside it.
"""

import time
from datetime import datetime

import pytest

from tests.e2e.conftest import Checks
from tests.e2e.house import House
from tools.demo import board, session
from tools.demo.board import Scene, Truth
from tools.demo.progress import Progress
from tools.demo.witness import Witness

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAKE_INTERVAL_S = 60  # the shortest there is
BEFORE_SLEEP_S = 30.0
DESIRED = {"version": 1, "settings": {"wake_interval_s": WAKE_INTERVAL_S}, "programs": []}
RUN_TIME_S = 5
WAKE_SLACK_S = 15.0  # to join, to connect, to hear
CLOCK_SLACK_S = 3.0  # its sleep is measured by a clock that drifts
TIMER_SLACK_S = 1.5


async def test_a_run_queued_for_a_sleeping_board_shows_opening_and_opens_at_the_wake(
    house: House, checks: Checks
) -> None:
    running = house.running
    sleeper = await board.start(
        running.folder / "sleeper", running.broker, Scene(sleeps=True), running.processes, "sleeper"
    )
    witness = Witness(running.broker, sleeper, lambda _leaf, _body: None)
    witness.publish("desired", DESIRED, retain=True)
    witness.close()
    lawn = await session.pair(house.api, sleeper, Progress(quiet=True))
    valve, truth = lawn.entity("valve", 1), Truth(sleeper, 1)

    def next_wake_at() -> float:
        shown = house.api.state(lawn.entity("next_wake"))
        return datetime.fromisoformat(shown).timestamp() if shown[:1].isdigit() else 0.0

    assert await house.api.until(lambda: next_wake_at() > 0, BEFORE_SLEEP_S), "it does not go to sleep"
    assert house.api.state(valve) == "closed"
    wakes_at = next_wake_at()
    assert wakes_at <= time.time() + WAKE_INTERVAL_S + CLOCK_SLACK_S

    answer = await house.api.act("solar_sprinkler.run", valve, answers=True, duration={"seconds": RUN_TIME_S})
    assert answer["queued"]
    assert await house.api.until(lambda: house.api.state(valve) == "opening", 2)
    assert truth.now["valve"] == "closed"

    opened_at = await truth.until("open", 0, wakes_at - time.time() + WAKE_SLACK_S)
    assert opened_at is not None, "it slept on"
    assert opened_at >= wakes_at - CLOCK_SLACK_S, "it did not sleep"
    assert await house.api.until(lambda: house.api.state(valve) == "open", 3)
    closed_at = await truth.until("closed", opened_at, RUN_TIME_S + TIMER_SLACK_S)
    assert closed_at is not None
