"""What holds for every test: options of plugins that only a folder of tests loads."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Give Home Assistant's fixtures (tests/ha) the two options that they look up."""
    parser.addoption("--dburl", default="sqlite://", help="database of the recorder in tests/ha")
    parser.addoption("--drop-existing-db", action="store_true", help="let tests/ha drop the database of --dburl")
