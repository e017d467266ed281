"""Why did it not water? One plain sentence per zone, in Home Assistant's language."""

import json
from datetime import UTC

import pytest
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from custom_components.solar_sprinkler import protocol
from custom_components.solar_sprinkler.models import BoardEvent
from custom_components.solar_sprinkler.sentences import Teller
from custom_components.solar_sprinkler.words import async_words
from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

RESULT = "sensor.solar_sprinkler_5a17e001_zone_2_last_result"
FOLDER = witness.ROOT / "ha_integration/custom_components/solar_sprinkler"
HOUR_S = 3600
NOON = witness.NOW - 2 * HOUR_S  # 06:00 UTC on a Friday


@pytest.fixture(autouse=True)
async def in_utc(hass) -> None:
    """The house stands in Greenwich."""
    await hass.config.async_update(time_zone="UTC")


def run(**changes) -> dict:
    """A run of zone 2 that is over."""
    done = {
        "run_id": 41,
        "program": 1,
        "at": NOON,
        "result": "completed",
        "reason": "",
        "duration_s": 600,
        "volume_ml": 80120,
    }
    return {**done, **changes}


async def tells(sprinkler: Sprinkler, board: dict | None = None, **zone) -> str:
    """What the sentence is once the board told this."""
    quiet = {"faults": [], "last_run": None, "next_run_at": 0, "last_skip": None}
    sprinkler.state["zones"][1].update(quiet, **zone)
    sprinkler.state.update(board or {})
    await sprinkler.is_online()
    registry = er.async_get(sprinkler.hass)
    entity_id = registry.async_get_entity_id("sensor", DOMAIN, "5a17e001_zone_2_last_result")
    return sprinkler.hass.states.get(entity_id).attributes["sentence"]


NEXT_THURSDAY = witness.NOW + 6 * 86400 - 2 * HOUR_S
SENTENCES = [
    ({}, {}, "No run yet; no start is planned"),
    ({}, {"last_run": run()}, "Watered 06:00 for 10 min, 80 l; no start is planned"),
    ({}, {"last_run": run(volume_ml=None, duration_s=45)}, "Watered 06:00 for 45 s; no start is planned"),
    (
        {},
        {"last_skip": {"at": NOON, "program": 1, "reason": "frost"}, "last_run": run(at=NOON - 86400), "next_run_at": NEXT_THURSDAY},
        "Skipped 06:00: frost; next Thu 06:00",
    ),
    ({}, {"last_skip": {"at": NOON - 86400, "program": 1, "reason": "frost"}, "last_run": run()}, "Watered 06:00 for 10 min, 80 l; no start is planned"),
    ({}, {"last_run": run(at=NOON - 30 * 86400)}, "Watered 2026-12-16 06:00 for 10 min, 80 l; no start is planned"),
    ({}, {"last_run": run(result="stopped", reason="requested")}, "Stopped 06:00 after 10 min, 80 l: on request; no start is planned"),
    (
        {},
        {"last_run": run(result="tripped", reason="no_flow", duration_s=31, volume_ml=0), "faults": ["no_flow"]},
        "Cut off 06:00 after 31 s, 0.0 l: no water came; locked until someone has looked",
    ),
    ({}, {"last_run": run(result="skipped", reason="lockout")}, "Skipped 06:00: a fault forbids opening until it is cleared; no start is planned"),
    ({}, {"last_run": run(result="stopped", reason="moon_phase")}, "Stopped 06:00 after 10 min, 80 l: moon phase; no start is planned"),
    (
        {},
        {"last_run": run(), "faults": ["leak"]},
        "Watered 06:00 for 10 min, 80 l; locked until someone has looked: water flows though the valve should be closed",
    ),
    ({}, {"valve": "open", "run_until": witness.NOW + 600, "next_run_at": NEXT_THURSDAY}, "Watering until 08:10; next Thu 06:00"),
    ({}, {"valve": "open", "run_until": 0, "next_run_at": NEXT_THURSDAY}, "Watering; next Thu 06:00"),
    ({}, {"queued_s": 600, "last_run": run()}, "Waits until another zone is done; no start is planned"),
    ({"watering_enabled": False}, {"next_run_at": NEXT_THURSDAY}, "No run yet; watering is switched off"),
    ({"winter": True}, {"next_run_at": NEXT_THURSDAY}, "No run yet; in winter nothing starts"),
    ({"rain_delay_until": NEXT_THURSDAY + 60}, {"next_run_at": NEXT_THURSDAY}, "No run yet; rain delay until Thu 06:01"),
    ({"rain_delay_until": NOON}, {"next_run_at": NEXT_THURSDAY}, "No run yet; next Thu 06:00"),
]  # fmt: skip


