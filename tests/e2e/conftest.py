"""One house for all tests that can share it, the order that lets them wait together, and the two checks of ./demo, which run beside those that mostly wait."""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.command import Command, demo, free_port
from tests.e2e.house import House
from tests.e2e.sleeper import Queued, queue_run
from tools.demo import session
from tools.demo.progress import Progress

ORDER = (  # a board falls asleep, other tests pass its minute, and it wakes; last what takes the house apart
    "test_browser",
    "test_calendar",
    "test_sleeping",
    "test_check",
    "test_ending",
    "test_ports",
    "test_wake",
    "test_without_home_assistant",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of this folder into their order; a file that is not in it is a mistake."""
    here = [index for index, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ordered = sorted((items[index] for index in here), key=lambda item: ORDER.index(item.path.stem))
    for index, item in zip(here, ordered, strict=True):
        items[index] = item


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
