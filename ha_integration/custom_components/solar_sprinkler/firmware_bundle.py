"""The firmware that this copy of the integration carries: the folder `bundle`, made by tools/build.py of the project and never committed.

Rule: reads and checks, once, and offers what is whole; a copy without a bundle is a copy that offers no update. Imports nothing of Home Assistant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "bundle"
MANIFEST = "manifest.json"
FORMAT = 1
SLOT_BYTES = 160 * 1024


@dataclass(frozen=True)
class Bundle:
    """An image and what its manifest says of it."""

    version: str
    hardware: str
    release_notes: str
    manifest: Mapping[str, Any] = field(repr=False)
    image: bytes = field(repr=False)


class BundleError(Exception):
    """There is a bundle, and it is not whole."""


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare: those of "0.1.0" are (0, 1, 0). Raises ValueError."""
    return tuple(int(part) for part in version.split("."))


def load(folder: Path = FOLDER) -> Bundle | None:
    """Read the bundle; None where there is none. Raises BundleError when it is not whole."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BundleError(f"{MANIFEST} cannot be read: {error}") from error
    try:
        if manifest["format"] != FORMAT:
            raise BundleError(f"{MANIFEST} has the format {manifest['format']}, not {FORMAT}")
        image = (folder / Path(manifest["image"]).name).read_bytes()
        numbers(manifest["version"])
        if len(image) != manifest["size"] or hashlib.sha256(image).hexdigest() != manifest["sha256"]:
            raise BundleError("the image is not the one that the manifest names")
        if len(image) > SLOT_BYTES:
            raise BundleError("the image is larger than a slot")
        return Bundle(
            manifest["version"], manifest["hardware"], str(manifest.get("release_notes", "")), manifest, image
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{MANIFEST} makes no sense: {error!r}") from error
