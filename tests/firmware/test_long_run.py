"""What goes wrong only after days, or only at the wrong moment: each was once a bug."""

import json

import pytest

from sim.port import HARD_RESET, PWRON_RESET, SOFT_RESET, SOFT_WDT_RESET
from sprinkler import protocol, store

from .rig import START, Rig


@pytest.fixture
def make():
    rigs: list[Rig] = []

    def make(**arguments):
        rigs.append(Rig(**arguments))
        return rigs[-1]

    yield make
    for rig in rigs:
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


def serve_time(rig, offset_s=0.0):
    """A Home Assistant that answers each time_request after 0.2 s, `offset_s` (an entry of the dict it returns) off the truth."""
    told = {"offset_s": offset_s}

    def heard(message):
        nonce = json.loads(message.payload)["nonce"]
        at_us = rig.world.timeline.now_us + 200_000
        answer = {"nonce": nonce}
        rig.world.timeline.at(
            at_us, lambda: rig.send(protocol.TIME, {**answer, "at": int(rig.now() + told["offset_s"])})
        )

    rig.broker.subscribe(rig.topic(protocol.TIME_REQUEST), heard)
    return told


def clock_error_s(rig):
    """How far the board is ahead, by its newest sample."""
    message = rig.broker.messages(rig.topic(protocol.TELEMETRY))[-1]
    return json.loads(message.payload)["samples"][-1]["at"] - (START + message.at_us / 1e6)


@pytest.mark.parametrize("cause", [PWRON_RESET, SOFT_WDT_RESET])
def test_a_board_that_keeps_restarting_leaves_no_water_on(make, cause):
    rig = make()
    rig.settle()
    for restarts in range(3):
        rig.command("run", zone=1, run_time_s=60)
        rig.run(5)
        assert rig.open_zones() == ([] if cause == SOFT_WDT_RESET and restarts == 2 else [1]), "the third in safe mode"
        rig.board.reset_now(cause)
        rig.run(12)
    assert rig.open_zones() == []


@pytest.mark.parametrize("server", ["ten minutes away", "gone"])
def test_a_sleeper_finds_the_time_again_through_home_assistant(make, server):
    rig = make(responsive=False)
    serve_time(rig)
    rig.settle()
    rig.board.chip.clock.sleep_drift = 0.03
    if server == "gone":
        rig.board.network.ntp_on = False
    else:
        rig.board.network.wifi_up = False
    rig.run(10 * 3600)
    rig.board.network.wifi_up = True
    rig.run(2 * 3600)
    assert abs(clock_error_s(rig)) < 60


def test_a_program_edited_while_the_board_sleeps_through_its_start_still_runs(make):
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(1, programs=[program(8 * 60 + 30)])
    rig.run(30)
    rig.run(START + 28 * 60 - rig.now())
    rig.desired(2, programs=[program(8 * 60 + 30, run_time_s=90)])
    rig.run(1800)
    assert rig.opened_s() == pytest.approx(90, abs=1)


@pytest.mark.parametrize(
    "moves_min", [(9 * 60 + 30, 8 * 60 + 30), (8 * 60 + 32,), (8 * 60 + 45,)], ids=["away and back", "back", "on"]
)
def test_a_program_that_is_moved_while_it_waters_does_not_start_again_that_day(make, moves_min):
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(1, programs=[program(8 * 60 + 30, run_time_s=240)])
    rig.run(START + 33 * 60 - rig.now())
    assert rig.open_zones() == [1]
    for version, start_min in enumerate(moves_min, start=2):
        rig.desired(version, programs=[program(start_min, run_time_s=240)])
        rig.run(20)
    rig.run(1800)
    assert rig.opened_s() == pytest.approx(240, abs=1)


@pytest.mark.parametrize("then", ["goes on", "restarts"])
def test_a_program_that_is_moved_while_it_waits_for_another_zone_waters_once_that_day(make, then):
    rig = make()
    rig.settle()
    rig.desired(1, programs=[program(8 * 60 + 5, run_time_s=120), program(8 * 60 + 5, zone=2)])
    rig.run(START + 5 * 60 + 30 - rig.now())
    assert rig.open_zones() == [1]
    rig.desired(2, programs=[program(8 * 60 + 5, run_time_s=120), program(8 * 60 + 20, zone=2)])
    rig.run(5)
    if then == "restarts":
        rig.board.reset_now(HARD_RESET)  # what waited is given up, and starts at its new time
    rig.run(3600)
    starts = [at for at, zone, is_open in rig.moves if zone == 2 and is_open]
    assert len(starts) == 1
    assert starts[0] - START == pytest.approx(20 * 60 if then == "restarts" else 7 * 60, abs=60)


