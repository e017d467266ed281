"""Parts of the component that need neither Home Assistant nor a message: time zones, numbers, channels."""

import zoneinfo

import pytest

from custom_components.solar_sprinkler import protocol
from custom_components.solar_sprinkler.errors import TimeZoneError
from custom_components.solar_sprinkler.memory import Arrival, arrived
from custom_components.solar_sprinkler.time_zone import posix_rule


@pytest.fixture
def auto_enable_custom_integrations() -> None:
    """Overrides the folder's: these tests need no Home Assistant."""


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
        ("Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"),
        ("Asia/Kathmandu", "<+0545>-5:45"),
        ("UTC", "UTC0"),
    ],
)
def test_posix_rule_is_what_holds_from_now_on(name, rule):
    assert posix_rule(name) == rule


def test_every_time_zone_has_a_rule_that_a_board_accepts():
    rules = [posix_rule(name) for name in zoneinfo.available_timezones()]
    assert len(rules) > 400
    assert max(len(rule) for rule in rules) <= protocol.TZ_RULE_MAX


def test_rule_comes_from_the_package_where_the_system_has_no_database(monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    assert posix_rule("Europe/Berlin") == "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd"])
def test_what_is_no_time_zone_is_an_error_of_ours(name):
    with pytest.raises(TimeZoneError):
        posix_rule(name)


@pytest.mark.parametrize(
    ("number", "stored", "after", "arrival"),
    [
        (12, 10, 10, Arrival.NEXT),
        (12, 11, 10, Arrival.NEXT),
        (12, 9, 10, Arrival.AHEAD),
        (12, 12, 10, Arrival.REPEATED),
        (12, 40, 10, Arrival.REPEATED),
    ],
)
def test_what_the_board_gave_up_between_two_numbers_is_not_waited_for(number, stored, after, arrival):
    assert arrived(number, stored, 1, after) is arrival


@pytest.mark.parametrize(
    ("number", "stored", "oldest", "arrival"),
    [
        (1, 0, 1, Arrival.NEXT),
        (4, 3, 1, Arrival.NEXT),
        (3, 3, 1, Arrival.REPEATED),
        (5, 3, 4, Arrival.AHEAD),
        (9, 3, 9, Arrival.NEXT),
        (10, 3, 9, Arrival.AHEAD),
        (2, 3, 9, Arrival.REPEATED),
    ],
)
def test_numbers_are_held_against_what_is_stored_and_what_the_board_still_holds(number, stored, oldest, arrival):
    assert arrived(number, stored, oldest) is arrival


def test_zone_whose_file_has_no_rule_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("custom_components.solar_sprinkler.time_zone._tzif", lambda _name: b"TZif1")
    with pytest.raises(TimeZoneError, match="no rule"):
        posix_rule("UTC")
