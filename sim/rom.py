"""The ROMFS partition of a chip's flash, as far as CPython needs it: two slots for images. (On the real interpreter the whole flash is there:
sim/remote/image.py.)

Rule: NOR flash: erasing sets a sector's bits, writing only clears them. A cut in the middle of a step leaves it half done. What an image holds is not known
here; `placeholder` makes one that mounts and runs nothing.
"""

from collections.abc import Callable
from typing import overload

SECTOR, SIZE, SLOT_BYTES = 4096, 0x50000, 0x28000
MAGIC = b"\xd2\xcd\x31"  # what every ROMFS image begins with
_ERASED = b"\xff"


def placeholder(text: str = "as delivered", size: int = 64) -> bytes:
    """An image of `size` bytes (64 to 163 840, a multiple of 4) that is as good as any other to what mounts it, with a word in it."""
    inside = size - 6
    head = MAGIC + bytes((inside >> 14 | 0x80, inside >> 7 & 0x7F | 0x80, inside & 0x7F))
    filler = (text.encode() + b"\n") * (inside // (len(text) + 1) + 1)
    return head + filler[:inside]


class View:
    """A part of the partition, as the port shows it: sliced without a copy, always what the flash holds now."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("length", "offset", "rom")

    def __init__(self, rom: Rom, offset: int, length: int) -> None:
        self.rom = rom
        self.offset = offset
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __buffer__(self, _flags: int) -> memoryview:
        return memoryview(self.rom.content)[self.offset : self.offset + self.length]

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> View: ...
    def __getitem__(self, key: int | slice) -> int | View:
        if isinstance(key, slice):
            start, stop, _ = key.indices(self.length)
            return View(self.rom, self.offset + start, max(0, stop - start))
        return memoryview(self)[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes | View) and bytes(self) == bytes(other)


def mounts(image: bytes | View) -> bool:
    """Would the port take it for a ROMFS image? By its first bytes and its length."""
    if bytes(image[:3]) != MAGIC:
        return False
    length = 0
    for at in range(3, 9):
        length = length << 7 | image[at] & 0x7F
        if not image[at] & 0x80:
            return at + 1 + length <= len(image)
    return False


def partition(image: bytes) -> bytes:
    """A partition with `image` in slot 0, and nothing behind it."""
    return image.ljust(SIZE, _ERASED)


DELIVERED = placeholder()
_AS_DELIVERED = partition(DELIVERED)  # shared by all boards that are never updated


class Rom:
    """The partition's bytes. `erases` counts per sector; `step` is told of each step before it is made, and may raise: then it is half made."""

    __slots__ = ("content", "erases", "step")

    def __init__(self) -> None:
        self.content: bytes | bytearray = _AS_DELIVERED
        self.erases: dict[int, int] = {}
        self.step: Callable[[str, str], None] | None = None

    def view(self) -> View:
        """All of it, as the port shows it."""
        return View(self, 0, SIZE)

    def image(self, slot: int, size: int) -> bytes:
        """The first bytes of a slot."""
        return bytes(self.content[slot * SLOT_BYTES : slot * SLOT_BYTES + size])

    def put(self, slot: int, image: bytes) -> None:
        """Fill a slot, as somebody at a cable would."""
        start = slot * SLOT_BYTES
        self._own()[start : start + SLOT_BYTES] = image.ljust(SLOT_BYTES, _ERASED)

    def erase(self, sector: int) -> None:
        """Erase one of the partition's own sectors (from 0)."""
        self._do("erase", f"rom sector {sector}", sector * SECTOR, _ERASED * SECTOR, clears=False)
        self.erases[sector] = self.erases.get(sector, 0) + 1

    def write(self, offset: int, data: bytes) -> None:
        """Clear bits."""
        self._do("program", f"rom {offset}", offset, data, clears=True)

    def _own(self) -> bytearray:
        if not isinstance(self.content, bytearray):
            self.content = bytearray(self.content)
        return self.content

    def _do(self, what: str, where: str, offset: int, data: bytes, *, clears: bool) -> None:
        content = self._own()

        def apply(part: bytes) -> None:
            end = offset + len(part)
            if clears:
                before = int.from_bytes(content[offset:end], "little")
                part = (before & int.from_bytes(part, "little")).to_bytes(len(part), "little")
            content[offset:end] = part

        try:
            if self.step is not None:
                self.step(what, where)
        except BaseException:
            apply(data[: len(data) // 2])
            raise
        apply(data)
