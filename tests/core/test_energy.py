"""How long the board sleeps, and what its battery will do. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.energy import (
    BATTERY_DAYS_MAX,
    DRIFT_MAX,
    LAST_HOP_S,
    NO_DAYS,
    WINTER_SLEEP_S,
    approach_s,
    asked_s,
    battery_days,
    learned,
    note_battery,
    solar_day,
    wake_every_s,
)

UNKNOWN = (0, 0, 0, NO_DAYS)


def test_a_poorer_mode_never_sleeps_shorter():
    for interval_s in (60, 900, 3600):
        sleeps = [wake_every_s(mode, interval_s, NO_DAYS) for mode in ("normal", "saver", "critical", "winter")]
        assert sleeps == sorted(sleeps)
        assert sleeps[2] == 3600
        assert sleeps[3] == WINTER_SLEEP_S


def test_the_board_wakes_more_seldom_when_the_battery_does_not_last():
    assert wake_every_s("normal", 900, NO_DAYS) == 900
    assert wake_every_s("normal", 900, 7) == 900
    assert wake_every_s("normal", 900, 6) == 1800
    assert wake_every_s("normal", 3600, 0) == 3600


def test_a_start_is_approached_early_and_then_in_one_short_hop():
    for left_s in (301, 900, 2700, 3600, 21600, 80000):
        hops, left = [], left_s
        while left > 0:
            hops.append(approach_s(left))
            assert 0 < hops[-1] <= left
            left -= hops[-1]
        assert sum(hops) == left_s
        assert hops[-1] <= LAST_HOP_S
        assert hops[0] < left_s
        assert len(hops) <= 5, hops
    assert approach_s(900) == 810
    assert approach_s(3600) == 3300


def test_a_short_time_is_slept_in_one_go():
    assert approach_s(300) == 300
    assert approach_s(1) == 1
    assert approach_s(0) == 1


def test_the_timer_is_asked_for_less_when_it_sleeps_too_long():
    assert asked_s(3600, 0) == 3600
    assert asked_s(3600, 500) == 3429
    assert asked_s(3600, -500) == 3789
    for drift in range(-DRIFT_MAX, DRIFT_MAX + 1, 50):
        for seconds in (60, 900, 21600):
            truly = asked_s(seconds, drift) * (10000 + drift)
            assert abs(truly - seconds * 10000) <= 10000 + drift


def test_the_drift_is_learned_until_the_clock_is_right():
    true_drift, drift = 378, 0
    errors = []
    for _ in range(6):
        asked = asked_s(900, drift)
        truly_s = asked * (10000 + true_drift) // 10000
        errors.append(900 - truly_s)
        drift = learned(drift, errors[-1], 900)
    assert errors[0] == -34
    assert abs(errors[-1]) <= 1
    assert abs(drift - true_drift) <= 15


def test_a_gaining_timer_is_learned_too():
    assert learned(0, 45, 900) == -500
    assert learned(-500, 0, 900) == -500


def test_what_is_more_than_a_tenth_is_no_drift():
    assert learned(100, 91, 900) == 100
    assert learned(100, -600, 900) == 100
    assert learned(900, -90, 900) == 900, "the sum is out of range"
    assert learned(0, -90, 900) == DRIFT_MAX


def test_a_short_sleep_teaches_nothing():
    assert learned(100, -10, 599) == 100
    assert learned(100, -10, 0) == 100


def test_a_solar_day_begins_at_solar_midnight():
    assert solar_day(86400 * 9000, 0) == 9000
    assert solar_day(86400 * 9000 + 5 * 3600, -7500) == 9000, "New York: its midnight is five hours after Greenwich's"
    assert solar_day(86400 * 9000 + 5 * 3600 - 1, -7500) == 8999
    assert solar_day(86400 * 9000 - 9 * 3600, 13500) == 9000


def note(days, last_day=0):
    """Known after readings: `days` has, for each day, its readings; then comes one of `last_day`."""
    known = UNKNOWN
    for day, readings in days:
        for mv in readings:
            known = note_battery(known, day, mv)
    return note_battery(known, last_day, 3830) if last_day else known


def test_battery_days_need_two_whole_days():
    assert note([(5, [3900, 3850])])[3] == NO_DAYS
    assert note([(5, [3900]), (6, [3880, 3870]), (7, [3860])])[3] == NO_DAYS, "day 5 was not seen from its beginning"
    assert note([(5, [3900]), (6, [3880, 3870]), (7, [3860, 3850]), (8, [3845])])[3] == battery_days(3850, 3870)


def test_battery_days_count_to_the_critical_voltage():
    assert battery_days(3836, 3909) == (60 - 7) // 10
    assert battery_days(3700, 3750) < battery_days(3836, 3870)
    assert battery_days(3500, 3600) == 0
    assert battery_days(3300, 3600) == 0


def test_a_battery_that_does_not_fall_lasts():
    assert battery_days(3900, 3900) == BATTERY_DAYS_MAX
    assert battery_days(3900, 3850) == BATTERY_DAYS_MAX


def test_a_day_without_a_reading_or_a_step_of_the_clock_starts_the_count_anew():
    seen = [(5, [3900]), (6, [3880]), (7, [3860]), (8, [3840])]
    assert note(seen)[3] != NO_DAYS
    assert note(seen, 10) == (10, 0, 0, NO_DAYS)
    assert note(seen, 3) == (3, 0, 0, NO_DAYS)


def test_an_unknown_battery_changes_nothing():
    known = (8, 3840, 3860, 12)
    assert note_battery(known, 9, 0) == known
