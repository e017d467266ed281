"""Clients on a real mosquitto in one process: live boards with the real firmware beside paho-mqtt with a thread each: python -m bench.load [--json]

Both wake up or publish once a minute, in real time. Told are bytes a client, messages heard a second, and CPU seconds a thousand messages. A board does more
than a client: it reads sensors, decides, signs, and connects anew at each wake. Paho's clients stay connected and publish a sample of the same length.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.house import BenchError, broker

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = b"x" * 330  # bytes of a telemetry message with one sample
EVERY_S = 60.0

EPILOG = "exit codes: 0 measured; 1 a broker or a client did not answer; 2 wrong usage"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__, epilog=EPILOG)
    parser.add_argument("--clients", metavar="N", type=int, default=300, help="of each kind (default %(default)s)")
    parser.add_argument("--for", metavar="S", type=float, default=150.0, dest="seconds", help="(default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--paho", metavar="PORT", type=int, help=argparse.SUPPRESS)  # the peer, in a process of its own
    options = parser.parse_args(arguments)
    if options.paho:
        print(json.dumps(_paho(options.paho, options.clients, options.seconds)))
        return 0
    try:
        found = {
            name: _measured(name, options.clients, options.seconds) for name in ("solar_sprinkler", "paho threads")
        }
    except (BenchError, subprocess.CalledProcessError) as error:
        print(f"bench.load: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found))
    else:
        for name, row in found.items():
            print(f"{name:16} " + "  ".join(f"{key} {value}" for key, value in row.items()))
    return 0


def _measured(name: str, clients: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with broker(Path(folder)) as port:
            if name == "solar_sprinkler":
                words = [
                    "sim",
                    "fleet",
                    "--broker",
                    f"127.0.0.1:{port}",
                    "--wake",
                    "1",
                    "--run-time",
                    "0",
                    "--jobs",
                    "1",
                ]
                words += ["--boards", str(clients), "--for", str(seconds), "--json"]
            else:
                words = ["bench.load", "--paho", str(port), "--clients", str(clients), "--for", str(seconds)]
            done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    if name != "solar_sprinkler":
        return dict(told)
    return _row(
        clients, told["bytes_per_board"], told["messages_heard"], told["cores"] * told["seconds"], told["seconds"]
    )


def _row(clients: int, size: float, messages: int, cpu_s: float, seconds: float) -> dict[str, float]:
    return {
        "clients": clients,
        "bytes_per_client": round(size),
        "messages_per_s": round(messages / seconds, 1),
        "cpu_s_per_1000_messages": round(1000 * cpu_s / max(1, messages), 2),
    }


def _paho(port: int, clients: int, seconds: float) -> dict[str, float]:
    from sim.fleet import memory_bytes

    heard = threading.Semaphore(0)
    before_bytes, cpu_s, began_s = memory_bytes(), time.process_time(), time.monotonic()
    found, count = [], 0
    for number in range(clients):
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"paho-{number}")
        client.on_publish = lambda *_: heard.release()
        client.connect("127.0.0.1", port)
        client.loop_start()
        found.append(client)
    while time.monotonic() - began_s < seconds:
        round_s = time.monotonic()
        for number, client in enumerate(found):
            due_s = round_s + EVERY_S * number / clients
            time.sleep(max(0.0, due_s - time.monotonic()))
            if time.monotonic() - began_s >= seconds:
                break
            client.publish(f"load/{number}", SAMPLE, 1)
    used_bytes = memory_bytes() - before_bytes
    while heard.acquire(blocking=False):
        count += 1
    row = _row(clients, used_bytes / clients, count, time.process_time() - cpu_s, time.monotonic() - began_s)
    for client in found:
        client.disconnect()
        client.loop_stop()
    return row


if __name__ == "__main__":
    sys.exit(main())
