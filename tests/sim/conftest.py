"""What the simulator's tests share: a board without firmware, to use its stand-ins directly."""

import pytest

from sim.board import SimulatedBoard
from sim.broker import Broker
from sim.port import PWRON_RESET, Port, Session
from sim.world import Scenario, World


@pytest.fixture
def board() -> SimulatedBoard:
    """Two zones, clear sky, no firmware."""
    return SimulatedBoard(World(Scenario(zones=2, clouds=False)), Broker(), seed=1, files={"/main.py": b""})


@pytest.fixture
def port(board: SimulatedBoard) -> Port:
    """The stand-ins of one boot; virtual time passes in their waits."""
    port = Port(Session(board.chip, board.bench, board.network, PWRON_RESET))
    port.time.sleep_ms(2000)  # joined to the Wi-Fi by now
    return port
