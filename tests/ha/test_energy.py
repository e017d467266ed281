"""Water in the Energy dashboard: Home Assistant's own judgement of the zones' totals."""

from datetime import timedelta

import pytest
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from tests.ha.conftest import Sprinkler

TOTAL = "sensor.solar_sprinkler_5a17e001_zone_1_water_total"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(verify_cleanup: None, recorder_mock, enable_custom_integrations: None) -> None:
    """As for all tests here, with a recorder that is there before Home Assistant."""


async def test_water_total_is_accepted_and_counts_each_litre_once(hass, sprinkler: Sprinkler, hass_ws_client):
    began = dt_util.utcnow()
    await sprinkler.is_online()
    await sprinkler.time_passes(10)
    sprinkler.state["zones"][0]["volume_ml"] += 12_000
    for _ in range(2):  # told again, as after an outage
        await sprinkler.says("state", sprinkler.state)
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=began)
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, began - timedelta(hours=1), None, {TOTAL}, "5minute", None, {"sum"}
    )
    assert [row["sum"] for row in found[TOTAL]] == [12.0]

    assert await async_setup_component(hass, "energy", {})
    client = await hass_ws_client(hass)
    source = {
        "type": "water",
        "stat_energy_from": TOTAL,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
    }
    await client.send_json_auto_id({"type": "energy/save_prefs", "energy_sources": [source]})
    assert (await client.receive_json())["success"]
    await client.send_json_auto_id({"type": "energy/validate"})
    assert (await client.receive_json())["result"]["energy_sources"] == [[]], (
        "Home Assistant finds nothing wrong with it"
    )
