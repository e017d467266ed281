"""The board at its prompt: what it is, what lies on it, and the few ways in which it is changed.

Rule: a file is replaced by a new one under another name, compared, and renamed; so a cut leaves the old or the new. What is written, and in which
order, is not decided here.
"""

import ast
import contextlib
import hashlib
import io
import tempfile
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpremote.commands import CommandError, do_romfs
from mpremote.main import State
from mpremote.transport import TransportExecError
from mpremote.transport_serial import SerialTransport

from sim.rom import SLOT_BYTES
from tools.provision.cable import Knock, open_port, spoken
from tools.provision.errors import CableError, DeviceError
from tools.provision.say import Say

ROM_SECTOR = 4096
ROOM_LEFT = 16384  # bytes of the file system that stay free: the application's own files, and littlefs' copies

FACTS = """
import sys, os, machine
try:
    import vfs
    rom = vfs.rom_ioctl(2, 0)
    rom = len(rom) if not isinstance(rom, int) else 0
except (ImportError, AttributeError, OSError):
    rom = 0
try:
    s = os.statvfs('/')
    room = s[0] * s[3]
except OSError:
    room = -1
print(repr((sys.platform, os.uname().release, getattr(sys.implementation, '_mpy', 0), rom, room, machine.unique_id())))
"""
HASH = """
import hashlib
def h(path):
    s = hashlib.sha256()
    b = bytearray(256)
    try:
        with open(path, 'rb') as f:
            while True:
                n = f.readinto(b)
                if not n:
                    break
                s.update(memoryview(b)[:n])
    except OSError as e:
        if e.errno != 2:
            raise
        return None
    return s.digest()
"""
HASH_ROM = """
import vfs, hashlib
s = hashlib.sha256()
r = vfs.rom_ioctl(2, 0)
for i in range({start}, {end}, 1024):
    s.update(r[i:min(i + 1024, {end})])
print(repr(s.digest()))
"""
REMOVE = """
import os
def rm(path):
    try:
        if os.stat(path)[0] & 0x4000:
            for e in os.listdir(path):
                rm(path + '/' + e)
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError as e:
        if e.errno != 2:
            raise
rm({path!r})
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What answers: `mpy` is sys.implementation._mpy, `rom_size` the ROMFS partition (0: none), `free` bytes of the file system (-1: none)."""

    platform: str
    release: str
    mpy: int
    rom_size: int
    free: int
    device_id: str


class _Counter(io.StringIO):
    """Takes what mpremote's romfs command prints, and tells how far it is."""

    def __init__(self, say: Say, total: int) -> None:
        super().__init__()
        self._say, self._total = say, total

    def write(self, text: str) -> int:
        """A piece of its output."""
        done = text.rpartition("Writing at offset ")[2].strip() if "Writing at" in text else ""
        if done.isdigit():
            self._say.progress("application", int(done), self._total)
        return len(text)


