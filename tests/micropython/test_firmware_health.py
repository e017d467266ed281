"""tests/firmware/test_health.py once more, on the real interpreter in a board's heap."""

import pytest

from tests.firmware.test_health import *  # noqa: F403 - its tests and fixtures

pytestmark = pytest.mark.usefixtures("on_the_interpreter")

del test_a_board_that_stays_awake_tells_it_once_a_day  # noqa: F821 - it shortens the day, in Python
del test_flash_that_refuses_is_named  # noqa: F821 - the interpreter's littlefs does not pass the hook that refuses
