"""What the board says without being asked, and what Home Assistant says without being asked: ack, desired, time."""

import copy
import json
from random import Random
from typing import Any

import pytest
from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_mqtt_message,
)

from custom_components.solar_sprinkler import models
from custom_components.solar_sprinkler.errors import ModelError
from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

EVENT = "event.solar_sprinkler_5a17e001_activity"
BATTERY = "sensor.solar_sprinkler_5a17e001_battery"
BOOT_ID = 2_882_400_001


def event(n: int, oldest: int = 1, **changes) -> dict:
    """An event with number `n`."""
    return {**witness.example("event"), "n": n, "oldest": oldest, **changes}


def telemetry(*numbers: int, oldest: int = 1, **changes) -> dict:
    """Samples with these numbers; each battery shows its number."""
    sample = witness.example("telemetry")["samples"][0]
    return {
        "boot_id": BOOT_ID,
        "oldest": oldest,
        "samples": [{**sample, "n": n, "battery_pct": n, **changes} for n in numbers],
    }


def fired(hass: HomeAssistant) -> list[str]:
    """Collect the kinds of event that the entity shows from now on."""
    kinds: list[str] = []

    def note(change) -> None:
        if change.data["entity_id"] == EVENT:
            kinds.append(change.data["new_state"].attributes["event_type"])

    hass.bus.async_listen("state_changed", note)
    return kinds


async def test_events_are_told_once_and_in_order_however_often_they_come(hass, sprinkler: Sprinkler):
    kinds = fired(hass)
    for n, kind in ((1, "boot"), (2, "run_started"), (1, "boot"), (2, "run_started"), (3, "run_finished")):
        await sprinkler.says("event", event(n, event=kind))
    assert kinds == ["boot", "run_started", "run_finished"]
    told = hass.states.get(EVENT).attributes
    assert (told["zone"], told["run_id"], told["n"]) == (1, 42, 3)


async def test_burst_is_stored_first_and_acknowledged_once(hass, sprinkler: Sprinkler, hass_storage):
    for n in (1, 2, 3):
        await sprinkler.says("event", event(n))
    await sprinkler.says("telemetry", telemetry(1, 2))
    assert sprinkler.published("ack") == []
    key = f"{DOMAIN}.{sprinkler.entry.entry_id}"
    stored_at_ack = []
    publish = sprinkler.mqtt.async_publish.side_effect

    async def note_what_is_stored(topic_name, *args, **kwargs):
        if topic_name == witness.topic("ack"):
            stored_at_ack.append(hass_storage[key]["data"]["stored"])
        return await publish(topic_name, *args, **kwargs) if publish else None

    sprinkler.mqtt.async_publish.side_effect = note_what_is_stored
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack") == [{"boot_id": BOOT_ID, "event": 3, "sample": 2}]
    assert stored_at_ack == [[{"boot_id": BOOT_ID, "event": 3, "sample": 2}]]


async def test_event_after_a_gap_is_not_stored_and_the_last_ack_asks_for_what_is_missing(hass, sprinkler: Sprinkler):
    kinds = fired(hass)
    await sprinkler.says("event", event(1, event="boot"))
    await sprinkler.says("event", event(3, event="run_finished"))
    await sprinkler.time_passes(1)
    assert kinds == ["boot"]
    assert sprinkler.published("ack")[-1]["event"] == 1
    await sprinkler.says("event", event(2, event="run_started"))
    await sprinkler.says("event", event(3, event="run_finished"))
    await sprinkler.time_passes(1)
    assert kinds == ["boot", "run_started", "run_finished"]
    assert sprinkler.published("ack")[-1]["event"] == 3


async def test_gap_that_the_board_can_not_fill_is_passed_over(hass, sprinkler: Sprinkler):
    await sprinkler.says("event", event(7, oldest=7))
    await sprinkler.says("telemetry", telemetry(30, 31, oldest=30))
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack") == [{"boot_id": BOOT_ID, "event": 7, "sample": 31}]