class Device:
    """A board that is held at its raw prompt. Use it as a context manager: at the end, whatever happened, it restarts, unless `held`."""

    def __init__(self, transport: SerialTransport, say: Say) -> None:
        self.transport = transport
        self.say = say
        self.held = False
        self.facts = self._facts()

    @classmethod
    def at(cls, port: str | None, say: Say, wait_s: float) -> Device:
        """The board at `port`, once it answers. Raises CableError, DeviceError."""
        transport = open_port(port)
        try:
            Knock(transport, say, wait_s).until_prompt()
            return cls(transport, say)
        except BaseException:
            with contextlib.suppress(OSError):
                transport.close()
            raise

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(CableError):  # it may be gone; what was to be said about that has been said
            if self.held:
                self.transport.exit_raw_repl()
            elif self.transport.in_raw_repl:
                self.restart()
        with contextlib.suppress(OSError):
            self.transport.close()

    # --- asking

    def run(self, code: str, what: str, patience_s: float = 10) -> str:
        """Run code on the board; what it printed. `what` says in an error what was being done; `patience_s` is how long the code may be silent."""
        with spoken(what):
            printed, error = self.transport.exec_raw(code, timeout=patience_s)
            if error:
                raise TransportExecError(printed, error.decode(errors="replace"))
            return bytes(printed).decode()

    def value(self, code: str, what: str, patience_s: float = 10) -> Any:
        """Run code that prints one literal; the literal."""
        text = self.run(code, what, patience_s)
        with spoken(what):
            return ast.literal_eval(text.strip())

    def _facts(self) -> Facts:
        platform, release, mpy, rom_size, free, unique_id = self.value(FACTS, "asking what it is")
        return Facts(platform, release, mpy, rom_size, free, unique_id.hex())

    def check_kind(self, mpy_version: int) -> None:
        """Raises DeviceError unless this is an ESP8266 with a MicroPython that runs our application from ROMFS."""
        facts = self.facts
        if facts.platform != "esp8266":
            raise DeviceError(f"this board is a {facts.platform}, not an esp8266: is it the right port?")
        if facts.rom_size < ROM_SECTOR:
            raise DeviceError(
                f"this MicroPython {facts.release} was built without ROMFS, so the application has no place: "
                "flash the FLASH_2M_ROMFS build with `flash --image FILE --sha256 HEX`"
            )
        if facts.mpy & 0xFF != mpy_version:
            raise DeviceError(
                f"this MicroPython {facts.release} reads .mpy version {facts.mpy & 0xFF}, the application is version {mpy_version}: "
                "flash MicroPython 1.25 or later"
            )

    def hash(self, path: str) -> str | None:
        """SHA-256 of a file, or None where there is none."""
        digest = self.value(HASH + f"print(repr(h({path!r})))", f"comparing {path}")
        return None if digest is None else digest.hex()

    def hash_rom(self, size: int, slot: int = 0) -> str:
        """SHA-256 of the first `size` bytes of a slot of the ROMFS partition."""
        start = slot * SLOT_BYTES
        code = HASH_ROM.format(start=start, end=min(start + size, self.facts.rom_size))
        return str(self.value(code, "comparing the application").hex())

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is none."""
        if self.hash(path) is None:  # fs_exists would take a dead cable for a missing file
            return None
        with spoken(f"reading {path}"):
            return bytes(self.transport.fs_readfile(path))

    # --- changing

    def check_room(self, wanted: int) -> None:
        """Raises DeviceError before anything is written when `wanted` bytes would not fit."""
        if self.facts.free < 0:
            raise DeviceError("the board's file system does not mount: give `flash --erase --image FILE --sha256 HEX`")
        if self.facts.free < wanted + ROOM_LEFT:
            names = self.run("import os\nprint(' '.join(os.listdir('/')))", "listing its files").strip()
            raise DeviceError(
                f"the board's file system has {self.facts.free} bytes free, {wanted + ROOM_LEFT} are needed: remove what is not this "
                f"firmware's (mpremote resume rm :NAME); on it are: {names}"
            )

    def put_new(self, path: str, data: bytes) -> None:
        """Write `data` beside `path`, as PATH.new, and compare it."""
        new = path + ".new"
        with spoken(f"writing {path}"):
            self.transport.fs_writefile(
                new, data, progress_callback=lambda done, total: self.say.progress(path, done, total)
            )
        if self.hash(new) != hashlib.sha256(data).hexdigest():
            raise DeviceError(
                f"{path} came out differently on the board: its flash or the cable is bad; try once more, at another port"
            )

    def put(self, path: str, data: bytes) -> bool:
        """Make `path` hold `data`; False when it did already. The old content stands until the new is whole."""
        if self.hash(path) == hashlib.sha256(data).hexdigest():
            return False
        self.put_new(path, data)
        self.rename_new(path)
        return True

    def rename_new(self, *paths: str) -> None:
        """Let each PATH.new take its place, one right after the other."""
        renames = "".join(f"os.rename({path + '.new'!r}, {path!r})\n" for path in paths)
        self.run("import os\n" + renames, f"putting {' and '.join(paths)} in place")

    def remove(self, path: str) -> None:
        """Remove a file or folder; no matter if it is not there."""
        self.run(REMOVE.format(path=path), f"removing {path}")

    def put_rom(self, image: bytes) -> None:
        """Write slot 0, the start of the ROMFS partition, by mpremote's own command. A cut leaves it half written: nothing may import from it then."""
        if len(image) > SLOT_BYTES or self.facts.rom_size < 2 * SLOT_BYTES:
            raise DeviceError(
                f"the application has {len(image)} bytes and a slot {SLOT_BYTES}, this board's ROMFS {self.facts.rom_size}: flash the FLASH_2M_ROMFS build"
            )
        state = State()
        state.transport, state._auto_soft_reset = self.transport, False
        with tempfile.TemporaryDirectory() as folder, spoken("writing the application"):
            path = Path(folder) / "application.romfs"
            path.write_bytes(image)
            with contextlib.redirect_stdout(_Counter(self.say, len(image))):
                try:
                    do_romfs(state, Namespace(command=["deploy"], path=str(path), partition=0, mpy=True))
                except (CommandError, SystemExit) as error:
                    raise CableError(f"the application could not be written: {error}") from error
        if self.hash_rom(len(image)) != hashlib.sha256(image).hexdigest():
            raise DeviceError("the application came out differently on the board: give the same command again")

    def restart(self) -> None:
        """Reset the chip: it boots, closes its valves and runs what is on it."""
        with spoken("restarting"):
            self.transport.exec_raw_no_follow("import machine\nmachine.reset()")
            self.transport.in_raw_repl = False
