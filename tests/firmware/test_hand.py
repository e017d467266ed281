"""By hand and by eye: the button waters, stops and forgets; the LED says what the board does."""

from collections.abc import Iterator

import pytest

from sim.port import HARD_RESET, SOFT_RESET
from sprinkler import led
from sprinkler.core.safety import CAP_MS
from sprinkler.hand import RUN_MS

from .rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


def hold(rig: Rig, seconds: float) -> None:
    """A finger on the button for so long; then time to act."""
    rig.board.bench.press_button(down=True)
    rig.run(seconds)
    rig.board.bench.press_button(down=False)
    rig.run(2)


def blinks(rig: Rig, seconds: float) -> int:
    """How often the LED goes on or off."""
    before = rig.board.bench.led_changes
    rig.run(seconds)
    return rig.board.bench.led_changes - before


def test_a_press_waters_the_first_zone_for_ten_minutes_and_says_by_whom(rig):
    hold(rig, 2)
    assert rig.open_zones() == [1]
    (started,) = rig.events("run_started")
    assert (started["reason"], started["program"], started["duration_s"]) == ("manual", 0, RUN_MS // 1000)
    rig.run(620)
    assert rig.open_zones() == []
    assert rig.opened_s() == pytest.approx(RUN_MS / 1000, abs=2)
    assert rig.events("run_finished")[0]["result"] == "completed"


def test_what_a_press_asks_for_stays_below_the_cap():
    assert RUN_MS <= CAP_MS


def test_a_press_while_water_runs_stops_all_at_once(rig):
    rig.command("run", zone=2, run_time_s=600)
    rig.run(1)
    rig.command("run", zone=1, run_time_s=600)
    rig.run(30)
    rig.board.bench.press_button(down=True)
    rig.run(1)
    assert rig.open_zones() == [], "at the press, not when it is let go"
    rig.run(2)
    rig.board.bench.press_button(down=False)
    rig.run(60)
    assert rig.open_zones() == [], "the same press waters nothing, and the queue is gone"
    assert rig.events("run_finished")[0]["result"] == "stopped"


def test_the_next_press_waters_the_next_zone_in_turn(rig):
    for zone in (1, 2, 1):
        hold(rig, 2)
        assert rig.open_zones() == [zone]
        hold(rig, 1)
        assert rig.open_zones() == []
        rig.run(10)


@pytest.mark.parametrize("seconds", [0.01, 0.3])
def test_a_touch_waters_nothing(rig, seconds):
    hold(rig, seconds)
    rig.run(10)
    assert rig.moves == []


def test_a_bouncing_contact_is_one_press(rig):
    bench = rig.board.bench
    for down in [True, False] * 4 + [True]:
        bench.press_button(down=down)
        rig.run(0.004)
    rig.run(2)
    for down in [False, True] * 4 + [False]:
        bench.press_button(down=down)
        rig.run(0.004)
    rig.run(5)
    assert [zone for _, zone, is_open in rig.moves if is_open] == [1]


def test_a_press_between_watering_and_forgetting_does_neither(rig):
    rig.desired(version=4)
    rig.run(3)
    hold(rig, 8)
    rig.run(5)
    assert rig.moves == []
    assert rig.state()["desired_version"] == 4


def test_what_the_core_refuses_to_the_button_is_told(rig):
    rig.board.bench.press_button(down=True)
    rig.run(0.5)
    rig.world.charge_mah = 0.083 * rig.world.scenario.capacity_mah
    rig.run(3)
    rig.board.bench.press_button(down=False)
    rig.run(5)
    assert rig.moves == []
    (skipped,) = rig.events("run_skipped")
    assert (skipped["zone"], skipped["reason"]) == (1, "low_battery")


def test_in_winter_the_button_waters_nothing(rig):
    rig.desired(winter=True)
    rig.run(5)
    hold(rig, 2)
    rig.run(5)
    assert rig.moves == []
    assert rig.events("run_skipped")[0]["reason"] == "winter"


def test_ten_seconds_forget_the_settings_and_keep_what_came_by_cable(rig):
    program = {"id": 1, "zone": 1, "weekdays": [0, 1, 2, 3, 4, 5, 6], "start_min": 700, "run_time_s": 60}
    rig.desired(version=4, programs=[program])
    rig.run(5)
    counter = rig.state()["command_counter"]
    rig.broker.publish(rig.topic("desired"), b"", retain=True)  # Home Assistant has removed the board
    hold(rig, 11)
    rig.run(30)
    assert rig.board.boots[-1] == SOFT_RESET
    assert rig.state()["desired_version"] == 0
    assert rig.state()["zones"][0]["next_run_at"] == 0
    assert rig.state()["command_counter"] == counter
    rig.command("run", zone=1, run_time_s=60)
    rig.run(3)
    assert rig.open_zones() == [1], "its key and its broker are as they were"


def test_the_chip_is_never_reset_while_the_button_is_down(rig):
    rig.board.bench.press_button(down=True)
    rig.run(25)
    assert len(rig.board.boots) == 1
    rig.board.bench.press_button(down=False)
    rig.run(5)
    assert len(rig.board.boots) == 2


def test_a_button_that_is_stuck_waters_and_forgets_nothing(rig):
    rig.desired(version=4)
    rig.run(3)
    rig.board.bench.press_button(down=True)
    rig.run(3600)
    rig.board.bench.press_button(down=False)
    rig.run(20)
    assert rig.moves == []
    assert len(rig.board.boots) == 1
    assert rig.state()["desired_version"] == 4
    hold(rig, 2)
    assert rig.open_zones() == [1], "once it was up it counts again"


def test_a_button_that_was_down_at_the_start_counts_once_it_was_up(rig):
    rig.board.reset_now(SOFT_RESET)
    rig.board.bench.press_button(down=True)
    rig.run(15)
    rig.board.bench.press_button(down=False)
    rig.run(5)
    assert rig.moves == []
    assert len(rig.board.boots) == 2
    hold(rig, 2)
    assert rig.open_zones() == [1]


def test_a_board_does_not_fall_asleep_under_the_finger():
    rig = Rig(responsive=False)
    rig.settle()
    rig.board.reset_now(HARD_RESET)
    rig.run(2)
    hold(rig, 2)
    assert rig.open_zones() == [1]
    rig.run(640)
    assert rig.open_zones() == []
    assert rig.board.session is None, "asleep again"
    rig.board.stop()


# The LED


def test_in_the_daily_sleeping_and_waking_the_led_stays_dark():
    rig = Rig(responsive=False)
    rig.run(120)
    boots = len(rig.board.boots)
    assert blinks(rig, 7200) == len(rig.board.boots) - boots, "each boot drives the pin once, to off"
    assert len(rig.board.boots) > boots + 5
    rig.board.stop()


def test_after_a_minute_the_led_of_a_board_that_stays_awake_rests(rig):
    rig.run(60)
    assert blinks(rig, 600) <= 1


def test_the_led_flashes_once_in_four_seconds_when_connected(rig):
    rig.run(5)
    assert blinks(rig, 24) == 12


def test_joining_looks_other_than_connected():
    rig = Rig()
    rig.board.network.wifi_up = False
    rig.run(5)
    assert blinks(rig, 8) == pytest.approx(8, abs=1), "a second on, a second off"
    rig.board.stop()


def test_identify_blinks_four_times_a_second_of_changes(rig):
    rig.run(60)
    rig.command("identify")
    rig.run(1)
    assert blinks(rig, 8) == pytest.approx(32, abs=2)


def test_while_water_runs_the_led_is_on_with_short_gaps(rig):
    rig.run(60)
    rig.command("run", zone=1, run_time_s=600)
    rig.run(5)
    assert blinks(rig, 40) == pytest.approx(20, abs=2)


def test_a_fault_flashes_three_times(rig):
    rig.board.bench.bus.parts.pop(0x41)
    rig.run(31)
    assert blinks(rig, 12) == 18


def test_a_low_battery_flashes_twice():
    rig = Rig(scenario={"battery_pct": 2, "panel_w": 0})
    rig.board.network.wifi_up = False  # else it is asleep again by now
    rig.run(5)
    assert blinks(rig, 12) == pytest.approx(12, abs=1)
    rig.board.stop()


def test_the_countdown_is_seen_before_the_settings_go(rig):
    rig.run(60)
    rig.board.bench.press_button(down=True)
    rig.run(2)
    assert blinks(rig, 2) == 0, "the press is seen: on"
    rig.run(1.5)
    assert blinks(rig, 4) == pytest.approx(8, abs=1)
    rig.board.bench.press_button(down=False)
    rig.run(2)
    assert len(rig.board.boots) == 1


def test_no_two_patterns_are_alike():
    patterns = [value for name, value in vars(led).items() if name.isupper() and not name.endswith("_MS")]
    assert len(patterns) == 9
    assert len(set(patterns)) == 9
