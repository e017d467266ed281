"""Setting up, unloading and removing an entry."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.setup import async_setup_component

from tests.ha import witness
from tests.ha.conftest import Sprinkler


async def test_entry_waits_while_mqtt_is_not_there(hass, entry, monkeypatch):
    async def never(_hass) -> bool:
        return False

    monkeypatch.setattr("homeassistant.components.mqtt.async_wait_for_mqtt_client", never)
    monkeypatch.setattr("homeassistant.components.mqtt.async_setup", _true)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "mqtt_unavailable"


async def _true(*_args) -> bool:
    return True


async def test_unloaded_entry_hears_nothing_and_leaves_nothing_running(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await sprinkler.says("event", {**witness.example("event"), "oldest": 12})
    assert await hass.config_entries.async_unload(sprinkler.entry.entry_id)
    await sprinkler.says("availability", {"state": "lost"})
    await sprinkler.time_passes(3600)
    assert sprinkler.entry.state is ConfigEntryState.NOT_LOADED
    assert sprinkler.published("ack") == [], "the board repeats what was not acknowledged"
    assert sprinkler.value("valve.solar_sprinkler_5a17e001_zone_1") == "unavailable"


async def test_actions_are_there_without_a_board(hass, sprinkler: Sprinkler):
    assert await hass.config_entries.async_unload(sprinkler.entry.entry_id)
    assert set(hass.services.async_services_for_domain("solar_sprinkler")) == {
        "check_valve", "get_history", "get_programs", "push_weather", "rain_delay", "run", "set_program", "skip", "stay_awake", "stop",
    }  # fmt: skip


async def test_removal_clears_what_home_assistant_retained_and_what_it_remembered(
    hass, sprinkler: Sprinkler, hass_storage
):
    await sprinkler.is_online()
    assert await hass.config_entries.async_remove(sprinkler.entry.entry_id)
    await hass.async_block_till_done()
    cleared = {
        call.args[0]
        for call in sprinkler.mqtt.async_publish.call_args_list
        if call.args[1] == b"" and call.args[3] is True
    }
    assert cleared == {
        witness.topic("ack"),
        witness.topic("desired"),
        witness.topic("update/offer"),
        witness.topic("weather"),
    }
    assert f"solar_sprinkler.{sprinkler.entry.entry_id}" not in hass_storage


async def test_removal_without_a_broker_says_what_stays(hass, sprinkler: Sprinkler, caplog):
    sprinkler.mqtt.connected = False
    assert await hass.config_entries.async_remove(sprinkler.entry.entry_id)
    assert "stay on the broker" in caplog.text


async def test_dashboard_is_served_and_loaded_by_every_page(hass, entry, mqtt_mock, hass_client):
    assert await async_setup_component(hass, "frontend", {})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    (url,) = [url for url in hass.data["frontend_extra_module_url"].urls if "solar_sprinkler" in url]
    response = await (await hass_client()).get(url)
    assert response.status == 200
    assert "ll-strategy-dashboard-solar-sprinkler" in await response.text()
