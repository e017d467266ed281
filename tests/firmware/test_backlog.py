"""What is kept of an outage, in which order it is told, and what a loss of power leaves of it."""

import copy
import itertools
import json
import os
import struct

import pytest

from sim.errors import PowerLoss
from sprinkler import backlog, protocol, retelling, store
from sprinkler.errors import StoreError
from sprinkler.store import EVENT_FORM, SAMPLE_FORM, Memory

from .folder import Flash, fill
from .rig import Rig

BOOT, EARLIER = 77, 76


@pytest.fixture
def flash():
    return Flash()


@pytest.fixture
def memory():
    memory = Memory()
    memory.boot_id = BOOT
    return memory


def sample(at_s):
    return struct.pack(SAMPLE_FORM, at_s, *(0,) * 11)


def event(at_s):
    return struct.pack(EVENT_FORM, at_s, *(0,) * 8)


def live(memory, flash, samples=0, events=0):
    """Count on: `samples` and `events` happen, each at the second of its number, and what is full goes to flash."""
    for _ in range(samples):
        memory.add_sample((memory.sample_count + 1,) + (0,) * 11)
        if memory.held_samples() == store.SAMPLES_MAX:
            memory.keep(flash)
    for _ in range(events):
        memory.add_event(memory.event_count + 1, *(0,) * 8)
        if memory.held_events() == store.EVENTS_MAX:
            memory.keep(flash)


def told(memory, flash, kind="s"):
    """All that lies on flash, in the order in which it is told: (boot id, number, number before or 0, seconds)."""
    found, cursor = [], None
    form = SAMPLE_FORM if kind == "s" else EVENT_FORM
    while True:
        step = retelling.read(memory, flash, cursor, 5)
        if step is None:
            return found
        cursor, what, boot_id, oldest, records = step
        if what == kind:
            found += [(boot_id, n, after, struct.unpack(form, packed)[0]) for after, n, packed in records]
            assert all(n >= oldest for _, n, _ in records)


def numbers(memory, flash, kind="s"):
    return [n for _, n, _, _ in told(memory, flash, kind)]


def test_what_rtc_memory_has_no_room_for_is_told_from_flash_in_order(memory, flash):
    live(memory, flash, samples=700, events=60)
    assert numbers(memory, flash) == list(range(1, 701))
    assert numbers(memory, flash, "e") == list(range(1, 61))
    assert [at for _, n, _, at in told(memory, flash)] == list(range(1, 701))
    assert memory.dropped == 0


def test_a_segment_stays_below_a_kilobyte_and_holds_many_batches(memory, flash):
    live(memory, flash, samples=700)
    assert max(len(data) for data in flash.files.values()) <= 1000
    assert len(flash.files) <= 700 * 23 // 900 + 1


def test_a_segment_is_never_appended_to_in_place(memory, flash):
    opened = []
    plain = flash.open_file
    flash.open_file = lambda path, mode: opened.append((path, mode)) or plain(path, mode)
    live(memory, flash, samples=70)
    assert {(path, mode) for path, mode in opened if mode != "rb"} == {("/backlog/new", "wb")}


def test_an_ack_frees_what_it_covers_and_the_oldest_number_says_what_is_left(memory, flash):
    live(memory, flash, samples=702)
    backlog.free(memory, flash, BOOT, (0, 300))
    left = numbers(memory, flash)
    assert left[0] == memory.oldest_sample() <= 301
    assert left[-1] == 702
    backlog.free(memory, flash, BOOT, (0, 702))
    assert told(memory, flash) == []
    assert not memory.kept
    assert memory.oldest_sample() == 703
    assert flash.files == {}


def test_an_ack_of_one_boot_frees_nothing_of_another(memory, flash):
    backlog.append(memory, flash, "e", EARLIER, 5, event(5) + event(6))
    live(memory, flash, events=6)
    backlog.free(memory, flash, BOOT, (6, 0))
    assert [(boot, n) for boot, n, _, _ in told(memory, flash, "e")] == [(EARLIER, 5), (EARLIER, 6)]
    assert memory.kept
    assert memory.oldest_event() == 7
    backlog.free(memory, flash, EARLIER, (6, 0))
    assert not memory.kept


