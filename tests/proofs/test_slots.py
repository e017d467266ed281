"""No cut of power, nor two, leaves a board that does not start, or one between two versions. All pairs: python -m tests.proofs.slots"""

import chooser
import pytest

from tests.proofs import slots as proof
from tests.proofs.slots import Life, State, image, search

SIZE = 8_500  # three sectors, the last one not full


@pytest.mark.parametrize("holds", [True, False], ids=["update", "roll back"])
def test_wherever_the_power_goes_and_goes_again_the_board_starts_and_ends_as_old_or_new(holds, record_property):
    found = search(SIZE, holds=holds, every=9)
    record_property("found", vars(found))
    print(f"{found.operations} flash operations, {found.cuts} cuts, {found.pairs} second cuts, {found.boots} boots")
    assert found.lost == []
    assert found.cuts == found.operations >= 40
    assert found.pairs > 150


# --- what would be lost, if the firmware were another: each must be found


def spoil_first_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record first, then the image's first bytes."""
    real = proof.updating.write
    monkeypatch.setattr(
        proof.updating, "write", lambda board, start, data: None if len(data) == 4 else real(board, start, data)
    )


def spoil_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chooser believes what it is told of an image."""
    monkeypatch.setattr(proof.chooser, "whole", lambda *_: True)
    monkeypatch.setattr(proof.updating, "digest", lambda board, head, start, end: proof.hashlib.sha256(NEW).digest())
    monkeypatch.setattr(proof.slots, "blank", lambda board, start, end: False)
    monkeypatch.setattr(proof.updating, "blank", lambda board, start, end: False)


def spoil_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boots on trial are not counted."""
    monkeypatch.setattr(proof.chooser, "_count", lambda fields, open_file, os: fields[chooser.ACTIVE])


def spoil_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slot of the running application is written."""
    monkeypatch.setattr(proof.updating, "SLOT_BYTES", 0)


def spoil_erasing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is erased before it is written."""
    monkeypatch.setattr(proof.updating, "erase", lambda board, start: None)
    monkeypatch.setattr(proof.loading, "erase", lambda board, start: None)


NEW = image(SIZE)


@pytest.mark.parametrize(
    ("spoil", "holds"),
    [(spoil_first_bytes, True), (spoil_digest, True), (spoil_count, False), (spoil_slot, True), (spoil_erasing, True)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_spoiled_firmware_is_found(monkeypatch, spoil, holds):
    spoil(monkeypatch)
    try:
        found = search(SIZE, holds=holds, every=50)
    except AssertionError:
        return
    assert found.lost


def test_a_life_without_cuts_boots_once_with_each_version():
    life = Life(State.delivered(), NEW)
    life.until_quiet()
    assert life.booted == ["old", "new"]
    assert life.left().files.keys() == {chooser.RECORD}, "nothing is left behind"


def test_a_version_that_does_not_hold_boots_three_times():
    life = Life(State.delivered(), NEW, holds=False)
    life.until_quiet()
    assert life.booted == ["old", "new", "new", "new", "old"]
