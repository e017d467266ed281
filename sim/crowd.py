"""Very many live boards in one process, in real time, on a real broker: what a broker, a network and Home Assistant have to bear.

Rule: the boards are those of `fleet`, on stacks of their own, but time is the machine's (`crowd_time`) and their connections are real sockets. One client
stands for Home Assistant: it gives each board its program and acknowledges what it hears. It looks into no firmware.
"""

import gc
import resource
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sim import mqtt
from sim.board import Hardware, SimulatedBoard
from sim.broker import Message
from sim.crew import Tell
from sim.crowd_time import CrowdTime
from sim.errors import SettingError, UnreachableError
from sim.fleet import TIDY_BOOTS, memory_bytes
from sim.garden import Keeper, Program
from sim.live import LiveNetwork
from sim.provision import Settings
from sim.world import Scenario, World

FILES_SPARE = 64


class House:
    """One client of the real broker that stands for Home Assistant: what `garden.Keeper` publishes and subscribes to, in the loop of the boards."""

    def __init__(self, timeline: CrowdTime, host: str, port: int, name: str) -> None:
        from sprinkler import protocol  # found once a board was made

        self._timeline = timeline
        self._heard: dict[str, Callable[[Message], None]] = {}
        self.messages = 0
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.max_inflight_messages_set(1000)
        client.on_message = self._message

        def subscribe(*_: object) -> None:
            client.subscribe([(protocol.topic("+", leaf), 1) for leaf in (protocol.EVENT, protocol.TELEMETRY)])

        client.on_connect = subscribe
        try:
            client.connect(host, port, keepalive=60)
        except OSError as error:
            raise UnreachableError(f"no broker answers at {host}:{port}: {error.strerror or error}") from error
        self._socket = client.socket()
        timeline.watch(self._file(), select.EPOLLIN, self._read)
        self._misc()

    def _file(self) -> int:
        return int(self._socket.fileno()) if self._socket is not None else -1

    def _read(self) -> None:
        if self._client.loop_read(100) != paho.MQTT_ERR_SUCCESS:
            raise UnreachableError("the broker closed the connection of the one who stands for Home Assistant")
        self._write()

    def _write(self) -> None:
        while self._client.want_write() and self._client.loop_write() == paho.MQTT_ERR_SUCCESS:
            pass

    def _misc(self) -> None:
        self._client.loop_misc()
        self._write()
        self._timeline.at(self._timeline.now_us + 1_000_000, self._misc)

    def _message(self, _client: object, _data: object, message: Any) -> None:
        self.messages += 1
        callback = self._heard.get(message.topic)
        if callback is not None:
            callback(Message(self._timeline.now_us, message.topic, message.payload, message.qos, message.retain, ""))

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """At QoS 1."""
        self._client.publish(topic, payload, 1, retain)
        self._write()

    def subscribe(self, pattern: str, callback: Callable[[Message], None]) -> None:
        """`pattern` is a whole topic; the client itself listens to those of all boards."""
        assert mqtt.valid_filter(pattern)
        self._heard[pattern] = callback

    def close(self) -> None:
        """Leave."""
        self._timeline.unwatch(self._file())
        self._client.disconnect()


@dataclass(frozen=True, slots=True)
class Order:
    """`boards` live boards on the broker at `host`:`port` for `seconds`; those of one process have the numbers from `first` on."""

    boards: int
    seconds: float
    host: str
    port: int
    scenario: Scenario
    program: Program
    seed: int = 0
    first: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.boards <= 100_000:
            raise SettingError(f"a fleet has 1 to 100000 boards, not {self.boards}")
        if not 0 < self.seconds <= 86_400:
            raise SettingError(f"live boards run for 1 to 86400 seconds, not {self.seconds:g}")


@dataclass(frozen=True, slots=True)
class Lived:
    """What the live boards of one process did. `heard` is how many of them were heard by the one who stands for Home Assistant."""

    boards: int
    seconds: float
    wakes: int
    messages: int
    heard: int
    crashes: int
    cpu_s: float
    bytes_per_board: float
    late_ms_p50: float
    late_ms_p99: float


