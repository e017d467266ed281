"""Little flash: the board's files on a real LittleFS, whose every erased block and programmed page is written down, so that the power can go at each.

Rule: NOR flash. Programming only clears bits, erasing sets them; a step that is cut off is left undone, half done, or done bit by bit at random. The file
system is LittleFS itself (littlefs-python), with the sizes that MicroPython's VfsLfs2 takes on this board.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from littlefs import LittleFS, LittleFSError
from littlefs.context import UserContext

from sim.flash import EISDIR, ENOENT, Flash

BLOCK, BLOCKS = 4096, 48  # the board has 768; a small one comes round sooner
SIZES = {
    "block_size": BLOCK,
    "block_count": BLOCKS,
    "read_size": 32,
    "prog_size": 32,
    "cache_size": 128,
    "lookahead_size": 32,
}
WAYS = ("undone", "half", "bits")  # how a step may be left


class Step(NamedTuple):
    """One thing that the flash was told: erase a block (`data` None) or program bytes from `start` on. `act` counts the file operations."""

    start: int
    data: bytes | None
    act: int
    mark: Any


class Chip(UserContext):
    """The flash below the file system."""

    def __init__(self, image: bytearray) -> None:
        super().__init__(buffer=image)
        self.steps: list[Step] = []
        self.act = 0
        self.mark: Any = lambda: None

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
        start = block * BLOCK + off
        return self.buffer[start : start + size]

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        self._do(Step(block * BLOCK + off, bytes(data), self.act, self.mark()))
        return 0

    def erase(self, cfg: Any, block: int) -> int:
        self._do(Step(block * BLOCK, None, self.act, self.mark()))
        return 0

    def _do(self, step: Step) -> None:
        self.steps.append(step)
        apply(self.buffer, step)


def apply(image: bytearray, step: Step) -> None:
    """Do a step as a whole."""
    if step.data is None:
        image[step.start : step.start + BLOCK] = b"\xff" * BLOCK
    else:
        end = step.start + len(step.data)
        before = int.from_bytes(image[step.start : end], "little")
        image[step.start : end] = (before & int.from_bytes(step.data, "little")).to_bytes(len(step.data), "little")


def cut(image: bytearray, step: Step, way: str, chance: Random) -> None:
    """Leave a step as a loss of power leaves it."""
    length = BLOCK if step.data is None else len(step.data)
    if way == "half":
        done = step._replace(data=None if step.data is None else step.data[: length // 2])
        if step.data is None:
            image[step.start : step.start + BLOCK // 2] = b"\xff" * (BLOCK // 2)
        else:
            apply(image, done)
    elif way == "bits":
        noise = int.from_bytes(chance.randbytes(length), "little")
        end = step.start + length
        before = int.from_bytes(image[step.start : end], "little")
        after = before | noise if step.data is None else before & (int.from_bytes(step.data, "little") | noise)
        image[step.start : end] = after.to_bytes(length, "little")


class _Files(Mapping[str, bytes]):
    """What the file system holds, by absolute path."""

    def __init__(self, system: LittleFS) -> None:
        self._system = system

    def __getitem__(self, path: str) -> bytes:
        try:
            with self._system.open(path, "rb") as file:
                return bytes(file.read())
        except LittleFSError, OSError:
            raise KeyError(path) from None

    def __iter__(self) -> Iterator[str]:
        for folder, _, names in self._system.walk("/"):
            for name in names:
                yield folder.rstrip("/") + "/" + name

    def __len__(self) -> int:
        return sum(1 for _ in self)


class LittleFlash(Flash):
    """A board's flash on LittleFS. `acts` holds the files before and after each operation; `chip.steps` what the flash was told."""

    __slots__ = ("_system", "acts", "chip")

    def __init__(self, image: bytes | None = None) -> None:
        super().__init__()
        self.chip = Chip(bytearray(image) if image is not None else bytearray(b"\xff" * BLOCK * BLOCKS))
        self._system = LittleFS(context=self.chip, mount=False, **SIZES)
        if image is None:
            self._system.format()
        self._system.mount()
        self.files = _Files(self._system)  # type: ignore[assignment]  # read only: what is written comes by the operations
        self.acts: list[tuple[dict[str, bytes], dict[str, bytes]]] = []

    @property
    def folders(self) -> set[str]:  # type: ignore[override]
        found = {"/"}
        for folder, names, _ in self._system.walk("/"):
            found |= {folder.rstrip("/") + "/" + name for name in names}
        return found

    @folders.setter
    def folders(self, folders: set[str]) -> None:
        """A new flash has none."""

    def _acts(self, what: str, path: str, act: Any) -> None:
        self._step(what, path)
        before = dict(self.files)
        self.chip.act = len(self.acts)
        try:
            act()
        except LittleFSError as error:
            raise OSError(-error.code, path) from None
        self.acts.append((before, dict(self.files)))

    def write(self, path: str, data: bytes) -> None:
        def act() -> None:
            with self._system.open(path, "wb") as file:
                file.write(data)

        self._acts("write", path, act)
        self.bytes_written += len(data)

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise OSError(EISDIR if path in self.folders else ENOENT, path) from None

    def rename(self, old: str, new: str) -> None:
        self.size(old)
        self._acts("rename", new, lambda: self._system.rename(old, new))

    def remove(self, path: str) -> None:
        self.size(path)
        self._acts("remove", path, lambda: self._system.remove(path))

    def mkdir(self, path: str) -> None:
        self._acts("mkdir", path, lambda: self._system.mkdir(path))

    def listdir(self, path: str) -> list[str]:
        try:
            return sorted(self._system.listdir(path))
        except LittleFSError as error:
            raise OSError(-error.code, path) from None

    def size(self, path: str) -> int | None:
        try:
            found = self._system.stat(path)
        except LittleFSError as error:
            raise OSError(-error.code, path) from None
        return None if found.type == 2 else found.size

    @property
    def image(self) -> bytes:
        """The flash as it is."""
        return bytes(self.chip.buffer)