def test_samples_are_thinned_oldest_first_before_any_is_dropped_and_each_gap_is_told(memory, flash):
    live(memory, flash, samples=64 * 42 + 300)
    all_told = told(memory, flash)
    kept = [n for _, n, _, _ in all_told]
    gaps = [b - a for a, b in itertools.pairwise(kept)]
    assert gaps[0] == 2, "the oldest were thinned"
    assert gaps[-100:] == [1] * 100, "the newest were not"
    assert sorted(gaps, reverse=True) == gaps
    assert kept[0] <= 2, "none of the oldest was dropped"
    assert memory.dropped == memory.sample_count - memory.held_samples() - len(kept)
    for (_, before, _, _), (_, n, after, _) in itertools.pairwise(all_told):
        assert after == (before if n != before + 1 else 0)


def test_months_fit_and_the_flash_stays_bounded(memory, flash):
    for _ in range(8):
        live(memory, flash, samples=4000)
        assert len(flash.files) <= backlog.SAMPLE_SEGMENTS
    kept = numbers(memory, flash)
    assert kept[-1] == 32000 - memory.held_samples()
    assert kept[0] <= 16, "11 months of quarter hours, of which one in sixteen is left at worst"
    assert max(b - a for a, b in itertools.pairwise(kept)) <= 16


def test_events_are_never_thinned_and_the_oldest_go_when_there_is_no_room(memory, flash):
    live(memory, flash, events=1200)
    kept = numbers(memory, flash, "e")
    assert kept == list(range(kept[0], 1201))
    assert len(kept) >= 750
    assert memory.dropped == 1200 - len(kept)
    assert memory.oldest_event() == kept[0]


def test_a_segment_with_a_wrong_bit_is_given_up_and_counted_and_the_rest_is_told(memory, flash):
    live(memory, flash, samples=138)
    path = sorted(flash.files)[1]
    flash.files[path] = flash.files[path][:50] + b"\xff" + flash.files[path][51:]
    found = told(memory, flash)
    assert memory.dropped == 1
    gap = next(entry for entry in found if entry[2])
    assert gap[1] - gap[2] > 30
    assert found[-1][1] == 138
    assert path not in flash.files


def test_a_full_flash_keeps_the_newest_in_rtc_memory_and_counts_what_gave_way(memory, flash):
    flash.full = True
    for at_s in range(1, 21):
        memory.add_event(at_s, *(0,) * 8)
        with pytest.raises(StoreError):
            memory.keep(flash)
    assert memory.dropped == 14
    assert [n for _, n, _ in memory.next_events(0)] == [15]


@pytest.mark.parametrize("thinning", [False, True])
def test_a_loss_of_power_at_any_step_loses_nothing_that_was_on_flash_and_tells_nothing_twice(thinning):
    filled, known = Flash(), Memory()
    known.boot_id = BOOT
    live(known, filled, samples=64 * 42 + 10 if thinning else 35)
    before = numbers(known, filled)
    lost = known.dropped
    for steps in range(40):
        flash, memory = copy.deepcopy((filled, known))
        flash.cut_after = steps
        try:
            live(memory, flash, samples=42)
        except PowerLoss:
            pass
        else:
            assert steps > 3
            return
        flash.cut_after = None
        after = numbers(memory, flash)
        assert after == sorted(set(after))
        missing = set(before) - set(after)
        assert len(missing) <= (42 if thinning else 0), "only every second one of the two that were made one"
        assert not missing or max(missing) <= 2 * lost + 84
        live(memory, flash, samples=84)
        assert numbers(memory, flash)[-1] == memory.sample_count - memory.held_samples()
    pytest.fail("it never ended")


def test_what_flash_already_has_is_not_kept_again(memory, flash):
    records = [event(at) for at in range(1, 7)]
    backlog.append(memory, flash, "e", BOOT, 1, b"".join(records))
    backlog.append(memory, flash, "e", BOOT, 5, b"".join(records[4:]) + event(7))
    assert numbers(memory, flash, "e") == list(range(1, 8))


# The whole firmware