async def test_repetition_is_acknowledged_again_because_the_ack_was_lost(hass, sprinkler: Sprinkler):
    for _ in range(2):
        await sprinkler.says("event", event(1))
        await sprinkler.time_passes(1)
    assert [ack["event"] for ack in sprinkler.published("ack")] == [1, 1]


async def test_new_boot_starts_numbers_again(hass, sprinkler: Sprinkler):
    kinds = fired(hass)
    await sprinkler.says("event", event(9, oldest=9, event="run_started"))
    await sprinkler.says("event", event(1, boot_id=77, event="boot"))
    await sprinkler.time_passes(1)
    assert kinds == ["run_started", "boot"]
    acks = [{"boot_id": BOOT_ID, "event": 9, "sample": 0}, {"boot_id": 77, "event": 1, "sample": 0}]
    assert sprinkler.published("ack") == acks, "each life of the board is acknowledged, the present one last"


async def test_samples_that_were_thinned_on_the_board_are_stored_over_their_gaps(hass, sprinkler: Sprinkler):
    thinned = telemetry(2, 4, 6, oldest=2)
    for sample, after in zip(thinned["samples"], (0, 2, 4), strict=True):
        sample["after"] = after
    await sprinkler.says("telemetry", thinned)
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack")[-1]["sample"] == 6


async def test_event_of_a_newer_firmware_is_stored_though_it_can_not_be_shown(hass, sprinkler: Sprinkler):
    await sprinkler.says("event", event(1, event="eclipse"))
    await sprinkler.time_passes(1)
    assert sprinkler.value(EVENT) == "unknown"
    assert sprinkler.published("ack")[-1]["event"] == 1


