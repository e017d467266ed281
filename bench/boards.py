"""What fifty boards cost Home Assistant: python -m bench.boards

Start-up and memory of one Home Assistant with so many boards of ours (26 entities each, and as many switched off), beside as many devices with as many
entities of Home Assistant's own MQTT integration, and beside neither. Each in a process of its own, on a real mosquitto that retains what they said.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.home import OURS, PEER, READY_S, SPAWN, Broadcaster, new_folder, running, until_there, write
from bench.house import BenchError, broker

NEITHER = "neither"
SETTLE_S = 2.0

EPILOG = """\
prints, for each: seconds from the start until every valve shows its state, MB of memory then, and how many entities there are. --json: one object.

exit codes: 0 measured; 1 something did not start; 2 wrong usage
"""


def house(side: str, config: Path, boards: int, told: Connection) -> None:
    """One Home Assistant, in a process of its own; tells its figures."""

    async def live() -> dict[str, float]:
        began_s = time.perf_counter()
        async with running(config) as hass:
            if side != NEITHER:
                await until_there(hass, side, 2 * boards)
            took_s = time.perf_counter() - began_s
            await asyncio.sleep(SETTLE_S)
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            memory_mb = pages * resource.getpagesize() / 1_000_000
            return {
                "start_s": round(took_s, 2),
                "memory_mb": round(memory_mb, 1),
                "entities": len(hass.states.async_all()),
            }

    try:
        told.send(asyncio.run(live()))
    except BenchError as error:
        told.send({"error": str(error)})


def measure(side: str, boards: int, folder: Path) -> dict[str, Any]:
    """The figures of one side. Raises BenchError."""
    (folder / side).mkdir()
    with broker(folder / side) as port:
        config = new_folder(folder)
        write(config, port, boards if side == OURS else 0)
        spoken = Broadcaster(port)
        for number in range(boards):
            if side == OURS:
                spoken.board_is_there(number)
            elif side == PEER:
                spoken.peers_are_there(number)
        here, there = SPAWN.Pipe()
        process = SPAWN.Process(target=house, args=(side, config, boards, there))
        process.start()
        try:
            found: dict[str, Any] = here.recv() if here.poll(2 * READY_S) else {"error": "no answer"}
        finally:
            process.join(SETTLE_S)
            process.kill()
            process.join()
            spoken.close()
    if "error" in found:
        raise BenchError(f"{side}: {found['error']}")
    return found


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.boards", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("--boards", type=int, default=50, metavar="N", help="how many (default 50)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    wanted = parser.parse_args(arguments)
    if wanted.boards < 1:
        parser.error("--boards wants 1 or more")
    found = {}
    try:
        with tempfile.TemporaryDirectory(prefix="sprinkler-bench-") as folder:
            for side in (NEITHER, OURS, PEER):
                found[side] = measure(side, wanted.boards, Path(folder))
                if not wanted.json:
                    print(f"{side:<16}", "  ".join(f"{key} {value}" for key, value in found[side].items()), flush=True)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if wanted.json:
        print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
