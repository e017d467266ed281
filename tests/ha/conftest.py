"""Home Assistant's own fixtures, for this folder alone: elsewhere they would forbid sockets and run an event loop for every test."""

# These two come first: the harness has a package of the same name, which would hide ours; and it patches before others import.
# isort: off
import custom_components  # noqa: F401
from pytest_homeassistant_custom_component.plugins import *  # noqa: F403

# isort: on

import asyncio
import json
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_mqtt_message,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import MqttMockHAClient

from custom_components.solar_sprinkler import firmware_bundle
from tests.ha import witness

del pytest_addoption  # noqa: F821  (tests/conftest.py has the options: a folder's conftest comes too late for them)

DOMAIN = "solar_sprinkler"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(verify_cleanup: None, enable_custom_integrations: None) -> None:
    """Let Home Assistant load custom_components/; asks first for the fixture that takes stock of threads before Home Assistant starts any."""


@pytest.fixture
def expected_lingering_timers() -> bool:
    """MQTT's client keeps a timer of one second."""
    return True


@pytest.fixture(autouse=True)
def no_configuration_yaml() -> Generator[None]:
    """MQTT looks for a configuration.yaml, which the harness does not have."""
    with patch("homeassistant.config.load_yaml_config_file", return_value={}):
        yield


@pytest.fixture(autouse=True)
def no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on whether this checkout has built a bundle beside the component; who wants one asks for it."""
    monkeypatch.setattr(firmware_bundle.load, "__defaults__", (tmp_path / "no-bundle",))


class Sprinkler:
    """A board, played over the harness's MQTT client, and what Home Assistant published to it."""

    def __init__(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory, mqtt: MqttMockHAClient, entry: MockConfigEntry
    ) -> None:
        self.hass = hass
        self.freezer = freezer
        self.mqtt = mqtt
        self.entry = entry
        self.state = witness.example("state")

    async def says(self, leaf: str, message: dict[str, Any] | bytes | str, *, retain: bool = False) -> None:
        """Publish as the board does and let Home Assistant work it off."""
        payload = json.dumps(message) if isinstance(message, dict) else message
        async_fire_mqtt_message(self.hass, witness.topic(leaf), payload, qos=1, retain=retain)
        await self.hass.async_block_till_done()

    async def interjects(self, leaf: str, message: dict[str, Any]) -> None:
        """As `says`, while an action goes on waiting: Home Assistant's own way to settle would wait for its end."""
        async_fire_mqtt_message(self.hass, witness.topic(leaf), json.dumps(message), qos=1)
        for _ in range(50):
            await asyncio.sleep(0)

    async def is_online(self) -> None:
        """The board is awake and tells what the example's state tells."""
        await self.says("availability", {"state": "online"})
        await self.says("state", self.state)

    async def is_paired(self) -> None:
        """The board is awake and has what Home Assistant wants: version 1, and no programs."""
        self.state["desired_version"] = 0
        await self.is_online()
        await self.confirms()

    async def confirms(self) -> None:
        """The board takes the last `desired` and says so."""
        desired = self.published("desired")[-1]
        for key in ("watering_enabled", "rain_delay_until", "seasonal_adjust_pct"):
            self.state[key] = desired["settings"][key]
        self.state["desired_version"] = desired["version"]
        await self.says("state", self.state)

    async def begins(self, call: Coroutine[Any, Any, Any], leaf: str) -> asyncio.Task[Any]:
        """Begin an action and return it as soon as it has published on `leaf`; it may wait for the board's answer."""
        before = len(self.published(leaf))
        calling = asyncio.create_task(call)
        while len(self.published(leaf)) == before:
            assert not calling.done(), await calling
            await asyncio.sleep(0)
        return calling

    async def sleeps(self, until: int) -> None:
        """The board goes to sleep with both valves closed."""
        for zone in self.state["zones"]:
            zone.update(valve="closed", run_until=0, run_id=0, run_time_s=0, faults=[])
        await self.says("state", self.state)
        await self.says("availability", {"state": "asleep", "until": until})

    async def time_passes(self, seconds: float) -> None:
        """Let the frozen clock move, and what waits for it happen."""
        self.freezer.tick(seconds)
        async_fire_time_changed(self.hass)
        await self.hass.async_block_till_done()

    async def stays_silent(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Let an action wait for a reply in vain, and return what came of it."""
        waiting = asyncio.create_task(call)
        while not waiting.done():  # Home Assistant's own way to wait would wait for this call
            for _ in range(20):
                await asyncio.sleep(0)
            self.freezer.tick(1)
            async_fire_time_changed(self.hass)
        return await waiting

    def published(self, leaf: str) -> list[dict[str, Any]]:
        """What Home Assistant published on a topic, opened; checks signature, QoS and retention."""
        found = []
        for call in self.mqtt.async_publish.call_args_list:
            topic_name, payload, qos, retain = call.args[:4]
            if topic_name == witness.topic(leaf):
                assert qos == 1
                assert retain is (leaf in ("ack", "desired", "weather"))
                is_bare = b"\n" not in payload
                found.append(json.loads(payload) if is_bare else witness.opened(leaf, payload))
        return found

    def value(self, entity_id: str) -> str:
        """The state of an entity."""
        state = self.hass.states.get(entity_id)
        assert state is not None, entity_id
        return state.state


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """A paired board."""
    announce = witness.signed("announce", witness.example("announce"))
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Solar Sprinkler 5a17e001",
        unique_id=witness.DEVICE_ID,
        data={"key": witness.KEY.hex(), "announce": announce},
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def sprinkler(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, mqtt_mock: MqttMockHAClient, entry: MockConfigEntry
) -> Sprinkler:
    """A paired board that is set up and that has said nothing yet."""
    freezer.move_to(witness.NOW_UTC)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return Sprinkler(hass, freezer, mqtt_mock, entry)
