"""Settings: what a person wants is shown at once and said to wait, until the board has confirmed or refused it."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from tests.ha import witness
from tests.ha.conftest import Sprinkler

BOARD = "solar_sprinkler_5a17e001"
ENABLED = f"switch.{BOARD}_watering_enabled"
ADJUST = f"number.{BOARD}_seasonal_adjustment"
DELAY = f"datetime.{BOARD}_rain_delay_until"


async def turn(hass: HomeAssistant, what: str) -> None:
    """Switch watering on or off, as a dashboard does."""
    await hass.services.async_call("switch", f"turn_{what}", {"entity_id": ENABLED}, blocking=True)


def waits(hass: HomeAssistant, entity_id: str) -> bool:
    """What the entity says about the board."""
    return hass.states.get(entity_id).attributes["waiting_for_board"]


async def test_sleeping_board_is_waited_for_and_that_is_shown(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    await sprinkler.sleeps(until=witness.NOW + 900)
    await turn(hass, "off")
    assert (sprinkler.value(ENABLED), waits(hass, ENABLED)) == ("off", True)
    desired = sprinkler.published("desired")[-1]
    assert (desired["version"], desired["settings"]["watering_enabled"]) == (2, False)
    await sprinkler.confirms()
    assert (sprinkler.value(ENABLED), waits(hass, ENABLED)) == ("off", False)


async def test_board_that_is_awake_is_heard_and_the_change_ends_at_once(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    calling = await sprinkler.begins(turn(hass, "off"), "desired")
    await sprinkler.confirms()
    await calling
    assert (sprinkler.value(ENABLED), waits(hass, ENABLED)) == ("off", False)


async def test_refused_setting_is_taken_back_and_the_person_is_told_why(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    calling = await sprinkler.begins(turn(hass, "off"), "desired")
    refused = {**witness.example("reply", 1), "id": "desired", "reason": "storage"}
    await sprinkler.says("reply", refused)
    with pytest.raises(HomeAssistantError, match="own memory fails"):
        await calling
    await hass.async_block_till_done()
    assert (sprinkler.value(ENABLED), waits(hass, ENABLED)) == ("on", False)
    assert sprinkler.published("desired")[-1]["version"] == 1, "what is retained is in force again"
    await sprinkler.says("desired", witness.signed("desired", sprinkler.published("desired")[1]))
    assert sprinkler.value(ENABLED) == "on", "its echo does not bring it back"
    await sprinkler.sleeps(until=witness.NOW + 900)
    await turn(hass, "off")
    assert sprinkler.published("desired")[-1]["version"] == 3, "a refused version is not used again"


async def test_silent_board_is_not_waited_for_longer_than_a_moment(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    await sprinkler.stays_silent(turn(hass, "off"))
    assert (sprinkler.value(ENABLED), waits(hass, ENABLED)) == ("off", True)


async def test_same_setting_again_publishes_nothing(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    await turn(hass, "on")
    assert len(sprinkler.published("desired")) == 1


async def test_adjustment_and_rain_delay_reach_the_board(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    await sprinkler.sleeps(until=witness.NOW + 900)
    await hass.services.async_call("number", "set_value", {"entity_id": ADJUST, "value": 75}, blocking=True)
    data = {"entity_id": DELAY, "datetime": "2027-01-16T08:00:00+00:00"}
    await hass.services.async_call("datetime", "set_value", data, blocking=True)
    settings = sprinkler.published("desired")[-1]["settings"]
    assert (settings["seasonal_adjust_pct"], settings["rain_delay_until"]) == (75, witness.NOW + 86400)
    assert sprinkler.value(DELAY) == "2027-01-16T08:00:00+00:00"
    await sprinkler.confirms()
    await sprinkler.time_passes(86401)
    await sprinkler.is_online()
    assert sprinkler.value(DELAY) == "unknown", "it is over"


async def test_rain_delay_that_is_over_ends_it(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    await sprinkler.sleeps(until=witness.NOW + 900)
    for moment in ("2027-01-16T08:00:00+00:00", "2027-01-14T08:00:00+00:00"):
        data = {"entity_id": DELAY, "datetime": moment}
        await hass.services.async_call("datetime", "set_value", data, blocking=True)
    assert sprinkler.published("desired")[-1]["settings"]["rain_delay_until"] == 0


async def test_settings_that_home_assistant_does_not_know_are_not_overwritten(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    with pytest.raises(HomeAssistantError, match="does not know"):
        await turn(hass, "off")
    assert sprinkler.published("desired") == []
    assert sprinkler.value(ENABLED) == "on"


async def test_without_a_broker_nothing_is_wanted(hass, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    sprinkler.mqtt.connected = False
    with pytest.raises(HomeAssistantError, match="no connection"):
        await turn(hass, "off")
    assert sprinkler.value(ENABLED) in ("on", "unavailable")


async def test_buttons_send_their_commands(hass, sprinkler: Sprinkler, entity_registry):
    for name in ("identify", "restart"):
        entity_registry.async_update_entity(f"button.{BOARD}_{name}", disabled_by=None)
    await hass.config_entries.async_reload(sprinkler.entry.entry_id)
    await sprinkler.is_online()
    await sprinkler.sleeps(until=witness.NOW + 900)
    for name in ("identify", "restart"):
        await hass.services.async_call("button", "press", {"entity_id": f"button.{BOARD}_{name}"}, blocking=True)
    assert [command["command"] for command in sprinkler.published("command")] == ["identify", "restart"]
