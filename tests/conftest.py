"""What holds for every test: the tools of this checkout are found, and options of plugins that only one folder of tests loads."""

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
