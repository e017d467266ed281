"""What Home Assistant desires is taken as a whole or refused as a whole."""

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprinkler import desired, parts, planning, programs
from sprinkler.core import schedule
from sprinkler.core.localtime import day_number
from sprinkler.errors import RefusedError

PROGRAM = {
    "id": 1,
    "zone": 1,
    "enabled": True,
    "weekdays": [0, 2],
    "start_min": 360,
    "run_time_s": 600,
    "until": 0,
    "skip_dates": [20270704],
}

OTHER_DAYS = {key: value for key, value in PROGRAM.items() if key != "weekdays"}


def parse(zones=2, **changes):
    text = json.dumps({"version": 3, "settings": {}, "programs": [], **changes}).encode()
    return read(text + b"]", len(text), zones)


def read(body, length, zones):
    """As `reading` does, from memory."""
    settings, spans = desired.parse(io.BytesIO(body), length, zones)
    settings.programs = tuple(planning.Programs(programs.take(io.BytesIO(body), spans, zones)))
    return settings


def test_programs_are_ordered_by_zone_and_id():
    programs = [{**PROGRAM, "id": 3, "zone": 2}, {**PROGRAM, "id": 2}, PROGRAM]
    found = parse(programs=programs).programs
    assert [(schedule.program_id(p), schedule.zone_of(p)) for p in found] == [(1, 1), (2, 1), (3, 2)]


def test_a_program_becomes_small_integers():
    assert parse(programs=[PROGRAM]).programs == (
        (17, 0b101 << 2, 360, 600, schedule.NEVER, day_number(2027, 7, 4), *(0,) * 7),
    )


def test_a_program_may_start_by_the_sun_every_few_days_and_without_the_right_time():
    by_sun = {**OTHER_DAYS, "start": "sunset", "offset_min": -30, "every_days": 3, "from_date": 20270301}
    by_sun["when_clock_lost"] = "run"
    (found,) = parse(programs=[by_sun]).programs
    assert found[schedule.HEAD] == 17 + 128 * schedule.SUNSET + schedule.BY_ESTIMATE
    assert found[schedule.DAYS] == (day_number(2027, 3, 1) << 5 | 3) << 2 | schedule.EVERY
    assert found[schedule.START_MIN] == -30


@pytest.mark.parametrize(("word", "kind"), [("odd", schedule.ODD), ("even", schedule.EVEN)])
def test_a_program_may_start_on_odd_or_even_days(word, kind):
    assert parse(programs=[{**OTHER_DAYS, "odd_even": word}]).programs[0][schedule.DAYS] == kind


def test_season_frost_and_zones_are_taken():
    zones = [{"zone": 2, "cycle_s": 600, "soak_s": 1800, "skip_above_pct": 60, "application_rate_um_h": 12000}]
    found = parse(settings={"season_from": 1101, "season_to": 229, "frost_below_dc": -5, "zones": zones})
    assert (found.season_from, found.season_to, found.frost_below_dc) == (1101, 229, -5)
    assert found.zones == bytes(5) + struct.pack(">HHB", 600, 1800, 60) + bytes(10)


def test_what_is_left_out_takes_its_default():
    found = parse(settings={"zones": [{"zone": 1}]})
    assert (found.season_from, found.season_to, found.frost_below_dc, found.zones) == (0, 0, None, bytes(20))


def test_a_disabled_program_does_not_run():
    assert parse(programs=[{**PROGRAM, "enabled": False}]).programs == ()


