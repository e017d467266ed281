"""What the soil lacks, and what a smart program gives. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.localtime import day_number
from sprinkler.core.water import (
    AVAILABLE,
    DAYS,
    MISSING_ET0,
    UNKNOWN,
    ZONES,
    applied_um,
    correct,
    depletion_um,
    need_um,
    note_irrigation,
    opened,
    settle,
    take_weather,
    time_s,
    weather_day,
)

LOAM = (78000, 40, 95, 15000, 0)  # 78 mm over 0.6 m of roots, 40 % of it may be used up
SMALL = (43200, 50, 95, 15000, 0)
MONTHS = (1000, 1500, 2500, 3500, 4500, 5500, 6000, 5000, 4000, 2500, 1500, 1000)
JUNE = day_number(2027, 6, 10)


def fresh(today=JUNE, lacking=20000, zones=1):
    books = opened(zones, today, (LOAM,) * zones)
    for zone in range(zones):
        books[ZONES + (1 + DAYS) * zone] = lacking
    return books


def lacks(books, today, zone=1, ground=LOAM):
    return depletion_um(books, zone, ground, MONTHS, today)


def test_a_day_is_one_step_of_what_the_lawn_took_less_what_fell():
    books = fresh()
    take_weather(books, [(JUNE, 5000, 2000)])
    note_irrigation(books, 1, 1500, 1, JUNE)
    assert lacks(books, JUNE) == 20000 - 2000 - 1500
    assert lacks(books, JUNE + 1) == 20000 + 4750 - 2000 - 1500


def test_rain_helps_the_lawn_on_its_day_before_it_is_lost():
    books = fresh(lacking=1000)
    take_weather(books, [(JUNE, 5000, 6000)])
    assert lacks(books, JUNE + 1) == 0  # 1 + 4.75 - 6: nothing drains but a quarter of a millimetre
    books = fresh(lacking=1000)
    take_weather(books, [(JUNE, 5000, 5000)])
    assert lacks(books, JUNE + 1) == 750


def test_soil_is_never_fuller_than_full_nor_drier_than_dry():
    books = fresh()
    take_weather(books, [(JUNE, 5000, 90000), (JUNE + 1, 5000, 0)])
    assert lacks(books, JUNE + 1) == 0
    assert lacks(books, JUNE + 2) == 4750
    assert lacks(books, JUNE + 100) == LOAM[AVAILABLE]
    assert lacks(books, JUNE + 9000) == LOAM[AVAILABLE]


def test_a_day_that_nobody_tells_of_takes_its_months_et0():
    books = fresh(lacking=0)
    assert lacks(books, JUNE + 1) == 5500 * 95 // 100
    assert depletion_um(books, 1, LOAM, (), JUNE + 1) == MISSING_ET0 * 95 // 100
    assert lacks(books, JUNE + 10) == 10 * 5225
    last = fresh(day_number(2027, 6, 30), 0)
    assert lacks(last, day_number(2027, 7, 2)) == 5225 + 5700


def test_a_repeated_day_counts_once_and_a_corrected_one_replaces():
    books = fresh()
    take_weather(books, [(JUNE, 5000, 8000)])
    once = lacks(books, JUNE + 1)
    for _ in range(5):
        take_weather(books, [(JUNE, 5000, 8000)])
    assert lacks(books, JUNE + 1) == once
    take_weather(books, [(JUNE, 5000, 2000)])
    assert lacks(books, JUNE + 1) == once + 6000


def test_late_news_comes_out_as_if_it_had_been_in_time():
    late, timely = fresh(), fresh()
    days = [(JUNE, 5000, 0), (JUNE + 1, 6000, 30000), (JUNE + 2, 4000, 0), (JUNE + 3, 5000, 1000)]
    for day in days:
        settle(timely, (LOAM,), MONTHS, day[0] + 1)
        take_weather(timely, [day])
    settle(late, (LOAM,), MONTHS, JUNE + 4)
    for day in (days[3], days[0], days[2], days[1]):
        take_weather(late, [day])
    assert lacks(late, JUNE + 4) == lacks(timely, JUNE + 4)


def test_an_old_day_counts_no_more():
    books = fresh()
    today = JUNE + DAYS + 3
    settle(books, (LOAM,), MONTHS, today)
    before = list(books)
    take_weather(books, [(JUNE + 3, 9000, 0), (JUNE - 400, 9000, 0)])
    assert books == before
    take_weather(books, [(today - DAYS + 1, 9000, 0)])
    assert books != before


def test_to_settle_changes_nothing_that_is_known():
    books = fresh()
    for i in range(DAYS):
        take_weather(books, [(JUNE + i, 3000 + 700 * i, 4000 * (i == 3))])
        note_irrigation(books, 1, 2000 * (i & 1), 10 + i, JUNE + i)
    for ahead in (DAYS, DAYS + 1, DAYS + 5, 60):
        other = list(books)
        settle(other, (LOAM,), MONTHS, JUNE + ahead)
        assert lacks(other, JUNE + ahead) == lacks(books, JUNE + ahead)
        assert len(other) == len(books)


def test_a_run_that_is_booked_again_counts_once():
    books = fresh()
    note_irrigation(books, 1, 3000, 7, JUNE)
    note_irrigation(books, 1, 3000, 7, JUNE)
    assert lacks(books, JUNE) == 17000
    note_irrigation(books, 1, 5000, 7, JUNE)  # it went on after a reset
    assert lacks(books, JUNE) == 15000
    note_irrigation(books, 1, 1000, 8, JUNE)
    assert lacks(books, JUNE) == 14000


def test_each_zone_has_its_own_water():
    books = fresh(zones=4)
    for zone in (1, 2, 3, 4):
        note_irrigation(books, zone, 1000 * zone, zone, JUNE)
    assert [lacks(books, JUNE, zone) for zone in (1, 2, 3, 4)] == [19000, 18000, 17000, 16000]


def test_a_clock_that_goes_back_keeps_what_was_watered():
    books = fresh()
    note_irrigation(books, 1, 6000, 1, JUNE + 2)
    for today in (JUNE + 2, JUNE + 1, JUNE, JUNE - 1, JUNE - 200):
        assert lacks(books, today) <= 14000 + 2 * 5225
        settle(books, (LOAM,), MONTHS, today)
    assert lacks(books, JUNE - 200) == 14000
    take_weather(books, [(JUNE - 200, 2000, 0)])
    assert lacks(books, JUNE - 199) == 14000 + 1900


def test_a_clock_that_leaps_ahead_and_back_leaves_working_books():
    books = fresh()
    settle(books, (LOAM,), MONTHS, JUNE + 20000)
    note_irrigation(books, 1, 78000, 1, JUNE + 20000)
    settle(books, (LOAM,), MONTHS, JUNE)
    assert lacks(books, JUNE) == 0
    take_weather(books, [(JUNE, 5000, 0)])
    assert lacks(books, JUNE + 1) == 4750
    assert weather_day(books) == JUNE


def test_a_probe_pulls_the_books_half_way_and_small_differences_do_not():
    books = fresh()
    correct(books, 1, LOAM, lacks(books, JUNE), 50, JUNE)  # it says 39 mm, the books 20
    assert lacks(books, JUNE) == 29500
    before = list(books)
    correct(books, 1, LOAM, 29500, 100, JUNE)
    assert books == before  # it was asked today
    correct(books, 1, LOAM, 29500, 60, JUNE + 1)
    assert books[ZONES:] == before[ZONES:]
    correct(books, 1, LOAM, 29500, 100, JUNE + 2)
    assert lacks(books, JUNE) == 29500 - 14750


def test_a_probe_never_takes_the_books_out_of_the_soil():
    books = fresh(lacking=0)
    for i, pct in enumerate((0, 100) * 20):
        correct(books, 1, LOAM, lacks(books, JUNE), pct, JUNE + i)
        assert 0 <= lacks(books, JUNE) <= LOAM[AVAILABLE]


def test_water_is_given_when_the_soil_would_not_last_and_leaves_room_for_rain():
    allowed = 21600
    assert need_um(14000, SMALL, 7000) == 0  # 14 + 6.65
    assert need_um(15000, SMALL, 7000) == 15000 - allowed * 60 // 100
    assert need_um(43200, SMALL, 7000) == 43200 - allowed * 60 // 100
    assert need_um(5000, SMALL, 40000) == 5000  # a week ahead: all that there is room for
    assert need_um(1900, SMALL, 40000) == 0  # too little to open a valve for
    assert need_um(20000, SMALL, 15000) == 20000 - (allowed - 14250)


def test_depths_and_times_agree_and_stay_small_integers():
    assert time_s(15000, LOAM) == 3600
    assert time_s(250000, (250000, 100, 150, 1000, 0)) == 900000
    assert applied_um(LOAM, 3600, UNKNOWN) == 15000
    assert applied_um(LOAM, 90, UNKNOWN) == 375
    assert applied_um((0, 0, 0, 200000, 0), 7200, UNKNOWN) == 400000
    for um in (1, 999, 8637, 40000):
        assert um <= applied_um(LOAM, time_s(um, LOAM), UNKNOWN) <= um + 5


def test_metered_water_counts_by_the_area_and_without_one_by_the_time():
    lawn = (78000, 40, 95, 15000, 5000)  # 50 m2
    assert applied_um(lawn, 3600, 600000) == 12000
    assert applied_um(lawn, 3600, 0) == 0
    assert applied_um(lawn, 3600, UNKNOWN) == 15000
    assert applied_um(LOAM, 3600, 600000) == 15000
    assert applied_um((0, 0, 0, 0, 100), 7200, 4000000) == 4000000


def test_new_books_begin_in_the_middle_of_what_is_allowed():
    books = opened(2, JUNE, (LOAM, ()))
    assert lacks(books, JUNE) == 78000 * 40 // 200
    assert weather_day(books) == 0