def test_a_minute_without_a_crash_counts_at_once(make):
    rig = make()
    rig.settle()
    for _ in range(2):
        rig.run(61)
        rig.board.reset_now(SOFT_WDT_RESET)
    rig.run(10)
    assert not rig.state()["safe_mode"]


def test_a_program_that_is_moved_back_to_its_start_before_a_sleep_is_over_does_not_start_again(make):
    other = program(8 * 60 + 43, zone=2, run_time_s=10)  # the board wakes for it, and hears of the second move
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(1, programs=[program(8 * 60 + 30, run_time_s=240), other])
    rig.run(START + 29 * 60 + 30 - rig.now())
    rig.board.network.wifi_up = False  # so it hears of the first move only when it has started
    rig.desired(2, programs=[program(11 * 60 + 30, run_time_s=240), other])
    rig.run(70)
    rig.board.network.wifi_up = True
    rig.run(8 * 60)
    litres = rig.litres(1)
    assert (litres > 0, rig.said("state")[-1]["desired_version"]) == (True, 2)
    rig.desired(3, programs=[program(8 * 60 + 30, run_time_s=240), other])
    rig.run(1700)
    assert rig.litres(1) == pytest.approx(litres, abs=0.5)
    assert rig.litres(2) > 0


def test_a_board_that_lost_its_books_with_its_power_in_a_programs_run_does_not_begin_it_again(make):
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(1, programs=[program(8 * 60 + 30, run_time_s=240)])
    rig.run(START + 31 * 60 - rig.now())
    assert rig.open_zones() == [1]
    for path in (store.JOURNAL, store.DESIRED):
        del rig.board.chip.flash.files[path]
    rig.board.power_cut()
    rig.run(3)
    opened_s = rig.opened_s()
    rig.run(900)
    assert rig.opened_s() == pytest.approx(opened_s, abs=1)


@pytest.mark.parametrize("ahead_min", [60, None], ids=["and the next start is made", ""])
def test_a_board_that_lost_its_books_in_a_run_and_sleeps_before_it_knows_the_time_does_not_begin_it_again(
    make, ahead_min
):
    start_min = 8 * 60 + 30
    later = [program(start_min + ahead_min, zone=2, run_time_s=60)] if ahead_min else []
    rig = make(responsive=False)
    rig.run(3)
    rig.desired(1, programs=[program(start_min, run_time_s=240), *later])
    rig.run(START + 31 * 60 - rig.now())
    rig.board.network.wifi_up = False
    rig.board.chip.flash.files[store.JOURNAL] = b"torn"
    rig.board.power_cut()
    rig.run(300)
    litres = rig.litres(1)
    assert rig.board.session is None, "it sleeps"
    rig.board.network.wifi_up = True
    rig.run(5400)
    assert rig.litres(1) == pytest.approx(litres, abs=0.1)
    assert (rig.litres(2) > 0) == bool(later)


@pytest.mark.parametrize("how", ["hang", "power_cut"])
def test_a_program_that_waited_its_turn_when_the_board_restarted_runs_after_all(make, how):
    rig = make()
    rig.settle()
    rig.desired(1, programs=[program(8 * 60 + 2, run_time_s=300), program(8 * 60 + 2, zone=2, run_time_s=300)])
    rig.run(200)
    getattr(rig.board, how)()
    rig.run(1500)
    assert rig.litres(2) == pytest.approx(40, rel=0.1)


def test_a_clock_that_was_ahead_costs_one_day_of_programs_not_all(make):
    rig = make(responsive=False)
    told = serve_time(rig, 40 * 86400)
    rig.board.network.ntp_on = False
    rig.settle()
    rig.desired(1, programs=[program(8 * 60 + 5)])
    rig.run(600)
    told["offset_s"] = 0
    rig.run(2 * 3600)
    before = rig.opened_s()
    rig.run(3 * 86400)
    assert rig.opened_s() - before >= 100


def test_a_sleeper_whose_subscription_was_lost_hears_at_its_next_wake(make):
    rig = make(responsive=False)
    while not rig.broker.connected("sprinkler-" + rig.board.device_id):
        rig.run(0.001)
    rig.board.network.wifi_up = False
    rig.run(120)
    rig.board.network.wifi_up = True
    rig.desired(1)
    rig.run(3 * 3600)
    assert rig.state()["desired_version"] == 1


