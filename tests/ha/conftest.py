"""Home Assistant's own fixtures, for this folder alone: elsewhere they would forbid sockets and run an event loop for every test."""

import custom_components  # noqa: F401  (first: the harness has a package of the same name, which would hide ours)

# isort: split
import pytest
from pytest_homeassistant_custom_component.plugins import *  # noqa: F403

del pytest_addoption  # noqa: F821  (tests/conftest.py has the options: a folder's conftest comes too late for them)


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(verify_cleanup: None, enable_custom_integrations: None) -> None:
    """Let Home Assistant load custom_components/. Asks first for the fixture that counts threads before Home Assistant starts any."""


@pytest.fixture
def expected_lingering_timers() -> bool:
    """MQTT's client keeps a timer of one second."""
    return True