@pytest.fixture
def sleeper():
    rig = Rig(responsive=False)
    rig.settle()
    yield rig
    rig.board.stop()


def acknowledge(rig, boot_id, event, sample):
    rig.send(protocol.ACK, {"boot_id": boot_id, "event": event, "sample": sample}, retain=True)


def acknowledge_everything(rig):
    """A Home Assistant that stores what it hears, and says so for each boot."""
    stored: dict[int, list[int]] = {}

    def heard(boot_id, which, number):
        known = stored.setdefault(boot_id, [0, 0])
        known[which] = max(known[which], number)
        acknowledge(rig, boot_id, *known)

    def hear_event(message):
        event = json.loads(message.payload)
        heard(event["boot_id"], 0, event["n"])

    def hear_telemetry(message):
        telemetry = json.loads(message.payload)
        heard(telemetry["boot_id"], 1, telemetry["samples"][-1]["n"])

    rig.broker.subscribe(rig.topic(protocol.EVENT), hear_event)
    rig.broker.subscribe(rig.topic(protocol.TELEMETRY), hear_telemetry)


def test_an_outage_of_two_days_is_told_whole_with_its_own_times(sleeper):
    acknowledge(sleeper, sleeper.state()["boot_id"], 1, 1)
    sleeper.broker.stop()
    sleeper.run(2 * 86400)
    assert sleeper.board.chip.flash.steps > 0
    sleeper.broker.start()
    acknowledge_everything(sleeper)
    sleeper.run(3 * 905)
    samples = {s["n"]: s for t in sleeper.said(protocol.TELEMETRY) for s in t["samples"]}
    assert sorted(samples) == list(range(1, len(samples) + 1))
    assert len(samples) >= 170
    times = [samples[n]["at"] for n in sorted(samples) if samples[n]["at"]]
    assert times == sorted(times)
    assert [name for name in sleeper.board.chip.flash.files if "backlog" in name] == []


def test_while_home_assistant_is_away_a_wake_tells_its_broker_only_what_is_new(sleeper):
    sleeper.desired()
    sleeper.run(905)
    sleeper.run(40 * 905)
    before = len(sleeper.said(protocol.TELEMETRY))
    sleeper.run(20 * 905)
    assert len(sleeper.said(protocol.TELEMETRY)) - before <= 4 * 20, (
        "not the forty samples on flash in each of twenty wakes"
    )
    acknowledge_everything(sleeper)
    acknowledge(sleeper, sleeper.state()["boot_id"], 0, 0)  # it is back, and asks
    sleeper.run(3 * 905)
    samples = {s["n"] for t in sleeper.said(protocol.TELEMETRY) for s in t["samples"]}
    assert samples == set(range(1, max(samples) + 1))
    assert [name for name in sleeper.board.chip.flash.files if "backlog" in name] == []


def test_a_backlog_that_no_wake_can_tell_whole_is_not_begun_anew_in_each_when_nobody_is_there(sleeper):
    flash = Flash()
    fill(flash, 1)
    sleeper.desired()
    sleeper.run(905)
    sleeper.board.network.latency_us = 150_000
    sleeper.broker.stop()
    sleeper.board.chip.flash.files.update(flash.files)
    sleeper.board.power_cut()
    sleeper.run(905)
    sleeper.broker.start()
    sleeper.run(2 * 905)
    before = len(sleeper.said(protocol.EVENT))
    assert 100 < before < 16 * 45, "the wake was over before it was told"
    sleeper.run(10 * 905)
    assert len(sleeper.said(protocol.EVENT)) - before <= 10
    acknowledge_everything(sleeper)
    acknowledge(sleeper, sleeper.state()["boot_id"], 0, 0)
    sleeper.run(20 * 905)
    assert [name for name in sleeper.board.chip.flash.files if "backlog" in name] == []


def test_about_once_a_day_all_is_told_again_though_nobody_asks(sleeper):
    sleeper.desired()
    sleeper.run(905)
    sleeper.run(40 * 905)
    sleeper.broker.log.clear()
    sleeper.run(96 * 905)
    told = [s["n"] for t in sleeper.said(protocol.TELEMETRY) for s in t["samples"]]
    assert 1 <= told.count(5) <= 2


