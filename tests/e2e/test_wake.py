"""The wake of a board that was asked for water while it slept. Other tests pass the time until then."""

import time

import pytest

from tests.e2e.house import House
from tests.e2e.sleeper import RUN_TIME_S, Queued

pytestmark = pytest.mark.asyncio(loop_scope="session")

AWAKE_S = 15.0  # to join, to connect, to hear
CLOCK_SLACK_S = 3.0  # it sleeps by a clock that drifts
TIMER_SLACK_S = 1.5
SHOWN_S = 3.0


async def test_a_queued_run_opens_at_the_wake_and_the_board_closes_it_by_its_own_timer(
    house: House, queued: Queued
) -> None:
    truth = queued.truth()
    opened_at = await truth.until("open", queued.asked_at, queued.wakes_at - time.time() + AWAKE_S)
    assert opened_at is not None, "it slept on, or was not told"
    assert opened_at >= queued.wakes_at - CLOCK_SLACK_S, "it did not sleep"
    closed_at = await truth.until("closed", opened_at, RUN_TIME_S + TIMER_SLACK_S)
    assert closed_at is not None
    assert closed_at - opened_at == pytest.approx(RUN_TIME_S, abs=TIMER_SLACK_S)
    assert await house.api.until(lambda: house.api.state(queued.valve) in ("closing", "closed"), SHOWN_S)
    shown = [state["state"] for state in await house.recorded(queued.valve, queued.asked_at)]
    assert shown.index("opening") < shown.index("open")
