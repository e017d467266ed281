"""An update on the whole firmware: offered, pulled block by block, tried, confirmed or rolled back. The image here runs nothing: the firmware stays what
it is."""

import hashlib
import json

import chooser
import pytest

from sim.errors import PowerLoss
from sim.port import Port
from sim.rom import DELIVERED, SLOT_BYTES, placeholder
from sprinkler import protocol
from sprinkler.auth import sign

from .rig import Rig
from .updates import IMAGE, Sender, application, fields, offer_of


class Updated(Rig):
    """A board, and someone who has a newer firmware for it."""

    def __init__(self, image: bytes = IMAGE, **more) -> None:
        super().__init__(**more)
        self.sender = Sender(self.board, self.broker, self.key, image)
        self.mounted: list[int] = []  # the slot of each boot's application
        self.board.on_boot = self._on_boot

    def _on_boot(self, port: Port) -> None:
        self._port = port

    def slot(self) -> int:
        """The slot that this boot runs from."""
        return self._port.vfs.mounted["/app"] // SLOT_BYTES


@pytest.fixture
def rig():
    rig = Updated()
    yield rig
    rig.board.stop()


def test_a_newer_firmware_is_pulled_tried_and_confirmed(rig):
    rig.settle()
    assert rig.sender.last == ("none", "")
    rig.sender.offer()
    rig.run(20)
    assert rig.slot() == 1
    assert application(rig.board) == IMAGE
    assert fields(rig.board)[chooser.TRIAL] == 2, "one boot of three"
    rig.run(90)
    assert rig.sender.last == ("installed", "")
    assert fields(rig.board)[chooser.TRIAL] == 0
    states = list(dict.fromkeys(told["state"] for told in rig.sender.told))
    assert states == ["none", "loading", "restarting", "trial", "installed"]
    done = [told["done"] for told in rig.sender.told if told["state"] == "loading"]
    assert done == sorted(done)
    assert rig.sender.asked[0] == 4096, "the first sector comes last"
    assert rig.sender.asked[-1] == 3584
    assert rig.moves == []
    rig.board.power_cut()
    rig.run(20)
    assert rig.slot() == 1, "it stays"


def test_the_first_four_bytes_are_written_last_of_all(rig):
    written = []
    rig.board.chip.rom.step = lambda what, where: written.append((what, where))
    rig.settle()
    rig.sender.offer()
    rig.run(20)
    assert written[-1] == ("program", f"rom {SLOT_BYTES}")
    assert ("program", f"rom {SLOT_BYTES + 4}") in written


def test_an_update_outlives_a_loss_of_power_and_asks_only_for_what_is_missing(rig):
    rig.settle()
    rig.sender.offer()
    while rig.sender.asked[-1:] != [4096 * 3]:
        rig.run(0.05)
    before = len(rig.sender.asked)
    rig.board.power_cut()
    rig.run(30)
    assert rig.sender.asked[before] >= 4096 * 2, "not from the start"
    assert (rig.slot(), application(rig.board)) == (1, IMAGE)


def test_a_broker_that_restarts_in_the_middle_costs_nothing(rig):
    rig.settle()
    rig.sender.offer()
    rig.run(2)
    rig.broker.stop()
    rig.run(5)
    rig.broker.start()
    rig.run(60)
    assert (rig.slot(), application(rig.board)) == (1, IMAGE)


def test_a_sleeping_board_takes_the_offer_at_its_wake_and_sleeps_when_nobody_sends():
    rig = Updated(responsive=False)
    rig.settle()
    rig.run(60)
    assert rig.board.session is None, "asleep"
    rig.sender.there = False
    rig.sender.offer()
    rig.run(1000)
    assert rig.sender.last == ("waiting", "no_answer")
    assert rig.board.session is None, "asleep again"
    asked = len(rig.sender.asked)
    assert 0 < asked <= 4
    rig.sender.there = True
    rig.run(1200)
    assert rig.sender.last == ("installed", "")
    assert application(rig.board) == IMAGE
    rig.run(3600)
    assert rig.board.session is None or rig.now() % 900 < 60, "it sleeps as before"
    rig.board.stop()


def test_water_comes_first(rig):
    rig.settle()
    rig.sender.delay_us = 400_000
    rig.sender.offer()
    rig.run(3)
    rig.command("run", zone=1, run_time_s=30)
    rig.run(3)
    assert rig.open_zones() == [1]
    asked, steps = len(rig.sender.asked), dict(rig.board.chip.rom.erases)
    rig.run(20)
    assert len(rig.sender.asked) == asked, "nothing is loaded while a valve is open"
    assert rig.board.chip.rom.erases == steps
    rig.run(60)
    assert rig.open_zones() == []
    assert 29 <= rig.opened_s() <= 32, "as asked for"
    assert application(rig.board) == IMAGE


