"""The board's file system: what littlefs promises, and the moment at which the power goes.

Rule: a file's new content counts from the `close` or `flush` that writes it, as a whole; a rename replaces as a whole. `on_write` is called before
every such step with its number and what it is ("write", "rename", "remove", "mkdir"), and may cut the power there. With a `folder` every step is also
made in that folder of the host.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

from sim.errors import FileError

ENOENT, EIO, EEXIST, ENOTDIR, EISDIR, ENOSPC, ENOTEMPTY = 2, 5, 17, 20, 21, 28, 39
CAPACITY = 1_000_000


def _normal(path: str) -> str:
    parts = [part for part in path.split("/") if part and part != "."]
    return "/" + "/".join(parts)


class Flash:
    """Files by absolute path. `steps` counts writing steps, `bytes_written` what they wrote."""

    __slots__ = ("bytes_written", "capacity", "files", "folder", "folders", "on_write", "steps", "unreadable")

    def __init__(self, folder: Path | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = {"/"}
        self.capacity = CAPACITY
        self.steps = 0
        self.bytes_written = 0
        self.on_write: Callable[[int, str, str], None] | None = None
        self.unreadable: set[str] = set()  # a fault: reading these fails
        self.folder = folder
        if folder is not None:
            self._load(folder)

    def _load(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in sorted(folder.rglob("*")):
                name = "/" + path.relative_to(folder).as_posix()
                if path.is_dir():
                    self.folders.add(name)
                elif path.is_file() and not name.endswith(".part"):
                    self.files[name] = path.read_bytes()
        except OSError as error:
            raise FileError(f"cannot use {folder} as the board's flash: {error.strerror}") from error

    def _step(self, what: str, path: str) -> None:
        self.steps += 1
        if self.on_write is not None:
            self.on_write(self.steps, what, path)

    def write(self, path: str, data: bytes) -> None:
        """Give `path` the content `data`, as a whole."""
        path = _normal(path)
        if path in self.folders:
            raise OSError(EISDIR, path)
        if path.rpartition("/")[0] not in self.folders and path.count("/") > 1:
            raise OSError(ENOENT, path)
        if sum(map(len, self.files.values())) - len(self.files.get(path, b"")) + len(data) > self.capacity:
            raise OSError(ENOSPC, path)
        self._step("write", path)
        self.files[path] = data
        self.bytes_written += len(data)
        if self.folder is not None:
            target = self.folder / path[1:]
            part = target.with_name(target.name + ".part")
            part.touch(mode=0o600)
            part.write_bytes(data)
            part.replace(target)

    def read(self, path: str) -> bytes:
        """The content of `path`."""
        path = _normal(path)
        if path in self.unreadable:
            raise OSError(EIO, path)
        try:
            return self.files[path]
        except KeyError:
            raise OSError(EISDIR if path in self.folders else ENOENT, path) from None

    def rename(self, old: str, new: str) -> None:
        """Move a file, replacing what `new` was."""
        old, new = _normal(old), _normal(new)
        data = self.read(old)
        self._step("rename", new)
        self.files[new] = data
        if old != new:
            del self.files[old]
        if self.folder is not None:
            (self.folder / old[1:]).replace(self.folder / new[1:])

    def remove(self, path: str) -> None:
        """Delete a file, or an empty folder."""
        path = _normal(path)
        if path in self.folders and path != "/":
            if any(name.startswith(path + "/") for name in (*self.files, *self.folders)):
                raise OSError(ENOTEMPTY, path)
            self._step("remove", path)
            self.folders.discard(path)
        else:
            self.read(path)
            self._step("remove", path)
            del self.files[path]
        if self.folder is not None:
            target = self.folder / path[1:]
            with contextlib.suppress(OSError):
                target.rmdir() if target.is_dir() else target.unlink()

    def mkdir(self, path: str) -> None:
        """Make a folder."""
        path = _normal(path)
        if path in self.folders or path in self.files:
            raise OSError(EEXIST, path)
        self._step("mkdir", path)
        self.folders.add(path)
        if self.folder is not None:
            (self.folder / path[1:]).mkdir(mode=0o700, exist_ok=True)

    def listdir(self, path: str) -> list[str]:
        """Names in a folder."""
        path = _normal(path)
        if path not in self.folders:
            raise OSError(ENOTDIR if path in self.files else ENOENT, path)
        start = path if path == "/" else path + "/"
        names = {name[len(start) :].split("/")[0] for name in (*self.files, *self.folders) if name.startswith(start)}
        return sorted(names - {""})

    def size(self, path: str) -> int | None:
        """Size of a file in bytes, or None for a folder."""
        path = _normal(path)
        return None if path in self.folders else len(self.read(path))
