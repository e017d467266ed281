"""The update bundle: the application of this checkout as one ROMFS image, and a manifest that says what it is: python -m tools.build --out DIR

Rule: the same sources make the same bytes, on every machine: no time, no path, no name of a machine in them; the compiler is pinned (pyproject.toml). It is
built wherever it is needed and never committed. What a board is given over its cable comes from here as well (tools/provision).
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.provision import FIRMWARE
from sim.rom import SLOT_BYTES
from tools.micropython.bundler.program import BundleError
from tools.micropython.package import CompileError, build

IMAGE, MANIFEST = "application.romfs", "manifest.json"
FORMAT = 1  # of the manifest; raised when an older reader could misread it
INTERPRETER_MIN = "1.25.0"  # the first MicroPython with ROMFS on this chip
COMPONENT, BESIDE = FIRMWARE.parent / "ha_integration" / "custom_components" / "solar_sprinkler", "bundle"
CHANGES = FIRMWARE.parent / "CHANGELOG.md"
NOTES_MAX = 4000  # characters of release notes, for a card in Home Assistant

EXIT_CODES = "exit codes: 0 written, or already there; 1 this checkout cannot be built; 2 wrong usage, or the folder cannot be written"
EXAMPLES = """\
examples:
  python -m tools.build --beside                the same beside the integration, in its folder `bundle`: then it offers the update
  python -m tools.build --zip solar_sprinkler.zip    the integration with its bundle, as a release has it
  python -m tools.build --out build/            the image, its manifest, and one line that says what they are
  python -m tools.build --out build/ --json     the manifest as one JSON object"""


class BuildError(Exception):
    """This checkout makes no bundle; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An image for a slot, and what is to be known of it before a board takes it."""

    image: bytes
    manifest: dict[str, Any]


def constant(path: Path, name: str) -> Any:
    """The literal that a module assigns to `name`. Raises BuildError."""
    try:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                return ast.literal_eval(node.value)
    except (OSError, ValueError, SyntaxError) as error:
        raise BuildError(f"{path.name} cannot be read: {error}") from error
    raise BuildError(f"{path.name} has no {name}")


def release_notes(version: str, changes: Path = CHANGES) -> str:
    """What CHANGELOG.md says of `version`; "" where it says nothing."""
    try:
        text = changes.read_text(encoding="utf-8")
    except OSError:
        return ""
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    found = next((section for section in sections if section.startswith(f"[{version}]")), "")
    notes = found.partition("\n")[2].strip()
    return notes if len(notes) <= NOTES_MAX else notes[:NOTES_MAX].rpartition("\n")[0] + "\n..."


def bundle(firmware: Path = FIRMWARE) -> Bundle:
    """Build it from the sources in `firmware`. Raises BuildError."""
    version = constant(firmware / "sprinkler" / "report.py", "FIRMWARE")
    if not re.fullmatch(r"\d{1,3}\.\d{1,3}\.\d{1,3}", version) or any(int(part) > 255 for part in version.split(".")):
        raise BuildError(f"the version {version!r} is not three numbers up to 255 with dots between")
    try:
        made = build(firmware)
    except (CompileError, BundleError, OSError) as error:
        raise BuildError(str(error)) from error
    if len(made.romfs) > SLOT_BYTES:
        raise BuildError(f"the image has {len(made.romfs)} bytes and a slot {SLOT_BYTES}: the application must shrink")
    manifest = {
        "format": FORMAT,
        "version": version,
        "hardware": constant(firmware / "sprinkler" / "protocol.py", "HARDWARE"),
        "interpreter_min": INTERPRETER_MIN,
        "mpy": made.closer[1],
        "closer_api": constant(firmware / "closer.py", "API"),
        "image": IMAGE,
        "size": len(made.romfs),
        "sha256": hashlib.sha256(made.romfs).hexdigest(),
        "release_notes": release_notes(version),
    }
    return Bundle(made.romfs, manifest)


def manifest_text(made: Bundle) -> str:
    """manifest.json."""
    return json.dumps(made.manifest, indent=1) + "\n"


def save(folder: Path, made: Bundle) -> list[Path]:
    """Write image and manifest into `folder`, the manifest last; a file that is right already is not touched. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in ((IMAGE, made.image), (MANIFEST, manifest_text(made).encode())):
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            new = path.with_name(name + ".new")
            new.write_bytes(data)
            new.replace(path)
        written.append(path)
    return written


def beside(made: Bundle) -> list[Path]:
    """Write it into the integration's folder `bundle`, which is never committed. Raises OSError."""
    return save(COMPONENT / BESIDE, made)


def release(path: Path, made: Bundle) -> None:
    """Write the integration with its bundle into a zip: what lies in custom_components/solar_sprinkler, the same bytes each time. Raises OSError."""
    names = (name for name in sorted(COMPONENT.rglob("*")) if name.is_file())
    files = {name.relative_to(COMPONENT).as_posix(): name.read_bytes() for name in names}
    files = {name: data for name, data in files.items() if not set(name.split("/")) & {"__pycache__", BESIDE}}
    files |= {f"{BESIDE}/{IMAGE}": made.image, f"{BESIDE}/{MANIFEST}": manifest_text(made).encode()}
    new = path.with_name(path.name + ".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name)  # of 1 January 1980, and nobody's
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    new.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and write what was built; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build",
        description="Build the firmware's update bundle: an image for one of a board's two slots, and its manifest.",
        epilog=f"{EXAMPLES}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", type=Path, help="the folder to write into")
    where.add_argument("--beside", action="store_true", help="write beside the integration of this checkout")
    where.add_argument("--zip", metavar="FILE", type=Path, help="write the integration and its bundle as one zip")
    parser.add_argument("--json", action="store_true", help="print the manifest as one JSON object")
    options = parser.parse_args(arguments)
    try:
        made = bundle()
        if options.zip is not None:
            release(options.zip, made)
        else:
            save(COMPONENT / BESIDE if options.beside else options.out, made)
    except (BuildError, OSError) as error:
        refused = isinstance(error, BuildError)
        text = (
            f"cannot write to {options.out or options.zip or COMPONENT / BESIDE}: {error.strerror or error}"
            if isinstance(error, OSError)
            else str(error)
        )
        if options.json:
            print(json.dumps({"error": text}))
        print(f"build: {text}", file=sys.stderr)
        return 1 if refused else 2
    if options.json:
        print(json.dumps(made.manifest))
    else:
        m = made.manifest
        print(f"firmware {m['version']} for {m['hardware']}: {m['size']} bytes of {SLOT_BYTES}, SHA-256 {m['sha256']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
