"""The board's calendar against others' work: sunrise against astral, and any pattern of wakes against the promises of the schedule."""

import datetime as dt
from collections import Counter

import pytest
from astral import Observer, sun
from hypothesis import given, settings
from hypothesis import strategies as st

from sprinkler.core.localtime import DAY_S, date_of, day_number, local_s, parse_rule
from sprinkler.core.schedule import (
    EVEN,
    EVERY,
    GRACE_MIN,
    NEVER,
    ODD,
    SUNRISE,
    SUNSET,
    due,
    key_when_changed,
    next_starts,
    plan_of,
    start_s,
)
from sprinkler.core.sun import NO_SUN, sun_min

RULES = [
    parse_rule(text)
    for text in (
        "UTC0",
        "GMT0BST,M3.5.0/1,M10.5.0",
        "EST5EDT,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    )
]
FIRST_DAYS = (*(day_number(2026, month, 1) for month in (3, 4, 10, 11)), day_number(2028, 2, 26))


@pytest.mark.parametrize("latitude", [-65, -50, -33, 0, 20, 36.07, 52.5, 60, 65])
@pytest.mark.parametrize("longitude", [-179.5, -79.79, 0, 151.2])
def test_the_sun_is_within_three_minutes_of_the_oracle(latitude, longitude):
    for year in (2026, 2050):
        for number in range(0, 365, 5):
            date = dt.date(year, 1, 1) + dt.timedelta(number)
            midnight = dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC)
            for rising, oracle in ((True, sun.sunrise), (False, sun.sunset)):
                moment = oracle(Observer(latitude, longitude, 0), date, tzinfo=dt.UTC)
                minute = sun_min(
                    day_number(date.year, date.month, date.day), round(latitude * 100), round(longitude * 100), rising
                )
                away = (minute - (moment - midnight).total_seconds() / 60 + 720) % 1440 - 720
                assert abs(away) <= 3, (date, rising)


@pytest.mark.parametrize("latitude", [67, 70, 80, -75])
def test_polar_days_and_nights_are_those_of_the_oracle_but_for_two_days_at_their_ends(latitude):
    observer = Observer(latitude, 0, 0)
    for number in range(0, 365, 7):
        date = dt.date(2027, 1, 1) + dt.timedelta(number)
        noon = dt.datetime(date.year, date.month, date.day, 12, tzinfo=dt.UTC)
        heights = [
            sun.elevation(observer, noon + dt.timedelta(hours=hour), with_refraction=False) for hour in range(-12, 13)
        ]
        day = day_number(date.year, date.month, date.day)
        near = {sun_min(day + away, latitude * 100, 0, True) == NO_SUN for away in range(-2, 3)}
        assert (max(heights) < -0.833 or min(heights) > -0.833) in near, date


days = st.one_of(
    st.integers(1, 127).map(lambda mask: mask << 2),
    st.tuples(st.integers(1, 30), st.sampled_from(FIRST_DAYS)).map(lambda n: (n[1] << 5 | n[0]) << 2 | EVERY),
    st.sampled_from([ODD, EVEN]),
)
hows = st.one_of(
    st.tuples(st.just(0), st.integers(0, 1439)),
    st.tuples(st.sampled_from([SUNRISE, SUNSET]), st.integers(-240, 240)),
)


@st.composite
def programs(draw):
    how, start_min = draw(hows)
    first = draw(st.sampled_from(FIRST_DAYS))
    skips = draw(st.lists(st.integers(first, first + 10), max_size=8))
    until = draw(st.sampled_from([NEVER, first + 5]))
    return (17 + 128 * how, draw(days), start_min, 600, until, *skips)


places = st.tuples(
    st.sampled_from(RULES),
    st.integers(-6500, 6500),
    st.integers(-18000, 18000),
    st.sampled_from([0, 1101]),
    st.sampled_from([331, 1028]),
)


@settings(max_examples=150, deadline=None)
@given(programs(), places, st.sampled_from(FIRST_DAYS), st.lists(st.integers(1, 40000), min_size=1, max_size=80))
def test_whatever_the_wakes_no_start_is_made_twice_and_none_is_lost_inside_its_grace(program, place, first, gaps):
    """The board wakes after each of `gaps` (seconds) and settles what is due; a clock that goes back by ten minutes changes nothing."""
    begin_s = first * DAY_S - place[0][0] + 600
    key = key_when_changed(program, begin_s, place)
    made: Counter[int] = Counter()
    spoken: Counter[int] = Counter()
    wakes = [begin_s]
    for gap_s in gaps:
        wakes.append(wakes[-1] + gap_s)
    for now_s in wakes:
        for seen_s in (now_s, now_s - 600):
            for _, day, at_s, reason in due((program,), [key], seen_s, place):
                assert day > key
                key = day
                spoken[day] += 1
                if not reason and seen_s - at_s <= GRACE_MIN * 60:
                    made[day] += 1
    assert max(spoken.values(), default=0) <= 1
    for day in range(first - 1, local_s(place[0], wakes[-1]) // DAY_S + 2):
        at_s = start_s(program, day, place)
        if plan_of(program, day, date_of(day), place) == "" and at_s > begin_s:
            in_grace = any(at_s <= now_s <= at_s + GRACE_MIN * 60 for now_s in wakes)
            assert made[day] == in_grace, (day, at_s)


@settings(max_examples=60, deadline=None)
@given(programs(), places, st.sampled_from(FIRST_DAYS), st.integers(0, 86399))
def test_the_next_start_is_the_one_that_comes(program, place, first, second):
    """Asked at any moment, the board names the first moment at which something will be due to start."""
    now_s = first * DAY_S + second
    key = key_when_changed(program, now_s, place)
    start = next_starts((program,), [key], now_s, place)[0]
    if start:
        assert [at_s for _, _, at_s, reason in due((program,), [key], start, place) if not reason] == [start]
        before = [at_s for _, _, at_s, reason in due((program,), [key], start - 1, place) if not reason]
        assert before == []
