"""Boot: valves first, then a way in for the cable, then the application."""

import pytest

import closer
from sim.port import HARD_RESET

from .rig import Rig


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.board.stop()


def test_the_closing_pulse_comes_before_any_file_or_radio(rig):
    rig.settle()
    calls: list[str] = []
    rig.board.on_boot = lambda port: setattr(port.session, "on_call", calls.append)
    rig.board.power_cut()
    rig.run(10)
    first_read = next(
        i for i, call in enumerate(calls) if call.startswith(("flash", "wifi", "wlan", "connect", "send"))
    )
    writes = [i for i, call in enumerate(calls) if call == "pin.write"]
    assert sum(i < first_read for i in writes) >= 8, calls[:40]


def test_holding_the_button_keeps_the_application_away_and_the_valves_closed(rig):
    rig.settle()
    rig.command("run", zone=1, run_time_s=600)
    rig.run(5)
    rig.board.bench.press_button(down=True)
    rig.board.reset_now(HARD_RESET)
    rig.run(60)
    assert rig.open_zones() == []
    before = len(rig.broker.log)
    rig.run(600)
    assert len(rig.broker.log) <= before + 1, "no application, no watchdog: only the will is heard"
    assert len(rig.board.boots) == 2


def test_the_button_is_not_asked_for_after_a_sleep():
    rig = Rig(responsive=False)
    rig.settle()
    rig.board.bench.press_button(down=True)
    rig.run(920)
    assert len(rig.said("availability")) >= 3, "it woke and reported"
    rig.board.stop()


def test_a_board_without_its_configuration_stays_closed_and_does_not_spin(rig):
    rig.board.chip.flash.files["/config.json"] = b"{"
    rig.world.move_valve(0, opens=True)
    rig.run(200)
    assert rig.open_zones() == []
    assert rig.board.session is None, "asleep"


def test_a_lost_closer_configuration_still_closes_a_single_zone():
    rig = Rig(zones=1)
    del rig.board.chip.flash.files["/closer_config.py"]
    rig.world.move_valve(0, opens=True)
    rig.run(2)
    assert rig.open_zones() == []
    rig.board.stop()


@pytest.mark.parametrize("width_ms", [0, -5, 251, 10**9, "60", None])
def test_no_configuration_makes_a_pulse_longer_than_a_coil_stands(width_ms):
    class Config:
        CLOSE_MS = width_ms

    assert closer.setting(Config, "CLOSE_MS", 60, closer.PULSE_MS_MAX) == 60


def test_a_record_is_valid_only_as_a_whole():
    good = closer.record(closer.SLEPT_CLOSED, 2, 18000)
    assert len(good) == closer.RECORD
    assert closer.read_record(good + b"more") == (closer.SLEPT_CLOSED, 2)
    for i in range(closer.RECORD):
        for bit in range(8):
            bad = bytearray(good)
            bad[i] ^= 1 << bit
            assert closer.read_record(bytes(bad)) == (0, 0), (i, bit)
    for memory in (b"", b"\0" * 8, b"\xff" * 492, good[:7]):
        assert closer.read_record(memory) == (0, 0)


def test_a_stuck_bus_is_freed_before_the_closing_pulse(rig):
    rig.settle()
    rig.world.move_valve(1, opens=True)
    rig.board.bench.bus.hold(clocks=9)
    rig.board.reset_now()
    rig.run(2)
    assert rig.open_zones() == []
