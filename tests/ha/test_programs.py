"""Programs as dates: what a recurrence rule means to a board, and what a board's program means in a calendar."""

from datetime import UTC, date, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.solar_sprinkler import programs
from custom_components.solar_sprinkler.errors import ProgramError

FRIDAY = date(2027, 1, 15)
TODAY = FRIDAY
WEST = timezone(timedelta(hours=-8))


@pytest.fixture
def auto_enable_custom_integrations() -> None:
    """Overrides the folder's: these tests need no Home Assistant."""


def made(rule, first=FRIDAY, today=TODAY, zone_info=UTC):
    """What a rule means."""
    return programs.days_of_rule(rule, first, today, zone_info)


RULES = [
    (None, {"weekdays": [4], "until": 20270115, "skip_dates": []}),
    ("FREQ=DAILY", {"weekdays": [0, 1, 2, 3, 4, 5, 6], "until": 0, "skip_dates": []}),
    ("FREQ=DAILY;INTERVAL=3", {"every_days": 3, "from_date": 20270115, "until": 0, "skip_dates": []}),
    ("FREQ=WEEKLY", {"weekdays": [4], "until": 0, "skip_dates": []}),
    ("FREQ=WEEKLY;BYDAY=FR,MO", {"weekdays": [0, 4], "until": 0, "skip_dates": []}),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", {"every_days": 14, "from_date": 20270115, "until": 0, "skip_dates": []}),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20270131", {"weekdays": [0, 2, 4], "until": 20270131, "skip_dates": []}),
    ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=4", {"weekdays": [0, 4], "until": 20270125, "skip_dates": []}),
    ("FREQ=DAILY;INTERVAL=2;COUNT=3", {"every_days": 2, "from_date": 20270115, "until": 20270119, "skip_dates": []}),
    ("FREQ=MONTHLY;BYMONTHDAY=" + ",".join(str(day) for day in range(2, 31, 2)), {"odd_even": "even", "until": 0, "skip_dates": []}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "days"), RULES)
def test_rule_becomes_the_days_of_a_program(rule, days):
    assert made(rule) == days


def test_last_day_is_one_of_local_time():
    assert made("FREQ=DAILY;UNTIL=20270201T075959Z", zone_info=WEST)["until"] == 20270131
    assert made("FREQ=DAILY;UNTIL=20270131T235959", zone_info=WEST)["until"] == 20270131


def test_weekdays_before_the_first_start_are_skipped():
    assert made("FREQ=WEEKLY;BYDAY=MO,FR", first=date(2027, 1, 29))["skip_dates"] == [
        20270115,
        20270118,
        20270122,
        20270125,
    ]
    assert made(None, first=date(2027, 1, 29)) == {
        "weekdays": [4],
        "until": 20270129,
        "skip_dates": [20270115, 20270122],
    }


