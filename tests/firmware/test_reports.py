"""What the board tells, how it repeats itself until it is heard, and how it sleeps."""

import pytest

from sim.port import DEEPSLEEP_RESET, HARD_RESET, PWRON_RESET, SOFT_RESET
from sprinkler import protocol

from .rig import START, Rig


@pytest.fixture
def rig():
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


@pytest.fixture
def sleeper():
    rig = Rig(responsive=False)
    rig.settle()
    yield rig
    rig.board.stop()


def numbers(rig):
    return [e["n"] for e in rig.said(protocol.EVENT)]


def test_events_are_repeated_until_home_assistant_acknowledges(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(200)
    assert numbers(rig).count(3) >= 2, "the broker's PUBACK is not receipt"
    boot_id = rig.state()["boot_id"]
    before = len(numbers(rig))
    rig.run(1000)
    assert len(numbers(rig)) == before, "nobody is there: it waits for somebody who asks"
    rig.send(protocol.ACK, {"boot_id": boot_id, "event": 0, "sample": 0}, retain=True)
    rig.run(5)
    assert numbers(rig)[before:].count(3) == 1
    rig.send(protocol.ACK, {"boot_id": boot_id, "event": 3, "sample": 0}, retain=True)
    rig.run(5)
    before = len(numbers(rig))
    rig.run(200)
    assert len(numbers(rig)) == before


def test_an_ack_of_another_boot_frees_nothing(rig):
    rig.send(protocol.ACK, {"boot_id": 1, "event": 99, "sample": 99}, retain=True)
    rig.run(100)
    assert numbers(rig).count(1) >= 2


def test_an_ack_of_numbers_never_given_out_frees_nothing(rig):
    rig.send(protocol.ACK, {"boot_id": rig.state()["boot_id"], "event": 99, "sample": 99}, retain=True)
    rig.run(100)
    assert numbers(rig).count(1) >= 2


def test_the_same_ack_again_asks_for_the_rest_at_once(rig):
    ack = {"boot_id": rig.state()["boot_id"], "event": 1, "sample": 1}
    rig.send(protocol.ACK, ack, retain=True)
    rig.command("run", zone=1, run_time_s=10)
    rig.run(40)
    before = numbers(rig).count(3)
    rig.send(protocol.ACK, ack, retain=True)
    rig.run(3)
    assert numbers(rig).count(3) == before + 1


def test_samples_of_an_outage_come_later_with_their_own_times(sleeper):
    sleeper.send(protocol.ACK, {"boot_id": sleeper.state()["boot_id"], "event": 1, "sample": 1}, retain=True)
    sleeper.broker.stop()
    sleeper.run(4 * 910)
    sleeper.broker.start()
    sleeper.run(920)
    samples = {s["n"]: s for t in sleeper.said(protocol.TELEMETRY) for s in t["samples"]}
    assert sorted(samples) == list(range(1, len(samples) + 1))
    assert len(samples) >= 5
    times = [samples[n]["at"] for n in sorted(samples) if samples[n]["at"]]
    assert times == sorted(set(times))


def test_a_sleeper_says_until_when_and_hears_its_queue_at_the_wake(sleeper):
    asleep = sleeper.said(protocol.AVAILABILITY)[-1]
    assert asleep["state"] == "asleep"
    assert asleep["until"] == pytest.approx(sleeper.now() + 900, abs=15)
    assert sleeper.state()["wake_at"] == asleep["until"]
    command_id = sleeper.command("run", zone=1, run_time_s=30, expires_at=int(sleeper.now()) + 1000)
    sleeper.run(960)
    assert sleeper.reply(command_id)["accepted"]
    assert sleeper.opened_s() == pytest.approx(30, abs=1)


def test_a_command_that_expired_during_the_sleep_is_refused(sleeper):
    command_id = sleeper.command("run", zone=1, run_time_s=30)  # lives for two minutes
    sleeper.run(960)
    assert sleeper.reply(command_id)["reason"] == "expired"
    assert sleeper.opened_s() == 0


def test_a_wake_from_a_sleep_on_purpose_fires_no_pulse(sleeper):
    pulses = len(sleeper.board.bench.bridge.pulses)
    sleeper.run(3 * 910)
    assert sleeper.board.boots[-1] == DEEPSLEEP_RESET
    assert len(sleeper.board.bench.bridge.pulses) == pulses


def test_without_a_meter_a_sleeper_relies_on_its_assumed_pulses():
    rig = Rig(responsive=False, ul_per_pulse=0)
    rig.run(60)
    pulses = len(rig.board.bench.bridge.pulses)
    assert pulses == 2 * 3
    rig.run(3 * 910)
    assert len(rig.board.bench.bridge.pulses) == pulses
    assert rig.zone()["evidence"] == "assumed"
    assert rig.zone()["volume_ml"] is None
    rig.board.stop()


def test_even_a_good_sleeper_closes_once_a_day(sleeper):
    pulses = len(sleeper.board.bench.bridge.pulses)
    sleeper.run(3 * 86400)
    assert 4 <= len(sleeper.board.bench.bridge.pulses) - pulses <= 8  # two zones, two or three days


def test_every_other_boot_fires_a_pulse_for_each_zone(sleeper):
    for cause in (HARD_RESET, PWRON_RESET):
        pulses = len(sleeper.board.bench.bridge.pulses)
        sleeper.board.power_cut() if cause == PWRON_RESET else sleeper.board.reset_now(cause)
        sleeper.run(2)
        sleeper.run(20)
        if cause == PWRON_RESET:
            assert len(sleeper.board.bench.bridge.pulses) == pulses + 2


def test_a_board_that_keeps_restarting_closes_and_then_rests():
    rig = Rig()
    for _ in range(3):
        rig.run(10)
        rig.board.reset_now(SOFT_RESET)
    rig.world.move_valve(0, opens=True)
    rig.run(5)
    assert rig.open_zones() == [], "water first"
    pulses = len(rig.board.bench.bridge.pulses)
    rig.run(580)
    assert len(rig.board.bench.bridge.pulses) == pulses
    rig.run(30)
    assert len(rig.board.bench.bridge.pulses) > pulses
    rig.board.stop()


def test_a_board_whose_very_pulse_restarts_it_rests_before_the_next_one():
    rig = Rig()

    def sag(call):
        if call == "pin.write" and rig.now() < START + 300 and rig.board.bench.level(15):
            rig.board.reset_now(SOFT_RESET)

    rig.board.on_boot = lambda port: setattr(port.session, "on_call", sag)
    rig.run(300)
    assert len(rig.board.boots) == 5, "four pulses in vain, then a rest"
    rig.run(1200)
    assert rig.zone()["evidence"] == "verified"
    rig.board.stop()


def test_a_wake_without_broker_ends_within_its_budget():
    rig = Rig(responsive=False)
    rig.broker.stop()
    rig.run(60)
    assert rig.board.session is None, "asleep"
    rig.board.stop()


def test_a_quiet_wake_writes_no_flash(sleeper):
    steps, sdk_writes = sleeper.board.chip.flash.steps, sleeper.board.chip.sdk_flash_writes
    sleeper.run(4 * 910)
    assert len(sleeper.board.boots) >= 4
    assert sleeper.board.chip.flash.steps == steps
    assert sleeper.board.chip.sdk_flash_writes == sdk_writes


def test_the_longest_state_and_telemetry_fit_a_message():
    rig = Rig(zones=4)
    rig.settle()
    programs = [{"id": z, "zone": z, "weekdays": [0], "start_min": 360, "run_time_s": 7200} for z in range(1, 5)]
    rig.desired(version=1_000_000, programs=programs, rain_delay_until=1_900_000_000)
    for zone in range(1, 5):
        rig.world.zones[zone - 1].valve.clogged = True
        rig.command("run", zone=zone, run_time_s=7200)
        rig.run(60)
    rig.board.network.wifi_up = False
    rig.run(400)
    rig.board.network.wifi_up = True
    rig.run(100)
    longest = {
        leaf: max(len(m.payload) for m in rig.broker.messages(rig.topic(leaf)))
        for leaf in (protocol.STATE, protocol.TELEMETRY)
    }
    assert longest[protocol.STATE] <= protocol.STATE_MAX - 4 * 40, longest  # room for longer numbers
    assert longest[protocol.TELEMETRY] <= protocol.PAYLOAD_MAX
    rig.board.stop()


def test_the_will_says_lost_and_a_restart_says_online(rig):
    rig.board.power_cut(off_s=200)
    rig.run(150)
    assert rig.broker.messages(rig.topic(protocol.AVAILABILITY))[-1].payload == b'{"state": "lost"}'
    rig.run(100)
    assert rig.said(protocol.AVAILABILITY)[-1] == {"state": "online"}


def test_a_failed_probe_is_a_fault_and_the_board_waters_on(rig):
    del rig.board.bench.bus.parts[0x36]
    rig.run(60)
    assert "sensor" in rig.state()["faults"]
    assert rig.said(protocol.TELEMETRY)[-1]["samples"][-1]["soil_pct"][0] is None
    command_id = rig.command("run", zone=1, run_time_s=10)
    rig.run(3)
    assert rig.reply(command_id)["accepted"]


def test_the_water_total_never_falls(rig):
    totals = []
    for _ in range(3):
        rig.command("run", zone=1, run_time_s=20)
        rig.run(40)
        totals.append(rig.zone()["volume_ml"])
        rig.board.power_cut()
        rig.run(20)
    assert totals == sorted(totals)
    assert totals[-1] == pytest.approx(rig.litres() * 1000, rel=0.02)
