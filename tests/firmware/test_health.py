"""Health: how the board itself is, once per start and once a day; and the self-test in it."""

import errno
from collections.abc import Callable
from typing import Any

import pytest

from sim.port import HARD_RESET, Port
from sprinkler import protocol, turning
from sprinkler.report import FIRMWARE

from .rig import Rig


@pytest.fixture
def make():
    rigs = []

    def make(**kwargs: Any) -> Rig:
        rigs.append(Rig(**kwargs))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.board.stop()


def self_test(rig: Rig) -> list[str]:
    """The self-test's words of the next start."""
    rig.board.reset_now(HARD_RESET)
    rig.run(15)
    return rig.said(protocol.HEALTH)[-1]["self_test"]


def test_a_start_tells_how_the_board_is(make: Callable[..., Rig]):
    rig = make()
    rig.settle()
    (health,) = rig.said(protocol.HEALTH)
    assert health["firmware"] == FIRMWARE
    assert (health["boots"], health["wakes"], health["self_test"], health["crash"]) == (1, 0, [], None)
    assert health["flash_writes"] > 0
    assert 0 < health["join_ms"] < 15000
    assert health["clock_error_s"] is None or abs(health["clock_error_s"]) > 10**8, "the clock was never set"
    assert health["heap_free"] is None or 8192 < health["heap_free"] < 37952


def test_it_is_kept_by_the_broker(make: Callable[..., Rig]):
    rig = make()
    rig.settle()
    assert rig.topic(protocol.HEALTH) in rig.broker.retained


def test_a_board_that_stays_awake_tells_it_once_a_day(make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch):
    assert turning.DAY_MS == 86_400_000
    monkeypatch.setattr(turning, "DAY_MS", 600_000)
    rig = make()
    rig.run(1860)
    assert len(rig.said(protocol.HEALTH)) == 4


def test_a_sleeper_tells_it_at_its_start_and_once_a_day_and_counts_its_wakes(make: Callable[..., Rig]):
    rig = make(responsive=False)
    rig.run(2 * 86400 + 3600)
    told = rig.said(protocol.HEALTH)
    assert len(told) == 3
    assert told[-1]["boots"] == 1
    assert told[-1]["wakes"] > 100


@pytest.mark.parametrize(
    ("address", "word"), [(0x40, "battery"), (0x41, "panel"), (0x20, "expander"), (0x36, "soil"), (0x37, "soil")]
)
def test_a_part_that_does_not_answer_is_named(make: Callable[..., Rig], address: int, word: str):
    rig = make()
    rig.settle()
    assert rig.said(protocol.HEALTH)[-1]["self_test"] == []
    rig.board.bench.bus.parts.pop(address)
    assert self_test(rig) == [word]


def test_a_part_that_was_not_provisioned_is_not_missed(make: Callable[..., Rig]):
    rig = make(zones=1, panel_sensor=False, soil_probes=False)
    for address in (0x41, 0x20, 0x36, 0x37):
        rig.board.bench.bus.parts.pop(address, None)
    rig.settle()
    assert rig.said(protocol.HEALTH)[-1]["self_test"] == []


def test_a_bus_that_hangs_names_its_parts_and_does_not_wake_the_watchdog(make: Callable[..., Rig]):
    rig = make()
    rig.settle()
    boots = len(rig.board.boots)
    rig.board.bench.bus.hold(clocks=10**9)
    words = self_test(rig)
    assert {"battery", "panel", "expander"} <= set(words)
    assert rig.board.boots[boots:] == [HARD_RESET]


def test_flash_that_refuses_is_named(make: Callable[..., Rig]):
    rig = make()
    rig.settle()

    def broken(port: Port) -> None:
        def call(name: str) -> None:
            if name == "flash.write":
                raise OSError(errno.EIO)

        port.session.on_call = call

    rig.board.on_boot = broken
    assert "flash" in self_test(rig)


def test_a_button_that_is_stuck_is_named(make: Callable[..., Rig]):
    rig = make()
    rig.settle()
    rig.board.bench.press_button(down=True)
    rig.run(40)
    rig.board.reset_now(4)
    rig.run(15)
    assert rig.said(protocol.HEALTH)[-1]["self_test"] == ["button"]


def test_the_self_test_leaves_nothing_on_flash(make: Callable[..., Rig]):
    rig = make()
    rig.settle()
    assert "/selftest.bin" not in rig.board.chip.flash.files


def test_a_crash_is_told_until_the_settings_are_forgotten(make: Callable[..., Rig]):
    rig = make()
    rig.board.chip.flash.files["/crash.txt"] = b"MemoryError memory"
    rig.settle()
    assert rig.said(protocol.HEALTH)[-1]["crash"] == "MemoryError memory"
    rig.board.bench.press_button(down=True)
    rig.run(11)
    rig.board.bench.press_button(down=False)
    rig.run(20)
    assert rig.said(protocol.HEALTH)[-1]["crash"] is None
