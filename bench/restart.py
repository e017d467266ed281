"""How soon commands are heard again after the broker was gone: python -m bench.restart

Live boards (the shipped firmware, real sockets) at a real mosquitto that keeps nothing on disk. It is killed with -9 or frozen, comes back after a while
that is different each time, and every board is sent commands until it answers one.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.house import BenchError
from bench.latency import percentile
from sprinkler import protocol
from sprinkler.auth import sign

ROOT = Path(__file__).resolve().parent.parent

AWAY_S = (0.1, 2.0)  # how long a broker is gone that somebody restarts
FROZEN_S = (1.0, 4.0)
AGAIN_S = 0.1  # between two commands to a board that has not answered
GIVE_UP_S = 120.0

EPILOG = """\
prints, for each way to go: how often it went, how many boards had to come back, and the time from the broker's return (its port listens; it was thawed)
to a board's answer to a command, in seconds, at the 50th and 99th percentile and at most. --json prints the same as one object.

exit codes: 0 measured; 1 a board or the broker did not answer; 2 wrong usage
"""


class Mosquitto:
    """A broker that can be killed, frozen, and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto", path=f"{ROOT}/.tools/bin:/usr/sbin:/usr/bin")
        if found is None:
            raise BenchError("mosquitto is not there; run: sh tools/setup.sh broker")
        self._program = found
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        lines = (f"listener {self.port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true", "persistence false")
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens. Raises BenchError."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stdout=quiet, stderr=quiet)
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise BenchError("mosquitto does not listen")

    def signal(self, number: int) -> None:
        """Send the process a signal; after SIGKILL, wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            if number == signal.SIGKILL:
                self._process.wait(5)


class Caller:
    """Sends signed commands to all boards and notes when each answered first since `forget`."""

    def __init__(self, port: int, keys: dict[str, bytes]) -> None:
        self._port, self._keys = port, keys
        self._counter = 0
        self.answered: dict[str, float] = {}
        self.heard = threading.Condition()
        self._round = ""

    def call(self, limit_s: float) -> dict[str, float]:
        """Call every board until it answers; when each did, by the monotonic clock. Raises BenchError."""
        self._round = f"{self._counter}."
        self.answered = {}
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_message = self._on_message
        client.connect("127.0.0.1", self._port)
        client.subscribe(f"{protocol.BASE}/+/{protocol.REPLY}", 1)
        client.loop_start()
        until_s = time.monotonic() + limit_s
        try:
            while missing := [device for device in self._keys if device not in self.answered]:
                if time.monotonic() > until_s:
                    raise BenchError(f"no answer from {', '.join(missing)} within {limit_s:.0f} s")
                for device in missing:
                    self._send(client, device)
                with self.heard:
                    self.heard.wait(AGAIN_S)
        finally:
            client.disconnect()
            client.loop_stop()
        return self.answered

    def _send(self, client: Client, device: str) -> None:
        self._counter += 1
        now_s = time.time()
        content = {
            "id": f"{self._round}{self._counter % 1000}",
            "counter": int(now_s * 1000) + self._counter,
            "expires_at": int(now_s) + 600,
        }
        topic = protocol.topic(device, protocol.COMMAND)
        body = json.dumps({**content, "command": "clear_fault", "zone": 1}).encode()
        client.publish(topic, sign(self._keys[device], topic, body), 1)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        now_s = time.monotonic()
        reply, device = json.loads(message.payload), message.topic.split("/")[1]
        if reply["accepted"] and reply["id"].startswith(self._round):
            with self.heard:
                self.answered.setdefault(device, now_s)
                if len(self.answered) == len(self._keys):
                    self.heard.notify()


@contextmanager
def boards(folder: Path, port: int, count: int) -> Iterator[dict[str, bytes]]:
    """So many live boards; device id -> key. Raises BenchError."""
    processes, keys = [], {}
    try:
        for number in range(count):
            device, data = f"5a17{number:04x}", folder / f"board{number}"
            line = [
                sys.executable,
                "-m",
                "sim",
                "board",
                "--broker",
                f"127.0.0.1:{port}",
                "--data",
                str(data),
                "--device-id",
                device,
                "--quiet",
            ]
            with (folder / f"board{number}.log").open("w") as log:
                processes.append(subprocess.Popen(line, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        for number in range(count):
            keys[f"5a17{number:04x}"] = _key(folder / f"board{number}" / "flash" / "config.json")
        yield keys
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def _key(config: Path) -> bytes:
    for _ in range(600):
        if config.exists() and (text := config.read_text()).rstrip().endswith("}"):
            return bytes.fromhex(json.loads(text)["device_key"])
        time.sleep(0.05)
    raise BenchError(f"no board wrote {config.name}: see {config.parent.parent.with_suffix('.log')}")


def _away(broker: Mosquitto, way: str, chance: random.Random) -> float:
    """The broker goes and comes back; when it was there again."""
    if way == "killed":
        broker.signal(signal.SIGKILL)
        time.sleep(chance.uniform(*AWAY_S))
        broker.start()
    else:
        broker.signal(signal.SIGSTOP)
        time.sleep(chance.uniform(*FROZEN_S))
        broker.signal(signal.SIGCONT)
    return time.monotonic()


def measure(restarts: int, count: int, folder: Path, tell: Any = lambda _: None) -> dict[str, list[float]]:
    """Seconds from the broker's return to each board's answer, by the way it went. Raises BenchError."""
    chance = random.Random(1)
    broker = Mosquitto(folder)
    broker.start()
    found: dict[str, list[float]] = {"killed": [], "frozen": []}
    try:
        with boards(folder, broker.port, count) as keys:
            caller = Caller(broker.port, keys)
            caller.call(GIVE_UP_S)
            for number in range(restarts):
                for way, times_s in found.items():
                    time.sleep(chance.uniform(0.5, 1.5))
                    back_s = _away(broker, way, chance)
                    times_s += [at_s - back_s for at_s in caller.call(GIVE_UP_S).values()]
                tell((number + 1) / restarts)
    finally:
        broker.signal(signal.SIGCONT)
        broker.signal(signal.SIGKILL)
    return found


def figures(times_s: list[float], restarts: int) -> dict[str, float]:
    """What is printed of one way to go."""
    return {
        "restarts": restarts,
        "samples": len(times_s),
        "p50_s": round(percentile(times_s, 50), 2),
        "p99_s": round(percentile(times_s, 99), 2),
        "max_s": round(max(times_s), 2),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.restart",
        description=(__doc__ or "").split("\n")[0],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--restarts", metavar="N", type=int, default=50, help="of each way (default %(default)s)")
    parser.add_argument("--boards", metavar="N", type=int, default=4, help="live boards (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args(arguments)
    if options.restarts < 1 or not 1 <= options.boards <= 64:
        parser.error("--restarts wants 1 or more, --boards 1 to 64")

    def tell(part: float) -> None:
        if os.isatty(2):
            print(f"\r{part:4.0%} ", end="", file=sys.stderr, flush=True)

    try:
        subprocess.run(["sh", "tools/setup.sh", "broker"], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        with tempfile.TemporaryDirectory() as folder:
            times_s = measure(options.restarts, options.boards, Path(folder), tell)
    except BenchError as error:
        print(f"restart: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError:
        print("restart: tools/setup.sh broker failed; run it to see why", file=sys.stderr)
        return 1
    found = {way: figures(times, options.restarts) for way, times in times_s.items()}
    if options.json:
        print(json.dumps(found))
        return 0
    for way, row in found.items():
        times = "   ".join(f"{name} {row[f'{name}_s']:>6.2f} s" for name in ("p50", "p99", "max"))
        print(f"{way:<8} {row['restarts']:>4} times, {row['samples']:>5} boards back   {times}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
