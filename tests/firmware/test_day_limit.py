"""Openings and water of a zone in a day: counted over resets, losses of power and clocks that jump, whoever asks."""

import pytest

from sim.port import SOFT_WDT_RESET
from sprinkler import protocol, recall, store

from .rig import Rig

OPENINGS, ML = 3, 10_000
LIMITED = [{"zone": 1, "day_openings_max": OPENINGS}, {"zone": 2, "day_ml_max": ML}]
DAY_S = 86_400


@pytest.fixture
def make():
    rigs: list[Rig] = []

    def start(limits: list[dict] = LIMITED, programs: list[dict] | None = None, **arguments) -> Rig:
        rigs.append(Rig(**arguments))
        rigs[-1].desired(1, programs, zones=limits)
        rigs[-1].settle()
        return rigs[-1]

    yield start
    for rig in rigs:
        rig.board.stop()


@pytest.fixture
def rig(make):
    return make()


def water(rig: Rig, zone: int = 1, run_time_s: int = 5) -> str:
    """Ask for a run and let it end. "" when it was made, else the board's reason."""
    asked = rig.command("run", zone=zone, run_time_s=run_time_s)
    rig.run(run_time_s + 15)
    return rig.reply(asked)["reason"]


def use_up(rig: Rig) -> None:
    assert [water(rig) for _ in range(OPENINGS)] == [""] * OPENINGS
    assert water(rig) == "day_limit"


def presses(rig: Rig) -> None:
    """A finger on the button."""
    rig.board.bench.press_button(down=True)
    rig.run(2)
    rig.board.bench.press_button(down=False)
    rig.run(2)


def wakes(rig: Rig) -> None:
    """Let a board that was reset come up and be told the time."""
    rig.run(20)
    assert rig.state()["clock"] == "set"


def test_an_automation_that_asks_all_day_gets_its_openings_and_no_more(rig):
    answers = [water(rig) for _ in range(10)]
    assert answers == [""] * OPENINGS + ["day_limit"] * (10 - OPENINGS)
    assert len(rig.events("run_started")) == OPENINGS
    assert rig.opened_s() == pytest.approx(5 * OPENINGS, abs=1)
    assert water(rig, zone=2) == "", "each zone has its own"


def test_a_valve_check_and_the_button_count_and_a_stop_is_never_limited(rig):
    rig.command("check_valve", zone=1)
    rig.run(25)
    assert water(rig) == ""
    presses(rig)
    assert rig.open_zones() == [1], "the third opening"
    stopped = rig.command("stop", zone=1)
    rig.run(20)
    assert rig.reply(stopped)["accepted"]
    assert rig.open_zones() == []
    assert water(rig) == "day_limit"
    asked = rig.command("check_valve", zone=1)
    rig.run(25)
    assert rig.reply(asked)["reason"] == "day_limit"


def test_water_of_the_day_closes_the_valve_that_has_given_it(rig):
    asked = rig.command("run", zone=2, run_time_s=600)
    rig.run(620)
    assert rig.reply(asked)["accepted"]
    (finished,) = rig.events("run_finished")
    assert (finished["result"], finished["reason"]) == ("tripped", "day_limit")
    assert ML <= finished["volume_ml"] < ML + 1000
    assert water(rig, zone=2) == "day_limit"
    assert not rig.zone(2)["faults"]


def test_a_reset_a_loss_of_power_or_of_rtc_memory_gives_no_new_allowance(rig):
    for _ in range(OPENINGS - 1):
        assert water(rig) == ""
    rig.board.reset_now(SOFT_WDT_RESET)
    wakes(rig)
    assert water(rig) == ""
    assert water(rig) == "day_limit"
    rig.board.power_cut()
    wakes(rig)
    assert water(rig) == "day_limit"


def test_metered_water_is_known_after_a_loss_of_power(rig):
    assert water(rig, zone=2, run_time_s=60) == ""
    used_l = rig.litres(2)
    rig.board.power_cut()
    wakes(rig)
    rig.command("run", zone=2, run_time_s=600)
    rig.run(620)
    assert rig.events("run_finished")[-1]["reason"] == "day_limit"
    assert rig.litres(2) == pytest.approx(ML / 1000, abs=1)
    assert rig.litres(2) > used_l


def test_a_run_that_resumes_after_a_reset_is_one_more_opening(make):
    programs = [{"id": 1, "zone": 1, "weekdays": [0, 1, 2, 3, 4, 5, 6], "start_min": 8 * 60 + 1, "run_time_s": 600}]
    rig = make(programs=programs)
    rig.run(120)
    assert rig.open_zones() == [1]
    rig.board.reset_now(SOFT_WDT_RESET)
    rig.run(60)
    assert [event["result"] for event in rig.events("run_started")] == ["", "resumed"]
    rig.command("stop", zone=1)
    rig.run(20)
    assert water(rig) == ""
    assert water(rig) == "day_limit"


