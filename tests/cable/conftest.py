"""The interpreter and the brokers of tests/micropython, and boards at the end of a cable."""

from collections.abc import Callable, Iterator

import pytest

from tests.cable.cable import Bench
from tests.micropython.conftest import (  # noqa: F401 - fixtures, and the figures at the end
    broker_port,
    free_port,
    image,
    interpreter,
    note,
    pytest_terminal_summary,
    start_broker,
)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Boards at the end of a cable; arguments are `Bench`'s."""
    made: list[Bench] = []

    def make(**arguments: object) -> Bench:
        made.append(Bench(**arguments))
        return made[-1]

    yield make
    for each in made:
        each.__exit__()
