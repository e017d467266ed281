"""The chooser: which slot is the application, and what becomes of one on trial. On a partition and files in memory; nothing boots here."""

import hashlib
from types import SimpleNamespace

import chooser
import pytest

from sim.chip import Chip
from sim.flash import Flash
from sim.port.files import Files
from sim.port.rom import VfsModule
from sim.rom import SLOT_BYTES, placeholder

OLD, NEW = placeholder("old", 5000), placeholder("new", 9000)


class Boots:
    """A board's flash, and the chooser boot after boot."""

    def __init__(self) -> None:
        self.chip = Chip(b"\x5a\x17\xe0\x01", Flash())
        self.chip.rom.put(0, OLD)
        self.chip.rom.put(1, NEW)
        self.mounted: int | None = None
        self.path: list[str] = []

    def record(self, **fields: int) -> None:
        """Slot 0 has OLD and is confirmed; slot 1 has NEW; then `fields` by their names in the chooser."""
        found = chooser.fresh(len(OLD), hashlib.sha256(OLD).digest())
        found[chooser.SIZE + chooser.STRIDE] = len(NEW)
        found[chooser.SHA256 + chooser.STRIDE] = hashlib.sha256(NEW).digest()
        for name, value in fields.items():
            found[getattr(chooser, name)] = value
        self.chip.flash.files[chooser.RECORD] = chooser.packed(found)

    def fields(self) -> list[int]:
        return chooser.load(self._files().open)

    def _session(self) -> SimpleNamespace:
        return SimpleNamespace(chip=self.chip, enter=lambda call: None, block=lambda us: None)

    def _files(self) -> Files:
        return Files(self._session())

    def boot(self, *, counting: bool = True) -> int:
        self.path = ["", "/lib"]
        vfs = VfsModule(self._session(), self.path)
        said = chooser.choose(vfs, self.chip.flash, self.path, self._files().open, counting)
        assert "/rom" not in vfs.mounted
        assert not {"/rom", "/rom/lib"} & set(self.path)
        self.mounted = vfs.mounted["/app"] // SLOT_BYTES if "/app" in vfs.mounted else None
        assert (self.path[0] == "/app") == (self.mounted is not None), "nothing shadows it"
        return said


@pytest.fixture
def boots() -> Boots:
    return Boots()


def test_without_a_record_the_first_image_that_mounts_is_taken(boots):
    assert (boots.boot(), boots.mounted) == (0, 0)
    boots.chip.rom.erase(0)
    assert (boots.boot(), boots.mounted) == (chooser.SLOT_1, 1)


def test_a_confirmed_slot_is_mounted_and_nothing_is_written(boots):
    boots.record()
    steps = boots.chip.flash.steps
    assert (boots.boot(), boots.mounted) == (0, 0)
    boots.record(ACTIVE=1)
    assert (boots.boot(), boots.mounted) == (chooser.SLOT_1, 1)
    assert boots.chip.flash.steps == steps


def test_an_image_on_trial_boots_three_times_then_the_old_one_is_taken_again(boots):
    boots.record(ACTIVE=1, TRIAL=1)
    for _ in range(chooser.TRIAL_BOOTS_MAX):
        assert (boots.boot(), boots.mounted) == (chooser.ON_TRIAL | chooser.SLOT_1, 1)
    assert (boots.boot(), boots.mounted) == (chooser.NEWS | chooser.TURNED_BACK, 0)
    assert boots.fields()[chooser.RESULT] == chooser.ROLLED_BACK
    assert (boots.boot(), boots.mounted) == (chooser.NEWS, 0), "it stays"


def test_a_confirmed_trial_stays(boots):
    boots.record(ACTIVE=1, TRIAL=1)
    boots.boot()
    fields = boots.fields()
    fields[chooser.TRIAL] = 0
    chooser.keep(boots._files().open, boots.chip.flash, fields)
    for _ in range(9):
        assert (boots.boot(), boots.mounted) == (chooser.SLOT_1, 1)


def test_a_person_at_the_cable_uses_up_no_trial(boots):
    boots.record(ACTIVE=1, TRIAL=1)
    for _ in range(9):
        assert (boots.boot(counting=False), boots.mounted) == (chooser.ON_TRIAL | chooser.SLOT_1, 1)


@pytest.mark.parametrize("at", [0, 5, 1023, 1024, 8999])
def test_one_wrong_byte_turns_back_to_the_other_image(boots, at):
    boots.record(ACTIVE=1)
    damaged = bytearray(NEW)
    damaged[at] ^= 4
    boots.chip.rom.put(1, bytes(damaged))
    assert (boots.boot(), boots.mounted) == (chooser.NEWS | chooser.TURNED_BACK, 0)
    assert boots.fields()[chooser.RESULT] == chooser.DAMAGED


def test_a_length_that_is_not_the_records_is_not_mounted(boots):
    boots.record(ACTIVE=1, SIZE=len(OLD) - 4)
    boots.chip.rom.put(1, NEW[:-4])
    assert (boots.boot(), boots.mounted) == (chooser.NO_IMAGE, None)


def test_where_neither_slot_is_whole_nothing_runs(boots):
    boots.record()
    boots.chip.rom.erase(0)
    boots.chip.rom.erase(SLOT_BYTES // 4096)
    assert (boots.boot(), boots.mounted) == (chooser.NO_IMAGE, None)


def test_where_the_count_cannot_be_kept_the_old_image_runs(boots):
    boots.record(ACTIVE=1, TRIAL=1)
    boots.chip.flash.capacity = 0
    for _ in range(9):
        assert boots.boot() & chooser.TURNED_BACK
        assert boots.mounted == 0
    assert boots.fields()[chooser.TRIAL] == 1, "nothing could be written"


def test_a_record_is_valid_only_as_a_whole(boots):
    boots.record(ACTIVE=1)
    good = boots.chip.flash.files[chooser.RECORD]
    assert len(good) <= 128, "cheap to write"
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        boots.chip.flash.files[chooser.RECORD] = bytes(bad)
        assert boots.fields() is None, at
    for bad in (b"", good[:-1], good + b"\0", bytes(200)):
        boots.chip.flash.files[chooser.RECORD] = bad
        assert boots.fields() is None


def test_an_update_on_its_way_is_told(boots):
    boots.record(PHASE=2)
    assert (boots.boot(), boots.mounted) == (chooser.PENDING, 0)


def test_a_board_without_a_partition_runs_nothing(boots):
    vfs = SimpleNamespace(umount=lambda where: None, rom_ioctl=lambda *_: -22)
    assert chooser.choose(vfs, None, [], None, True) == chooser.NO_IMAGE
