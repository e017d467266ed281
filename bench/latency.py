"""How long a command takes to be answered: python -m bench.latency

From the publish of a signed command to the arrival of its `reply`, through a real mosquitto, QoS 1 both ways, on the 32-bit MicroPython: the firmware
in its full control loop (sensors, core, checkpoint, outbox) beside a program on umqtt.simple that does nothing but wait for messages.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.house import CLIENTS, BenchError, Home, board, broker, firmware_version, run_until, set_up

PAUSE_MS = 10  # at most, between an answer and the next command: they follow each other, as an automation's do
WARM_UP = 5
ANSWER_S = 5.0

EPILOG = """\
prints, for each client: commands sent, the time from command to reply at the 50th and 99th percentile and at most, in ms; then how many times faster
the firmware is. --json prints the same as one object.

exit codes: 0 measured; 1 a board or the broker did not answer; 2 wrong usage
"""


def percentile(times_ms: list[float], pct: int) -> float:
    """The time that `pct` percent of the commands do not exceed."""
    return sorted(times_ms)[min(len(times_ms) - 1, len(times_ms) * pct // 100)]


def measure(client: str, port: int, count: int, folder: Path, pause_ms: int = PAUSE_MS) -> list[float]:
    """Milliseconds from command to reply, for `count` commands. Raises BenchError."""
    ready, done = threading.Event(), threading.Event()
    answered: dict[str, float] = {}
    heard = threading.Condition()

    def hear(leaf: str, content: dict[str, Any]) -> None:
        now_s = time.perf_counter()
        if leaf == "availability" and content["state"] == "online":
            ready.set()
        elif leaf == "reply":
            with heard:
                answered[content["id"]] = now_s if content["accepted"] else -1.0
                heard.notify()

    times_ms: list[float] = []
    problem: list[str] = []

    def drive(home: Home) -> None:
        if not ready.wait(20):
            problem.append("the board does not come up")
        else:
            time.sleep(6)  # until the firmware has proven its valves closed and set its clock
        for i in range(count + WARM_UP if not problem else 0):
            time.sleep(pause_ms / 1000 * (i * 0.618 % 1))  # so that they meet the loop at every point
            began_s = time.perf_counter()
            command_id = home.command("clear_fault", zone=1)
            with heard:
                if not heard.wait_for(lambda wanted=command_id: wanted in answered, ANSWER_S):  # type: ignore[misc]
                    problem.append(f"no answer to command {i + 1}")
                    break
            if answered[command_id] < 0:
                problem.append(f"command {i + 1} was refused")
                break
            if i >= WARM_UP:
                times_ms.append((answered[command_id] - began_s) * 1000)
        done.set()

    with board(client, port, "latency", responsive=True, folder=folder) as live:
        home = Home(port, live.key, hear)
        thread = threading.Thread(target=drive, args=(home,), daemon=True)
        thread.start()
        try:
            run_until(live, done, 60 + count * 1.0)
        finally:
            home.close()
        if problem:
            raise BenchError(f"{client}: {problem[0]}; the board said: {live.text[-300:].strip() or 'nothing'}")
    return times_ms


def figures(times_ms: list[float]) -> dict[str, float]:
    """What is printed of one client."""
    return {
        "commands": len(times_ms),
        "p50_ms": round(statistics.median(times_ms), 2),
        "p99_ms": round(percentile(times_ms, 99), 2),
        "max_ms": round(max(times_ms), 2),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure both in one run; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.latency",
        description=(__doc__ or "").split("\n")[0],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--commands", metavar="N", type=int, default=200, help="commands to each (default %(default)s)")
    parser.add_argument(
        "--pause", metavar="MS", type=int, default=PAUSE_MS, help="longest pause before a command (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args(arguments)
    if options.commands < 1 or options.pause < 0:
        parser.error("--commands wants 1 or more, --pause 0 or more")
    try:
        set_up()
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            for client in CLIENTS:
                with broker(Path(folder)) as port:
                    found[client] = figures(measure(client, port, options.commands, Path(folder), options.pause))
    except BenchError as error:
        print(f"latency: {error}", file=sys.stderr)
        return 1
    ours, theirs = (found[client] for client in CLIENTS)
    faster = {name: round(theirs[name] / ours[name], 1) for name in ("p50_ms", "p99_ms")}
    if options.json:
        print(
            json.dumps(
                {"firmware": firmware_version(), "pause_ms": options.pause, "clients": found, "times_faster": faster}
            )
        )
        return 0
    for client, row in found.items():
        print(
            f"{client:<16} {row['commands']:>5} commands   p50 {row['p50_ms']:>7.2f} ms   p99 {row['p99_ms']:>7.2f} ms   max {row['max_ms']:>7.2f} ms"
        )
    print(f"{'faster':<16} {'':>14}   p50 {faster['p50_ms']:>7.1f} x    p99 {faster['p99_ms']:>7.1f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