def live(order: Order, tell: Tell) -> Lived:
    """Let them live, each waking at a moment of its own. Raises UnreachableError without a broker."""
    _allow_files(order.boards)
    timeline = CrowdTime()
    warm = SimulatedBoard(World(order.scenario))  # loads what all of them share
    warm.run_for(60)
    gc.collect()
    gc.freeze()  # as in `fleet`
    house = House(timeline, order.host, order.port, f"sim-house-{order.first}")
    before_bytes, began_s, cpu_s = memory_bytes(), time.monotonic(), time.process_time()
    heard: set[int] = set()
    boards = [
        _board(order, number, timeline, house, heard) for number in range(order.first, order.first + order.boards)
    ]
    spread_us = round(min(order.program.wake_interval_s, order.seconds / 2) * 1_000_000)
    _tidy_up(boards)
    timeline.spend(0)
    for number, board in enumerate(boards):
        timeline.at(timeline.now_us + spread_us * number // order.boards, board.power_on)

    def stop() -> bool:
        seconds = time.monotonic() - began_s
        return tell(min(1.0, seconds / order.seconds)) or seconds >= order.seconds

    try:
        timeline.run(stop)
        used_bytes = memory_bytes() - before_bytes
    finally:
        house.close()
        gc.unfreeze()
        for board in boards:
            assert isinstance(board.network, LiveNetwork)
            board.network.shut()
        timeline.close()
    late = sorted(timeline.late_us) or [0]
    return Lived(
        boards=len(boards),
        seconds=time.monotonic() - began_s,
        wakes=sum(board.chip.boots for board in boards),
        messages=house.messages,
        heard=len(heard),
        crashes=sum(len(board.crashes) for board in boards),
        cpu_s=time.process_time() - cpu_s,
        bytes_per_board=used_bytes / len(boards),
        late_ms_p50=late[len(late) // 2] / 1000,
        late_ms_p99=late[len(late) * 99 // 100] / 1000,
    )


def _board(order: Order, number: int, timeline: CrowdTime, house: House, heard: set[int]) -> SimulatedBoard:
    world = World(order.scenario, timeline)
    settings = Settings(broker_host=order.host, broker_port=order.port)
    board = SimulatedBoard(
        world,
        seed=order.seed * 1_000_003 + number,
        settings=settings,
        device_id=f"{number + 1:08x}",
        hardware=Hardware(network=LiveNetwork(timeline, time.time)),
    )
    board.raise_crashes = False
    keeper = Keeper(board, order.program, house)
    keeper.on_sample = lambda: heard.add(number)
    return board


def _tidy_up(boards: list[SimulatedBoard]) -> None:
    """Collect what ended boots leave, as often as `fleet` does."""
    ended = 0

    def end(_: object) -> None:
        nonlocal ended
        ended += 1
        if ended % max(TIDY_BOOTS, len(boards) // 4) == 0:
            gc.collect()

    for board in boards:
        board.on_end = end


def _allow_files(boards: int) -> None:
    """A waking board has a socket; the system's own limit is often 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = boards + FILES_SPARE
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def summary(order: Order, lived: list[Lived]) -> dict[str, object]:
    """For people and programs."""
    boards = sum(one.boards for one in lived)
    seconds = max(one.seconds for one in lived)
    messages, wakes = sum(one.messages for one in lived), sum(one.wakes for one in lived)
    return {
        "boards": boards,
        "broker": f"{order.host}:{order.port}",
        "seconds": round(seconds, 1),
        "jobs": len(lived),
        "stopped": seconds < order.seconds,
        "wakes": wakes,
        "wakes_per_s": round(wakes / seconds, 1),
        "messages_heard": messages,
        "messages_heard_per_s": round(messages / seconds, 1),
        "boards_heard": sum(one.heard for one in lived),
        "cores": round(sum(one.cpu_s for one in lived) / seconds, 2),
        "bytes_per_board": round(sum(one.bytes_per_board * one.boards for one in lived) / boards),
        "late_ms_p50": round(max(one.late_ms_p50 for one in lived), 1),
        "late_ms_p99": round(max(one.late_ms_p99 for one in lived), 1),
        "crashes": sum(one.crashes for one in lived),
    }
