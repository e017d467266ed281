"""What both measurements need: a real mosquitto, a board on the 32-bit MicroPython in real time, and somebody who speaks for Home Assistant.

Rule: the two clients meet the same broker, the same proxy, the same interpreter and the same stand-ins for hardware; only their code differs.
"""

import json
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from sim.board import Hardware
from sim.live import LiveNetwork
from sim.provision import FIRMWARE, Settings
from sim.remote.board import Build, RemoteBoard
from sim.remote.interpreter import ROOT
from sim.timeline import LiveTime
from sim.world import Scenario, World
from sprinkler import protocol
from sprinkler.auth import sign
from tools.micropython.package import build, compile_mpy, make_romfs

UMQTT = ROOT / ".tools/umqtt/umqtt/simple.py"
PEER = Path(__file__).resolve().parent / "peer"
CLIENTS = ("solar_sprinkler", "umqtt.simple")
DEVICE_ID = "5a17e001"

type Messages = tuple[tuple[str, str, bool], ...]  # leaf, payload, retained


class BenchError(Exception):
    """Something that the measurement needs is missing, or did not answer."""


def set_up() -> None:
    """Make broker, interpreter and umqtt.simple ready. Raises BenchError."""
    line = ["sh", "tools/setup.sh", "broker", "micropython", "umqtt"]
    done = subprocess.run(line, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError((done.stderr.strip().splitlines() or ["tools/setup.sh failed"])[-1])


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A mosquitto that lets anyone in and answers at once; its port. Raises BenchError."""
    program = shutil.which("mosquitto", path=f"{ROOT}/.tools/bin:/usr/sbin:/usr/bin")
    if program is None:
        raise BenchError("mosquitto is not there; run: sh tools/setup.sh broker")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(port)
        yield port
    finally:
        process.terminate()
        process.wait(5)


def _until_it_listens(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchError("mosquitto does not listen")


class Home:
    """Speaks for Home Assistant: signs, acknowledges what it hears, and tells `hear(leaf, content)` about it."""

    def __init__(self, port: int, key: bytes, hear: Callable[[str, dict[str, Any]], None]) -> None:
        self._key = key
        self._hear = hear
        self._counter = 0
        self._stored: dict[int, list[int]] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.on_socket_open = _send_at_once
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(protocol.topic(DEVICE_ID, "+"), 1)
        self._client.loop_start()

    def close(self) -> None:
        """Say no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def command(self, kind: str, **fields: Any) -> str:
        """Send a signed command; its id."""
        self._counter += 1
        now_s = time.time()
        command_id = f"c{self._counter}"
        content = {
            "id": command_id,
            "counter": int(now_s * 1000) + self._counter,
            "expires_at": int(now_s) + 600,
            "command": kind,
            **fields,
        }
        self.say(protocol.COMMAND, content, retain=False)
        return command_id

    def say(self, leaf: str, content: dict[str, Any], *, retain: bool) -> None:
        """Publish a signed message."""
        topic = protocol.topic(DEVICE_ID, leaf)
        self._client.publish(topic, sign(self._key, topic, json.dumps(content).encode()), 1, retain)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        leaf = message.topic.rpartition("/")[2]
        if leaf not in protocol.TO_HOME_ASSISTANT:
            return
        content = json.loads(message.payload.split(b"\n")[0])
        if leaf == protocol.EVENT:
            self._acknowledge(content["boot_id"], 0, content["n"])
        elif leaf == protocol.TELEMETRY:
            self._acknowledge(content["boot_id"], 1, content["samples"][-1]["n"])
        self._hear(leaf, content)

    def _acknowledge(self, boot_id: int, which: int, number: int) -> None:
        stored = self._stored.setdefault(boot_id, [0, 0])
        stored[which] = max(stored[which], number)
        self.say(protocol.ACK, {"boot_id": boot_id, "event": stored[0], "sample": stored[1]}, retain=True)


def _send_at_once(_client: Client, _data: object, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def board(
    client: str, port: int, script: str, *, responsive: bool, folder: Path, messages: Messages = ()
) -> Iterator[RemoteBoard]:
    """A live board on the interpreter: the firmware, or `peer/<script>.py` on umqtt.simple, in real time. `run_until` runs it."""
    timeline = LiveTime()
    world = World(Scenario(zones=1, clouds=False, start_unix_s=time.time()), timeline)
    network = LiveNetwork(timeline, time.time)
    settings = Settings(
        broker_port=port, always_responsive=responsive, device_key=secrets.token_hex(16), soil_probes=False
    )
    ours = client == CLIENTS[0]
    parts = build()
    if not ours:
        parts = Build(make_romfs({"umqtt/simple.mpy": compile_mpy(UMQTT)}), parts.closer, parts.chooser)
    made = RemoteBoard(
        world, settings=settings, hardware=Hardware(network=network), build=parts, device_id=DEVICE_ID, seed=1
    )
    with made:
        if not ours:
            made.script = folder / f"{script}.py"
            known = {"HOST": settings.broker_host, "PORT": port, "KEY": made.key, "DEVICE_ID": DEVICE_ID}
            known["MESSAGES"] = messages
            values = "".join(f"{name} = {value!r}\n" for name, value in known.items())
            made.script.write_text(values + (PEER / f"{script}.py").read_text())
        try:
            yield made
        finally:
            network.shut()


def run_until(live: RemoteBoard, done: threading.Event, limit_s: float) -> None:
    """Run a live board until `done` is set. Raises BenchError when that takes longer than `limit_s`, with what the board printed."""
    timeline = live.timeline
    assert isinstance(timeline, LiveTime)

    def look() -> None:
        if done.is_set():
            timeline.stop()
        else:
            timeline.at(timeline.now_us + 20_000, look)

    timeline.at(timeline.now_us, look)
    timeline.at(round(limit_s * 1_000_000), timeline.stop)
    live.run()
    if timeline.failure is not None:
        raise timeline.failure
    if not done.is_set():
        raise BenchError(f"no end after {limit_s:.0f} s; the board said: {live.text[-500:].strip() or 'nothing'}")


def firmware_version() -> str:
    """The version that is measured."""
    text = (FIRMWARE / "sprinkler/report.py").read_text()
    return text.split('FIRMWARE = "')[1].split('"')[0]