@pytest.mark.parametrize("how", ["damaged", "unreadable"])
def test_a_run_that_a_loss_of_power_ended_is_not_made_again_when_the_journal_is_gone_too(make, how):
    rig = make()
    rig.settle()
    rig.desired(1, programs=[program(8 * 60 + 2, run_time_s=100), program(8 * 60 + 30, zone=2)])
    rig.run(170)
    assert 30 < rig.opened_s() < 80
    flash = rig.board.chip.flash
    if how == "damaged":
        flash.files["/journal.bin"] = b"torn"
    else:
        flash.unreadable.add("/journal.bin")
    rig.board.power_cut()
    rig.run(1200)
    flash.unreadable.clear()
    assert rig.opened_s() < 101, "nobody knows how much that run had"
    rig.run(1200)
    assert rig.litres(2) == pytest.approx(8, rel=0.1), "what starts later is made"


def test_a_run_that_a_loss_of_power_ended_is_not_made_again_when_the_settings_come_back_as_new(make):
    rig = make(responsive=False)
    rig.desired(1, programs=[program(8 * 60 + 5, run_time_s=100), program(8 * 60 + 40, zone=2)])
    while rig.opened_s() < 40:
        rig.run(5)
    flash = rig.board.chip.flash
    flash.unreadable |= {"/desired.json", "/desired.json.old"}
    rig.board.power_cut()
    rig.run(60)
    flash.unreadable.clear()
    rig.run(1140)
    assert rig.state()["desired_version"] == 1
    assert rig.opened_s() < 101, "what was granted has been had"
    rig.run(2400)
    assert rig.litres(2) == pytest.approx(8, rel=0.1), "what starts later is made"


def test_a_sleeper_whose_settings_are_lost_on_flash_asks_the_broker_for_them(make):
    rig = make(responsive=False)
    rig.run(100)
    rig.desired(1, programs=[program(12 * 60)])
    rig.run(3600)
    assert rig.state()["desired_version"] == 1
    for name in ("/desired.json", "/desired.json.old"):
        rig.board.chip.flash.files.pop(name, None)
    rig.run(2.3 * 3600)
    assert rig.state()["desired_version"] == 1
    rig.run(2 * 3600)
    assert rig.opened_s() == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("command", "fields"),
    [("run", {"zone": 1, "run_time_s": 30}), ("stay_awake", {"awake_s": 3600}), ("clear_fault", {"zone": 1})],
)
def test_a_command_that_comes_while_the_board_says_good_bye_is_answered(make, command, fields):
    rig = make(responsive=False)
    rig.board.network.latency_us = 20000
    ids: list[str] = []

    def heard(message):
        if b"asleep" in message.payload and not ids and rig.now() > START + 5:
            ids.append(rig.command(command, expires_at=int(rig.now()) + 3600, **fields))

    rig.broker.subscribe(rig.topic(protocol.AVAILABILITY), heard)
    rig.run(3000)
    assert rig.reply(ids[0])["accepted"]


def test_one_lost_reading_of_the_battery_ends_no_run_and_sends_nobody_to_sleep(make):
    rig = make()
    rig.settle()
    rig.command("run", zone=1, run_time_s=600)
    rig.run(30)
    rig.board.bench.bus.absent.add(0x40)
    rig.run(2.1)
    rig.board.bench.bus.absent.discard(0x40)
    rig.run(5)
    assert rig.open_zones() == [1]


def test_a_battery_that_stays_unknown_closes_the_valve(make):
    rig = make()
    rig.settle()
    rig.command("run", zone=1, run_time_s=600)
    rig.run(30)
    rig.board.bench.bus.absent.add(0x40)
    rig.run(12)
    assert rig.open_zones() == []


def test_a_lasting_fault_of_a_sleeper_is_one_event(make):
    rig = make(responsive=False)
    rig.run(40)
    rig.board.bench.probes[0].bad = True
    rig.run(4 * 3600)
    assert len(rig.events("fault")) == 1


@pytest.mark.parametrize("part", ["expander", "valve"])
def test_a_board_that_cannot_close_a_valve_spares_its_battery_and_goes_on_trying(make, part):
    rig = make(responsive=False, scenario={"panel_w": 0}, **({"ul_per_pulse": 0} if part == "expander" else {}))
    rig.settle()
    if part == "expander":
        rig.board.bench.bus.absent.add(0x20)
    rig.world.move_valve(0, opens=True)
    rig.world.zones[0].valve.sticks_open = part == "valve"
    rig.board.power_cut()
    rig.run(12 * 3600)
    assert rig.world.truth()["battery_pct"] > 60, "80 % to begin with"
    rig.board.bench.bus.absent.clear()
    rig.world.zones[0].valve.sticks_open = False
    rig.run(1000)
    assert rig.open_zones() == []