def test_a_low_battery_waits_and_says_so():
    rig = Updated(scenario={"panel_w": 0, "battery_pct": 12})
    rig.run(60)
    rig.sender.offer()
    rig.run(7200)
    assert rig.sender.last == ("waiting", "low_battery")
    assert rig.board.chip.rom.erases == {}
    assert fields(rig.board)[chooser.PHASE] == 1, "taken down"
    rig.board.stop()


# --- what is refused


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"version": "0.1.0"}, "not_newer"),
        ({"version": "0.0.9"}, "not_newer"),
        ({"hardware": "another"}, "wrong_board"),
        ({"size": SLOT_BYTES + 4}, "too_big"),
        ({"mpy": 7}, "interpreter"),
        ({"interpreter_min": "1.99.0"}, "interpreter"),
        ({"closer_api": 2}, "closer"),
        ({"size": 0}, "invalid"),
        ({"size": 14_501}, "invalid"),
        ({"size": -4}, "invalid"),
        ({"size": "14500"}, "invalid"),
        ({"sha256": "00"}, "invalid"),
        ({"sha256": "zz" * 32}, "invalid"),
        ({"sha256": None}, "invalid"),
        ({"version": "0.2"}, "invalid"),
        ({"version": "latest"}, "invalid"),
        ({"version": None}, "invalid"),
        ({"version": "0.999.0"}, "invalid"),
        ({"offer": 0}, "invalid"),
        ({"offer": 2**32}, "invalid"),
        ({"offer": True}, "invalid"),
        ({"offer": "1"}, "invalid"),
    ],
)
def test_a_bad_offer_is_refused_with_its_reason_and_changes_nothing(rig, spoilt, reason):
    rig.settle()
    before, files = fields(rig.board), dict(rig.board.chip.flash.files)
    rig.sender.offer(**spoilt)
    rig.run(15)
    assert rig.sender.last == ("refused", reason)
    assert fields(rig.board) == before
    assert rig.board.chip.flash.files[chooser.RECORD] == files[chooser.RECORD]
    assert rig.board.chip.rom.erases == {}
    assert (rig.slot(), application(rig.board)) == (0, DELIVERED)
    rig.sender.offer(2)
    rig.run(120)
    assert rig.sender.last == ("installed", ""), "a good one is taken afterwards"


def test_an_offer_under_another_key_is_not_even_answered(rig):
    rig.settle()
    told = len(rig.sender.told)
    rig.sender.offer(key=bytes(16))
    rig.run(15)
    assert len(rig.sender.told) == told
    assert rig.board.chip.rom.erases == {}


def test_an_offer_for_another_board_is_not_even_answered(rig):
    rig.settle()
    topic = protocol.topic("5a17e002", protocol.UPDATE_OFFER)
    signed_for_the_other = sign(rig.key, topic, json.dumps(offer_of(IMAGE)).encode())
    rig.broker.publish(rig.topic(protocol.UPDATE_OFFER), signed_for_the_other, retain=True)
    rig.run(15)
    assert rig.board.chip.rom.erases == {}
    assert rig.sender.last == ("none", "")


def test_the_same_offer_again_is_no_news_and_an_older_one_neither(rig):
    rig.settle()
    rig.sender.offer(5)
    rig.run(120)
    assert rig.sender.last == ("installed", "")
    told = len(rig.sender.told)
    for number in (5, 4, 1):
        rig.sender.offer(number, version="0.3.0")
        rig.run(20)
    assert len(rig.sender.told) == told


@pytest.mark.parametrize("length", [0, 100, 1000, 14_000, 14_496])
def test_a_truncated_image_never_becomes_the_application(rig, length):
    rig.settle()
    rig.sender.image = IMAGE[:length]
    good = placeholder("0.2.0", 14_500)
    rig.sender.offer(size=len(good), sha256=hashlib.sha256(good).hexdigest())
    rig.run(120)
    assert application(rig.board) == DELIVERED
    assert rig.slot() == 0


def test_another_image_than_the_one_offered_is_given_up_and_the_old_one_runs(rig):
    rig.settle()
    rig.sender.offer()
    rig.sender.image = placeholder("0.6.6", len(IMAGE))
    rig.run(30)
    assert rig.sender.last == ("failed", "damaged")
    assert (rig.slot(), application(rig.board)) == (0, DELIVERED)
    asked = len(rig.sender.asked)
    rig.board.power_cut()
    rig.run(60)
    assert len(rig.sender.asked) == asked, "it does not try again by itself"
    rig.sender.image = IMAGE
    rig.sender.offer(2)
    rig.run(120)
    assert application(rig.board) == IMAGE, "a person may"


