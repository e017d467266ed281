"""What holds for every test: the tools of this checkout are found, options that only one folder of tests uses, and that a real board is chosen by its port."""

import os
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / ".tools" / "bin"


def pytest_configure() -> None:
    """Let plain pytest find what tools/setup.sh made ready: mosquitto, chromium."""
    os.environ["PATH"] = f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Give Home Assistant's fixtures (tests/ha) the two options that they look up."""
    parser.addoption("--dburl", default="sqlite://", help="database of the recorder in tests/ha")
    parser.addoption("--drop-existing-db", action="store_true", help="let tests/ha drop the database of --dburl")
    parser.addoption(
        "--port", default=None, help="where a real board hangs, for tests/hil; without it they are not chosen"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a port there is no board: its tests are not chosen, rather than skipped in every run."""
    if config.getoption("--port") is None:
        without = [item for item in items if item.get_closest_marker("hil")]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
