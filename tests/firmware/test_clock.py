"""The clock: learned drift, the approach of a start, the estimate after a loss of power, and a DS3231."""

import pytest

from sprinkler import protocol

from .rig import START, Rig


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


def wakes(rig):
    """True times at which the board said good-bye at the end of a wake, seconds since the start."""
    messages = rig.broker.messages(rig.topic(protocol.AVAILABILITY))
    return [message.at_us / 1e6 for message in messages if b"asleep" in message.payload]


def water_once(rig, seconds=40):
    """A run, so that the ledger is kept with the time; a sleeper hears of it at its next wake."""
    rig.command("run", zone=1, run_time_s=10, expires_at=int(rig.now()) + 3600)
    rig.run(seconds)
    assert rig.events("run_finished")


@pytest.mark.parametrize("drift", [0.05, -0.04, 0.005])
def test_the_sleep_timers_drift_is_learned(make, drift):
    rig = make()
    rig.board.chip.clock.sleep_drift = drift
    rig.run(8 * 1000)
    slept = [b - a for a, b in zip(wakes(rig)[-4:], wakes(rig)[-3:], strict=False)]
    assert all(abs(seconds - 904) < 8 for seconds in slept), slept


def test_what_was_learned_is_kept_in_the_ledger_over_a_loss_of_power(make):
    rig = make()
    rig.board.chip.clock.sleep_drift = 0.06
    rig.run(6 * 1000)
    water_once(rig, 1200)
    rig.board.power_cut()
    rig.run(1800)
    first, second = wakes(rig)[-2:]
    assert second - first < 920, "6 % of 900 s are 54 s"


@pytest.mark.parametrize("drift", [0.08, -0.08])
def test_a_start_is_met_although_the_drift_is_not_known_yet(make, drift):
    rig = make()
    rig.board.chip.clock.sleep_drift = drift
    rig.run(2)
    rig.desired(1, wake_interval_s=3600, programs=[program(8 * 60 + 50)])
    rig.run(3600)
    (started,) = [at for at, _, is_open in rig.moves if is_open]
    assert -1 <= started - (START + 50 * 60) < 30


def test_the_last_sleep_before_a_start_is_short(make):
    rig = make()
    rig.run(2)
    rig.desired(1, wake_interval_s=3600, programs=[program(8 * 60 + 50)])
    rig.run(3600)
    assert rig.opened_s() == pytest.approx(60, abs=1)
    assert 0 < 50 * 60 - [at for at in wakes(rig) if at < 50 * 60][-1] <= 305


def test_a_sleep_that_a_reset_cut_short_teaches_nothing(make):
    rig = make()
    rig.run(4 * 1000)
    rig.run(300)
    rig.board.reset_now()
    rig.run(3 * 1000)
    slept = [b - a for a, b in zip(wakes(rig)[-3:], wakes(rig)[-2:], strict=False)]
    assert all(abs(seconds - 904) < 8 for seconds in slept), slept


def test_after_a_loss_of_power_the_clock_is_estimated_from_the_ledger(make):
    rig = make(responsive=True)
    rig.settle()
    water_once(rig)
    kept_at = rig.now()
    rig.board.network.ntp_on = False
    rig.run(600)
    rig.board.power_cut()
    rig.run(20)
    assert rig.state()["clock"] == "estimated"
    assert rig.state()["faults"] == ["clock"]
    assert rig.state()["at"] == 0, "an estimate dates nothing"
    refused = rig.command("run", zone=1, run_time_s=10)
    stopped = rig.command("stop", zone=0)
    rig.run(3)
    assert rig.reply(refused)["reason"] == "clock_unset"
    assert rig.reply(stopped)["accepted"]
    estimate = rig.board.chip.clock.read_us(rig.world.timeline.now_us) / 1e6 + 946684800
    assert estimate == pytest.approx(kept_at, abs=40), "ten minutes are lost"
    rig.board.network.ntp_on = True
    rig.run(40)
    assert rig.state()["clock"] == "set"
    assert rig.state()["faults"] == []


def test_a_board_that_never_knew_the_time_has_no_estimate(make):
    rig = make(responsive=True)
    rig.board.network.ntp_on = False
    rig.run(20)
    assert rig.state()["clock"] == "unset"
    assert rig.state()["faults"] == ["clock"]