async def test_backlog_shows_its_newest_sample(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await sprinkler.says("telemetry", telemetry(1, 2))
    await sprinkler.says("telemetry", telemetry(3, 4))
    await sprinkler.says("telemetry", telemetry(1, 2))
    assert sprinkler.value(BATTERY) == "4"


async def test_back_from_an_outage_home_assistant_asks_for_what_it_missed(hass, sprinkler: Sprinkler):
    await sprinkler.says("state", sprinkler.state, retain=True)
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack") == [{"boot_id": BOOT_ID, "event": 0, "sample": 0}]


async def test_live_state_asks_for_nothing(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack") == []


@pytest.mark.parametrize("leaf", ["event", "telemetry", "reply", "time_request"])
async def test_what_is_never_retained_is_not_believed_when_it_comes_retained(hass, sprinkler: Sprinkler, leaf):
    await sprinkler.is_online()
    message = {**witness.example(leaf), "oldest": 12} if leaf == "event" else witness.example(leaf)
    await sprinkler.says(leaf, message, retain=True)
    await sprinkler.time_passes(1)
    assert sprinkler.published("ack") == []
    assert sprinkler.published("time") == []
    assert sprinkler.value(EVENT) == "unknown"
    assert sprinkler.value(BATTERY) == "unknown"


async def test_time_request_is_answered_with_its_own_nonce_and_once(hass, sprinkler: Sprinkler):
    for _ in range(3):
        await sprinkler.says("time_request", {"nonce": "9f2c41d7a05be863"})
        await sprinkler.time_passes(2)
    assert sprinkler.published("time") == [{"nonce": "9f2c41d7a05be863", "at": witness.NOW}]


async def test_flood_of_time_requests_is_answered_once_a_second(hass, sprinkler: Sprinkler):
    for i in range(20):
        await sprinkler.says("time_request", {"nonce": f"{i:016x}"})
    await sprinkler.time_passes(1)
    await sprinkler.says("time_request", {"nonce": "ffffffffffffffff"})
    assert [answer["nonce"] for answer in sprinkler.published("time")] == ["0" * 16, "f" * 16]


async def test_fresh_board_gets_time_zone_and_place_once(hass, sprinkler: Sprinkler):
    await hass.config.async_update(time_zone="Europe/Berlin", latitude=52.517, longitude=-13.389)
    await hass.async_block_till_done()
    assert sprinkler.published("desired") == [], "its version is not known yet"
    sprinkler.state["desired_version"] = 0
    await sprinkler.is_online()
    await sprinkler.says("state", {**sprinkler.state, "at": witness.NOW + 5})
    (desired,) = sprinkler.published("desired")
    assert desired == {
        "version": 1,
        "settings": {
            "watering_enabled": True,
            "rain_delay_until": 0,
            "seasonal_adjust_pct": 100,
            "latitude_cdeg": 5252,
            "longitude_cdeg": -1339,
            "tz_rule": "CET-1CEST,M3.5.0,M10.5.0/3",
        },
        "programs": [],
    }


async def test_new_place_raises_the_version_and_nothing_else_does(hass, sprinkler: Sprinkler):
    sprinkler.state["desired_version"] = 0
    await sprinkler.is_online()
    sprinkler.state["desired_version"] = 1
    await sprinkler.says("state", sprinkler.state)
    await hass.config.async_update(country="DE")
    await hass.async_block_till_done()
    assert [desired["version"] for desired in sprinkler.published("desired")] == [1]
    await hass.config.async_update(latitude=1.5)
    await hass.async_block_till_done()
    assert [desired["version"] for desired in sprinkler.published("desired")] == [1, 2]
    assert sprinkler.published("desired")[1]["settings"]["latitude_cdeg"] == 150


async def test_settings_and_programs_that_are_not_known_here_are_not_overwritten(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await hass.config.async_update(latitude=1.5)
    await hass.async_block_till_done()
    assert sprinkler.state["desired_version"] == 3
    assert sprinkler.published("desired") == []


async def test_retained_settings_with_our_signature_are_taken_up_with_their_programs(hass, sprinkler: Sprinkler):
    retained = witness.example("desired")
    await sprinkler.says("desired", witness.signed("desired", retained), retain=True)
    await sprinkler.is_online()
    (desired,) = sprinkler.published("desired")
    assert desired["version"] == 4, "the place differs"
    assert desired["programs"] == retained["programs"]
    assert desired["settings"]["wake_interval_s"] == 900


async def test_retained_settings_with_a_foreign_signature_are_not(hass, sprinkler: Sprinkler, caplog):
    await sprinkler.says("desired", witness.signed("desired", witness.example("desired"), key=bytes(16)), retain=True)
    await sprinkler.is_online()
    assert sprinkler.published("desired") == []
    assert sprinkler.entry.runtime_data.memory.desired is None


async def test_broker_that_forgot_is_told_again_what_the_board_has_not_heard(hass, sprinkler: Sprinkler):
    sprinkler.state["desired_version"] = 0
    await sprinkler.is_online()
    for connected in (False, True):
        sprinkler.entry.runtime_data._async_broker(connected)
        await hass.async_block_till_done()
    assert [desired["version"] for desired in sprinkler.published("desired")] == [1, 1]


async def test_board_with_a_higher_version_is_overtaken(hass, sprinkler: Sprinkler):
    sprinkler.state["desired_version"] = 0
    await sprinkler.is_online()
    sprinkler.state["desired_version"] = 9
    await sprinkler.says("state", sprinkler.state)
    assert [desired["version"] for desired in sprinkler.published("desired")] == [1, 10]


async def test_refused_settings_are_logged_once_and_kept_for_diagnostics(hass, sprinkler: Sprinkler, caplog):
    for _ in range(2):
        await sprinkler.says("reply", {**witness.example("reply", 1), "id": "desired", "reason": "invalid", "zone": 0})
    assert sprinkler.entry.runtime_data.data.desired_refused == "invalid"
    assert caplog.text.count("refused its settings") == 1


async def test_unknown_time_zone_leaves_the_boards_own(hass, sprinkler: Sprinkler, monkeypatch, caplog):
    monkeypatch.setattr(hass.config, "time_zone", "Mars/Olympus")
    sprinkler.state["desired_version"] = 0
    await sprinkler.is_online()
    assert "tz_rule" not in sprinkler.published("desired")[0]["settings"]
    assert "no time zone" in caplog.text


def our_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the component logged in the test, but for debugging."""
    ours = (record for record in caplog.records if record.name.startswith("custom_components") and record.levelno > 10)
    return [
        record.getMessage()
        for record in ours
        if "in reach" not in record.getMessage() and "left alone" not in record.getMessage()
    ]


GARBAGE = [
    b"",
    b"\xff\xfe\xfd",
    b"{",
    b"[]",
    b"null",
    b"x" * 3000,
    json.dumps({"state": "party"}).encode(),
    b'{"zones": 1}',
]


@pytest.mark.parametrize(
    "leaf", ["announce", "availability", "state", "telemetry", "event", "reply", "time_request", "health", "desired"]
)
async def test_garbage_changes_nothing_and_is_logged_once_per_topic(hass, sprinkler: Sprinkler, caplog, leaf):
    await sprinkler.is_online()
    await sprinkler.time_passes(1)
    before = {state.entity_id: state for state in hass.states.async_all()}
    published = sprinkler.mqtt.async_publish.call_count
    changes = async_capture_events(hass, "state_changed")
    for payload in GARBAGE * 2:
        await sprinkler.says(leaf, payload)
    assert changes == []
    assert {state.entity_id: state for state in hass.states.async_all()} == before
    assert sprinkler.mqtt.async_publish.call_count == published
    assert len(our_lines(caplog)) == 1


def spoiled(message: dict[str, Any], chance: Random) -> dict[str, Any]:
    """The message with one value, somewhere in it, replaced by something else, or missing."""
    message = copy.deepcopy(message)
    place: Any = message
    while True:
        key = chance.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], (dict, list)) or not place[key] or chance.random() < 0.3:
            break
        place = place[key]
    if isinstance(place, dict) and chance.random() < 0.2:
        del place[key]
    else:
        place[key] = chance.choice(
            [None, -1, 2**70, 1.5, True, "", "x" * 200, "Ä", [], {}, [[]], {"a": 1}, [None] * 70]
        )
    return message


@pytest.mark.parametrize("leaf", ["availability", "state", "telemetry", "event", "reply", "time_request", "health"])
async def test_message_that_is_wrong_in_one_place_changes_nothing_and_is_logged_once(hass, sprinkler, caplog, leaf):
    await sprinkler.is_online()
    await sprinkler.time_passes(1)
    changes, chance, tried = async_capture_events(hass, "state_changed"), Random(leaf), 0
    for _ in range(400):
        message = spoiled(witness.example(leaf, -1), chance)
        try:
            getattr(models, leaf)(json.dumps(message).encode())
        except ModelError:
            tried += 1
            async_fire_mqtt_message(hass, witness.topic(leaf), json.dumps(message), qos=1)
    await hass.async_block_till_done()
    assert tried > 40
    assert changes == []
    assert len(our_lines(caplog)) == 1


STRANGE = [
    {},
    {"zone": 1},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 99999, "weekdays": [1]},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "weekdays": [9]},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "weekdays": "mon"},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "every_days": 0, "from_date": 20270101},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "every_days": 2, "from_date": 20279999},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "odd_even": "prime"},
    {"id": 1, "zone": 1, "run_time_s": 60, "start": "moonrise", "weekdays": [1]},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "weekdays": [1], "until": "soon"},
    {"id": 1, "zone": 1, "run_time_s": 60, "start_min": 60, "weekdays": [1], "skip_dates": 5},
]


@pytest.mark.parametrize("program", STRANGE)
async def test_program_that_can_not_be_read_is_kept_and_not_shown(hass, sprinkler, caplog, program):
    desired = {**witness.example("desired"), "programs": [program]}
    await sprinkler.says("desired", witness.signed("desired", desired), retain=True)
    await sprinkler.is_online()
    assert sprinkler.value("calendar.solar_sprinkler_5a17e001_zone_1_schedule") == "off"
    assert "message" not in hass.states.get("calendar.solar_sprinkler_5a17e001_zone_1_schedule").attributes
    await sprinkler.sleeps(until=witness.NOW + 900)
    await sprinkler.entry.runtime_data.desired.async_edit({"seasonal_adjust_pct": 90})
    assert sprinkler.published("desired")[-1]["programs"] == [program]
    assert our_lines(caplog) == []


async def test_state_of_before_that_comes_again_changes_nothing_and_is_logged_once(hass, sprinkler: Sprinkler, caplog):
    before = copy.deepcopy(sprinkler.state)
    sprinkler.state.update(at=before["at"] + 60, event=before["event"] + 1)
    sprinkler.state["zones"][0].update(valve="closed", run_until=0)
    await sprinkler.is_online()
    for _ in range(2):
        await sprinkler.says("state", before)
        await sprinkler.says("state", before, retain=True)
    assert sprinkler.value("valve.solar_sprinkler_5a17e001_zone_1") == "closed"
    assert len(our_lines(caplog)) == 1
    put_back = {**sprinkler.state, "at": before["at"] - 600, "faults": ["clock"]}
    await sprinkler.says("state", put_back)
    assert sprinkler.value("binary_sensor.solar_sprinkler_5a17e001_problem") == "on", (
        "a clock that was put back is no reason"
    )


async def test_empty_retained_payload_is_no_news(hass, sprinkler: Sprinkler, caplog):
    await sprinkler.is_online()
    for leaf in ("announce", "availability", "state"):
        await sprinkler.says(leaf, b"", retain=True)
    assert our_lines(caplog) == []
    assert sprinkler.value("binary_sensor.solar_sprinkler_5a17e001_connectivity") == "on"


async def test_reply_to_somebody_else_changes_nothing(hass, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await sprinkler.says("reply", witness.example("reply", 1))
    assert sprinkler.value(EVENT) == "unknown"


async def test_second_board_is_a_second_entry_and_hears_its_own_topics_only(hass, sprinkler: Sprinkler):
    other = MockConfigEntry(
        domain=DOMAIN,
        unique_id="00000002",
        data={
            "key": witness.KEY.hex(),
            "announce": witness.signed(
                "announce", {**witness.example("announce"), "device_id": "00000002"}, device_id="00000002"
            ),
        },
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await sprinkler.is_online()
    assert sprinkler.value("valve.solar_sprinkler_5a17e001_zone_1") == "open"
    assert sprinkler.value("valve.solar_sprinkler_00000002_zone_1") == "unavailable"
    topics = {call.args[0] for call in sprinkler.mqtt.async_subscribe.call_args_list}
    ours = {
        name.removeprefix("solar_sprinkler/5a17e001/")
        for name in topics
        if name.startswith("solar_sprinkler/5a17e001/")
    }
    from_board = {"announce", "availability", "state", "telemetry", "event", "reply", "time_request", "health"}
    of_updates = {"update/request", "update/state"}
    assert ours == {*from_board, *of_updates, "desired", "update/offer"}


async def test_automation_that_hears_the_same_topic_as_text_disturbs_nothing(hass, sprinkler: Sprinkler):
    heard = []
    await mqtt.async_subscribe(hass, witness.topic("state"), lambda message: heard.append(message.payload))
    await hass.async_block_till_done()
    await sprinkler.is_online()
    assert len(heard) == 1
    assert sprinkler.value("valve.solar_sprinkler_5a17e001_zone_1") == "open"


async def test_ack_that_can_not_be_published_is_no_error_because_the_board_repeats(hass, sprinkler: Sprinkler, caplog):
    await sprinkler.says("event", event(1))
    sprinkler.mqtt.connected = False
    await sprinkler.time_passes(1)
    assert our_lines(caplog) == []
    assert sprinkler.published("ack") == []
    assert sprinkler.entry.runtime_data.memory.of_boot(BOOT_ID).event == 1
