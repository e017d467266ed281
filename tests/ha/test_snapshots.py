"""Everything a person can see of a board, held against what was looked at and found good (__snapshots__/); `--snapshot-update` takes it down anew."""

from pathlib import Path

import pytest
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from syrupy.assertion import SnapshotAssertion

from custom_components.solar_sprinkler import firmware_bundle
from tests.ha import witness
from tests.ha.conftest import Sprinkler


@pytest.fixture(autouse=True)
def no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether somebody has built one in this checkout makes no difference."""
    monkeypatch.setattr(firmware_bundle.load, "__defaults__", (tmp_path / "none",))


async def reports(sprinkler: Sprinkler) -> None:
    """The board tells all that it can."""
    sprinkler.state.update(winter=False, awake_until=witness.NOW + 300)
    await sprinkler.is_paired()
    for number, happened in enumerate(("boot", "run_started", "run_skipped"), 1):
        reason = "frost" if happened == "run_skipped" else ""
        await sprinkler.says(
            "event", {**witness.example("event"), "n": number, "oldest": 1, "event": happened, "reason": reason}
        )
    await sprinkler.says("telemetry", witness.example("telemetry"))
    await sprinkler.says("health", witness.example("health"))


async def test_every_entity_with_all_that_it_shows(hass, sprinkler: Sprinkler, snapshot: SnapshotAssertion):
    registry = er.async_get(hass)
    for entry in er.async_entries_for_config_entry(registry, sprinkler.entry.entry_id):
        registry.async_update_entity(entry.entity_id, disabled_by=None)
    await hass.config_entries.async_reload(sprinkler.entry.entry_id)
    await hass.async_block_till_done()
    await reports(sprinkler)
    assert {
        entry.entity_id: {
            "state": (state := hass.states.get(entry.entity_id)) and state.state,
            "attributes": state and dict(state.attributes),
            "category": entry.entity_category,
        }
        for entry in er.async_entries_for_config_entry(registry, sprinkler.entry.entry_id)
    } == snapshot


async def test_diagnostics_hold_no_key_and_no_place(
    hass, sprinkler: Sprinkler, hass_client, snapshot: SnapshotAssertion
):
    await hass.config.async_update(latitude=51.4779, longitude=-0.0015, time_zone="Europe/London")
    await reports(sprinkler)
    assert await async_setup_component(hass, "diagnostics", {})
    response = await (await hass_client()).get(f"/api/diagnostics/config_entry/{sprinkler.entry.entry_id}")
    text = await response.text()
    told = (await response.json())["data"]
    secrets = (witness.KEY.hex(), witness.PAIRING_CODE, witness.signed("announce", witness.example("announce"))[-32:])
    for secret in (*secrets, "5147", "GMT0BST"):
        assert secret not in text, secret
    assert told["board"]["announce"]["hardware"] == "feather_huzzah_esp8266", "what a bug report needs is there"
    assert told == snapshot
