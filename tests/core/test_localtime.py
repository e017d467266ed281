"""Local time by rule. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.localtime import DAY_S, date_of, day_number, local_s, offset_s, parse_rule, utc_s, weekday

NEW_YORK = parse_rule("EST5EDT,M3.2.0,M11.1.0")
BERLIN = parse_rule("CET-1CEST,M3.5.0,M10.5.0/3")
SYDNEY = parse_rule("AEST-10AEDT,M10.1.0,M4.1.0/3")
NUUK = parse_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")
LORD_HOWE = parse_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")


def utc(year, month, day, hour=0, minute=0):
    return day_number(year, month, day) * DAY_S + hour * 3600 + minute * 60


def refused(text):
    try:
        parse_rule(text)
    except (ValueError, IndexError):
        return True
    return False


def test_days_and_dates_agree_over_leap_years():
    assert day_number(2000, 1, 1) == 0
    assert date_of(day_number(2028, 2, 29)) == (2028, 2, 29)
    assert day_number(2028, 3, 1) - day_number(2028, 2, 28) == 2
    assert day_number(2027, 3, 1) - day_number(2027, 2, 28) == 1
    for day in range(0, 37000, 37):
        year, month, day_of_month = date_of(day)
        assert day_number(year, month, day_of_month) == day


def test_weekdays_count_from_monday():
    assert weekday(day_number(2026, 11, 20)) == 4  # a Friday
    assert weekday(day_number(2000, 1, 1)) == 5


def test_offsets_change_at_the_published_edges():
    for rule, at, before_s, after_s in (
        (NEW_YORK, utc(2026, 3, 8, 7), -5 * 3600, -4 * 3600),
        (NEW_YORK, utc(2026, 11, 1, 6), -4 * 3600, -5 * 3600),
        (BERLIN, utc(2026, 3, 29, 1), 3600, 7200),
        (BERLIN, utc(2026, 10, 25, 1), 7200, 3600),
        (SYDNEY, utc(2026, 4, 4, 16), 11 * 3600, 10 * 3600),
        (SYDNEY, utc(2026, 10, 3, 16), 10 * 3600, 11 * 3600),
        (NUUK, utc(2026, 3, 29, 1), -2 * 3600, -3600),
        (LORD_HOWE, utc(2026, 4, 4, 15), 11 * 3600, 10 * 3600 + 1800),
    ):
        assert offset_s(rule, at - 1) == before_s, (rule, at)
        assert offset_s(rule, at) == after_s, (rule, at)


def test_a_rule_without_summer_time_is_one_offset():
    assert parse_rule("UTC0") == (0,)
    assert parse_rule("<+0530>-5:30") == (19800,)


def test_local_time_goes_back_to_its_utc():
    for rule in (NEW_YORK, BERLIN, SYDNEY, NUUK, LORD_HOWE, (0,)):
        for second in range(utc(2026, 1, 1), utc(2027, 1, 1), 5 * 3600 + 17):
            back = utc_s(rule, local_s(rule, second))
            assert local_s(rule, back) == local_s(rule, second)
            assert back <= second


def test_the_hour_that_comes_twice_means_its_first():
    local = utc(2026, 10, 25, 2, 30)  # Berlin, 02:30 comes at 00:30 and 01:30 UTC
    assert utc_s(BERLIN, local) == utc(2026, 10, 25, 0, 30)


def test_rules_that_are_not_understood_are_refused():
    for text in (
        "",
        "X",
        "EST",
        "EST5EDT",
        "EST5EDT,J60,J300",
        "EST5EDT,M3.2.0",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "<EST5",
        "EST5EDT,,",
    ):
        assert refused(text), text
