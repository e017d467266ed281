"""What a lawn and its network may do to a board in a summer: each test is one attack that must not leave the water on, nor the board dead."""

import random
from datetime import UTC, datetime

import pytest

from sim.port import WDT_RESET
from sprinkler import protocol, store

from .rig import START, Rig


@pytest.fixture
def rig():
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


def program(start_min, zone=1, **changes):
    return {
        "id": zone,
        "zone": zone,
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "start_min": start_min,
        "run_time_s": 60,
        **changes,
    }


UNSIGNED = (
    b"{}", b"null", b"[" * 64, b'"' * 50, b"1e999", b"\n" * 40, b"\xff" * 60, b"x" * 2048, b"x" * 5000,
    b'{"command": "run", "zone": 1, "run_time_s": 600}', b'{"command": ["stop"]}', b"0" * 32 + b"\n" + b"0" * 32,
)  # fmt: skip


def test_no_unsigned_text_on_any_topic_opens_a_valve_or_restarts_the_board(rig):
    chance = random.Random(1)
    for number in range(200):
        leaf = protocol.TO_BOARD[number % len(protocol.TO_BOARD)]
        rig.broker.publish(rig.topic(leaf), chance.choice(UNSIGNED), retain=number % 5 == 0, qos=number % 2)
        rig.run(0.05)
    rig.run(10)
    assert rig.opened_s() == 0
    assert len(rig.board.boots) == 1
    assert rig.state()["faults"] == ["tampering"]


ABSURD_SETTINGS = (
    [], {"tz_rule": "<"}, {"tz_rule": ","}, {"tz_rule": "ABC1DEF,M13.1.1,M1.1.1"}, {"tz_rule": "ABC1DEF,M..,M1.1.1"}, {"tz_rule": 5},
    {"watering_enabled": 1}, {"seasonal_adjust_pct": 301}, {"wake_interval_s": 0}, {"rain_delay_until": -1},
)  # fmt: skip
ABSURD_PROGRAMS = (
    [1], [None], [[]], {}, [program(1440)], [program(1, weekdays="0")], [program(1, weekdays={"0": 1})], [program(1, weekdays=[])],
    [program(1, skip_dates="20270101")], [program(1, skip_dates=None)], [program(1, until=[1])], [program(1, id=9)], [program(1), program(2)],
    [program(1, zone=3)], [program(1, run_time_s=7201)], [program(1, run_time_s=True)],
)  # fmt: skip


def test_signed_settings_that_make_no_sense_are_refused_as_a_whole(rig):
    rig.desired(1, programs=[program(600)])
    rig.run(3)
    for settings in ABSURD_SETTINGS:
        rig.send(protocol.DESIRED, {"version": 2, "settings": settings, "programs": []}, retain=True)
        rig.run(0.3)
    for programs in ABSURD_PROGRAMS:
        rig.send(protocol.DESIRED, {"version": 2, "programs": programs}, retain=True)
        rig.run(0.3)
    rig.run(3)
    refused = [reply for reply in rig.said(protocol.REPLY) if reply["id"] == "desired" and not reply["accepted"]]
    assert len(refused) == len(ABSURD_SETTINGS) + len(ABSURD_PROGRAMS)
    assert rig.state()["desired_version"] == 1
    assert rig.zone()["next_run_at"] == START + 2 * 3600


def test_signed_acks_and_times_that_make_no_sense_do_no_harm(rig):
    boot_id = rig.state()["boot_id"]
    for content in (
        [],
        None,
        1,
        {},
        {"boot_id": None},
        {"boot_id": boot_id, "event": -1, "sample": 1},
        {"boot_id": boot_id, "event": [], "sample": 1},
    ):
        rig.send(protocol.ACK, content)
    for content in (
        [],
        None,
        1,
        {},
        {"nonce": 1, "at": 1},
        {"nonce": "", "at": START + 86400},
        {"nonce": None, "at": None},
    ):
        rig.send(protocol.TIME, content)
    rig.run(10)
    rig.run(60)
    assert len(rig.board.boots) == 1
    assert rig.said(protocol.TELEMETRY)[-1]["samples"][-1]["at"] == pytest.approx(rig.now(), abs=35)


