"""Programs: when the board waters on its own, and why it does not."""

import datetime as dt

import pytest
from astral import Observer, sun

from sim.port import SOFT_RESET, WDT_RESET
from sprinkler import protocol

from .rig import START, Rig

EIGHT = 8 * 60  # the rig's first minute


@pytest.fixture
def make():
    rigs: list[Rig] = []

    def make(**arguments):
        rigs.append(Rig(**arguments))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.board.stop()


def program(number=1, zone=1, **changes):
    """Every day five minutes past eight, for a minute."""
    found = {"id": number, "zone": zone, "weekdays": [0, 1, 2, 3, 4, 5, 6], "start_min": EIGHT + 5, "run_time_s": 60}
    found.update(changes)
    return {key: value for key, value in found.items() if value is not None}


def opened(rig):
    """(minute since the rig's start, zone) of each opening."""
    return [(round((at - START) / 60), zone) for at, zone, is_open in rig.moves if is_open]


def skips(rig):
    return [(e["zone"], e["program"], e["reason"]) for e in rig.events("run_skipped")]


# Days


def test_every_two_days_and_odd_days_are_kept_by_a_board_alone(make):
    rig = make(responsive=False)  # START is Friday, 15 January 2027
    rig.run(3)
    every_two = program(1, 1, weekdays=None, every_days=2, from_date=20270116)
    odd = program(2, 2, weekdays=None, odd_even="odd", start_min=EIGHT + 10)
    rig.desired(programs=[every_two, odd])
    rig.run(30)
    rig.broker.stop()
    rig.run(3.9 * 86400)
    day = 1440
    assert opened(rig) == [(10, 2), (day + 5, 1), (2 * day + 10, 2), (3 * day + 5, 1)]


def test_a_start_by_the_sun_comes_when_the_sun_does(make):
    rig = make()
    rig.settle()
    by_sun = program(start_min=None, start="sunrise", offset_min=-5)
    rig.desired(programs=[by_sun], latitude_cdeg=5252, longitude_cdeg=-150, tz_rule="GMT0BST,M3.5.0/1,M10.5.0")
    rig.run(3)
    expected = sun.sunrise(Observer(52.52, -1.5), dt.date(2027, 1, 15), tzinfo=dt.UTC).timestamp() - 300
    assert rig.zone()["next_run_at"] == pytest.approx(expected, abs=180)
    rig.run(1200)
    assert rig.moves[0][0] == pytest.approx(expected, abs=180)


# Why not


@pytest.mark.parametrize(
    ("settings", "changes", "reason"),
    [
        ({"season_from": 401, "season_to": 1031}, {}, "season"),
        ({}, {"skip_dates": [20270115]}, "skip_date"),
        ({"latitude_cdeg": 7800}, {"start_min": None, "start": "sunrise"}, "no_start"),
        ({"rain_delay_until": START + 7200}, {}, "rain_delay"),
    ],
)
def test_a_day_without_a_start_says_why(make, settings, changes, reason):
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(programs=[program(**changes)], **settings)
    rig.run(5 * 3600)
    assert opened(rig) == []
    assert skips(rig) == [(1, 1, reason)]


def test_what_comes_next_leaves_out_days_without_a_start(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(skip_dates=[20270115, 20270116])], season_from=118, season_to=201)
    rig.run(3)
    assert rig.zone()["next_run_at"] == START + 3 * 86400 + 300


def test_frost_skips_a_start_and_warmth_does_not(make):
    rig = make(more={"temperature_sensor": "soil"})
    rig.board.bench.air_c = 1.9
    rig.settle()
    rig.desired(programs=[program(), program(2, start_min=EIGHT + 15)], frost_below_dc=20)
    rig.run(600)
    assert skips(rig) == [(1, 1, "frost")]
    rig.board.bench.air_c = 2.1
    rig.run(600)
    assert opened(rig) == [(15, 1)]


def test_a_wet_rain_switch_skips_a_start(make):
    rig = make(more={"rain_switch": "expander"})
    rig.board.bench.wet = True
    rig.settle()
    rig.desired(programs=[program()])
    rig.run(600)
    assert opened(rig) == []
    assert skips(rig) == [(1, 1, "rain_sensor")]


def test_moist_soil_skips_a_start_in_its_zone_only(make):
    rig = make()
    rig.settle()
    pct = rig.said(protocol.TELEMETRY)[-1]["samples"][-1]["soil_pct"]
    zones = [{"zone": 1, "skip_above_pct": pct[0]}, {"zone": 2, "skip_above_pct": min(100, pct[1] + 1)}]
    rig.desired(programs=[program(), program(2, 2)], zones=zones)
    rig.run(600)
    assert skips(rig) == [(1, 1, "wet")]
    assert opened(rig) == [(5, 2)]


def test_a_probe_that_fails_stops_no_program(make):
    rig = make(soil_probes=False)
    rig.settle()
    rig.desired(programs=[program()], zones=[{"zone": 1, "skip_above_pct": 1}], frost_below_dc=100)
    rig.run(600)
    assert opened(rig) == [(5, 1)]


def test_programs_that_start_together_water_in_the_order_of_their_zones(make):
    rig = make(zones=4)
    rig.settle()
    rig.desired(programs=[program(1, 4), program(2, 3), program(3, 2), program(4, 1)])
    rig.run(900)
    assert [zone for _, zone in opened(rig)] == [1, 2, 3, 4]


# Cycle and soak

SOAK = [{"zone": 1, "cycle_s": 60, "soak_s": 600}]


def ends(rig):
    return [(e["zone"], e["result"], e["reason"], e["duration_s"]) for e in rig.events("run_finished")]


