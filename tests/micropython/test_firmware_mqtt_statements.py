"""tests/firmware/test_mqtt_statements.py once more: what two boards on the real interpreter say in their lives."""

from contextlib import ExitStack

import pytest

from sim.remote import RemoteBoard
from tests.firmware import rig
from tests.firmware.test_mqtt_statements import *  # noqa: F403 - its tests
from tests.firmware.test_mqtt_statements import Connection, recorded
from tools.micropython.package import build


@pytest.fixture(scope="module")
def connections() -> list[Connection]:
    """Recorded once for all tests, so `on_the_interpreter`, which is for one test, comes too late."""
    with ExitStack() as boards, pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            rig,
            "SimulatedBoard",
            lambda *args, **named: boards.enter_context(RemoteBoard(*args, build=build(), **named)),
        )
        return recorded()