@pytest.mark.parametrize(("board", "zone", "sentence"), SENTENCES)
async def test_sentence_says_what_happened_and_what_comes(hass, sprinkler: Sprinkler, board, zone, sentence):
    assert await tells(sprinkler, board, **zone) == sentence


async def test_skip_that_only_an_event_told_is_said_too(hass, sprinkler: Sprinkler):
    skipped = {**witness.example("event", 1), "zone": 2, "n": 1, "oldest": 1, "at": NOON}
    await sprinkler.says("event", skipped)
    assert await tells(sprinkler) == "Skipped 06:00: rain delay; no start is planned"
    assert sprinkler.value(RESULT) == "skipped"


async def test_run_that_waits_for_a_sleeping_board_is_said_with_the_moment_at_which_it_listens(
    hass, sprinkler: Sprinkler
):
    await tells(sprinkler)
    await sprinkler.sleeps(witness.NOW + 900)
    valve = {"entity_id": "valve.solar_sprinkler_5a17e001_zone_2"}
    await hass.services.async_call("valve", "open_valve", valve, blocking=True)
    sentence = hass.states.get(RESULT).attributes["sentence"]
    assert sentence == "Asked to water; the board listens again 08:15; no start is planned"
    await hass.services.async_call("valve", "close_valve", valve, blocking=True)
    await sprinkler.says("availability", {"state": "asleep", "until": 0})
    await hass.services.async_call("valve", "open_valve", valve, blocking=True)
    sentence = hass.states.get(RESULT).attributes["sentence"]
    assert sentence == "Asked to water; the board has not answered yet; no start is planned"


async def test_sentence_speaks_german(hass, mqtt_mock, freezer, entry):
    freezer.move_to(witness.NOW_UTC)
    await hass.config.async_update(language="de")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    sprinkler = Sprinkler(hass, freezer, mqtt_mock, entry)
    told = {"last_skip": {"at": NOON, "program": 1, "reason": "rain_delay"}, "next_run_at": NEXT_THURSDAY}
    assert await tells(sprinkler, **told) == "Ausgelassen 06:00: Regenpause; als Nächstes Do 06:00"


async def test_sentence_is_in_the_diagnostics(hass, sprinkler: Sprinkler, hass_client):
    await tells(sprinkler, last_run=run())
    assert await async_setup_component(hass, "diagnostics", {})
    response = await (await hass_client()).get(f"/api/diagnostics/config_entry/{sprinkler.entry.entry_id}")
    told = (await response.json())["data"]
    assert told["why"]["2"] == "Watered 06:00 for 10 min, 80 l; no start is planned"


async def test_event_that_is_over_is_told_by_its_start_like_a_run(hass):
    event = BoardEvent(
        **{**witness.example("event"), "event": "run_finished", "result": "completed", "volume_ml": None}
    )
    teller = Teller(await async_words(hass), UTC, witness.NOW)
    assert teller.event(event) == "Watered 07:48 for 10 min"


def test_every_reason_has_words_in_every_language():
    for path in (FOLDER / "translations").glob("*.json"):
        words = json.loads(path.read_text(encoding="utf-8"))["selector"]
        assert {reason for reason in protocol.REASONS if reason} <= words["reason"]["options"].keys(), path.name
        assert len(words["weekday"]["options"]) == 7
