"""The valve: what a click publishes, what the board's answer shows, and what is shown when the board says nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.ha import witness
from tests.ha.conftest import Sprinkler

VALVE_1 = "valve.solar_sprinkler_5a17e001_zone_1"
VALVE_2 = "valve.solar_sprinkler_5a17e001_zone_2"
EVENT = "event.solar_sprinkler_5a17e001_activity"
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that does not answer must not hold up the tests."""
    monkeypatch.setattr("custom_components.solar_sprinkler.commands.REPLY_TIMEOUT_S", 0.05)


@pytest.fixture
def answering(sprinkler: Sprinkler) -> Callable[..., None]:
    """Make the board answer each signed command at once."""

    def install(**answer: Any) -> None:
        publish = sprinkler.mqtt.async_publish.side_effect

        async def answer_command(*args: Any, **kwargs: Any) -> Any:
            if args[0] == witness.topic("command") and b"\n" in args[1]:
                command = witness.opened("command", args[1])
                reply = {**witness.example("reply"), "id": command["id"], "zone": command.get("zone", 0), **answer}
                asyncio.get_running_loop().create_task(sprinkler.says("reply", reply))
            return await publish(*args, **kwargs) if publish else None

        sprinkler.mqtt.async_publish.side_effect = answer_command

    return install


async def call(hass: HomeAssistant, action: str, entity_id: str = VALVE_2, **data: Any) -> Any:
    """Call one of our actions and return its answer for the entity."""
    found = await hass.services.async_call(
        "solar_sprinkler", action, {"entity_id": entity_id, **data}, blocking=True, return_response=True
    )
    assert found is not None
    return found[entity_id]


async def click(hass: HomeAssistant, service: str, entity_id: str = VALVE_2) -> None:
    """Open or close as a dashboard does."""
    await hass.services.async_call("valve", service, {"entity_id": entity_id}, blocking=True)


async def test_opening_publishes_a_signed_run_with_counter_and_expiry(hass, sprinkler, answering):
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    (command,) = sprinkler.published("command")
    assert command["command"] == "run"
    assert command["zone"] == 2
    assert command["run_time_s"] == 600
    assert command["counter"] > max(witness.NOW * 1000, sprinkler.state["command_counter"])
    assert witness.NOW < command["expires_at"] <= witness.NOW + 300
    assert 1 <= len(command["id"]) <= 16


async def test_counter_rises_above_the_one_that_the_board_reported(hass, sprinkler, answering):
    sprinkler.state["command_counter"] = witness.NOW * 1000 + DAY_MS
    await sprinkler.is_online()
    answering()
    await click(hass, "open_valve")
    await click(hass, "close_valve")
    counters = [command["counter"] for command in sprinkler.published("command")]
    assert counters == [witness.NOW * 1000 + DAY_MS + 1, witness.NOW * 1000 + DAY_MS + 2]
