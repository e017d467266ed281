"""In-process Home Assistant against a real Mosquitto, with paho playing the board: what no mock of MQTT can show."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.ha import witness
from tests.ha.conftest import DOMAIN

VALVE = "valve.solar_sprinkler_5a17e001_zone_1"
OURS = witness.ROOT / ".tools/bin/mosquitto"


def mosquitto() -> str:
    """The broker's program; its absence is a failure, not a reason to skip."""
    found = (
        str(OURS)
        if OURS.exists()
        else shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin") or shutil.which("mosquitto")
    )
    assert found, "mosquitto is missing; run: sh tools/setup.sh broker"
    return found


@pytest.fixture
def broker(tmp_path: Path, socket_enabled: None) -> Generator[int]:
    """A Mosquitto of this test's own; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    process = subprocess.Popen([mosquitto(), "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield port
    process.terminate()
    process.wait(5)


class Board:
    """A board with a persistent session, whose valve follows signed commands."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.refuse = ""
        self.state = witness.example("state")
        self._port = port
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=f"sprinkler-{witness.DEVICE_ID}",
            clean_session=False,
            protocol=paho.MQTTv311,
        )
        self._client.will_set(witness.topic("availability"), json.dumps({"state": "lost"}), 1, True)
        self._client.on_connect = self._connected
        self._client.on_message = self._hear

    def wake(self) -> None:
        """Connect and tell what is true."""
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()

    def _connected(self, client: paho.Client, *_args: Any) -> None:
        client.subscribe([(witness.topic(leaf), 1) for leaf in ("command", "desired", "ack", "time")])
        self.say("announce", witness.signed("announce", witness.example("announce")), retain=True)
        self.say("availability", json.dumps({"state": "online"}), retain=True)
        self.say("state", json.dumps(self.state), retain=True)

    def say(self, leaf: str, payload: str, *, retain: bool = False) -> None:
        """Publish."""
        self._client.publish(witness.topic(leaf), payload, 1, retain)

    def _hear(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        leaf = message.topic.rpartition("/")[2]
        said = witness.opened(leaf, message.payload) if b"\n" in message.payload else json.loads(message.payload)
        self.heard.append((leaf, said))
        if leaf == "command":
            self._obey(said)

    def _obey(self, command: dict[str, Any]) -> None:
        reply = {
            "id": command["id"],
            "accepted": not self.refuse,
            "reason": self.refuse,
            "zone": command.get("zone", 0),
        }
        is_run = command["command"] == "run" and not self.refuse
        until = int(time.time()) + command.get("run_time_s", 0)
        granted = (
            {"run_id": 43, "run_time_s": command["run_time_s"], "run_until": until}
            if is_run
            else {"run_id": 0, "run_time_s": 0, "run_until": 0}
        )
        self.say("reply", json.dumps({**reply, **granted}))
        if not self.refuse:
            self.state["command_counter"] = command["counter"]
            self.state["zones"][0].update(valve="open" if is_run else "closed", **granted)
        self.say("state", json.dumps(self.state), retain=True)

    def sleep(self, until: int) -> None:
        """Disconnect cleanly; the broker keeps what comes."""
        self.say("availability", json.dumps({"state": "asleep", "until": until}), retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    def die(self) -> None:
        """Lose the connection without a word; the broker publishes the will."""
        self._client.loop_stop()
        sock = self._client.socket()
        assert sock is not None
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()


@pytest.fixture
async def board(hass: HomeAssistant, broker: int) -> AsyncGenerator[Board]:
    """A paired board, awake and closed, and a Home Assistant that heard it."""
    board = Board(broker)
    for zone in board.state["zones"]:
        zone.update(valve="closed", run_id=0, run_time_s=0, run_until=0, faults=[])
    board.state["command_counter"] = 0
    mqtt_entry = MockConfigEntry(
        domain="mqtt", data={"broker": "127.0.0.1", "port": broker, "protocol": "5"}, version=2, minor_version=1
    )
    mqtt_entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(mqtt_entry.entry_id)
    await hass.async_add_executor_job(board.wake)
    await until(lambda: hass.config_entries.flow.async_progress_by_handler(DOMAIN))
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    await hass.config_entries.flow.async_configure(flow["flow_id"], {"pairing_code": witness.PAIRING_CODE})
    await until(lambda: shows(hass, VALVE) == "closed")
    yield board
    board.sleep(0)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_unload(mqtt_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def until(holds: Callable[[], Any], within_s: float = 15) -> None:
    """Wait for a condition, with a limit."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)


def shows(hass: HomeAssistant, entity_id: str) -> str | None:
    """The state of an entity, if it is there."""
    state = hass.states.get(entity_id)
    return state.state if state else None


def run(hass: HomeAssistant, duration_s: int) -> Awaitable[Any]:
    """Call our action."""
    return hass.services.async_call(
        DOMAIN, "run", {"entity_id": VALVE, "duration": duration_s}, blocking=True, return_response=True
    )


@pytest.mark.parametrize("expected_lingering_tasks", [True])
async def test_discovered_board_runs_stops_sleeps_and_is_lost(hass, board: Board):
    answer = (await run(hass, 60))[VALVE]
    assert (answer["queued"], answer["run_time_s"]) == (False, 60)
    await until(lambda: shows(hass, VALVE) == "open")
    await hass.services.async_call("valve", "close_valve", {"entity_id": VALVE}, blocking=True)
    await until(lambda: shows(hass, VALVE) == "closed")

    board.say("event", json.dumps({**witness.example("event"), "n": 1, "oldest": 1}))
    board.say("time_request", json.dumps(witness.example("time_request")))
    await until(lambda: {"ack", "time"} <= {leaf for leaf, _ in board.heard})

    board.sleep(int(time.time()) + 900)
    await until(lambda: not _runtime(hass).data.is_online)
    assert (await run(hass, 30))[VALVE]["queued"] is True
    assert shows(hass, VALVE) == "opening"
    await hass.async_add_executor_job(board.wake)
    await until(lambda: shows(hass, VALVE) == "open")

    board.die()
    await until(lambda: shows(hass, VALVE) == "unknown")
    assert shows(hass, "binary_sensor.solar_sprinkler_5a17e001_connectivity") == "off"
    await hass.async_add_executor_job(board.wake)
    await until(lambda: shows(hass, VALVE) == "open")


def _runtime(hass: HomeAssistant) -> Any:
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    return entry.runtime_data
