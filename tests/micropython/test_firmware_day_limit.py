"""tests/firmware/test_day_limit.py once more, on the real interpreter in a board's heap."""

import pytest

from tests.firmware.test_day_limit import *  # noqa: F403 - its tests and fixtures

pytestmark = pytest.mark.usefixtures("on_the_interpreter")