@pytest.mark.parametrize("after_ms", [20, 60, 110, 130, 150, 200, 400, 1000, 30000, 31000, 33000, 36000, 36500])
def test_a_loss_of_power_at_any_moment_of_a_run_ends_with_the_valve_closed(rig, after_ms):
    rig.command("run", zone=1, run_time_s=30)
    rig.run(after_ms / 1000)
    rig.board.power_cut(off_s=1)
    rig.run(60)
    assert rig.open_zones() == []
    assert rig.opened_s() <= 33, "the cut itself is the only time that nobody can close"
    assert rig.zone()["valve"] == "closed"
    totals = [state["zones"][0]["volume_ml"] for state in rig.said(protocol.STATE)]
    assert totals == sorted(totals)


def test_a_run_ends_on_time_though_the_ticks_wrap_in_it():
    rig = Rig()
    rig.run(1)
    rig.board.chip.ticks_offset_us = (1 << 30) * 1000 - 40_000_000
    rig.board.power_cut()
    rig.settle()
    rig.command("run", zone=1, run_time_s=120)
    rig.run(200)
    assert rig.opened_s() == pytest.approx(120, abs=1)
    rig.board.stop()


def test_a_day_of_flapping_networks_costs_no_program_and_no_restart(rig):
    chance = random.Random(3)
    rig.desired(1, programs=[program(9 * 60, run_time_s=600), program(9 * 60, zone=2)])
    rig.run(5)
    for _ in range(60):
        rig.board.network.wifi_up = chance.random() < 0.6
        rig.run(chance.choice([3, 20, 60, 400]))
        if chance.random() < 0.2:
            rig.broker.stop()
            rig.run(chance.random() * 100)
            rig.broker.start()
        if chance.random() < 0.1:
            rig.broker.mute = True
            rig.run(50)
            rig.broker.mute = False
    rig.board.network.wifi_up = True
    rig.run(200)
    assert len(rig.board.boots) == 1
    assert rig.open_zones() == []
    assert rig.opened_s() == pytest.approx(660, abs=2)
    assert rig.broker.connected("sprinkler-" + rig.board.device_id)


def test_a_restart_waits_until_the_open_valve_is_proven_closed(rig):
    rig.command("run", zone=1, run_time_s=60)
    rig.run(5)
    rig.command("restart")
    rig.run(30)
    assert rig.open_zones() == [1]
    rig.run(60)
    assert len(rig.board.boots) == 2
    assert rig.opened_s() == pytest.approx(60, abs=1)
    assert [event["result"] for event in rig.events("run_finished")] == ["completed"]


def test_a_run_under_way_is_not_changed_by_new_settings(rig):
    rig.desired(1, programs=[program(8 * 60 + 2, run_time_s=120)])
    rig.run(150)
    assert rig.open_zones() == [1]
    rig.desired(2, programs=[], seasonal_adjust_pct=300)
    rig.run(200)
    assert rig.opened_s() == pytest.approx(120, abs=1)


def test_clearing_the_fault_of_a_valve_that_still_sticks_opens_nothing_and_faults_again(rig):
    rig.command("run", zone=1, run_time_s=30)
    rig.run(5)
    rig.world.zones[0].valve.sticks_open = True
    rig.run(120)
    rig.command("clear_fault", zone=1)
    rig.run(90)
    assert rig.zone()["faults"] == ["leak"]
    refused = rig.command("run", zone=1, run_time_s=30)
    rig.run(3)
    assert rig.reply(refused)["reason"] == "lockout"


def test_a_sinking_battery_closes_the_valve_while_it_still_can():
    rig = Rig(scenario={"battery_pct": 30, "panel_w": 0, "capacity_mah": 150})
    rig.settle()
    rig.command("run", zone=1, run_time_s=7200)
    rig.run(7200)
    assert rig.open_zones() == []
    assert 0 < rig.opened_s() < 7200
    assert rig.events("run_finished")[0]["reason"] == "low_battery"
    rig.board.stop()


def test_staying_awake_ends_when_the_battery_sinks():
    rig = Rig(responsive=False, scenario={"battery_pct": 80, "panel_w": 0, "capacity_mah": 300})
    rig.settle()
    rig.command("stay_awake", awake_s=28800, expires_at=START + 3600)
    rig.run(1800)
    assert rig.state()["power_mode"] == "responsive"
    rig.run(7 * 3600)
    assert rig.state()["power_mode"] == "saver"
    assert rig.said(protocol.AVAILABILITY)[-1]["state"] == "asleep"
    rig.board.stop()


