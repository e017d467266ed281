"""What belongs on a board: the start files for its file system, and the application for its ROMFS partition.

Rule: built from this checkout as it is now; what was built before is taken only where the sources are the same (tools/micropython/kept.py).
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from sim.provision import FIRMWARE, SLOTS, slots_record
from tools.build import BuildError, bundle
from tools.micropython.package import build, meanings
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
        contents = {
            **made.files,
            "/application.romfs": made.rom,
            SLOTS: made.record,
            "/application.map.json": name_map(),
        }
        for path, data in contents.items():
            written.append(folder / path.strip("/"))
            written[-1].write_bytes(data)
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error
    return written


def name_map(firmware: Path = FIRMWARE) -> bytes:
    """What the short names of the application stand for: the map that `tools.micropython.traceback` reads."""
    return (json.dumps(meanings(firmware), indent=1) + "\n").encode()


def keep_map(device_id: str, made: Parts) -> Path | None:
    """Keep the map of what was just written to a board: it belongs to that very build, and another checkout cannot make it again. Returns where it lies
    (by board and by the hash of its image), or None where nothing can be written: a board is not worse for that."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    path = state / "solar-sprinkler" / f"{device_id}-{hashlib.sha256(made.rom).hexdigest()[:8]}.map.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name_map())
    except OSError:
        return None
    return path
