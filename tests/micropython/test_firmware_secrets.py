"""tests/firmware/test_secrets.py once more, on the real interpreter in a board's heap."""

import pytest

from tests.firmware.test_secrets import *  # noqa: F403 - its tests and fixtures

pytestmark = pytest.mark.usefixtures("on_the_interpreter")
