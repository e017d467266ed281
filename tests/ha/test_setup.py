"""Setting up, unloading and removing an entry; and the parts that need no board: time zones, and what is known of one."""

import zoneinfo

import pytest
from homeassistant.config_entries import ConfigEntryState

from custom_components.solar_sprinkler import protocol
from custom_components.solar_sprinkler.errors import TimeZoneError
from custom_components.solar_sprinkler.memory import Arrival, arrived
from custom_components.solar_sprinkler.time_zone import posix_rule
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
    assert set(hass.services.async_services_for_domain("solar_sprinkler")) == {"run", "stop", "stay_awake"}


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
    assert cleared == {witness.topic("ack"), witness.topic("desired")}
    assert f"solar_sprinkler.{sprinkler.entry.entry_id}" not in hass_storage


async def test_removal_without_a_broker_says_what_stays(hass, sprinkler: Sprinkler, caplog):
    sprinkler.mqtt.connected = False
    assert await hass.config_entries.async_remove(sprinkler.entry.entry_id)
    assert "stay on the broker" in caplog.text


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
        ("Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"),
        ("Asia/Kathmandu", "<+0545>-5:45"),
        ("UTC", "UTC0"),
    ],
)
def test_posix_rule_is_what_holds_from_now_on(name, rule):
    assert posix_rule(name) == rule


def test_every_time_zone_has_a_rule_that_a_board_accepts():
    rules = [posix_rule(name) for name in zoneinfo.available_timezones()]
    assert len(rules) > 400
    assert max(len(rule) for rule in rules) <= protocol.TZ_RULE_MAX


def test_rule_comes_from_the_package_where_the_system_has_no_database(monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    assert posix_rule("Europe/Berlin") == "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd"])
def test_what_is_no_time_zone_is_an_error_of_ours(name):
    with pytest.raises(TimeZoneError):
        posix_rule(name)


@pytest.mark.parametrize(
    ("number", "stored", "oldest", "arrival"),
    [
        (1, 0, 1, Arrival.NEXT),
        (4, 3, 1, Arrival.NEXT),
        (3, 3, 1, Arrival.REPEATED),
        (5, 3, 4, Arrival.AHEAD),
        (9, 3, 9, Arrival.NEXT),
        (10, 3, 9, Arrival.AHEAD),
        (2, 3, 9, Arrival.REPEATED),
    ],
)
def test_numbers_are_held_against_what_is_stored_and_what_the_board_still_holds(number, stored, oldest, arrival):
    assert arrived(number, stored, oldest) is arrival
