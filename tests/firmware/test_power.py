"""What the battery allows: modes, how long the board sleeps, and what a wake with nothing to do costs."""

from itertools import pairwise

import pytest

from sim.port import HARD_RESET
from sprinkler import protocol

from .rig import Rig


@pytest.fixture
def make():
    rigs: list[Rig] = []

    def make(**arguments):
        arguments.setdefault("responsive", False)
        rigs.append(Rig(**arguments))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.board.stop()


def program(start_min, zone=1, **changes):
    return {"id": zone, "zone": zone, "weekdays": list(range(7)), "start_min": start_min, "run_time_s": 60, **changes}


def sleeps(rig):
    return [a for a in rig.said(protocol.AVAILABILITY) if a["state"] == "asleep"]


class Boots:
    """The boots from now on: how long each was awake, in ms, and whether it came as far as the application, which starts the watchdog first."""

    def __init__(self, rig):
        self.awake_ms: list[float] = []
        self.applications = 0
        self._board = rig.board
        rig.board.on_boot = self._begin
        rig.board.on_end = self._end

    def _begin(self, port):
        self._began_us = self._board.timeline.now_us
        port.session.on_call = self._called

    def _called(self, call):
        if call == "wdt.feed":
            self.applications += 1
            self._board.session.on_call = None

    def _end(self, _):
        self.awake_ms.append((self._board.timeline.now_us - self._began_us) / 1000)


def test_winter_closes_what_is_open_and_refuses_to_water(make):
    rig = make(responsive=True)
    rig.settle()
    rig.command("run", zone=1, run_time_s=600)
    rig.run(10)
    assert rig.open_zones() == [1]
    rig.desired(1, winter=True)
    rig.run(10)
    assert rig.open_zones() == []
    assert rig.state()["winter"]
    refused = rig.command("run", zone=1, run_time_s=60)
    rig.run(3)
    assert rig.reply(refused)["reason"] == "winter"


def test_in_winter_no_program_starts_and_the_reason_is_told(make):
    rig = make(responsive=True)
    rig.settle()
    rig.desired(1, winter=True, programs=[program(8 * 60 + 2)])
    rig.run(300)
    assert rig.litres() == 0
    assert [e["reason"] for e in rig.events("run_skipped")] == ["winter"]
    assert rig.zone()["next_run_at"] == 0


def test_in_winter_the_board_wakes_every_six_hours(make):
    rig = make()
    rig.settle()
    rig.desired(1, winter=True)
    rig.run(930)
    assert rig.state()["power_mode"] == "winter"
    said = len(sleeps(rig))
    rig.run(9 * 86400)
    per_day = (len(sleeps(rig)) - said) / 9
    assert 4 <= per_day <= 5.1, "six hours, but for the one that is followed by the day's closing pulse"


def test_a_hop_starts_no_application_joins_no_network_and_writes_no_flash(make):
    rig = make()
    rig.settle()
    rig.desired(1, winter=True)
    rig.run(930)
    boots = Boots(rig)
    chip, said = rig.board.chip, len(rig.broker.log)
    steps, sdk_writes = chip.flash.steps, chip.sdk_flash_writes
    rig.run(4.5 * 3600)
    assert len(boots.awake_ms) == 4
    assert max(boots.awake_ms) < 400, "boot.py alone, and the time of a second press of reset"
    assert boots.applications == 0
    assert len(rig.broker.log) == said
    assert (chip.flash.steps, chip.sdk_flash_writes) == (steps, sdk_writes)
    rig.run(2 * 3600)
    assert boots.applications == 1, "it is counted when it comes"


@pytest.mark.parametrize("between_s", [0.15, 0.5])
def test_two_quick_presses_of_reset_bring_a_board_out_of_a_long_sleep(make, between_s):
    rig = make()
    rig.settle()
    rig.desired(1, winter=True)
    rig.run(930 + 1800)
    rig.board.on_boot = lambda port: port.session.uart.extend(b"\r")
    rig.board.reset_now()
    rig.run(between_s)
    rig.board.reset_now()
    rig.run(60)
    assert rig.board.boots[-1] == HARD_RESET
    assert rig.board.session is not None, "held for the cable"
    assert rig.open_zones() == []


def test_a_hop_after_a_reset_that_was_no_sleep_closes_first(make):
    rig = make()
    rig.settle()
    rig.desired(1, winter=True)
    rig.run(930 + 3600)
    rig.world.move_valve(0, opens=True)
    rig.board.power_cut()
    rig.run(2)
    assert rig.open_zones() == []


def test_the_batterys_days_follow_what_it_loses_in_a_day(make):
    rig = make(scenario={"panel_w": 0, "battery_pct": 70})
    rig.run(2)
    rig.desired(1, wake_interval_s=3600)
    rig.run(86400)
    assert rig.state()["battery_days"] is None, "two whole days are not known yet"
    rig.world.draw_mah(120)
    rig.run(86400)
    rig.world.draw_mah(120)
    rig.run(86400)
    rig.world.draw_mah(120)
    rig.run(86400)
    days = rig.state()["battery_days"]
    left_pct = rig.world.truth()["battery_pct"] - 7  # 3.5 V, which is critical
    assert days == pytest.approx(left_pct / 6.4, abs=3), "120 of 2000 mAh a day, and what the wakes take"


def test_the_battery_lasts_under_a_sun_that_fills_it(make):
    rig = make(scenario={"battery_pct": 60})
    rig.run(2)
    rig.desired(1, wake_interval_s=3600)
    rig.run(4 * 86400)
    assert rig.state()["battery_days"] == 99


def test_the_board_wakes_half_as_often_when_the_battery_lasts_no_week(make):
    rig = make(scenario={"panel_w": 0, "battery_pct": 70})
    rig.run(2)
    rig.desired(1, wake_interval_s=3600)
    for _ in range(4):
        rig.world.draw_mah(160)
        rig.run(86400)
    assert rig.state()["battery_days"] < 7
    assert rig.state()["power_mode"] == "normal"
    rig.desired(2, wake_interval_s=900)
    rig.run(3 * 3600)
    told = [a["until"] for a in sleeps(rig)[-3:]]
    assert all(abs(b - a - 1800) < 20 for a, b in pairwise(told)), told


def test_staying_awake_on_request_has_an_end_that_is_told(make):
    rig = make()
    rig.run(3)
    rig.command("stay_awake", awake_s=90)
    rig.run(5)
    until = rig.state()["awake_until"]
    assert until == pytest.approx(rig.now() + 87, abs=4)
    rig.run(until - rig.now() + 10)
    assert rig.board.session is None, "asleep"
    assert rig.state()["awake_until"] == 0


def test_winter_that_comes_in_a_wake_is_obeyed_in_the_same_wake(make):
    rig = make()
    rig.settle()
    rig.desired(1, winter=True)
    rig.run(920)
    assert sleeps(rig)[-1]["until"] - rig.now() > 20000