def test_a_sleeper_without_time_says_so_once_and_goes_on_with_its_estimate(make):
    rig = make()
    rig.settle()
    water_once(rig, 1000)
    rig.board.network.ntp_on = False
    rig.board.power_cut()
    rig.run(4 * 3600)
    assert [e["reason"] for e in rig.events("fault")] == ["clock"]
    assert rig.events("fault_cleared") == []
    assert rig.state()["clock"] == "estimated"
    rig.board.network.ntp_on = True
    rig.run(1000)
    assert [e["reason"] for e in rig.events("fault_cleared")] == ["clock"]


def test_a_ds3231_tells_the_time_after_a_loss_of_power(make):
    rig = make(responsive=True, more={"ds3231": True})
    rig.settle()
    rig.board.network.ntp_on = False
    rig.board.power_cut(off_s=7200)
    rig.run(7220)
    assert rig.state()["clock"] == "set"
    assert rig.state()["at"] == pytest.approx(rig.now(), abs=20)
    assert rig.state()["faults"] == []
    accepted = rig.command("run", zone=1, run_time_s=10)
    rig.run(3)
    assert rig.reply(accepted)["accepted"]


def test_with_a_ds3231_a_sleeper_is_right_for_days_without_anyone_who_tells_the_time(make):
    rig = make(more={"ds3231": True})
    rig.board.chip.clock.sleep_drift = 0.05
    rig.run(2)
    rig.desired(1, wake_interval_s=3600, programs=[program(8 * 60 + 30)])
    rig.run(30)
    rig.board.network.ntp_on = False
    rig.run(3 * 86400)
    started = [at for at, _, is_open in rig.moves if is_open]
    assert len(started) == 3
    assert all(0 <= (at - START) % 86400 - 30 * 60 < 60 for at in started)
    assert rig.events("fault") == []


def test_a_ds3231_that_lost_its_time_is_set_again_and_not_believed_before(make):
    rig = make(responsive=True, more={"ds3231": True})
    rig.settle()
    water_once(rig)
    rig.board.bench.rtc.lose_cell()
    rig.board.network.ntp_on = False
    rig.board.power_cut()
    rig.run(20)
    assert rig.state()["clock"] == "estimated"
    rig.board.network.ntp_on = True
    rig.run(40)
    assert rig.board.bench.rtc.now_s() + 946684800 == pytest.approx(rig.now(), abs=2)


@pytest.mark.parametrize("fault", ["absent", "behind"])
def test_a_ds3231_that_fails_is_a_fault_and_the_estimate_stands(make, fault):
    rig = make(responsive=True, more={"ds3231": True})
    rig.settle()
    water_once(rig)
    rig.board.network.ntp_on = False
    if fault == "absent":
        rig.board.bench.bus.absent.add(0x68)
    else:
        rig.board.bench.rtc.set_s(rig.board.bench.rtc.now_s() - 5 * 86400)
    rig.board.power_cut()
    rig.run(20)
    assert rig.state()["clock"] == "estimated"
    assert rig.state()["faults"] == ["sensor", "clock"]


def test_while_the_time_is_estimated_only_the_programs_that_may_start(make):
    rig = make()
    rig.run(2)
    programs = [program(9 * 60, when_clock_lost="run"), program(9 * 60, zone=2)]
    rig.desired(1, wake_interval_s=3600, programs=programs)
    rig.command("run", zone=1, run_time_s=10)
    rig.run(60)
    rig.board.network.ntp_on = False
    rig.board.power_cut()
    rig.run(5 * 3600)
    assert rig.state()["clock"] == "estimated"
    assert [e["zone"] for e in rig.events("run_started")] == [1, 1], "by hand, and by its program"
    assert [(e["zone"], e["reason"]) for e in rig.events("run_skipped")] == [(2, "clock_lost")]
    rig.run(22 * 3600)
    assert [e["zone"] for e in rig.events("run_started")] == [1, 1, 1], "once in an estimated day"


def test_a_start_that_waited_for_the_right_time_is_made_when_it_comes(make):
    rig = make()
    rig.run(2)
    rig.desired(1, programs=[program(8 * 60 + 20)])
    rig.command("run", zone=1, run_time_s=10)
    rig.run(60)
    rig.board.network.ntp_on = False
    rig.board.power_cut()
    rig.run(40 * 60)
    assert len(rig.events("run_started")) == 1
    rig.board.network.ntp_on = True
    rig.run(1000)
    assert len(rig.events("run_started")) == 2
