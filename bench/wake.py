"""What a wake with nothing to do costs: python -m bench.wake

Round trips, bytes each way, flash writes and modelled mAh of a sleeper's wake, through a proxy with 50 ms each way and a real mosquitto, on the 32-bit
MicroPython: the firmware beside a program on umqtt.simple that says the very same messages.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from bench.house import CLIENTS, BenchError, Home, Messages, board, broker, firmware_version, run_until, set_up
from bench.proxy import Proxy, Talk
from sim.errors import DeepSleep, Ending
from sim.power import AWAKE_RADIO_MA
from sim.remote.board import RemoteBoard
from sprinkler import protocol

ONE_WAY_S = 0.05
SETTLE = 3  # wakes before those that count: the first boot, its acknowledgement, the new wake interval
ASLEEP_S = 0.6  # in which Home Assistant's answers reach the broker
JOIN_S = 1.2  # what the simulator takes for a join; the same for both
WAKE_S = 15.0

EPILOG = """\
prints, for each client, the median of its wakes: round trips after the TCP connect, seconds connected, bytes sent and received, flash writes (the SDK's
included), and the charge that join and connection take at the radio's 75 mA (modelled: no board was measured). --json prints the same as one object.

exit codes: 0 measured; 1 a board or the broker did not answer; 2 wrong usage
"""


class Sleeper:
    """Wakes a live board `count` times after it settled, and notes what each wake wrote; `done` is set after the last."""

    def __init__(self, live: RemoteBoard, count: int) -> None:
        self.done = threading.Event()
        self.writes: list[int] = []
        self._live = live
        self._left = SETTLE + count
        self._before = 0
        live.on_end = self._ended

    def _written(self) -> int:
        return self._live.image.steps + self._live.chip.sdk_flash_writes

    def _ended(self, ending: Ending) -> None:
        if not isinstance(ending, DeepSleep):
            return
        self.writes.append(self._written() - self._before)
        self._before = self._written()
        self._left -= 1
        if self._left:
            self._live.timeline.at(self._live.timeline.now_us + round(ASLEEP_S * 1e6), self._live.reset_now)
        else:
            self.done.set()


def measure(client: str, port: int, count: int, folder: Path, messages: Messages) -> tuple[dict[str, float], Messages]:
    """The median of `count` wakes, and what was said in the last of them. Raises BenchError."""
    said: list[tuple[str, str, bool]] = []

    def hear(leaf: str, content: dict[str, Any]) -> None:
        said.append((leaf, json.dumps(content, separators=(",", ":")), leaf in (protocol.STATE, protocol.AVAILABILITY)))

    with (
        Proxy(port, ONE_WAY_S) as proxy,
        board(client, proxy.port, "wake", responsive=False, folder=folder, messages=messages) as live,
    ):
        home = Home(port, live.key, hear)
        home.say(protocol.DESIRED, {"version": 1, "settings": {"wake_interval_s": 60}, "programs": []}, retain=True)
        sleeper = Sleeper(live, count)
        try:
            run_until(live, sleeper.done, (SETTLE + count) * WAKE_S + 30)
        finally:
            home.close()
        talks = proxy.talks[-count:]
    if len(proxy.talks) < SETTLE + count:
        raise BenchError(f"{client}: {len(proxy.talks)} connections in {SETTLE + count} wakes")
    last = [i for i, (leaf, _, _) in enumerate(said) if leaf == protocol.AVAILABILITY]
    return figures(talks, sleeper.writes[-count:]), tuple(said[last[-2] + 1 :]) if len(last) > 1 else ()


def figures(talks: list[Talk], writes: list[int]) -> dict[str, float]:
    """What is printed of one client."""
    connected_s = statistics.median(talk.ended_s - talk.began_s for talk in talks)
    return {
        "wakes": len(talks),
        "round_trips": statistics.median_low(talk.round_trips(ONE_WAY_S) for talk in talks),
        "connected_s": round(connected_s, 3),
        "bytes_sent": statistics.median_low(talk.bytes_up() for talk in talks),
        "bytes_received": statistics.median_low(talk.bytes_down() for talk in talks),
        "flash_writes": max(writes),
        "modelled_mah": round((JOIN_S + connected_s) * AWAKE_RADIO_MA / 3600, 4),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure both in one run; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.wake",
        description=(__doc__ or "").split("\n")[0],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--wakes", metavar="N", type=int, default=10, help="wakes of each (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args(arguments)
    if options.wakes < 1:
        parser.error("--wakes wants 1 or more")
    try:
        set_up()
        found = {}
        messages: Messages = ()
        with tempfile.TemporaryDirectory() as folder:
            for client in CLIENTS:
                with broker(Path(folder)) as port:
                    found[client], heard = measure(client, port, options.wakes, Path(folder), messages)
                    messages = messages or heard
    except BenchError as error:
        print(f"wake: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"firmware": firmware_version(), "one_way_ms": round(ONE_WAY_S * 1000), "clients": found}))
        return 0
    for client, row in found.items():
        print(
            f"{client:<16} {row['wakes']:>3} wakes   {row['round_trips']:>2} round trips   {row['connected_s']:>6.3f} s   "
            f"{row['bytes_sent']:>5} B sent   {row['bytes_received']:>4} B received   {row['flash_writes']} flash writes   {row['modelled_mah']:.4f} mAh"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
