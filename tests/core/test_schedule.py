"""Which program starts when. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.localtime import DAY_S, date_of, day_number, local_s, parse_rule, utc_s
from sprinkler.core.schedule import (
    EVEN,
    EVERY,
    GRACE_MIN,
    NEVER,
    ODD,
    SKIP_NEXT,
    SUNRISE,
    SUNSET,
    WEEKDAYS,
    due,
    key_when_changed,
    next_starts,
    plan_of,
    program_id,
    sane_key,
    start_s,
    zone_of,
)

EVERY_DAY = 0b1111111 << 2 | WEEKDAYS
LONDON = parse_rule("GMT0BST,M3.5.0/1,M10.5.0")
BERLIN = parse_rule("CET-1CEST,M3.5.0,M10.5.0/3")
NEW_YORK = parse_rule("EST5EDT,M3.2.0,M11.1.0")
SYDNEY = parse_rule("AEST-10AEDT,M10.1.0,M4.1.0/3")
LORD_HOWE = parse_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")
UTC = ((0,), 0, 0, 0, 0)


def place(rule=(0,), latitude_cdeg=0, longitude_cdeg=0, season=(0, 0)):
    return (rule, latitude_cdeg, longitude_cdeg) + season


def program(start_min=360, days=EVERY_DAY, until=NEVER, skip=(), how=0):
    return (1 + 16 * 2 + 128 * how, days, start_min, 600, until) + tuple(skip)


def every(n, year, month, day):
    return (day_number(year, month, day) << 5 | n) << 2 | EVERY


def at(year, month, day, hour=0, minute=0):
    return day_number(year, month, day) * DAY_S + hour * 3600 + minute * 60


def planned(p, where, *date):
    day = day_number(*date)
    return plan_of(p, day, date_of(day), where)


def next_start(p, key, now_s, where=UTC):
    return next_starts((p,), [key], now_s, where)[0]


def starts(p, where, first_s, last_s, every_s=60):
    """Run the clock and note each start, keeping the run-once key as the application does."""
    key = key_when_changed(p, first_s, where)
    found = []
    for now_s in range(first_s, last_s, every_s):
        for _, day, at_s, reason in due((p,), [key], now_s, where):
            key = day
            if not reason:
                found.append((now_s, (now_s - at_s) // 60))
    return found


def test_a_program_is_a_handful_of_small_integers():
    p = program(skip=range(8))
    assert (program_id(p), zone_of(p)) == (1, 2)
    assert len(p) <= 14
    assert max(program(days=every(30, 2099, 12, 31))) < 1 << 30


def test_a_program_starts_once_a_day_on_its_weekdays():
    monday = day_number(2026, 11, 16) * DAY_S
    found = starts(program(days=0b0010101 << 2), UTC, monday, monday + 7 * DAY_S)
    assert [now_s - monday for now_s, _ in found] == [6 * 3600, 2 * DAY_S + 6 * 3600, 4 * DAY_S + 6 * 3600]
    assert [late for _, late in found] == [0, 0, 0]


def test_every_three_days_counts_from_its_first_day():
    p = program(days=every(3, 2026, 2, 26))
    found = [day for day in range(20, 29) if planned(p, UTC, 2026, 2, day) == ""]
    assert found == [26]
    assert [day for day in range(1, 9) if planned(p, UTC, 2026, 3, day) == ""] == [1, 4, 7]
    assert [day for day in (28, 29) if planned(program(days=every(1, 2028, 2, 29)), UTC, 2028, 2, day) == ""] == [29]


def test_odd_days_leave_out_the_31st_and_the_29th_of_february():
    p = program(days=ODD)
    assert planned(p, UTC, 2026, 1, 29) == ""
    for date in ((2026, 1, 31), (2028, 2, 29), (2026, 1, 30)):
        assert planned(p, UTC, *date) == "-"
    for day in range(day_number(2026, 1, 1), day_number(2029, 1, 1)):
        assert plan_of(p, day, date_of(day), UTC) or plan_of(p, day + 1, date_of(day + 1), UTC), day


def test_even_days():
    p = program(days=EVEN)
    assert [day for day in range(1, 32) if planned(p, UTC, 2026, 1, day) == ""] == list(range(2, 31, 2))


# The edges of summer time as the zones' authorities published them for 2026


def test_a_start_inside_the_gap_of_spring_runs_once_at_its_later_side():
    for rule, day, start_min, runs in (
        (LONDON, (2026, 3, 29), 90, at(2026, 3, 29, 1)),
        (BERLIN, (2026, 3, 29), 150, at(2026, 3, 29, 1)),
        (NEW_YORK, (2026, 3, 8), 150, at(2026, 3, 8, 7)),
        (SYDNEY, (2026, 10, 4), 150, at(2026, 10, 3, 16)),
        (LORD_HOWE, (2026, 10, 4), 135, at(2026, 10, 3, 15, 30)),
    ):
        begin = at(*day) - rule[0]
        p = program(start_min=start_min)
        assert starts(p, place(rule), begin, begin + DAY_S - 7200) == [(runs, 0)]
        assert next_start(p, 0, begin, place(rule)) == runs


def test_a_start_in_the_hour_that_comes_twice_runs_once_the_first_time():
    for rule, day, start_min, runs in (
        (LONDON, (2026, 10, 25), 90, at(2026, 10, 25, 0, 30)),
        (BERLIN, (2026, 10, 25), 150, at(2026, 10, 25, 0, 30)),
        (NEW_YORK, (2026, 11, 1), 90, at(2026, 11, 1, 5, 30)),
        (SYDNEY, (2026, 4, 5), 150, at(2026, 4, 4, 15, 30)),
        (LORD_HOWE, (2026, 4, 5), 105, at(2026, 4, 4, 14, 45)),
    ):
        begin = at(*day) - rule[1]
        p = program(start_min=start_min)
        assert starts(p, place(rule), begin, begin + DAY_S) == [(runs, 0)]
        assert next_start(p, 0, begin, place(rule)) == runs


def test_a_start_beside_an_edge_keeps_its_local_minute():
    for rule, days in (
        (LONDON, ((2026, 3, 29), (2026, 10, 25))),
        (BERLIN, ((2026, 3, 29), (2026, 10, 25))),
        (NEW_YORK, ((2026, 3, 8), (2026, 11, 1))),
        (SYDNEY, ((2026, 10, 4), (2026, 4, 5))),
        (LORD_HOWE, ((2026, 10, 4), (2026, 4, 5))),
    ):
        for date in days:
            for start_min in (0, 59, 240, 360, 1439):
                moment = start_s(program(start_min=start_min), day_number(*date), place(rule))
                assert local_s(rule, moment) == at(*date) + start_min * 60
                assert utc_s(rule, local_s(rule, moment)) == moment


def test_a_wake_that_comes_late_still_starts_inside_the_grace():
    key = day_number(2026, 11, 19)
    now_s = at(2026, 11, 20, 6) + GRACE_MIN * 60
    assert [at_s for _, _, at_s, _ in due((program(),), [key], now_s, UTC)] == [now_s - GRACE_MIN * 60]


def test_the_grace_is_real_time_over_an_edge():
    found = due((program(start_min=90),), [day_number(2026, 10, 31)], at(2026, 11, 1, 6, 10), place(NEW_YORK))
    assert [(at(2026, 11, 1, 6, 10) - at_s) // 60 for _, _, at_s, _ in found] == [40]


def test_a_late_start_is_found_after_midnight():
    key = day_number(2026, 11, 19)
    found = due((program(start_min=23 * 60 + 50),), [key], at(2026, 11, 21, 0, 20), UTC)
    assert [(day, at_s) for _, day, at_s, _ in found] == [(day_number(2026, 11, 20), at(2026, 11, 20, 23, 50))]


def test_a_clock_that_jumps_back_runs_nothing_twice():
    key = day_number(2026, 11, 20)
    assert due((program(),), [key], at(2026, 11, 20, 6, 30), UTC) == []
    assert due((program(),), [key], at(2026, 11, 19, 6, 30), UTC) == []


def test_a_key_from_a_wrong_clock_costs_one_day_not_years():
    key = day_number(2039, 1, 1)
    assert due((program(),), [key], at(2026, 11, 20, 6), UTC) == []
    assert next_start(program(), key, at(2026, 11, 20, 6)) == at(2026, 11, 21, 6)
    assert sane_key(key | SKIP_NEXT, 9000) == 9000 | SKIP_NEXT


def test_skip_dates_are_told_and_the_end_is_silent():
    p = program(until=day_number(2026, 11, 20), skip=(day_number(2026, 11, 19),))
    assert planned(p, UTC, 2026, 11, 18) == ""
    assert planned(p, UTC, 2026, 11, 19) == "skip_date"
    assert planned(p, UTC, 2026, 11, 20) == ""
    assert planned(p, UTC, 2026, 11, 21) == "-"


def test_both_ends_of_the_season_belong_to_it():
    where = place(season=(415, 1015))
    for date, reason in (((4, 14), "season"), ((4, 15), ""), ((10, 15), ""), ((10, 16), "season")):
        assert planned(program(), where, 2026, *date) == reason


def test_a_season_goes_over_the_new_year():
    where = place(season=(1101, 229))
    for date, reason in (((10, 31), "season"), ((11, 1), ""), ((12, 31), ""), ((1, 1), ""), ((3, 1), "season")):
        assert planned(program(), where, 2026, *date) == reason
    assert planned(program(), where, 2028, 2, 29) == ""
    assert next_start(program(), 0, at(2026, 3, 5), where) == at(2026, 11, 1, 6)


def test_a_new_program_does_not_make_up_for_a_start_behind_it():
    assert key_when_changed(program(), at(2026, 11, 20, 6, 30), UTC) == day_number(2026, 11, 20)
    assert key_when_changed(program(), at(2026, 11, 20, 5, 30), UTC) == day_number(2026, 11, 19)


def test_the_next_start_is_found_over_summer_time():
    key = day_number(2026, 3, 7)
    assert next_start(program(), key, at(2026, 3, 8, 1), place(NEW_YORK)) == at(2026, 3, 8, 10)  # 06:00 summer time


def test_no_next_start_after_the_last_day():
    p = program(until=day_number(2026, 11, 20))
    assert next_start(p, 0, at(2026, 11, 20, 7)) == 0


def test_a_start_that_is_to_be_skipped_is_not_the_next_one():
    key = day_number(2026, 11, 20) | SKIP_NEXT
    assert next_start(program(), key, at(2026, 11, 20, 7)) == at(2026, 11, 22, 6)
    assert [day for _, day, _, _ in due((program(),), [key], at(2026, 11, 21, 6), UTC)] == [day_number(2026, 11, 21)]


def test_a_leap_day_is_a_day():
    assert planned(program(), UTC, 2028, 2, 29) == ""


# By the sun: Berlin, 2027-06-21: 04:43 and 21:33 summer time (timeanddate.com, from memory: within three minutes)


def test_a_start_follows_the_sun_with_its_offset():
    berlin = place(BERLIN, 5252, 1340)
    day = day_number(2027, 6, 21)
    sunrise = start_s(program(start_min=0, how=SUNRISE), day, berlin)
    sunset = start_s(program(start_min=0, how=SUNSET), day, berlin)
    assert abs(sunrise - at(2027, 6, 21, 2, 43)) <= 180
    assert abs(sunset - at(2027, 6, 21, 19, 33)) <= 180
    assert start_s(program(start_min=-45, how=SUNRISE), day, berlin) == sunrise - 2700
    assert starts(program(start_min=-45, how=SUNRISE), berlin, day * DAY_S, (day + 1) * DAY_S) == [(sunrise - 2700, 0)]


def test_hours_after_sunset_belong_to_the_day_of_that_sunset():
    berlin = place(BERLIN, 5252, 1340)
    p = program(start_min=240, how=SUNSET, days=EVEN)
    first = at(2027, 6, 21, 22)
    found = starts(p, berlin, first, first + 3 * DAY_S, 300)
    assert [local_s(BERLIN, now_s) // DAY_S - day_number(2027, 6, 1) + 1 for now_s, _ in found] == [23]


def test_far_from_its_meridian_a_place_has_its_own_date():
    kiritimati = place(parse_rule("<+14>-14"), 187, -15740)
    day = day_number(2027, 3, 21)
    sunrise = start_s(program(start_min=0, how=SUNRISE), day, kiritimati)
    assert local_s((14 * 3600,), sunrise) // DAY_S == day
    assert abs(local_s((14 * 3600,), sunrise) % DAY_S - (6 * 3600 + 33 * 60)) < 600


def test_without_sunrise_there_is_no_start_and_a_reason():
    tromso = place(BERLIN, 6965, 1896)
    p = program(start_min=0, how=SUNRISE)
    key = day_number(2026, 12, 20)
    assert due((p,), [key], at(2026, 12, 21, 10), tromso) == []
    assert [reason for _, _, _, reason in due((p,), [key], at(2026, 12, 21, 12), tromso)] == ["no_start"]
    assert next_start(p, key, at(2026, 12, 21, 12), tromso) == 0
    assert next_start(p, key, at(2027, 1, 12), tromso) > at(2027, 1, 13)
