"""The whole path of an update: Home Assistant, a real Mosquitto, and the whole firmware on the real interpreter; only its hardware is simulated."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solar_sprinkler import firmware_bundle
from tests.ha import witness
from tests.ha.conftest import DOMAIN
from tests.ha.test_real_broker import broker, shows, until  # noqa: F401 - a fixture, and what its tests wait with
from tests.micropython.firmwares import version
from tools import build

FIRMWARE = "update.solar_sprinkler_5a17e001_firmware"
VALVE = "valve.solar_sprinkler_5a17e001_zone_1"
RESTARTS = "    def run(self) -> None:\n        self.board.reset()"  # as soon as it runs: no boot of it ever reaches the broker


@pytest.fixture(scope="module")
def interpreter() -> None:
    """Bring it up to date (milliseconds when it is)."""
    line = ["sh", "tools/micropython/build.sh", ".tools/micropython"]
    done = subprocess.run(line, cwd=witness.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(done.stderr.strip(), pytrace=False)


@pytest.fixture
async def paired(hass: HomeAssistant, interpreter: None, broker: int) -> AsyncGenerator[subprocess.Popen[str]]:  # noqa: F811
    """A board that is discovered and paired with its code; its process."""
    assert await async_setup_component(hass, "repairs", {})
    mqtt_entry = MockConfigEntry(
        domain="mqtt", data={"broker": "127.0.0.1", "port": broker, "protocol": "5"}, version=2, minor_version=1
    )
    mqtt_entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(mqtt_entry.entry_id)
    line = [sys.executable, "-m", "tests.micropython.live_board", str(broker)]
    process = subprocess.Popen(line, cwd=witness.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    await until(lambda: hass.config_entries.flow.async_progress_by_handler(DOMAIN), 60)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    await hass.config_entries.flow.async_configure(flow["flow_id"], {"pairing_code": witness.PAIRING_CODE})
    await until(lambda: shows(hass, VALVE) == "closed", 60)
    yield process
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_unload(mqtt_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    process.terminate()
    printed, _ = await hass.async_add_executor_job(process.communicate)
    assert process.returncode == 0, printed


async def carry(hass: HomeAssistant, folder: Path, made: build.Bundle) -> None:
    """The integration carries this firmware from now on."""
    await hass.async_add_executor_job(build.save, folder, made)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: shows(hass, FIRMWARE) == "on")


def attribute(hass: HomeAssistant, name: str) -> object:
    """What the entity shows."""
    state = hass.states.get(FIRMWARE)
    return state.attributes.get(name) if state else None


@pytest.mark.timeout(600)  # four starts of a real interpreter, and a version is confirmed after a minute of uptime
@pytest.mark.parametrize("expected_lingering_tasks", [True])
async def test_a_bad_version_rolls_back_and_raises_a_repair_and_a_good_one_is_installed(
    hass, paired, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property
):
    monkeypatch.setattr(firmware_bundle.load, "__defaults__", (tmp_path,))
    rolled_back = f"{witness.DEVICE_ID}_update_rolled_back_0"
    bad, good = await asyncio.gather(
        hass.async_add_executor_job(version, "0.2.0", "app.py", "    def run(self) -> None:", RESTARTS),
        hass.async_add_executor_job(version, "0.3.0"),
    )

    await carry(hass, tmp_path, bad)
    assert attribute(hass, "latest_version") == "0.2.0"
    await hass.services.async_call("update", "install", {"entity_id": FIRMWARE}, blocking=True)
    assert attribute(hass, "in_progress") is True
    await until(lambda: attribute(hass, "update_percentage") not in (None, 0), 60)
    await until(lambda: attribute(hass, "update_state") == "rolled_back", 120)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, rolled_back)
    assert issue is not None
    assert issue.translation_placeholders["version"] == "0.2.0"
    assert attribute(hass, "installed_version") == "0.1.0"
    assert attribute(hass, "in_progress") is False

    await carry(hass, tmp_path, good)
    began = time.monotonic()
    await hass.services.async_call("update", "install", {"entity_id": FIRMWARE}, blocking=True)
    await until(lambda: attribute(hass, "installed_version") == "0.3.0", 120)
    record_property("seconds until the new version reports", round(time.monotonic() - began, 1))
    await until(lambda: attribute(hass, "update_state") == "installed", 120)
    assert (shows(hass, FIRMWARE), attribute(hass, "in_progress")) == ("off", False)
    assert ir.async_get(hass).async_get_issue(DOMAIN, rolled_back) is None
    assert shows(hass, VALVE) == "closed"
