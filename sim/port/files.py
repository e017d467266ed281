"""Stand-ins for `open` and `os` over the chip's flash."""

import io
from typing import Any

from sim import flash
from sim.port.session import Session

ERASE_US = 20_000  # a writing step keeps the processor busy for about this long; interrupts wait


class _Binary(io.BytesIO):
    """An open file: what was written reaches the flash at flush() and close()."""

    def __init__(self, session: Session, path: str, data: bytes, *, writes: bool, appends: bool) -> None:
        super().__init__(data)
        self._session = session
        self._path = path
        self._writes = writes
        self._dirty = False
        if appends:
            self.seek(0, io.SEEK_END)

    def write(self, data: object) -> int:
        if not self._writes:
            raise OSError(22, "not open for writing")
        self._session.enter("write")
        self._dirty = True
        return super().write(data)  # type: ignore[arg-type]

    def flush(self) -> None:
        if self._dirty:
            self._dirty = False
            self._session.enter("flash.write")
            self._session.block(ERASE_US)
            self._session.chip.flash.write(self._path, self.getvalue())
            self._session.enter("flash.written")

    def close(self) -> None:
        if not self.closed:
            try:
                self.flush()
            finally:
                super().close()

    def __del__(self) -> None:
        """A file that was never closed loses what was not flushed."""
        self._dirty = False


class _Text:
    """The same in text mode."""

    def __init__(self, binary: _Binary) -> None:
        self._binary = binary

    def read(self, count: int = -1) -> str:
        return self._binary.read(count).decode()

    def readline(self) -> str:
        return self._binary.readline().decode()

    def write(self, text: str) -> int:
        return self._binary.write(text.encode())

    def flush(self) -> None:
        self._binary.flush()

    def close(self) -> None:
        self._binary.close()

    def __enter__(self) -> _Text:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Files:
    """`open` of one boot: call `Files(session).open`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, path: str, mode: str = "r", **_: object) -> Any:
        """Open a file of the board's flash: bytes or text, as `mode` says."""
        session = self._session
        session.enter("open")
        store = session.chip.flash
        kind = mode.replace("b", "").replace("t", "")
        if kind not in ("r", "w", "a", "r+", "w+", "a+"):
            raise ValueError(f"invalid mode: {mode}")
        if kind[0] == "r" or (kind[0] == "a" and path in store.files):
            data = store.read(path)
        else:
            data = b""
        binary = _Binary(session, path, data, writes=kind != "r", appends=kind[0] == "a")
        if kind[0] == "w":
            binary._dirty = True
        return binary if "b" in mode else _Text(binary)


class OsModule:
    """Stands in for `os`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def _writes(self, what: str) -> flash.Flash:
        self._session.enter("flash." + what)
        self._session.block(ERASE_US)
        return self._session.chip.flash

    def rename(self, old: str, new: str) -> None:
        """Move a file, replacing what `new` was."""
        self._writes("rename").rename(old, new)
        self._session.enter("flash.renamed")

    def remove(self, path: str) -> None:
        """Delete a file or an empty folder."""
        self._writes("remove").remove(path)
        self._session.enter("flash.removed")

    unlink = remove
    rmdir = remove

    def mkdir(self, path: str) -> None:
        """Make a folder."""
        self._writes("mkdir").mkdir(path)

    def listdir(self, path: str = "/") -> list[str]:
        """Names in a folder."""
        self._session.enter("listdir")
        return self._session.chip.flash.listdir(path)

    def ilistdir(self, path: str = "/") -> list[tuple[str, int, int, int]]:
        """(name, type, 0, size) of what is in a folder."""
        store = self._session.chip.flash
        start = path.rstrip("/") + "/"
        rows = []
        for name in self.listdir(path):
            size = store.size(start + name)
            rows.append((name, 0x4000 if size is None else 0x8000, 0, size or 0))
        return rows

    def stat(self, path: str) -> tuple[int, int, int, int, int, int, int, int, int, int]:
        """Like the port's: type, zeros, size, zeros."""
        self._session.enter("stat")
        size = self._session.chip.flash.size(path)
        return (0x4000 if size is None else 0x8000, 0, 0, 0, 0, 0, size or 0, 0, 0, 0)

    def statvfs(self, path: str) -> tuple[int, int, int, int, int, int, int, int, int, int]:  # noqa: ARG002 - one file system
        """Block size, sizes in blocks, free blocks."""
        store = self._session.chip.flash
        free = (store.capacity - sum(map(len, store.files.values()))) // 4096
        return (4096, 4096, store.capacity // 4096, free, free, 0, 0, 0, 0, 255)

    def sync(self) -> None:
        """Nothing is held back."""

    def getcwd(self) -> str:
        """Always the root."""
        return "/"

    def urandom(self, count: int) -> bytes:
        """Random bytes."""
        self._session.enter("urandom")
        return self._session.chip.entropy(count)

    def uname(self) -> tuple[str, str, str, str, str]:
        """What the interpreter says of itself."""
        return ("esp8266", "esp8266", "2.2.0-dev(9422289)", "v1.29.0 (simulated)", "ESP module with ESP8266")
