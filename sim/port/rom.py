"""Stand-ins for `vfs`, `uctypes` and the flash calls of `esp`, over the chip's ROMFS partition.

Rule: what the ESP8266's port does (ports/esp8266/vfs_rom_ioctl.c): one partition, its view mapped in flash, erased from its start or sector by sector,
written in words.
"""

from sim import rom
from sim.port.session import Session

ENODEV, EINVAL, EPERM = 19, 22, 1
FLASH_BASE, PARTITION_START = 0x40200000, 0xB0000
ERASE_US, PROGRAM_US = 60_000, 700  # a sector, 256 bytes: what a data sheet calls typical


class Image:
    """Stands in for a `VfsRom` object; `offset` is where in the partition it lies."""

    __slots__ = ("offset",)

    def __init__(self, offset: int) -> None:
        self.offset = offset


class VfsModule:
    """Stands in for `vfs`. `mounted` says what is mounted where, by its offset in the partition."""

    __slots__ = ("_session", "mounted")

    def __init__(self, session: Session, path: list[str]) -> None:
        self._session = session
        self.mounted: dict[str, int] = {}
        if rom.mounts(session.chip.rom.view()):  # the port does so before any file runs
            self.mounted["/rom"] = 0
            path += ["/rom", "/rom/lib"]

    def VfsRom(self, image: rom.View) -> Image:  # noqa: N802 - the port's name
        """A file system in `image`, or OSError."""
        self._session.enter("vfs.rom")
        if not rom.mounts(image):
            raise OSError(ENODEV)
        return Image(image.offset)

    def mount(self, image: Image, where: str) -> None:
        """Mount it; EPERM where something is mounted already."""
        self._session.enter("vfs.mount")
        if where in self.mounted:
            raise OSError(EPERM)
        self.mounted[where] = image.offset

    def umount(self, where: str) -> None:
        """Unmount it; EINVAL where nothing is."""
        self._session.enter("vfs.umount")
        if self.mounted.pop(where, None) is None:
            raise OSError(EINVAL)

    def rom_ioctl(self, request: int, _segment: int = 0, *more: object) -> rom.View | int:
        """1: how many partitions; 2: a view of it; 3: erase from its start; 4: write."""
        self._session.enter("vfs.rom_ioctl")
        partition = self._session.chip.rom
        if request == 1:
            return 1
        if request == 2:
            return partition.view()
        if request == 3 and isinstance(more[0], int):
            for sector in range(-(-more[0] // rom.SECTOR)):
                _erase(self._session, sector)
            return 4
        if request == 4 and isinstance(more[0], int):
            data = bytes(more[1])  # type: ignore[call-overload]
            self._session.enter("flash.program")
            self._session.block(PROGRAM_US * (len(data) // 256 + 1))
            partition.write(more[0], data + b"\xff" * (-len(data) % 4))
            self._session.enter("flash.programmed")
            return 0
        return -EINVAL


def _erase(session: Session, sector: int) -> None:
    session.enter("flash.erase")
    session.block(ERASE_US)
    session.chip.rom.erase(sector)
    session.enter("flash.erased")


def erase_sector(session: Session, sector: int) -> None:
    """`esp.flash_erase`, which counts sectors from the start of the chip. Only the ROMFS partition is there to be erased."""
    own = sector - PARTITION_START // rom.SECTOR
    if not 0 <= own < rom.SIZE // rom.SECTOR:
        raise OSError(5)
    _erase(session, own)


class UctypesModule:
    """Stands in for `uctypes`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def addressof(self, view: rom.View) -> int:
        """Where the partition's view is mapped."""
        self._session.enter("uctypes.addressof")
        if len(view) != rom.SIZE:
            raise TypeError("only the whole partition has an address here")
        return FLASH_BASE + PARTITION_START