@pytest.mark.parametrize("responsive", [True, False])
def test_a_run_comes_in_equal_cycles_and_what_it_waters_is_the_run_time(make, responsive):
    rig = make(responsive=responsive)
    rig.run(3)
    rig.desired(programs=[program(run_time_s=150)], zones=SOAK)
    rig.run(3000)
    assert [minute for minute, _ in opened(rig)] == pytest.approx([5, 16, 27], abs=1)
    assert rig.opened_s() == pytest.approx(150, abs=3)
    assert ends(rig) == [(1, "completed", "", 50)] * 3
    assert skips(rig) == []
    rig.run(4000)
    assert len(opened(rig)) == 3


def test_another_zone_waters_while_the_first_one_soaks(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(1, 1, run_time_s=120), program(2, 2, run_time_s=120)], zones=SOAK)
    rig.run(1500)
    assert [zone for _, zone in opened(rig)] == [1, 2, 1]


def test_the_next_program_of_a_zone_waits_until_the_one_before_it_has_had_its_cycles(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(1, run_time_s=120), program(2, start_min=EIGHT + 8, run_time_s=30)], zones=SOAK)
    rig.run(1500)
    assert [e["program"] for e in rig.events("run_started")] == [1, 1, 2]
    assert skips(rig) == []


@pytest.mark.parametrize("zone", [0, 1])
def test_a_stop_in_a_soak_gives_up_the_rest_and_says_so(make, zone):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(run_time_s=150)], zones=SOAK)
    rig.run(480)
    rig.command("stop", zone=zone)
    rig.run(1500)
    assert len(opened(rig)) == 1
    assert skips(rig) == [(1, 1, "requested")]
    assert rig.zone()["last_skip"]["reason"] == "requested"


def test_a_stop_in_a_cycle_gives_up_the_rest_and_says_so(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(run_time_s=150)], zones=SOAK)
    rig.run(310)
    rig.command("stop", zone=1)
    rig.run(1500)
    assert len(opened(rig)) == 1
    assert skips(rig) == [(1, 1, "requested")]


def test_a_loss_of_power_in_a_soak_costs_the_rest_and_it_is_said(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(run_time_s=150)], zones=SOAK)
    rig.run(480)
    rig.board.power_cut(off_s=5)
    rig.run(1500)
    assert len(opened(rig)) == 1
    assert skips(rig) == [(1, 1, "reset")]


@pytest.mark.parametrize("cause", [WDT_RESET, SOFT_RESET])
def test_a_reset_in_a_soak_that_leaves_memory_alone_costs_nothing(make, cause):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(run_time_s=150)], zones=SOAK)
    rig.run(480)
    rig.board.reset_now(cause)
    rig.run(2400)
    assert len(opened(rig)) == 3
    assert rig.opened_s() == pytest.approx(150, abs=3)


def test_no_reset_in_a_cycle_makes_a_program_water_longer_than_its_run_time(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(run_time_s=180)], zones=SOAK)
    for _ in range(3):
        rig.run(330)
        rig.board.reset_now(WDT_RESET)
    rig.run(3000)
    assert rig.opened_s() <= 183


def test_settings_that_forbid_watering_end_a_soak(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program(run_time_s=150)], zones=SOAK)
    rig.run(480)
    rig.desired(2, programs=[program(run_time_s=150)], zones=SOAK, watering_enabled=False)
    rig.run(1500)
    assert len(opened(rig)) == 1
    assert skips(rig) == [(1, 1, "disabled")]


# Wet enough


def test_a_program_ends_once_its_soil_is_wet_enough_and_a_run_by_hand_does_not(make):
    rig = make()
    rig.settle()
    pct = rig.said(protocol.TELEMETRY)[-1]["samples"][-1]["soil_pct"][0]
    rig.desired(programs=[program(run_time_s=7200)], zones=[{"zone": 1, "skip_above_pct": pct + 2, **SOAK[0]}])
    rig.world.zones[0].soil.depletion_mm *= 1.0
    rig.run(400)
    rig.desired(2, programs=[program(run_time_s=7200)], zones=[{"zone": 1, "skip_above_pct": pct}])
    rig.run(900)
    assert [(e["program"], e["reason"]) for e in rig.events("run_skipped")][-1:] == [(1, "wet")]
    rig.command("run", zone=1, run_time_s=90)
    rig.run(120)
    assert ends(rig)[-1] == (1, "completed", "", 90)


# Skip


def test_the_next_start_is_skipped_once_even_over_a_loss_of_power(make):
    rig = make()
    rig.settle()
    rig.desired(programs=[program()])
    rig.run(5)
    first = rig.command("skip", zone=1, program=0)
    again = rig.command("skip", zone=1, program=1)
    rig.run(5)
    for command in (first, again):
        assert (rig.reply(command)["accepted"], rig.reply(command)["at"]) == (True, START + 300)
    assert rig.zone()["next_run_at"] == START + 86400 + 300
    rig.board.power_cut(off_s=5)
    rig.run(4000)
    assert opened(rig) == []
    assert skips(rig) == [(1, 1, "skipped")]
    assert rig.zone()["last_skip"]["program"] == 1


def test_the_start_after_a_skipped_one_is_made(make):
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(programs=[program()])
    rig.command("skip", zone=1)
    rig.run(86400 + 900)
    assert opened(rig) == [(1445, 1)]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"zone": 2}, "no_start"),
        ({"zone": 1, "program": 2}, "no_start"),
        ({"zone": 3}, "unknown_zone"),
        ({}, "invalid"),
    ],
)
def test_what_cannot_be_skipped_is_refused(make, asked, reason):
    rig = make()
    rig.settle()
    rig.desired(programs=[program()])
    rig.run(5)
    command = rig.command("skip", **asked)
    rig.run(5)
    assert (rig.reply(command)["accepted"], rig.reply(command)["reason"]) == (False, reason)