def test_unknown_keys_are_ignored():
    assert parse(programs=[{**PROGRAM, "colour": 1}], more={"x": 1}).version == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 0}, "invalid"),
        ({"version": "3"}, "invalid"),
        ({"version": True}, "invalid"),
        ({"settings": []}, "invalid"),
        ({"settings": {"seasonal_adjust_pct": 301}}, "invalid"),
        ({"settings": {"seasonal_adjust_pct": 100.5}}, "invalid"),
        ({"settings": {"watering_enabled": 1}}, "invalid"),
        ({"settings": {"wake_interval_s": 59}}, "invalid"),
        ({"settings": {"tz_rule": "nonsense!"}}, "invalid"),
        ({"settings": {"tz_rule": "E" * 49}}, "invalid"),
        ({"settings": {"latitude_cdeg": 9001}}, "invalid"),
        ({"programs": {}}, "invalid"),
        ({"programs": [PROGRAM, PROGRAM]}, "invalid"),
        ({"programs": [{**PROGRAM, "id": i} for i in range(1, 10)]}, "too_many"),
        ({"programs": [{**PROGRAM, "id": 9}]}, "invalid"),
        ({"programs": [{**PROGRAM, "zone": 3}]}, "unknown_zone"),
        ({"programs": [{**PROGRAM, "weekdays": []}]}, "invalid"),
        ({"programs": [{**PROGRAM, "weekdays": [7]}]}, "invalid"),
        ({"programs": [{**PROGRAM, "run_time_s": 7201}]}, "invalid"),
        ({"programs": [{**PROGRAM, "start_min": 1440}]}, "invalid"),
        ({"programs": [{**PROGRAM, "skip_dates": [20271301]}]}, "invalid"),
        ({"programs": [{**PROGRAM, "until": 1}]}, "invalid"),
        ({"programs": [{**PROGRAM, "until": 20270230}]}, "invalid"),
        ({"programs": [{**PROGRAM, "enabled": 1}]}, "invalid"),
        ({"programs": [{**PROGRAM, "enabled": False, "run_time_s": 1}]}, "invalid"),
        ({"programs": [{**PROGRAM, "every_days": 2, "from_date": 20270101}]}, "invalid"),
        ({"programs": [OTHER_DAYS]}, "invalid"),
        ({"programs": [{**OTHER_DAYS, "every_days": 2}]}, "invalid"),
        ({"programs": [{**OTHER_DAYS, "every_days": 31, "from_date": 20270101}]}, "invalid"),
        ({"programs": [{**OTHER_DAYS, "odd_even": "both"}]}, "invalid"),
        ({"programs": [{**PROGRAM, "start": "noon"}]}, "invalid"),
        ({"programs": [{**PROGRAM, "start": "sunset", "offset_min": 241}]}, "invalid"),
        ({"programs": [{**PROGRAM, "when_clock_lost": True}]}, "invalid"),
        ({"settings": {"season_from": 401}}, "invalid"),
        ({"settings": {"season_from": 431, "season_to": 1001}}, "invalid"),
        ({"settings": {"season_from": 1, "season_to": 1001}}, "invalid"),
        ({"settings": {"frost_below_dc": 101}}, "invalid"),
        ({"settings": {"frost_below_dc": False}}, "invalid"),
        ({"settings": {"zones": [{}]}}, "invalid"),
        ({"settings": {"zones": 3}}, "invalid"),
        ({"settings": {"zones": [{"zone": 3}]}}, "unknown_zone"),
        ({"settings": {"zones": [{"zone": 1, "cycle_s": 59}]}}, "invalid"),
        ({"settings": {"zones": [{"zone": 1, "cycle_s": False}]}}, "invalid"),
        ({"settings": {"zones": [{"zone": 1, "soak_s": 7201}]}}, "invalid"),
        ({"settings": {"zones": [{"zone": 1, "skip_above_pct": 101}]}}, "invalid"),
        ({"settings": {"zones": [{"zone": 1, "application_rate_um_h": -1}]}}, "invalid"),
        ({"programs": [{"id": 1}]}, "invalid"),
        ({"programs": [None]}, "invalid"),
    ],
)
def test_bad_settings_are_refused_with_a_reason(changes, reason):
    with pytest.raises(RefusedError) as error:
        parse(**changes)
    assert error.value.args == (reason,)


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"{", b"null", b'{"version": 1, "settings": null}', b"\xff"])
def test_what_is_no_object_is_refused(body):
    with pytest.raises(RefusedError):
        read(body, len(body), 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**29), 2**29) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values=st.lists(JSON, max_size=5), indent=st.sampled_from([None, 1]))
def test_a_list_that_is_taken_apart_gives_the_same_parts(values, indent):
    text = json.dumps(values, indent=indent).encode()
    assert [json.loads(text[start:end]) for start, end in parts.children(io.BytesIO(text), 0, len(text))] == values


@given(values=st.dictionaries(st.text(), JSON, max_size=5))
def test_an_object_that_is_taken_apart_gives_the_same_members(values):
    text = json.dumps(values).encode()
    members = {}
    for start, end in parts.children(io.BytesIO(text), 0, len(text)):
        members |= json.loads(b"{" + text[start:end] + b"}")
    assert members == values


@pytest.mark.parametrize("text", [b"[1", b'["a]', b"[1]]", b"[{]"])
def test_a_text_that_does_not_end_where_it_should_is_refused(text):
    with pytest.raises(ValueError, match="text"):
        parts.children(io.BytesIO(text), 0, len(text))