def test_blocks_that_nobody_with_the_key_sent_or_nobody_asked_for_are_not_written(rig):
    rig.settle()
    rig.sender.there = False
    rig.sender.offer()
    rig.run(4)
    assert rig.sender.asked
    wanted, data = rig.sender.asked[-1], b"\0" * 512
    rig.sender.block(1, wanted, data, key=bytes(16))
    rig.sender.block(2, wanted, data)
    rig.sender.block(1, wanted + 512, data)
    rig.sender.block(1, wanted, data[:256])
    rig.sender.block(1, 2**31, data)
    rig.sender.block(1, wanted, b"")
    rig.run(2)
    assert rig.board.chip.rom.image(1, SLOT_BYTES) == b"\xff" * SLOT_BYTES
    rig.sender.there = True
    rig.run(120)
    assert application(rig.board) == IMAGE


# --- a version that does not hold


def test_three_boots_that_fail_roll_back_and_the_board_says_so(rig):
    rig.settle()
    rig.sender.offer()
    rig.run(10)
    for _ in range(200):
        if rig.board.session is not None and rig.sender.last[0] == "trial":
            break
        rig.run(0.5)
    for _ in range(3):
        assert rig.slot() == 1
        rig.board.power_cut()
        rig.run(12)
    assert (rig.slot(), application(rig.board)) == (0, DELIVERED)
    assert rig.sender.last == ("rolled_back", "boots")
    asked = len(rig.sender.asked)
    rig.run(600)
    assert len(rig.sender.asked) == asked, "the same offer is not taken again"


def test_a_self_test_that_is_worse_than_before_rolls_back(rig):
    rig.settle()
    rig.sender.offer()
    for _ in range(400):
        rig.run(0.25)
        if rig.sender.last[0] == "trial":
            break
    rig.board.bench.bus.absent.add(0x41)
    rig.run(90)
    assert rig.sender.last == ("rolled_back", "self_test")
    assert (rig.slot(), application(rig.board)) == (0, DELIVERED)


def test_a_trial_without_a_broker_ends_in_the_version_before(rig):
    rig.settle()
    rig.sender.offer()
    for _ in range(400):
        rig.run(0.25)
        if rig.sender.last[0] == "trial":
            break
    rig.broker.stop()
    rig.run(4 * 200)
    assert (rig.slot(), application(rig.board)) == (0, DELIVERED)
    rig.broker.start()
    rig.run(120)
    assert rig.sender.last == ("rolled_back", "boots")


def test_an_update_that_is_replaced_by_a_newer_offer_starts_over(rig):
    rig.settle()
    rig.sender.delay_us = 500_000
    rig.sender.offer()
    rig.run(3)
    newer = placeholder("0.3.0", 9000)
    rig.sender.image = newer
    rig.sender.offer(2, version="0.3.0")
    rig.run(120)
    assert application(rig.board) == newer
    assert rig.sender.told[-1]["version"] == "0.3.0"


def test_a_full_file_system_fails_the_update_and_nothing_else(rig):
    rig.settle()
    rig.board.chip.flash.capacity = 0
    rig.sender.offer()
    rig.run(30)
    assert rig.sender.last == ("refused", "storage")
    assert (rig.slot(), application(rig.board)) == (0, DELIVERED)


# --- the power goes


@pytest.mark.parametrize("holds", [True, False], ids=["update", "roll back"])
def test_wherever_the_power_goes_the_valve_is_closed_first_and_old_or_new_runs(holds):
    """The whole firmware, every seventh flash operation; all of them, and all pairs, in tests/proofs/slots.py."""
    image = placeholder("0.2.0", 8_500)
    operations = _lives(image, None, holds)
    for cut in range(3, operations, 7):
        _lives(image, cut, holds)


def _lives(image: bytes, cut: int | None, holds: bool) -> int:
    """One board, whose power goes at flash operation `cut`; how many operations there were."""
    rig = Updated(image, zones=1)
    seen, late = [0], []

    def step(*_: object) -> None:
        seen[0] += 1
        if seen[0] == cut:
            raise rig.board.session.end(PowerLoss())

    def booted(port: Port) -> None:
        rig._on_boot(port)
        rig.world.move_valve(0, opens=True)
        rig.world.timeline.at(rig.world.timeline.now_us + 1_000_000, lambda: late.append(bool(rig.open_zones())))

    rig.settle()
    rig.board.on_boot = booted
    rig.board.chip.rom.step = step
    rig.board.chip.flash.on_write = step
    rig.sender.offer()
    for _ in range(60):
        rig.run(8)
        if rig.sender.last[0] in ("installed", "rolled_back"):
            break
        if not holds and fields(rig.board)[chooser.TRIAL]:
            rig.board.power_cut()
    rig.run(5)
    assert application(rig.board) == (image if holds else DELIVERED), (cut, rig.sender.last)
    assert rig.slot() == fields(rig.board)[chooser.ACTIVE]
    assert late
    assert not any(late), "closed within a second of each boot"
    rig.board.stop()
    return seen[0]
