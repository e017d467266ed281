"""The chip's flash as the interpreter maps it: a file with sectors that wear, and the moment at which the power goes.

Rule: NOR flash. Erasing sets a sector's bits, writing only clears them. Where the parts lie is decided by MicroPython's 2 MB ROMFS
layout (boards/esp8266_2MiB_ROMFS.ld); what the file system in it means is MicroPython's own business, so files are put and read by it.
"""

import mmap
from pathlib import Path
from types import TracebackType

from sim.errors import FileError, PowerLoss
from sim.remote.interpreter import run_script

SECTOR = 4096
ROMFS_START, ROMFS_SIZE = 0xB0000, 0x50000
FILES_START = 0x100000
SIZE = 4 * 1024 * 1024  # a Feather HUZZAH's
TOOL_HEAP = 8 * 1024 * 1024  # for scripts that stand for tools, not for the board

MOUNT = """
import vfs
from flashbdev import bdev
try:
    vfs.mount(bdev, "/")
except OSError:
    vfs.VfsLfs2.mkfs(bdev)
    vfs.mount(bdev, "/")
"""
PUT = """
import os
def put(path, data):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)
    with open(path, "wb") as file:
        file.write(data)
"""
LIST = """
import os, binascii
def walk(folder):
    for entry in os.ilistdir(folder):
        path = folder + entry[0]
        if entry[1] & 0x4000:
            walk(path + "/")
        else:
            with open(path, "rb") as file:
                print(path, binascii.hexlify(file.read()).decode())
walk("/")
"""


class FlashImage:
    """A flash image in `path`, made (erased) when it does not exist. `erases` counts per sector.

    A fault: with `cut_at` = n, the n-th step from now (a sector erased or a page written) is left half done and raises PowerLoss.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.erases = [0] * (SIZE // SECTOR)
        self.steps = 0
        self.bytes_written = 0
        self.cut_at: int | None = None
        try:
            if not path.exists():
                path.write_bytes(b"\xff" * SIZE)
            with path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), 0)
        except (OSError, ValueError) as error:
            raise FileError(f"cannot use {path} as a flash image: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._memory.close()

    def __enter__(self) -> FlashImage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- what the chip can do

    def _cut(self) -> bool:
        self.steps += 1
        if self.cut_at is None:
            return False
        self.cut_at -= 1
        if self.cut_at > 0:
            return False
        self.cut_at = None
        return True

    def erase(self, sector: int) -> None:
        """Set all bits of a sector. Raises OSError outside of the chip, PowerLoss when a cut is due."""
        if not 0 <= sector < len(self.erases):
            raise OSError(5, "no such sector")
        cut = self._cut()
        length = SECTOR // 2 if cut else SECTOR
        self._memory[sector * SECTOR : sector * SECTOR + length] = b"\xff" * length
        self.erases[sector] += 1
        if cut:
            raise PowerLoss

    def write(self, offset: int, data: bytes) -> None:
        """Clear bits. Raises OSError outside of the chip, PowerLoss when a cut is due."""
        if offset < 0 or offset + len(data) > len(self._memory):
            raise OSError(5, "outside of the flash")
        cut = self._cut()
        if cut:
            data = data[: len(data) // 2]
        before = int.from_bytes(self._memory[offset : offset + len(data)], "little")
        after = before & int.from_bytes(data, "little")
        self._memory[offset : offset + len(data)] = after.to_bytes(len(data), "little")
        self.bytes_written += len(data)
        if cut:
            raise PowerLoss

    # --- what a person at a cable can do

    def put_romfs(self, romfs: bytes) -> None:
        """Replace the ROMFS partition's content by an image (`make_romfs`), which MicroPython mounts at /rom."""
        if len(romfs) > ROMFS_SIZE:
            raise FileError(f"the ROMFS image has {len(romfs)} bytes and its partition {ROMFS_SIZE}; leave modules out")
        self._memory[ROMFS_START : ROMFS_START + ROMFS_SIZE] = romfs.ljust(ROMFS_SIZE, b"\xff")

    def put_files(self, files: dict[str, bytes]) -> None:
        """Write files (by absolute path) into the file system, which is made when there is none."""
        puts = [f"put({path!r}, {data!r})\n" for path, data in files.items()]
        run_script(MOUNT + PUT + "".join(puts), image=self.path, heap=TOOL_HEAP, mount=False).check()

    def files(self) -> dict[str, bytes]:
        """All files of the file system by absolute path."""
        listed = run_script(
            MOUNT + "vfs.umount('/rom')\n" * self._has_romfs() + LIST, image=self.path, heap=TOOL_HEAP, mount=False
        )
        lines = (line.split(" ") for line in listed.check().splitlines())
        return {path: bytes.fromhex(content) for path, content in lines}

    def _has_romfs(self) -> bool:
        return self._memory[ROMFS_START : ROMFS_START + 3] == b"\xd2\xcd\x31"
