"""Tests of tests/firmware/test_smart.py once more, on the real interpreter in a board's heap: those that load what is loaded for smart watering alone. The
others live through days, which the interpreter takes minutes for."""

import pytest

from tests.firmware.test_smart import (  # noqa: F401 - pytest finds them here
    make,
    test_a_damaged_book_is_begun_anew,
    test_a_day_that_lies_ahead_is_refused_as_a_whole,
    test_a_probe_puts_the_books_right,
    test_a_reset_in_a_run_counts_its_water_once,
    test_a_smart_start_that_the_soil_does_not_need_is_skipped_and_says_so,
    test_each_zone_of_four_has_books_and_programs_of_its_own,
    test_metered_water_counts_by_the_area,
    test_weather_moves_the_books_once_however_often_it_comes,
)

pytestmark = pytest.mark.usefixtures("on_the_interpreter")
