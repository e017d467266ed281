"""What the store keeps: older layouts are read, newer ones as far as they are known, nothing torn is believed, and every write is counted."""

import json
import struct

import pytest

from sim.port import SOFT_RESET
from sprinkler import protocol, recall, store
from sprinkler.settings import PROGRAM_BYTES, PROGRAM_FORM
from sprinkler.store import Memory

from .rig import Rig

TOTALS, KEYS, FAULTS = [11, 12, 13, 14], [9001, 9002, 0, 0, 0, 0, 0, 9008], [1, 0, 0, 0]
COUNTER = 1_800_000_000_123
FIRST = struct.pack("<BBBBHHHQIIII8H4BI", 1, 2, 3, 1, 42, 600, 30, COUNTER, *TOTALS, *KEYS, *FAULTS, 77)
SECOND = struct.pack(
    "<BBBBHHHQIIII8H4BIhI", 2, 2, 3, 1, 42, 600, 30, COUNTER, *TOTALS, *KEYS, *FAULTS, 852_000_000, -31, 77
)
THIRD = struct.pack(
    "<BBBBHHHQIIII8H4BIhII", 68, 2, 3, 1, 42, 600, 30, COUNTER, *TOTALS, *KEYS, *FAULTS, 852_000_000, -31, 77, 4321
)


@pytest.fixture
def rig():
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


def read(data):
    memory = Memory()
    part = recall.ledger_part(data)
    assert part is not None
    recall.unpack_ledger(memory, part)
    return memory


@pytest.mark.parametrize(
    ("data", "at_s", "drift", "writes"),
    [
        (FIRST, 0, 0, 0),
        (SECOND, 852_000_000, -31, 0),
        (THIRD, 852_000_000, -31, 4321),
        (bytes((76,)) + THIRD[1:] + b"\x01\x02\x03\x04\x05\x06\x07\x08", 852_000_000, -31, 4321),
    ],
    ids=["first layout", "second layout", "today's", "a later one"],
)
def test_a_ledger_of_another_layout_is_read_as_far_as_it_is_known(data, at_s, drift, writes):
    memory = read(data)
    assert (memory.open_zone, memory.program, memory.resumed) == (2, 3, 1)
    assert (memory.run_id, memory.granted_s, memory.open_s, memory.counter) == (42, 600, 30, COUNTER)
    assert (memory.totals_ml, memory.keys, memory.faults) == (TOTALS, KEYS, FAULTS)
    assert (memory.at_s, memory.sleep_drift, memory.sequence, memory.flash_writes) == (at_s, drift, 77, writes)


@pytest.mark.parametrize("data", [b"", FIRST[:-1], SECOND + b"\0", THIRD[:-1], b"\x05" + bytes(80), b"\0" * 70])
def test_what_is_no_ledger_is_not_read(data):
    assert recall.ledger_part(data) is None


def test_todays_ledger_is_as_long_as_its_first_byte_says():
    data = Memory()._pack_ledger()
    assert data[0] == len(data) == struct.calcsize(store.LEDGER_FORM)


@pytest.mark.parametrize("data", [FIRST, SECOND])
def test_a_board_with_new_firmware_goes_on_with_the_totals_and_keys_of_the_old_one(rig, data):
    data = data[:1] + b"\0" + data[2:]  # nothing is open
    rig.board.chip.rtc_memory = b""
    rig.board.chip.flash.files[store.JOURNAL] = store.sealed(data)
    rig.board.power_cut()
    rig.run(30)
    assert [zone["volume_ml"] for zone in rig.state()["zones"]] == TOTALS[:2]
    assert rig.state()["command_counter"] == COUNTER
    assert "storage" not in rig.state()["faults"]


def test_rtc_memory_of_another_layout_still_gives_its_newer_ledger(rig):
    chip = rig.board.chip
    newer = SECOND[:1] + b"\0" + SECOND[2:-4] + struct.pack("<I", 1_000_000)
    chip.rtc_memory = bytes(chip.rtc_memory[:8]) + store.sealed(newer + bytes(200))
    rig.board.reset_now(SOFT_RESET)
    rig.run(30)
    assert rig.state()["command_counter"] == COUNTER


def test_the_journal_stays_below_the_size_that_is_cheap_to_write(rig):
    rig.broker.stop()
    rig.command("run", zone=1, run_time_s=10)
    rig.broker.start()
    rig.run(60)
    data = rig.board.chip.flash.files[store.JOURNAL]
    assert len(data) <= 128
    assert len(data) == 82 + 8 + 2 * 17 + 4, "two events that nobody stored yet lie behind the ledger"