@pytest.mark.parametrize("by_s", [-3 * DAY_S, -DAY_S, DAY_S, 30 * DAY_S])
def test_a_clock_that_jumps_gives_no_new_day(make, by_s):
    rig = make(LIMITED[:1], zones=1)
    clock = rig.board.chip.clock
    for jump_s in (by_s, -by_s, by_s, -by_s, by_s):
        presses(rig)
        rig.run(10)
        presses(rig)  # stops
        rig.run(10)
        now_us = rig.board.timeline.now_us
        clock.set_us(now_us, max(0, clock.read_us(now_us) + jump_s * 1_000_000))
        rig.run(5)
    assert len([move for move in rig.moves if move[2]]) == OPENINGS


def test_a_new_day_comes_with_the_time_that_passes_asleep_or_awake(make):
    rig = make(responsive=False)
    rig.run(120)
    assert [_asked_at_a_wake(rig) for _ in range(OPENINGS + 1)] == [""] * OPENINGS + ["day_limit"]
    rig.run((15 - OPENINGS - 1) * 3600)
    assert _asked_at_a_wake(rig) == "day_limit"
    rig.run(2 * 3600)
    assert _asked_at_a_wake(rig) == ""


def _asked_at_a_wake(rig: Rig) -> str:
    asked = rig.command("run", zone=1, run_time_s=5, expires_at=int(rig.now()) + 4000)
    rig.run(3600)
    return rig.reply(asked)["reason"]


def test_a_program_that_has_no_opening_left_says_so(make):
    programs = [{"id": 1, "zone": 1, "weekdays": [0, 1, 2, 3, 4, 5, 6], "start_min": 8 * 60 + 10, "run_time_s": 600}]
    rig = make(programs=programs)
    use_up(rig)
    rig.run(600)
    (skipped,) = rig.events("run_skipped")
    assert (skipped["program"], skipped["reason"]) == (1, "day_limit")
    assert rig.zone()["last_skip"]["reason"] == "day_limit"


def test_a_limit_that_is_changed_holds_at_once(rig):
    use_up(rig)
    rig.desired(2, zones=[{"zone": 1, "day_openings_max": OPENINGS + 1}])
    rig.run(5)
    assert [water(rig), water(rig)] == ["", "day_limit"]


@pytest.mark.parametrize(
    "limits",
    [
        {"day_openings_max": 0},
        {"day_openings_max": 251},
        {"day_openings_max": True},
        {"day_ml_max": 999},
        {"day_ml_max": "1000"},
    ],
)
def test_limits_that_make_no_sense_are_refused(rig, limits):
    rig.desired(2, zones=[{"zone": 1, **limits}])
    rig.run(5)
    assert rig.state()["desired_version"] == 1
    assert rig.reply("desired")["reason"] == "invalid"


def test_without_a_meter_water_is_not_limited_but_openings_are(make):
    rig = make([{"zone": 1, "day_openings_max": 1, "day_ml_max": 1000}], ul_per_pulse=0)
    asked = rig.command("run", zone=1, run_time_s=60)
    rig.run(90)
    assert rig.reply(asked)["accepted"]
    assert rig.events("run_finished")[0]["result"] == "completed"
    assert water(rig) == "day_limit"


def test_where_rtc_memory_and_journal_are_both_lost_the_day_begins_anew(rig):
    use_up(rig)
    rig.board.chip.flash.files.pop(store.JOURNAL)
    rig.board.power_cut()
    wakes(rig)
    assert water(rig) == ""


def test_the_counts_of_the_day_and_what_soaks_are_both_known_after_a_loss_of_power():
    memory = store.Memory()
    memory.day = bytearray(range(1, 9))
    memory.lived = 43210
    for zone in range(store.ZONES):
        memory.soaks[3 * zone : 3 * zone + 3] = bytes(((zone + 1) << 4 | 7, 99, 88))
    known = store.Memory()
    recall.unpack_ledger(known, recall.ledger_part(bytes(memory.pack_kept())))
    assert (known.day, known.lived) == (memory.day, memory.lived)
    assert [known.soaks[3 * zone] >> 4 for zone in range(store.ZONES)] == [1, 2, 3, 4]
    recall.unpack_ledger(known, recall.ledger_part(memory._pack_ledger()))
    assert (known.day, known.lived, known.soaks) == (memory.day, memory.lived, memory.soaks)


def test_openings_are_limited_without_any_setting():
    assert protocol.DAY_OPENINGS_MAX_LIMITS[0] <= 120 <= protocol.DAY_OPENINGS_MAX_LIMITS[1]