def test_a_meter_that_saw_no_flow_proves_no_valve_closed(make):
    rig = make()
    rig.settle()
    rig.board.bench.flow_meter_broken = True
    rig.command("run", zone=1, run_time_s=300)
    rig.run(10)
    rig.world.zones[0].valve.swallow_pulses = 1
    rig.run(120)
    assert rig.open_zones() == []
    assert rig.zone()["evidence"] == "assumed"


@pytest.mark.parametrize("text", [b"ZONES = 2\nOPEN_MS = \n", b"\xff" * 40, None])
@pytest.mark.parametrize("zones", [1, 2])
def test_a_broken_or_lost_closer_configuration_still_closes_every_zone(make, zones, text):
    rig = make(zones=zones)
    rig.settle()
    for zone in range(zones):
        rig.world.move_valve(zone, opens=True)
    files = rig.board.chip.flash.files
    files.pop("/closer_config.py")
    if text:
        files["/closer_config.py"] = text
    rig.board.power_cut()
    rig.run(30)
    assert rig.open_zones() == []


@pytest.mark.parametrize("what", ["journal", "rtc memory"])
def test_a_record_of_another_layout_is_not_guessed_at(make, what):
    rig = make()
    rig.settle()
    chip = rig.board.chip
    if what == "journal":
        chip.flash.files["/journal.bin"] = store.sealed(b"\x02" + bytes(70))
        rig.board.power_cut()
    else:
        memory = bytes(chip.rtc_memory)
        chip.rtc_memory = memory[:8] + store.sealed(memory[8:40])
        rig.board.reset_now(SOFT_RESET)
    rig.run(30)
    command_id = rig.command("run", zone=1, run_time_s=10)
    rig.run(3)
    assert rig.reply(command_id)["accepted"]


def test_a_configuration_that_is_no_object_lets_the_board_sleep_closed(make):
    rig = make()
    rig.board.chip.flash.files["/config.json"] = b"[]"
    rig.run(200)
    assert rig.board.session is None


def test_a_stray_byte_at_power_on_opens_no_maintenance(make):
    rig = make()
    rig.settle()
    rig.board.on_boot = lambda port: port.session.uart.extend(b"\x00")
    rig.board.power_cut()
    rig.run(30)
    assert rig.said(protocol.AVAILABILITY)[-1] == {"state": "online"}


def test_return_on_the_cable_at_power_on_opens_maintenance(make):
    rig = make()
    rig.settle()
    rig.board.on_boot = lambda port: port.session.uart.extend(b"\r")
    rig.board.power_cut()
    rig.run(300)
    assert len(rig.board.boots) == 2
    assert rig.broker.messages(rig.topic(protocol.AVAILABILITY))[-1].payload == b'{"state": "lost"}'


def test_a_sleeper_learns_a_changed_password_of_the_same_network(make):
    rig = make(responsive=False)
    rig.run(100)
    rig.board.network.key = "a new one"
    files = rig.board.chip.flash.files
    files["/config.json"] = json.dumps({**json.loads(files["/config.json"]), "wifi_password": "a new one"}).encode()
    said = len(rig.said(protocol.STATE))
    rig.board.power_cut()
    rig.run(4 * 3600)
    assert len(rig.said(protocol.STATE)) > said


def test_a_run_that_was_stopped_in_the_same_wake_is_not_answered_as_accepted(make):
    rig = make()
    rig.settle()
    run = rig.command("run", zone=1, run_time_s=60)
    rig.command("stop", zone=0)
    rig.run(5)
    assert rig.reply(run)["reason"] == "requested"


def test_a_water_total_goes_round_and_the_board_goes_on(make):
    rig = make()
    rig.settle()
    memory = store.Memory()
    memory.totals_ml = [0xFFFFFFFF - 2000, 0, 0, 0]
    rig.board.chip.flash.files["/journal.bin"] = store.sealed(memory._pack_ledger())
    rig.board.power_cut()
    rig.settle()
    rig.command("run", zone=1, run_time_s=60)
    rig.run(90)
    assert rig.zone()["volume_ml"] < 8000


def test_a_tz_rule_of_years_is_refused(make):
    rig = make()
    rig.settle()
    rig.desired(1, tz_rule="UTC-9999999")
    rig.run(5)
    assert rig.reply("desired")["reason"] == "invalid"
