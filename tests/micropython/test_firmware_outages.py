"""One order of outages of tests/firmware/test_outages.py once more, on the real interpreter in a board's heap; each takes it a while."""

import pytest

from tests.firmware import test_outages

pytestmark = [pytest.mark.usefixtures("on_the_interpreter"), pytest.mark.timeout(400)]  # days of virtual time


def test_whatever_goes_away_no_event_or_sample_is_lost_that_is_not_counted():
    test_outages.test_whatever_goes_away_in_whatever_order_no_event_or_sample_is_lost_that_is_not_counted(0, True)
