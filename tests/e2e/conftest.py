"""One house for all tests that can share it, and the two checks of ./demo, which run beside the tests that mostly wait."""

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.command import Command, demo, free_port
from tests.e2e.house import House
from tests.e2e.sleeper import Queued, queue_run
from tools.demo import session
from tools.demo.progress import Progress


@dataclasses.dataclass(frozen=True)
class Checks:
    """./demo --check and ./demo --no-ha --check, started at the same time."""

    whole: Command
    no_ha: Command


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Broker, Home Assistant and board, all up. In the end no firmware may have crashed on the way."""
    folder, progress = tmp_path_factory.mktemp("house") / "demo", Progress(quiet=True)
    async with (
        session.start(session.Options(folder), progress) as running,
        session.with_home_assistant(running, progress) as (api, lawn),
    ):
        shared = House(running, api, lawn)
        yield shared
        await shared.close()
        assert shared.crashes() == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def queued(house: House) -> Queued:
    """A run that waits for the wake of a sleeping board."""
    return await queue_run(house)


@pytest.fixture(scope="session")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checks]:
    """Both checks, started; whoever asks first need not be the one who waits for them. Named ports, so that they take nobody else's."""
    folder = tmp_path_factory.mktemp("checks")
    ports = ("--mqtt-port", str(free_port()), "--http-port", str(free_port()))
    with (
        demo(folder / "whole", "--check", *ports) as whole,
        demo(folder / "no-ha", "--no-ha", "--check", "--mqtt-port", str(free_port())) as no_ha,
    ):
        yield Checks(whole, no_ha)
