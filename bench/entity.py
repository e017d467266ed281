"""How fast Home Assistant shows what a valve does, and tells it what to do: python -m bench.entity

Our component beside Home Assistant's own MQTT valve, in one Home Assistant, on a real mosquitto, QoS 1, in turns. State: from the publish of the
message to the valve's changed state. Call: from valve.open_valve to the arrival of the message at the broker's other end. Our state is the whole board's
(1.2 KB of JSON, 26 entities) and our command is signed; the peer's are a word.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage

from bench.home import OURS, PEER, READY_S, SPAWN, Broadcaster, new_folder, running, topic, until_there, valves, write
from bench.house import BenchError, broker

if TYPE_CHECKING:
    from homeassistant.core import Event, EventStateChangedData

WARM_UP = 10
ANSWER_S = 10.0
PAUSE_S = 0.02
COMMANDS = {OURS: topic(0, "command"), PEER: "peer/0/1/set"}

EPILOG = """\
prints, for state and for call and for each of the two: how many, the time at the 50th and 99th percentile and at most, in ms; then how many times as long
ours took. --json prints the same as one object.

exit codes: 0 measured; 1 something did not answer; 2 wrong usage
"""


def house(config: Path, told: Connection) -> None:
    """Home Assistant, in a process of its own: tells when a valve's state changes, and calls valve.open_valve when asked to."""
    from homeassistant.core import callback

    async def live() -> None:
        async with running(config) as hass:
            for side in (OURS, PEER):
                await until_there(hass, side, 2)
            sides = {valves(hass, side)[0]: side for side in (OURS, PEER)}

            def changed(event: Event[EventStateChangedData]) -> None:
                side = sides.get(event.data["entity_id"])
                if side and event.data["new_state"]:
                    told.send((f"{side} {event.data['new_state'].state}", time.perf_counter()))

            hass.bus.async_listen("state_changed", callback(changed))
            entities = {side: entity_id for entity_id, side in sides.items()}
            told.send(("ready", 0.0))
            while side := await hass.async_add_executor_job(told.recv):
                told.send((f"{side} called", time.perf_counter()))
                await hass.services.async_call("valve", "open_valve", {"entity_id": entities[side]}, blocking=True)

    try:
        asyncio.run(live())
    except BenchError as error:
        told.send((f"error: {error}", 0.0))


class Bench:
    """The other end: speaks for the board of ours and for the peer's device, and follows what Home Assistant tells and publishes."""

    def __init__(self, spoken: Broadcaster, state: dict[str, Any], told: Connection) -> None:
        """Listen to both."""
        self._spoken, self._state, self._told = spoken, state, told
        self._heard: dict[str, float] = {}
        self._arrived = threading.Condition()
        spoken.client.on_message = self._message
        for name in COMMANDS.values():
            spoken.client.subscribe(name, 1)
        threading.Thread(target=self._listen, daemon=True).start()
        self._until("ready", READY_S)

    def _note(self, what: str, at: float) -> None:
        with self._arrived:
            self._heard.setdefault(what, at)
            self._arrived.notify()

    def _listen(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                self._note(*self._told.recv())

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        now_s = time.perf_counter()
        side = OURS if message.topic == COMMANDS[OURS] else PEER
        self._note(f"{side} command", now_s)
        if side == OURS:  # an awake board answers, or Home Assistant waits for it
            asked = json.loads(message.payload.partition(b"\n")[0])
            granted = {"run_id": 43, "run_time_s": asked["run_time_s"], "run_until": int(time.time()) + 600}
            told = {"id": asked["id"], "accepted": True, "reason": "", "zone": 1, "at": 0, **granted}
            self._spoken.say(topic(0, "reply"), told, retain=False)

    def _until(self, what: str, limit_s: float = ANSWER_S) -> float:
        """The moment of it. Raises BenchError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: what in self._heard, limit_s):
                raise BenchError(
                    next((said for said in self._heard if said.startswith("error")), f"{what} did not come")
                )
            return self._heard[what]

    def state(self, side: str, number: int) -> float:
        """Milliseconds from publish to the entity's state."""
        shown = "open" if number % 2 == 0 else "closed"
        self._heard.clear()
        began_s = time.perf_counter()
        if side == OURS:
            run = {"valve": shown, "run_id": number, "run_until": int(time.time()) + 600 if shown == "open" else 0}
            self._state["zones"][0].update(run)
            self._spoken.say(topic(0, "state"), self._state)
        else:
            self._spoken.say("peer/0/valve_1", shown)
        return (self._until(f"{side} {shown}") - began_s) * 1000

    def call(self, side: str, _number: int) -> float:
        """Milliseconds from the service call to the message."""
        self._heard.clear()
        self._told.send(side)
        return (self._until(f"{side} command") - self._until(f"{side} called")) * 1000

    def measure(self, count: int) -> dict[str, dict[str, list[float]]]:
        """Both ways and both sides, in turns, whoever began last time second."""
        found: dict[str, dict[str, list[float]]] = {way: {OURS: [], PEER: []} for way in ("state", "call")}
        for way, once in (("state", self.state), ("call", self.call)):
            for number in range(count + WARM_UP):
                for side in (OURS, PEER) if number % 2 else (PEER, OURS):
                    time.sleep(PAUSE_S)
                    took_ms = once(side, number)
                    if number >= WARM_UP:
                        found[way][side].append(took_ms)
        return found


def figures(times_ms: list[float]) -> dict[str, float]:
    """What is printed of one side."""
    inner = statistics.quantiles(times_ms, n=100, method="inclusive") if len(times_ms) > 1 else times_ms * 99
    return {
        "count": len(times_ms),
        "p50_ms": round(inner[49], 2),
        "p99_ms": round(inner[98], 2),
        "max_ms": round(max(times_ms), 2),
    }


def run(count: int, folder: Path) -> dict[str, Any]:
    """The whole measurement. Raises BenchError."""
    with broker(folder) as port:
        config = new_folder(folder)
        write(config, port, 1)
        spoken = Broadcaster(port)
        spoken.peers_are_there(0)
        state = spoken.board_is_there(0)
        here, there = SPAWN.Pipe()
        process = SPAWN.Process(target=house, args=(config, there))
        process.start()
        try:
            found = Bench(spoken, state, here).measure(count)
            here.send("")
            process.join(ANSWER_S)
        finally:
            process.kill()
            process.join()
            spoken.close()
    told: dict[str, Any] = {
        way: {side: figures(times) for side, times in sides.items()} for way, sides in found.items()
    }
    for way in found:
        for key in ("p50", "p99"):
            told[way][f"ratio_{key}"] = round(told[way][OURS][f"{key}_ms"] / told[way][PEER][f"{key}_ms"], 2)
    return told


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.entity", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("--count", type=int, default=300, metavar="N", help="of each (default 300)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    wanted = parser.parse_args(arguments)
    if wanted.count < 1:
        parser.error("--count wants 1 or more")
    try:
        with tempfile.TemporaryDirectory(prefix="sprinkler-bench-") as folder:
            found = run(wanted.count, Path(folder))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if wanted.json:
        print(json.dumps(found, indent=2))
        return 0
    for way, sides in found.items():
        for side in (OURS, PEER):
            print(f"{way:<6} {side:<16}", "  ".join(f"{key} {value}" for key, value in sides[side].items()))
        print(f"{way:<6} ours took {sides['ratio_p50']} times as long at the median, {sides['ratio_p99']} at p99")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
