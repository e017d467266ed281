"""A board that sleeps: what is asked of it waits for its wake, and everyone can see that. What happens then is test_wake.py."""

import pytest

from tests.e2e.conftest import Checks
from tests.e2e.house import House
from tests.e2e.sleeper import WAKE_INTERVAL_S, Queued

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCK_SLACK_S = 5.0


async def test_a_run_asked_of_a_sleeping_board_is_queued_and_its_valve_shows_opening_while_no_water_runs(
    house: House,
    queued: Queued,
    checks: Checks,  # they run beside this one, which mostly waits
) -> None:
    assert queued.wakes_at <= queued.asked_at + WAKE_INTERVAL_S + CLOCK_SLACK_S
    assert queued.answer["queued"] is True
    assert await house.api.until(lambda: house.api.state(queued.valve) == "opening", 2)
    assert queued.truth().now["valve"] == "closed"
