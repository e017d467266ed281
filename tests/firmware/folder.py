"""The folder of the backlog without a board around it: files in memory, as much of a flash as the backlog sees, and what fills it."""

import struct

from sim.errors import PowerLoss
from sprinkler import backlog, segments
from sprinkler.store import EVENT_FORM, SAMPLE_FORM, Memory


class Flash:
    """A folder of files in memory, as much of a board as the backlog sees. `cut_after` steps the power goes."""

    def __init__(self):
        self.os = self
        self.files: dict[str, bytes] = {}
        self.folder = False
        self.flash_writes = 0
        self.cut_after: int | None = None
        self.full = False

    def _step(self):
        if self.full:
            raise OSError(28)
        if self.cut_after is not None:
            if not self.cut_after:
                raise PowerLoss
            self.cut_after -= 1

    def feed(self):
        pass

    def drop(self, name):
        pass

    def rtc_save(self, data):
        pass

    def stat(self, path):
        if path == segments.FOLDER and self.folder:
            return (0x4000,) + (0,) * 9
        if path not in self.files:
            raise OSError(2)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)

    def mkdir(self, path):
        self._step()
        self.folder = True

    def ilistdir(self, path):
        if not self.folder:
            raise OSError(2)
        return [(name.rpartition("/")[2], 0x8000, 0, len(data)) for name, data in self.files.items()]

    def rename(self, old, new):
        self._step()
        self.files[new] = self.files.pop(old)

    def remove(self, path):
        self._step()
        del self.files[path]

    def open_file(self, path, mode):
        if mode == "rb" and path not in self.files:
            raise OSError(2)
        return File(self, path, mode)


class File:
    """One open file; its content counts from its close on."""

    def __init__(self, flash, path, mode):
        self.flash, self.path, self.writes = flash, path, mode == "wb"
        self.data, self.at = (b"" if self.writes else flash.files[path]), 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.writes and kind is None:
            self.flash._step()
            self.flash.files[self.path] = self.data

    def read(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def seek(self, at):
        self.at = at

    def write(self, data):
        self.data += bytes(data)


def fill(flash, boots):
    """A folder as full as it gets, of so many boots."""
    for kind, most, form in (
        ("s", backlog.SAMPLE_SEGMENTS, SAMPLE_FORM),
        ("e", backlog.EVENT_SEGMENTS, EVENT_FORM),
    ):
        memory = Memory()
        fits = backlog.RECORDS_BYTES // (struct.calcsize(form) + 2)
        share, count = divmod(most, boots)
        for boot in range(boots):
            memory.boot_id = 100 + boot
            records = bytes(struct.calcsize(form)) * (fits * (share + (boot < count)))
            backlog.append(memory, flash, kind, memory.boot_id, 1, records)