REFUSED = [
    ("FREQ=MONTHLY;BYMONTHDAY=15", FRIDAY, "rule_not_possible"),
    ("FREQ=YEARLY", FRIDAY, "rule_not_possible"),
    ("FREQ=WEEKLY;BYDAY=1MO", FRIDAY, "rule_not_possible"),
    ("FREQ=WEEKLY;BYHOUR=3", FRIDAY, "rule_not_possible"),
    ("FREQ=DAILY;INTERVAL=x", FRIDAY, "rule_not_possible"),
    ("FREQ=DAILY;UNTIL=soon", FRIDAY, "rule_not_possible"),
    ("FREQ=DAILY;INTERVAL=31", FRIDAY, "rule_interval"),
    ("FREQ=DAILY;INTERVAL=0", FRIDAY, "rule_interval"),
    ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", FRIDAY, "rule_interval"),
    ("FREQ=WEEKLY;INTERVAL=5", FRIDAY, "rule_interval"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", FRIDAY, "rule_weeks_one_day"),
    ("FREQ=DAILY;COUNT=0", FRIDAY, "rule_count"),
    ("FREQ=DAILY;COUNT=999", FRIDAY, "rule_count"),
    ("FREQ=DAILY", FRIDAY + timedelta(days=9), "starts_too_late"),
]


@pytest.mark.parametrize(("rule", "first", "key"), REFUSED)
def test_what_no_board_can_do_is_refused_by_name(rule, first, key):
    with pytest.raises(ProgramError) as raised:
        made(rule, first)
    assert raised.value.key == key


DAYS = st.one_of(
    st.sets(st.integers(0, 6), min_size=1).map(lambda found: {"weekdays": sorted(found)}),
    st.integers(2, 30).map(lambda every: {"every_days": every, "from_date": 20270110}),
    st.sampled_from(["odd", "even"]).map(lambda which: {"odd_even": which}),
)


@given(days=DAYS, until=st.sampled_from([0, 20270630]))
def test_rule_that_a_program_shows_stands_for_the_same_program(days, until):
    program = {**days, "until": until, "skip_dates": []}
    first = programs.next_day(program, TODAY)
    again = programs.with_rhythm_of(made(programs.rule_of(program), first), program)
    assert {**again, "skip_dates": []} == program


@given(days=DAYS, skipped=st.sets(st.integers(0, 40)))
def test_next_day_is_the_first_that_is_planned(days, skipped):
    skip = [programs.number_of(TODAY + timedelta(days=number)) for number in skipped]
    program = {**days, "until": 20270430, "skip_dates": skip}
    planned = [day for day in (TODAY + timedelta(days=n) for n in range(366)) if programs.is_planned(program, day)]
    assert programs.next_day(program, TODAY) == (planned[0] if planned else None)
    assert programs.runs_once(program, TODAY) == (len(planned) <= 1)
    assert all(programs.number_of(day) <= 20270430 and programs.number_of(day) not in skip for day in planned)


def test_odd_days_leave_out_the_last_of_a_long_month_and_the_leap_day():
    program = {"odd_even": "odd"}
    assert not programs.is_planned(program, date(2027, 1, 31))
    assert not programs.is_planned(program, date(2028, 2, 29))
    assert programs.is_planned(program, date(2027, 1, 29))


def test_program_that_is_switched_off_or_broken_is_planned_never():
    assert not programs.is_planned({"weekdays": [4], "enabled": False}, FRIDAY)
    assert not programs.is_planned({"every_days": 2, "from_date": 0}, FRIDAY)


def test_skipped_dates_that_are_over_make_room_for_new_ones():
    full = {"weekdays": [4], "skip_dates": [20270101 + number for number in range(8)]}
    assert programs.without_date(full, FRIDAY, TODAY)["skip_dates"] == [20270115]
    full["skip_dates"] = [20270201 + number for number in range(8)]
    with pytest.raises(ProgramError, match="too_many_skips"):
        programs.without_date(full, FRIDAY, TODAY)


def test_program_that_ends_before_its_next_start_is_gone():
    weekly = {"weekdays": [4]}
    assert programs.ended_before(weekly, FRIDAY, TODAY) is None
    assert programs.ended_before(weekly, FRIDAY + timedelta(days=7), TODAY) == {"weekdays": [4], "until": 20270121}


def test_lowest_free_id_is_taken_until_the_board_is_full():
    taken = [{"id": 1}, {"id": 3}]
    assert programs.free_id(taken, 8) == 2
    with pytest.raises(ProgramError) as raised:
        programs.free_id([{"id": number} for number in range(1, 5)], 4)
    assert raised.value.values == {"programs": "4"}


@pytest.mark.parametrize(("seconds", "is_possible"), [(4, False), (5, True), (3600, True), (3601, False)])
def test_run_time_has_the_boards_limits(seconds, is_possible):
    if is_possible:
        assert programs.checked_run_time_s(seconds, 3600) == seconds
    else:
        with pytest.raises(ProgramError, match="run_time_out_of_range"):
            programs.checked_run_time_s(seconds, 3600)
