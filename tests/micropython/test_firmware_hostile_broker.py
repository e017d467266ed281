"""What a broker may do to a session, of tests/firmware/test_hostile_broker.py, once more on the real interpreter in a board's heap. The fifty brokers that mean
no good look into the firmware's objects, or take the interpreter minutes."""

import pytest

from tests.firmware.test_hostile_broker import (  # noqa: F401 - its tests and fixtures
    rigs,
    test_answers_to_what_was_answered_long_ago_keep_no_dead_link,
    test_whatever_the_broker_remembers_the_board_hears_its_settings_and_its_commands,
)

pytestmark = pytest.mark.usefixtures("on_the_interpreter")
