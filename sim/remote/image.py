"""The chip's flash as the interpreter maps it: a file with sectors that wear, and the moment at which the power goes.

Rule: NOR flash. Erasing sets a sector's bits, writing only clears them. Where the parts lie is decided by MicroPython's 2 MB ROMFS
layout (boards/esp8266_2MiB_ROMFS.ld); what the file system in it means is MicroPython's own business, so files are put and read by it.
"""

import mmap
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from types import TracebackType

from sim.errors import FileError, PowerLoss
from sim.flash import Flash
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
        self.on_write: Callable[[int, str, str], None] | None = None  # told of each step; may raise
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
        if self.on_write is not None:
            self.on_write(self.steps, "write", "")
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

    def romfs(self) -> bytes:
        """What is in the partition, without what is erased behind it."""
        return self._memory[ROMFS_START : ROMFS_START + ROMFS_SIZE].rstrip(b"\xff")

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

    def remove_file(self, path: str) -> None:
        """Delete a file from the file system."""
        run_script(f"{MOUNT}import os\nos.remove({path!r})", image=self.path, heap=TOOL_HEAP, mount=False).check()

    def _has_romfs(self) -> bool:
        return self._memory[ROMFS_START : ROMFS_START + 3] == b"\xd2\xcd\x31"


class ImageFiles(MutableMapping[str, bytes]):
    """The files of an image as a mapping by absolute path; only while no board runs from it, or sleeps."""

    def __init__(self, image: FlashImage) -> None:
        self._image = image

    def __getitem__(self, path: str) -> bytes:
        return self._image.files()[path]

    def __setitem__(self, path: str, data: bytes) -> None:
        self._image.put_files({path: data})

    def __delitem__(self, path: str) -> None:
        if path not in self._image.files():
            raise KeyError(path)
        self._image.remove_file(path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._image.files())

    def __len__(self) -> int:
        return len(self._image.files())


class ImageFlash(Flash):
    """An image where a chip's flash is asked for: its files, how often it was written, and `on_write`."""

    def __init__(self, image: FlashImage) -> None:
        self._image = image
        super().__init__()
        self.files = ImageFiles(image)  # type: ignore[assignment]  # as good as a dict

    @property
    def steps(self) -> int:
        """Sectors erased and pages written."""
        return self._image.steps

    @steps.setter
    def steps(self, _steps: int) -> None:
        pass  # the image counts

    @property
    def on_write(self) -> Callable[[int, str, str], None] | None:
        """See `FlashImage`."""
        return self._image.on_write

    @on_write.setter
    def on_write(self, callback: Callable[[int, str, str], None] | None) -> None:
        self._image.on_write = callback
