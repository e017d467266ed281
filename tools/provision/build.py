"""What belongs on a board: the start files for its file system, and the application for its ROMFS partition.

Rule: built from this checkout, every time; nothing of it is kept.
"""

from dataclasses import dataclass
from pathlib import Path

from sim.provision import FIRMWARE
from tools.micropython.package import CompileError, build
from tools.provision.errors import SettingsError

MAIN, BOOT, CLOSER = "/main.py", "/boot.py", "/closer.mpy"
SHADOWS = (
    "/closer.py",
    "/sprinkler",
    "/lib/sprinkler",
    "/lib/closer.py",
    "/lib/closer.mpy",
    "/closer",
    "/boot.mpy",
)  # found before ours
PACKAGE = "package.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """The files by their path on the board, and the ROMFS image. `mpy_version` is what the interpreter must read."""

    files: dict[str, bytes]
    rom: bytes
    mpy_version: int


def parts(firmware: Path = FIRMWARE) -> Parts:
    """Build them. Raises SettingsError when this checkout cannot be built."""
    try:
        made = build(firmware)
    except (CompileError, OSError) as error:
        raise SettingsError(f"this checkout cannot be built: {error}") from error
    files = {CLOSER: made.closer, BOOT: (firmware / "boot.py").read_bytes(), MAIN: (firmware / "main.py").read_bytes()}
    return Parts(files, made.romfs, made.closer[1])


def save(folder: Path, made: Parts) -> list[Path]:
    """Write them into a folder, for plain mpremote. Raises SettingsError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in {**made.files, "/application.romfs": made.rom}.items():
            written.append(folder / path.strip("/"))
            written[-1].write_bytes(data)
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error
    return written
