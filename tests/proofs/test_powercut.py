"""The short form of the power cuts: seeded steps of a life and of its recoveries, and the harness itself can fail."""

import json
from random import Random

import pytest

from tests.proofs import littleflash, powercut
from tests.proofs.littleflash import BLOCK, LittleFlash, Step


@pytest.mark.timeout(600)
def test_wherever_the_power_goes_files_are_whole_reports_stand_and_the_board_waters_again(capsys):
    code = powercut.main(["--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["cases"] == []
    assert code == 0
    assert powercut.SHORT * 0.6 <= told["cuts"] <= powercut.SHORT * 1.5, "about as many as asked for"
    assert all(told["by_depth"][depth] > 0 for depth in ("1", "2", "3")), "nested twice"
    assert {"/journal.bin.new", "/proposed.json", "/backlog"} <= set(told["by_file"])
    assert set(told["by_way"]) == set(littleflash.WAYS)


def test_ctrl_c_keeps_what_was_cut_so_far(monkeypatch, capsys):
    def interrupted(begun):
        yield begun[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(powercut, "as_completed", interrupted)
    code = powercut.main(["--json", "--cuts", "60", "--jobs", "1"])
    told = json.loads(capsys.readouterr().out)
    assert code == powercut.INTERRUPTED
    assert not told["ended"]
    assert 0 < told["cuts"] < 60


def test_a_file_that_is_overwritten_in_place_is_found_torn():
    """What the board must not do, and does not: a flash without the file system's care shows it."""
    before, after = {"/journal.bin": b"old"}, {"/journal.bin": b"new!"}
    assert list(powercut.whole({"/journal.bin": b"ne"}, before, after)) == ["F2: torn: /journal.bin"]
    assert list(powercut.whole({}, before, after)) == ["F2: torn: /journal.bin"]
    assert list(powercut.whole(before | {"/x.new": b""}, before, after)) == []


def test_of_a_rename_both_files_are_old_or_both_are_new():
    before, after = {"/a": b"1", "/b": b"2"}, {"/b": b"1"}
    assert list(powercut.whole(after, before, after)) == []
    assert list(powercut.whole({"/a": b"1", "/b": b"1"}, before, after)) == ["F2: torn: a mixture of old and new"]


def test_programming_clears_bits_and_a_cut_step_leaves_a_part_of_it():
    step = Step(0, b"\x0f" * 4, 0, None)
    image = bytearray(b"\xf5" * BLOCK)
    littleflash.apply(image, step)
    assert image[:5] == b"\x05\x05\x05\x05\xf5"
    half, bits = bytearray(b"\xff" * BLOCK), bytearray(b"\xff" * BLOCK)
    littleflash.cut(half, step, "half", Random(1))
    littleflash.cut(bits, step, "bits", Random(1))
    assert half[:4] == b"\x0f\x0f\xff\xff"
    assert all(byte & 0x0F == 0x0F for byte in bits[:4]), "no bit is set, and none cleared that should stay"
    assert bits[:4] not in (b"\x0f" * 4, b"\xff" * 4)


def test_the_flash_answers_as_the_simulators_own():
    flash = LittleFlash()
    flash.mkdir("/backlog")
    flash.write("/backlog/new", b"abc")
    flash.rename("/backlog/new", "/backlog/e0000010")
    assert flash.listdir("/backlog") == ["e0000010"]
    assert flash.size("/backlog/e0000010") == 3
    assert flash.size("/backlog") is None
    again = LittleFlash(flash.image)
    assert dict(again.files) == {"/backlog/e0000010": b"abc"}
    with pytest.raises(OSError, match="2"):
        again.remove("/none")
    assert len(flash.acts) == 3
    assert flash.acts[1] == ({}, {"/backlog/new": b"abc"})
