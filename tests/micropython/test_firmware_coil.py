"""What matters most of tests/firmware/test_coil.py once more, on the real interpreter in a board's heap."""

import pytest

from tests.firmware.test_coil import (  # noqa: F401 - its tests and fixtures
    rig,
    test_a_check_tells_the_current,
    test_a_wire_that_breaks_while_water_runs_is_never_called_closed_until_it_is_mended,
    test_without_a_meter_closed_is_sensed,
)

pytestmark = pytest.mark.usefixtures("on_the_interpreter")
