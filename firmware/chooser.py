"""Chooser: which of the two images in the ROMFS partition is the application, and the one record that says so.

Rule: runs after the closer, before the application, and is never updated over the air. It mounts only an image whose length and SHA-256 are the record's, and
writes nothing but that record, by temp + rename. The port's modules are handed in. It must not know what an image holds, nor where it came from.

A new image is on trial: each boot with it is counted before it starts, and after three that did not confirm it the other one is taken again. The record is
in the application's hands too (slots.py).
"""

import hashlib
import struct

if False:  # for annotations
    from shapes import OpenFile, Os, Vfs

API = 1  # raised when the application would have to change with it
SLOT_BYTES = 163840  # 160 KiB: half of the partition
RECORD = "/slots.bin"
TRIAL_BOOTS_MAX = 3

# The record's fields, by their place in the list
ACTIVE = 0  # the slot that is the application
TRIAL = 1  # 0: confirmed; else one more than the boots with it so far
RESULT = 2  # how the last trial ended: one of the words below
PHASE = 3  # of an update: 0 none, 1 its slot is to be erased, 2 it is being filled
SELF_TEST = 4  # what failed before the update, a bit for each word of protocol.SELF_TESTS
VERSION = 5  # of the image on its way or on trial, or of the one that failed: three numbers
OFFER = 8  # the number of the last offer that was taken
SIZE, SHA256 = 9, 10  # of slot 0: bytes (0: there is nothing), digest
STRIDE = 2  # from there to the same of slot 1

# Results: three boots failed, the image did not verify, its self-test was worse
NOTHING, ROLLED_BACK, DAMAGED, FAILED = 0, 1, 2, 3
TOLD = 128  # added to a result that the application has told
_FORM = "<BBBBBBBBBII32sI32s"  # the API first
_CHECK = 4
_PIECE = 1024  # bytes hashed at once: between two the interpreter feeds the chip's watchdog

# What `choose` returns, added up; NO_IMAGE: there is nothing to run
ON_TRIAL, PENDING, NEWS, TURNED_BACK, SLOT_1, NO_IMAGE = 1, 2, 4, 8, 16, -1


def fresh(size: int, sha256: bytes) -> list:
    """The record of a board whose slot 0 was written over the cable: confirmed, and slot 1 is nothing."""
    return [0, 0, NOTHING, 0, 0, 0, 0, 0, 0, size, sha256, 0, bytes(32)]


def packed(fields: list) -> bytes:
    """The record as it lies in its file."""
    data = struct.pack(_FORM, API, *fields)
    return data + hashlib.sha256(data).digest()[:_CHECK]


def load(open_file: "OpenFile") -> list | None:
    """The record's fields, or None when there is none that can be read."""
    try:
        with open_file(RECORD, "rb") as f:
            data = f.read()
    except OSError:
        return None
    body = data[:-_CHECK]
    if len(body) != struct.calcsize(_FORM) or hashlib.sha256(body).digest()[:_CHECK] != data[-_CHECK:]:
        return None
    fields = list(struct.unpack(_FORM, body))
    return fields[1:] if fields[0] == API and fields[1 + ACTIVE] < 2 else None


def keep(open_file: "OpenFile", os: "Os", fields: list) -> None:
    """Replace the record as a whole. Raises OSError; the old one then still stands."""
    with open_file(RECORD + ".new", "wb") as f:
        f.write(packed(fields))
    os.rename(RECORD + ".new", RECORD)


def slot_of(part: memoryview, slot: int) -> memoryview:
    """The part of the partition that is `slot`."""
    return part[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES]


def whole(image: memoryview, size: int, sha256: bytes) -> bool:
    """True if the first `size` bytes of `image` have that digest."""
    if not 0 < size <= SLOT_BYTES:
        return False
    digest = hashlib.sha256()
    for at in range(0, size, _PIECE):
        digest.update(image[at : min(at + _PIECE, size)])
    return digest.digest() == sha256


def _count(fields: list, open_file: "OpenFile", os: "Os") -> int:
    """Count this boot with an image on trial, or turn back to the other one. Returns the slot to begin with: where the count cannot be kept, the old one."""
    try:
        if fields[TRIAL] > TRIAL_BOOTS_MAX:
            _roll_back(fields, ROLLED_BACK, open_file, os)
        else:
            fields[TRIAL] += 1
            keep(open_file, os, fields)
    except OSError:
        return 1 - fields[ACTIVE]
    return fields[ACTIVE]


def _roll_back(fields: list, result: int, open_file: "OpenFile", os: "Os") -> None:
    """Roll back: the other slot is the application from now on; `result` says why. Raises OSError: it is then done again at the next boot."""
    fields[ACTIVE] = 1 - fields[ACTIVE]
    fields[TRIAL] = fields[PHASE] = 0
    fields[RESULT] = result
    keep(open_file, os, fields)


def choose(vfs: "Vfs", os: "Os", path: list[str], open_file: "OpenFile", counting: bool) -> int:
    """Mount the application at /app, first of all that is imported from. Returns what is to be said of it: a sum of the words above.

    `counting`: this boot counts as one of a trial's (False while a person works at the cable).
    """
    for name in ("/rom", "/rom/lib"):
        if name in path:
            path.remove(name)
    try:
        vfs.umount("/rom")
    except OSError:
        pass  # the port found no image at the partition's start
    part = vfs.rom_ioctl(2, 0)
    if isinstance(part, int):
        return NO_IMAGE
    fields = load(open_file)
    first = before = fields[ACTIVE] if fields else 0
    if fields and fields[TRIAL] and counting:
        first = _count(fields, open_file, os)
    for slot in (first, 1 - first):
        image = slot_of(part, slot)
        if fields and not whole(image, fields[SIZE + STRIDE * slot], fields[SHA256 + STRIDE * slot]):
            continue
        try:
            vfs.mount(vfs.VfsRom(image), "/app")  # type: ignore[attr-defined]  # newer than the types
        except (OSError, ValueError):
            continue
        path.insert(0, "/app")
        if fields and slot != fields[ACTIVE] and counting:
            try:
                _roll_back(fields, DAMAGED, open_file, os)
            except OSError:
                pass  # it runs all the same
        return _said(fields, slot != before) + SLOT_1 * slot
    return NO_IMAGE


def _said(fields: list | None, turned_back: bool) -> int:
    if not fields:
        return 0
    said = ON_TRIAL if fields[TRIAL] else 0
    said += PENDING if fields[PHASE] else 0
    said += NEWS if 0 < fields[RESULT] < TOLD else 0
    return said + (TURNED_BACK if turned_back else 0)
