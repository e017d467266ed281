"""A board on the real interpreter, in real time, at a real broker; as a program of its own, for tests that have another loop to run.

python -m tests.micropython.live_board PORT       until it is told to end (SIGTERM); its key is 000102...0f
"""

import signal
import sys

from sim.board import Hardware
from sim.live import LiveNetwork
from sim.provision import Settings
from sim.remote import RemoteBoard
from sim.timeline import LiveTime
from sim.world import Scenario, World
from tools.micropython.package import build


def main(port: int) -> int:
    """Run it; 0, or 1 when its valve moved."""
    timeline = LiveTime()
    world = World(Scenario(zones=1, clouds=False), timeline)
    settings = Settings(zones=1, broker_port=port, always_responsive=True, device_key=bytes(range(16)).hex())
    network = LiveNetwork(timeline, world.unix_s)
    moves: list[int] = []
    world.on_valve.append(lambda zone: moves.append(zone + 1))
    signal.signal(signal.SIGTERM, lambda *_: timeline.stop())
    with RemoteBoard(world, settings=settings, hardware=Hardware(network=network), build=build()) as board:
        board.raise_crashes = False
        board.run()
        print(board.text)
    network.shut()
    return 1 if moves else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
