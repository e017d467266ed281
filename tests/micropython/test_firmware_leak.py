"""What matters most of tests/firmware/test_leak.py once more, on the real interpreter in a board's heap."""

import pytest

from tests.firmware.test_leak import (  # noqa: F401 - its tests and fixtures
    fine_meter,
    sleeper,
    test_a_leak_that_nobody_mends_does_not_keep_the_board_awake,
    test_the_fault_goes_with_the_leak,
    test_the_hours_watch_says_nothing_and_writes_nothing,
)

pytestmark = pytest.mark.usefixtures("on_the_interpreter")
