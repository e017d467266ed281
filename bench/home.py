"""A Home Assistant in this very process, on a real mosquitto: boards of ours beside valves and sensors of Home Assistant's own MQTT integration.

Rule: the configuration folder is written before the start, as after a restart of a house that has lived for long; nothing is mocked. It measures nothing.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import multiprocessing
import re
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.house import BenchError
from tools.demo import home_assistant, ports

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

ROOT = Path(__file__).resolve().parent.parent
SPAWN = multiprocessing.get_context("spawn")  # Home Assistant leaves its marks on the process it ran in
OURS, PEER = "solar_sprinkler", "mqtt"
READY_S = 120.0
SENSORS_A_BOARD = 24  # beside the two valves: a board of two zones has as many entities by default


def example(kind: str) -> dict[str, Any]:
    """The first example of a message in docs/protocol.md."""
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- example: {kind} -->\n```json\n(.*?)\n```", text, re.DOTALL)
    if found is None:
        raise BenchError(f"docs/protocol.md has no example of {kind}")
    message: dict[str, Any] = json.loads(found[1])
    return message


def device_id(number: int) -> str:
    """The id of a board."""
    return f"{0x5A170000 + number:08x}"


def key_of(number: int) -> bytes:
    """Its key."""
    return hashlib.sha256(f"board {number}".encode()).digest()[:16]


def topic(number: int, leaf: str) -> str:
    """A topic of a board."""
    return f"solar_sprinkler/{device_id(number)}/{leaf}"


def write(folder: Path, port: int, boards: int) -> None:
    """A configuration with a broker and so many paired boards."""
    home_assistant.write_config(folder, ports.choose(8123, None, ""))
    entries = [_entry("mqtt", "broker", None, {"broker": "127.0.0.1", "port": port, "protocol": "5"}, 2)]
    for number in range(boards):
        announce = {**example("announce"), "device_id": device_id(number)}
        body = json.dumps(announce)
        mac = hmac.new(key_of(number), f"{topic(number, 'announce')}\0{body}".encode(), hashlib.sha256)
        data = {"key": key_of(number).hex(), "announce": f"{body}\n{mac.hexdigest()[:32]}"}
        entries.append(_entry("solar_sprinkler", f"board{number}", device_id(number), data, 1))
    stored = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": entries}}
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored))


def _entry(domain: str, entry_id: str, unique_id: str | None, data: dict[str, Any], version: int) -> dict[str, Any]:
    return {
        "entry_id": entry_id, "version": version, "minor_version": 1, "domain": domain, "title": entry_id, "data": data, "options": {},
        "pref_disable_new_entities": False, "pref_disable_polling": False, "source": "user", "unique_id": unique_id, "disabled_by": None,
    }  # fmt: skip


class Broadcaster:
    """Speaks for the boards and for the peer's devices."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        """Say no more."""
        self.client.disconnect()
        self.client.loop_stop()

    def say(self, topic_name: str, message: dict[str, Any] | str, *, retain: bool = True) -> None:
        """Publish."""
        payload = message if isinstance(message, str) else json.dumps(message)
        self.client.publish(topic_name, payload, 1, retain)

    def board_is_there(self, number: int) -> dict[str, Any]:
        """A board of two zones, both closed, tells all that it has; its state."""
        state: dict[str, Any] = example("state")
        state.update(command_counter=0, desired_version=0)
        for zone in state["zones"]:
            zone.update(valve="closed", run_id=0, run_time_s=0, run_until=0, queued_s=0, faults=[])
        self.say(topic(number, "availability"), {"state": "online"})
        self.say(topic(number, "state"), state)
        return state

    def peers_are_there(self, number: int) -> None:
        """The same number of entities of Home Assistant's own integration: two valves and sensors that read one JSON message."""
        device = {"identifiers": [f"peer{number}"], "name": f"Peer {number}"}
        for zone in (1, 2):
            self._discover("valve", number, f"valve_{zone}", device, command_topic=f"peer/{number}/{zone}/set")
        for sensor in range(SENSORS_A_BOARD):
            template = f"{{{{ value_json.value_{sensor} }}}}"
            self._discover("sensor", number, f"sensor_{sensor}", device, value_template=template)
        for zone in (1, 2):
            self.say(f"peer/{number}/valve_{zone}", "closed")
        for sensor in range(SENSORS_A_BOARD):
            self.say(f"peer/{number}/sensor_{sensor}", {f"value_{sensor}": sensor})

    def _discover(self, platform: str, number: int, name: str, device: dict[str, Any], **more: Any) -> None:
        found = {
            "name": name.replace("_", " "),
            "unique_id": f"peer{number}_{name}",
            "state_topic": f"peer/{number}/{name}",
            "qos": 1,
            "device": device,
            **more,
        }
        self.say(f"homeassistant/{platform}/peer{number}/{name}/config", found)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Home Assistant, started on `folder`. Raises BenchError."""
    from homeassistant import bootstrap, runner  # seconds: not for `--help`

    sys.path.insert(0, str(home_assistant.STUBS))
    logging.getLogger().setLevel(logging.ERROR)
    hass = await bootstrap.async_setup_hass(runner.RuntimeConfig(str(folder), skip_pip=True))
    if hass is None:
        raise BenchError("Home Assistant does not start")
    try:
        await hass.async_start()
        yield hass
    finally:
        await hass.async_stop(force=True)


async def until_there(hass: HomeAssistant, platform: str, count: int) -> None:
    """Wait for so many valves of an integration with a state. Raises BenchError."""
    try:
        async with asyncio.timeout(READY_S):
            while len(valves(hass, platform)) < count:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise BenchError(f"{len(valves(hass, platform))} of {count} valves of {platform} came") from None


def valves(hass: HomeAssistant, platform: str) -> list[str]:
    """The valves of an integration that are closed."""
    prefix = "valve.solar_sprinkler_" if platform == OURS else "valve.peer_"
    return sorted(
        state.entity_id
        for state in hass.states.async_all("valve")
        if state.entity_id.startswith(prefix) and state.state == "closed"
    )


def new_folder(parent: Path) -> Path:
    """A folder of its own for a configuration."""
    return parent / f"home-{secrets.token_hex(4)}"
