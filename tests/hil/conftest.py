"""A real board at the end of a cable: pytest tests/hil --port PORT. Without --port none of these is chosen."""

from collections.abc import Iterator

import pytest

from tools.provision.device import Device
from tools.provision.say import Say

WAIT_S = 120  # for a hand at the RESET button, where the cable cannot


@pytest.fixture(scope="module")
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The board at its prompt, held still; at the end it restarts and goes on with what it did."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # what a person is asked to press must be seen
        found = Device.at(request.config.getoption("--port"), Say(as_json=False), WAIT_S)
    with found:
        yield found