def test_what_goes_to_flash_before_it_was_told_is_told_at_once():
    rig = Rig()
    rig.run(66)  # a minute after the start what nobody stored goes to flash, and is told
    for _ in range(store.EVENTS_MAX // 2):
        rig.command("run", zone=1, run_time_s=5)
        rig.run(16)
    assert rig.state()["event"] == 1 + store.EVENTS_MAX
    assert sorted({e["n"] for e in rig.said(protocol.EVENT)}) == list(range(1, rig.state()["event"] + 1))
    rig.board.stop()


def test_once_all_is_told_a_wake_writes_no_flash_again(sleeper):
    sleeper.broker.stop()
    sleeper.run(12 * 905)
    sleeper.broker.start()
    acknowledge_everything(sleeper)
    sleeper.run(4 * 905)
    steps, wakes = sleeper.board.chip.flash.steps, len(sleeper.board.boots)
    sleeper.run(10 * 905)
    assert len(sleeper.board.boots) >= wakes + 9
    assert sleeper.board.chip.flash.steps == steps


def test_an_event_that_nobody_stored_outlives_a_loss_of_power(sleeper):
    sleeper.command("run", zone=1, run_time_s=20, expires_at=int(sleeper.now()) + 1000)
    sleeper.run(1000)
    boot_id = sleeper.state()["boot_id"]
    (finished,) = sleeper.events("run_finished")
    sleeper.board.power_cut()
    sleeper.broker.log.clear()
    sleeper.run(60)
    (again,) = sleeper.events("run_finished")
    assert again == finished
    assert again["boot_id"] == boot_id != sleeper.state()["boot_id"]


def test_the_end_of_a_run_is_reported_though_the_power_goes_right_after_the_journal_says_closed():
    for step in range(1, 40):
        rig = Rig()
        rig.settle()
        rig.command("run", zone=1, run_time_s=10)
        rig.run(8)
        steps = iter(range(1, 1000))

        def cut(number, what, path, rig=rig, steps=steps, step=step):
            if next(steps) == step:
                rig.board.power_cut()

        rig.board.chip.flash.on_write = cut
        rig.run(20)
        cut_happened = next(steps) > step
        rig.board.chip.flash.on_write = None
        rig.run(60)
        assert len(rig.events("run_finished")) == 1, step
        assert rig.open_zones() == []
        rig.board.stop()
        if not cut_happened:
            return
    pytest.fail("it wrote on and on")


def test_segments_are_found_again_though_rtc_memory_forgot_them(sleeper):
    sleeper.broker.stop()
    sleeper.run(12 * 905)
    earlier = sleeper.state()["boot_id"]
    sleeper.board.power_cut()
    sleeper.run(3 * 905)
    sleeper.broker.start()
    acknowledge_everything(sleeper)
    sleeper.run(3 * 905)
    told = {(t["boot_id"], s["n"]) for t in sleeper.said(protocol.TELEMETRY) for s in t["samples"]}
    assert len({boot_id for boot_id, _ in told}) == 2
    assert len([n for boot_id, n in told if boot_id == earlier]) >= 7
    assert [name for name in sleeper.board.chip.flash.files if "backlog" in name] == []


def test_a_flash_that_refuses_the_backlog_is_a_fault_and_the_board_goes_on():
    rig = Rig()
    rig.settle()

    def refuse(number, what, path):
        raise OSError(5, os.strerror(5))

    rig.board.chip.flash.on_write = refuse
    rig.run(600)
    assert "storage" in rig.state()["faults"]
    rig.board.chip.flash.on_write = None
    command_id = rig.command("run", zone=1, run_time_s=10)
    rig.run(3)
    assert rig.reply(command_id)["accepted"]
    rig.board.stop()


def test_a_damaged_segment_on_a_flash_that_takes_nothing_hides_none_that_follow(memory, flash):
    live(memory, flash, samples=120)
    first = min(flash.files)
    flash.files[first] = flash.files[first][:-1] + b"?"
    flash.full = True
    heard = numbers(memory, flash)
    assert heard == list(range(heard[0], 121))
    assert 1 < heard[0] <= 60
