"""What belongs on a board: the start files for its file system, and the application for its ROMFS partition.

Rule: built from this checkout, every time; nothing of it is kept.
"""

from dataclasses import dataclass
from pathlib import Path

from sim.provision import FIRMWARE, SLOTS, slots_record
from tools.build import BuildError, bundle
from tools.micropython.package import build
from tools.provision.errors import SettingsError

MAIN, BOOT, CLOSER, CHOOSER = "/main.py", "/boot.py", "/closer.mpy", "/chooser.mpy"
SHADOWS = (
    "/closer.py",
    "/sprinkler",
    "/lib/sprinkler",
    "/lib/closer.py",
    "/lib/closer.mpy",
    "/closer",
    "/chooser.py",
    "/chooser",
    "/lib/chooser.py",
    "/lib/chooser.mpy",
    "/boot.mpy",
)  # found before ours
PACKAGE = "package.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """The files by their path on the board, the image for slot 0, and the record that says so (SLOTS). `mpy_version` is what the interpreter must read."""

    files: dict[str, bytes]
    rom: bytes
    record: bytes
    mpy_version: int


def parts(firmware: Path = FIRMWARE) -> Parts:
    """Build them. Raises SettingsError when this checkout cannot be built."""
    try:
        made = bundle(firmware)
    except BuildError as error:
        raise SettingsError(f"this checkout cannot be built: {error}") from error
    alone = build(firmware)
    files = {CLOSER: alone.closer, CHOOSER: alone.chooser}
    files |= {path: (firmware / path[1:]).read_bytes() for path in (BOOT, MAIN)}
    return Parts(files, made.image, slots_record(made.image), made.manifest["mpy"])


def save(folder: Path, made: Parts) -> list[Path]:
    """Write them into a folder, for plain mpremote. Raises SettingsError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in {**made.files, "/application.romfs": made.rom, SLOTS: made.record}.items():
            written.append(folder / path.strip("/"))
            written[-1].write_bytes(data)
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error
    return written
