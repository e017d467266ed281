"""Water does not depend on Home Assistant or on the broker: both are killed while a valve is open."""

import asyncio
import time
from typing import Any

import pytest

from tests.e2e.house import BROKER, HOME_ASSISTANT, House
from tools.demo.witness import Witness

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZONE = 1
RUN_TIME_S = 8
TIMER_SLACK_S = 1.5
REPORTED_S = 60.0  # Home Assistant looks for a lost broker every ten seconds
REPEATED_S = 2.0  # what would be told twice would be told by then
TOTAL_SLACK_L = 0.1


@pytest.mark.parametrize(
    ("first", "remembers"),
    [
        pytest.param(BROKER, True, id="broker_back_first"),
        pytest.param(HOME_ASSISTANT, False, id="home_assistant_back_first_and_the_broker_has_forgotten_all"),
    ],
)
async def test_water_ends_on_time_without_broker_and_home_assistant_and_the_run_is_reported_once_they_are_back(
    house: House, first: str, remembers: bool
) -> None:
    truth, began_at = house.truth(ZONE), time.time()
    assert await house.shows("valve", ZONE, "closed")
    total_before_l, meter_before_ml = float(house.state("water_total", ZONE)), truth.now["meter_ml"]
    run_id = (await house.run_zone(ZONE, RUN_TIME_S))["run_id"]
    opened_at = await truth.until("open", began_at, 5)
    assert opened_at is not None

    await house.kill(BROKER, HOME_ASSISTANT)
    assert truth.now["valve"] == "open", "the kill came too late to prove anything"
    closed_at = await truth.until("closed", opened_at, RUN_TIME_S + TIMER_SLACK_S)
    assert closed_at is not None
    assert closed_at - opened_at == pytest.approx(RUN_TIME_S, abs=TIMER_SLACK_S)

    if first == BROKER:
        await house.start_broker(remembers=remembers)
        await house.start_home_assistant()
    else:
        await house.start_home_assistant()
        await house.start_broker(remembers=remembers)

    drawn_l = (truth.now["meter_ml"] - meter_before_ml) / 1000
    assert drawn_l > 0
    await reported(house, run_id, total_before_l + drawn_l)
    await told_once(house, run_id, began_at)
    openings = [moment for moment in truth.moments if moment["at"] > closed_at and moment["valve"] != "closed"]
    assert openings == [], "the valve moved again"


async def reported(house: House, run_id: int, total_l: float) -> None:
    """Home Assistant shows the run's end and the water, and has acknowledged the event to the board."""
    assert await house.shows("valve", ZONE, "closed", REPORTED_S), house.state("valve", ZONE)
    assert await house.shows("last_result", ZONE, "completed")

    def is_told() -> bool:
        told = house.api.states.get(house.lawn.entity("activity"), {}).get("attributes", {})
        return bool(told.get("event_type") == "run_finished" and told.get("run_id") == run_id)

    assert await house.api.until(is_told, REPORTED_S)
    assert await house.api.until(lambda: is_about(house.state("water_total", ZONE), total_l), REPORTED_S)
    told = house.api.states[house.lawn.entity("activity")]["attributes"]
    assert (told["result"], told["zone"], told["duration_s"]) == ("completed", ZONE, RUN_TIME_S)
    assert await acknowledged(house, told["boot_id"], told["n"])


async def acknowledged(house: House, boot_id: int, number: int) -> bool:
    """Whether the broker retains an ack of this event within a few seconds."""
    acks: list[dict[str, Any]] = []
    witness = Witness(
        house.running.broker,
        house.running.board,
        lambda leaf, body: acks.append(body) if leaf == "ack" and body["boot_id"] == boot_id else None,
    )
    try:
        async with asyncio.timeout(5):
            while not any(ack["event"] >= number for ack in acks):
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    finally:
        witness.close()
    return True


async def told_once(house: House, run_id: int, began_at: float) -> None:
    """Home Assistant's recorder has the start and the end of the run once each."""
    await asyncio.sleep(REPEATED_S)
    told = [state["attributes"] for state in await house.recorded(house.lawn.entity("activity"), began_at)]
    mine = [attributes["event_type"] for attributes in told if attributes.get("run_id") == run_id]
    assert mine == ["run_started", "run_finished"]


def is_about(shown: str, litres: float) -> bool:
    """Whether a reading is there, and right."""
    return shown.replace(".", "", 1).isdigit() and abs(float(shown) - litres) <= TOTAL_SLACK_L
