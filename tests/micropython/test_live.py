"""The interpreter in real time, with a real broker."""

import time
from collections.abc import Callable

from paho.mqtt.client import CallbackAPIVersion, Client

from sim.board import Hardware
from sim.live import LiveNetwork
from sim.provision import Settings
from sim.remote import RemoteBoard
from sim.timeline import LiveTime
from sim.world import Scenario, World
from tools.micropython.package import build


def test_it_reports_to_a_real_broker(broker_port: int, note: Callable[[str], None]):
    timeline = LiveTime()
    world = World(Scenario(zones=1), timeline)
    settings = Settings(broker_port=broker_port, always_responsive=True)
    hardware = Hardware(network=LiveNetwork(timeline, world.unix_s))
    heard: dict[str, bytes] = {}

    def hear(_client: Client, _data: object, message: object) -> None:
        heard[message.topic.split("/")[-1]] = message.payload
        if {"announce", "state", "telemetry"} <= set(heard):
            timeline.stop()

    witness = Client(CallbackAPIVersion.VERSION2)
    witness.on_message = hear
    witness.connect("127.0.0.1", broker_port)
    witness.subscribe("solar_sprinkler/#", 1)
    witness.loop_start()
    timeline.at(15_000_000, timeline.stop)
    start_s = time.monotonic()
    with RemoteBoard(world, settings=settings, hardware=hardware, build=build()) as board:
        board.run()
        text = board.text
    took_s = time.monotonic() - start_s
    witness.disconnect()
    witness.loop_stop()
    note(f"from power-on to telemetry at a real broker: {took_s:.1f} s")
    assert {"announce", "state", "telemetry"} <= set(heard), text
    assert b"online" in heard["availability"]
