"""Which starts that were not made are accounted for: by a word about each, by the power, by what the board refused or lost; and nothing else will do."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sim.faults import scenario
from sim.faults.accounts import Accounts
from sim.faults.campaign import live, outcome, story_of
from sim.faults.grants import LATE_S, Grants
from sim.faults.house import Ask
from sim.faults.truth import Account, Opening, Told, Truth
from sim.faults.verdict import judge

from .spoiled import SPOILED

BEGIN_S = datetime(2027, 6, 14, tzinfo=UTC).timestamp()
HOUR_US, DAY = 3_600_000_000, 24
END_H = 72.0


def us(hour: float) -> int:
    return round(hour * HOUR_US)


def start(hour: float, program: int = 1, zone: int = 1) -> Ask:
    at_s = BEGIN_S + hour * 3600
    return Ask(zone, at_s, at_s + 7200, 150.0, "", must=True, start_s=at_s, program=program)


def said(hour: float, reason: str, program: int = 1, zone: int = 1) -> Account:
    return Account(us(hour), zone, program, reason)


def untold(*starts: Ask, accounts: tuple[Account, ...] = (), own: tuple[Opening, ...] = (), **truth: Any) -> int:
    """How many of the starts nothing accounts for, in a life of three days."""
    timeline = SimpleNamespace(now_us=us(END_H))
    facts = {"dark": [], "drained": [], "told": [], "settled": [], "heard_us": us(END_H)} | truth
    life = SimpleNamespace(world=SimpleNamespace(timeline=timeline), accounts=dict(enumerate(accounts)), **facts)
    grants = SimpleNamespace(
        start_s=BEGIN_S,
        off_s=0.0,
        late_s=LATE_S,
        own=own,
        openings=own,
        asks=starts,
        unix_s=lambda at_us: BEGIN_S + at_us / 1e6,
    )
    grants.fitting = lambda one: Grants.fitting(cast(Grants, grants), one)
    return len(Accounts(cast(Truth, life), cast(Grants, grants)).untold(starts))


def test_a_start_that_nothing_accounts_for_is_untold() -> None:
    assert untold(start(6)) == 1
    assert untold(start(END_H - 2)) == 0, "the board had no time to say so"


@pytest.mark.parametrize(
    "account",
    [
        said(6, "low_battery"),
        said(7.9, "lockout"),
        said(6.02, "no_flow"),
        said(9, "missed"),
        said(6 + 1.8 * DAY, "missed"),
    ],
)
def test_a_word_about_the_start_accounts_for_it(account: Account) -> None:
    assert untold(start(6), accounts=(account,)) == 0


@pytest.mark.parametrize(
    "account",
    [
        said(5.9, "low_battery"),  # before its time
        said(6 + DAY, "low_battery"),  # of the next day's start
        said(6 + 2.1 * DAY, "missed"),  # so far back no board looks
        said(6, "low_battery", program=2),
        said(6, "low_battery", zone=2),
        said(6, "adjusted_to_zero"),  # nobody had adjusted anything
        said(6, "rain_delay"),
    ],
)
def test_no_other_word_does(account: Account) -> None:
    assert untold(start(6), accounts=(account,)) == 1


def test_each_word_is_about_one_start() -> None:
    looked_back = said(7 + DAY, "missed")
    assert untold(start(6), start(6 + DAY), accounts=(looked_back,)) == 1
    assert untold(start(6), start(6 + DAY), accounts=(looked_back, looked_back)) == 0


def test_a_board_that_had_no_power_for_a_day_or_until_the_end_could_say_nothing() -> None:
    assert untold(start(6), dark=[(us(5), us(5 + 1.1 * DAY))]) == 0
    assert untold(start(6), drained=[(us(6.1), us(END_H))]) == 0
    assert untold(start(6), dark=[(us(5), us(20))]) == 1
    assert untold(start(6), dark=[(us(7), us(END_H))]) == 1, "it should have been made by then"


def test_a_start_that_was_made_once_power_was_back_needs_no_word() -> None:
    late = Opening(0, us(7.5), us(7.6))
    assert untold(start(6), own=(late,), dark=[(us(5), us(7.4))]) == 0
    assert untold(start(6), own=(late,)) == 1
    assert untold(start(6, zone=2), own=(late,), dark=[(us(5), us(7.4))]) == 1
    waited = (Opening(0, us(7.99), us(8.03)), Opening(1, us(8.032), us(8.07)))
    assert untold(start(6), start(6, zone=2), own=waited, dark=[(us(5), us(7.98))]) == 0
    assert untold(start(6, zone=2), own=waited[1:], dark=[(us(5), us(7.98))]) == 1


def test_nobody_knows_which_starts_were_made_where_power_and_flash_were_both_lost() -> None:
    storage = [Told(us(6.02), 0, "storage", present=True, dated=False)]
    assert untold(start(6), told=storage, dark=[(us(6.01), us(6.015))]) == 0
    assert untold(start(6), told=storage) == 1
    assert untold(start(6), dark=[(us(6.01), us(6.015))]) == 1


def test_settings_that_were_refused_hold_no_start() -> None:
    assert untold(start(6), settled=[(us(1), True), (us(5), False)]) == 0
    assert untold(start(6), settled=[(us(1), False), (us(5), True)]) == 1


def test_a_board_that_never_spoke_again_is_seen_to_be_gone() -> None:
    assert untold(start(6), heard_us=us(6.05)) == 0
    assert untold(start(6), heard_us=us(20)) == 1


def test_a_silent_board_fails_where_the_shipped_one_says_why() -> None:
    name, seed = "battery_sensor_lies_low", 0
    told = outcome(scenario.load(name), seed).verdict
    assert (told.missed_runs, told.untold_runs, told.story) == (2, 0, [])
    silent = next(one for one in SPOILED if one.name == "a start that is not made is not told")
    with silent.applied() as files:
        found = judge(live(story_of(scenario.load(name), seed), files))
    assert (found.missed_runs, found.untold_runs, found.good) == (2, 2, False)
    assert found.story[0].endswith("did not start at 30.00 h, and nothing says why")