def test_a_stop_gets_through_though_the_time_server_is_nine_minutes_wrong(rig):
    rig.command("run", zone=1, run_time_s=7200)
    rig.run(5)
    rig.board.network.ntp_error_s = 540
    rig.run(3700)
    rig.command("stop", zone=0, expires_at=int(rig.now()) + 43200)
    rig.run(3)
    assert rig.open_zones() == []


def test_a_time_server_cannot_walk_the_clock_away_step_by_step(rig):
    def answer(message):
        nonce = message.payload.decode().split('"')[3]
        rig.world.timeline.at(
            rig.world.timeline.now_us + 50_000, lambda: rig.send(protocol.TIME, {"nonce": nonce, "at": int(rig.now())})
        )

    rig.broker.subscribe(rig.topic(protocol.TIME_REQUEST), answer)
    rig.board.network.ntp_error_s = 5400
    rig.run(2 * 3700)
    assert rig.said(protocol.TELEMETRY)[-1]["samples"][-1]["at"] == pytest.approx(rig.now(), abs=35)


@pytest.mark.parametrize("evening", [datetime(2027, 3, 13, 22, tzinfo=UTC), datetime(2027, 11, 6, 22, tzinfo=UTC)])
def test_a_sleeper_runs_each_program_once_in_the_nights_that_change_the_clocks(evening):
    rig = Rig(responsive=False, scenario={"start_unix_s": evening.timestamp()})
    rig.settle()
    starts = (90, 150, 210)  # before, in and after the hour that is missing or comes twice
    programs = [program(start, id=number + 1) for number, start in enumerate(starts)]
    rig.desired(1, programs=programs, tz_rule="EST5EDT,M3.2.0,M11.1.0")
    rig.run(86400)
    assert [event["program"] for event in rig.events("run_started")] == [1, 2, 3]
    assert rig.opened_s() == pytest.approx(180, abs=2)
    rig.board.stop()


def test_the_second_program_of_a_zone_at_the_same_minute_takes_the_place_of_the_first_and_says_so(rig):
    rig.desired(1, programs=[program(8 * 60 + 2), program(8 * 60 + 2, id=2, run_time_s=90)])
    rig.run(400)
    assert rig.opened_s() == pytest.approx(90, abs=1)
    assert [(event["program"], event["reason"]) for event in rig.events("run_skipped")] == [(1, "busy")]


def test_run_numbers_go_round_without_a_stop(rig):
    memory = store.Memory()
    memory.run_id = 65535
    rig.board.chip.flash.files[store.JOURNAL] = store.sealed(memory._pack_ledger())
    rig.board.power_cut()
    rig.settle()
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    assert rig.events("run_finished")[0]["run_id"] == 1


def test_a_valve_that_was_opened_by_hand_while_the_board_slept_is_closed_at_its_next_wake():
    rig = Rig(responsive=False)
    rig.run(60)
    rig.world.move_valve(0, opens=True)
    rig.run(1000)
    assert rig.open_zones() == []
    assert "leak" in [event["reason"] for event in rig.events("fault")]
    rig.board.stop()


def test_the_longest_state_of_four_zones_fits_a_message():
    rig = Rig(zones=4)
    rig.settle()
    rig.desired(
        0x3FFFFFF0, programs=[program(600 + i, id=i + 1, zone=i % 4 + 1) for i in range(8)], seasonal_adjust_pct=300
    )
    for zone in (1, 2, 3, 4):
        rig.command("run", zone=zone, run_time_s=10)
    rig.run(120)
    for zone in (1, 2, 3, 4):
        rig.command("run", zone=zone, run_time_s=7200)
    rig.run(10)
    sizes = [len(message.payload) for message in rig.broker.messages(rig.topic(protocol.STATE))]
    longest_numbers = 4 * 96  # what counters, totals and fault words may still add to what is shown here
    skips = 4 * 56  # and a last skip of each zone
    assert max(sizes) + longest_numbers + skips <= protocol.STATE_MAX
    rig.board.stop()


def test_a_watchdog_reset_gives_no_run_more_than_it_was_granted(rig):
    rig.desired(1, programs=[program(8 * 60 + 2, run_time_s=600)])
    rig.run(200)
    for _ in range(2):
        rig.board.reset_now(WDT_RESET)
        rig.run(90)
    rig.run(800)
    assert rig.opened_s() <= 600
    assert rig.open_zones() == []
