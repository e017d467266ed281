"""Which program starts when. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.localtime import DAY_S, day_number, parse_rule
from sprinkler.core.schedule import GRACE_MIN, NEVER, due, key_when_changed, next_start_s, planned_on

UTC = (0,)
NEW_YORK = parse_rule("EST5EDT,M3.2.0,M11.1.0")
EVERY_DAY = 0b1111111


def program(start_min=360, weekdays=EVERY_DAY, until=NEVER, skip=()):
    return (1, 1, weekdays, start_min, 600, until, skip)


def at(year, month, day, hour=0, minute=0):
    return day_number(year, month, day) * DAY_S + hour * 3600 + minute * 60


def starts(p, rule, first_s, last_s, every_s=60):
    """Run the clock and note each start, keeping the run-once key as the application does."""
    key = key_when_changed(p, first_s, rule)
    found = []
    for now_s in range(first_s, last_s, every_s):
        for _, day, late_min in due((p,), (key,), now_s, rule):
            key = day
            found.append((now_s, late_min))
    return found


def test_a_program_starts_once_a_day_on_its_weekdays():
    monday = day_number(2026, 11, 16) * DAY_S
    found = starts(program(weekdays=0b0010101), UTC, monday, monday + 7 * DAY_S)
    assert [now_s - monday for now_s, _ in found] == [6 * 3600, 2 * DAY_S + 6 * 3600, 4 * DAY_S + 6 * 3600]
    assert [late for _, late in found] == [0, 0, 0]


def test_a_start_inside_the_gap_of_spring_runs_once_after_it():
    found = starts(program(start_min=150), NEW_YORK, at(2026, 3, 8), at(2026, 3, 9))
    assert [now_s for now_s, _ in found] == [at(2026, 3, 8, 7)]  # 03:00 summer time, as 02:30 does not exist


def test_a_start_in_the_hour_that_comes_twice_runs_once():
    found = starts(program(start_min=90), NEW_YORK, at(2026, 11, 1, 4), at(2026, 11, 2, 4))
    assert [now_s for now_s, _ in found] == [at(2026, 11, 1, 5, 30)]


def test_a_wake_that_comes_late_still_starts_inside_the_grace():
    key = day_number(2026, 11, 19)
    now_s = at(2026, 11, 20, 6) + GRACE_MIN * 60
    assert [late for _, _, late in due((program(),), (key,), now_s, UTC)] == [GRACE_MIN]


def test_a_late_start_is_found_after_midnight():
    key = day_number(2026, 11, 19)
    found = due((program(start_min=23 * 60 + 50),), (key,), at(2026, 11, 21, 0, 20), UTC)
    assert [(day, late) for _, day, late in found] == [(day_number(2026, 11, 20), 30)]


def test_a_clock_that_jumps_back_runs_nothing_twice():
    key = day_number(2026, 11, 20)
    assert due((program(),), (key,), at(2026, 11, 20, 6, 30), UTC) == []
    assert due((program(),), (key,), at(2026, 11, 19, 6, 30), UTC) == []


def test_a_key_from_a_wrong_clock_costs_one_day_not_years():
    key = day_number(2039, 1, 1)
    assert due((program(),), (key,), at(2026, 11, 20, 6), UTC) == []
    assert next_start_s(program(), key, at(2026, 11, 20, 6), UTC) == at(2026, 11, 21, 6)


def test_until_and_skip_dates_are_kept():
    p = program(until=day_number(2026, 11, 20), skip=(day_number(2026, 11, 19),))
    assert planned_on(p, day_number(2026, 11, 18))
    assert not planned_on(p, day_number(2026, 11, 19))
    assert planned_on(p, day_number(2026, 11, 20))
    assert not planned_on(p, day_number(2026, 11, 21))


def test_a_new_program_does_not_make_up_for_a_start_behind_it():
    assert key_when_changed(program(), at(2026, 11, 20, 6, 30), UTC) == day_number(2026, 11, 20)
    assert key_when_changed(program(), at(2026, 11, 20, 5, 30), UTC) == day_number(2026, 11, 19)


def test_the_next_start_is_found_over_summer_time():
    key = day_number(2026, 3, 7)
    assert next_start_s(program(), key, at(2026, 3, 8, 1), NEW_YORK) == at(2026, 3, 8, 10)  # 06:00 summer time


def test_no_next_start_after_the_last_day():
    p = program(until=day_number(2026, 11, 20))
    assert next_start_s(p, 0, at(2026, 11, 20, 7), UTC) == 0


def test_a_leap_day_is_a_day():
    assert planned_on(program(), day_number(2028, 2, 29))