def test_records_are_as_long_as_their_forms():
    assert struct.calcsize(store.EVENT_FORM) == store.EVENT_BYTES
    assert struct.calcsize(store.SAMPLE_FORM) == store.SAMPLE_BYTES
    assert struct.calcsize(PROGRAM_FORM) == PROGRAM_BYTES


def test_all_that_is_kept_over_a_sleep_fits_rtc_memory_when_it_is_full():
    memory = Memory()
    for number in range(20):
        memory.add_event(number, *(0,) * 8)
        memory.add_sample((number,) + (0,) * 11)
    assert memory.held_events() == store.EVENTS_MAX
    assert memory.held_samples() == store.SAMPLES_MAX
    assert len(store.sealed(memory._pack_rtc())) <= 484


def test_flash_writes_are_counted_and_the_count_outlives_a_loss_of_power(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.desired()
    rig.run(60)
    counted = Memory()
    recall.load(counted, FakeBoard(rig))
    assert 4 <= counted.flash_writes <= 8, "settings, the opening, its end, and the events that nobody stored"
    rig.board.power_cut()
    rig.command("run", zone=1, run_time_s=10)
    rig.run(60)
    again = Memory()
    recall.load(again, FakeBoard(rig))
    assert again.flash_writes > counted.flash_writes


class FakeBoard:
    """The flash and RTC memory of a rig's board, for a look from outside."""

    def __init__(self, rig):
        self.flash_writes = 0
        self._rtc = bytes(rig.board.chip.rtc_memory)[8:]
        self._files = rig.board.chip.flash.files

    def rtc_load(self):
        return self._rtc

    def random_hex(self, count):
        return "00" * count

    def open_file(self, path, mode):
        import io

        return io.BytesIO(self._files[path])


@pytest.mark.parametrize("version", [1, 2])
def test_a_loss_of_power_while_settings_are_kept_leaves_the_old_or_the_new_ones(version):
    for step in range(1, 12):
        rig = Rig()
        rig.settle()
        if version == 2:
            rig.desired(version=1, seasonal_adjust_pct=50)
            rig.run(3)
        count = iter(range(1, 100))

        def cut(number, what, path, rig=rig, count=count, step=step):
            if next(count) == step:
                rig.board.power_cut()

        rig.board.chip.flash.on_write = cut
        rig.desired(version=version, seasonal_adjust_pct=80)
        rig.run(3)
        rig.board.chip.flash.on_write = None
        ended = next(count) <= step
        rig.broker.publish(rig.topic(protocol.DESIRED), b"", retain=True)  # nobody repeats it
        rig.broker.sessions.clear()
        rig.board.power_cut()
        rig.run(20)
        state = rig.state()
        assert (state["desired_version"], state["seasonal_adjust_pct"]) in (
            (version - 1, 100 if version == 1 else 50),
            (version, 80),
        )
        rig.board.stop()
        if ended:
            return
    pytest.fail("it wrote on and on")


def test_settings_that_cannot_be_read_any_more_give_way_to_those_before_them(rig):
    rig.desired(version=1, seasonal_adjust_pct=50)
    rig.run(3)
    rig.desired(version=2, seasonal_adjust_pct=80)
    rig.run(3)
    files = rig.board.chip.flash.files
    text = files[store.DESIRED]
    files[store.DESIRED] = text[:40] + b"#" + text[41:]
    rig.broker.publish(rig.topic(protocol.DESIRED), b"", retain=True)
    rig.broker.sessions.clear()
    rig.board.power_cut()
    rig.run(20)
    assert (rig.state()["desired_version"], rig.state()["seasonal_adjust_pct"]) == (1, 50)


@pytest.mark.parametrize("damage", [b"", b'{"device_key": "00', b"[]"])
def test_a_configuration_that_cannot_be_read_any_more_gives_way_to_the_one_before_it(rig, damage):
    files = rig.board.chip.flash.files
    files[store.CONFIG + store.OLD] = files[store.CONFIG]
    assert json.loads(files[store.CONFIG])
    files[store.CONFIG] = damage
    rig.board.power_cut()
    rig.run(20)
    command_id = rig.command("run", zone=1, run_time_s=10)
    rig.run(3)
    assert rig.reply(command_id)["accepted"]
