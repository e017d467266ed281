"""Other versions of this firmware, made from its sources: what an update is tested with."""

import functools
import shutil
import tempfile
from pathlib import Path

from sim.provision import FIRMWARE
from tools.build import Bundle, bundle


@functools.cache
def version(number: str, file: str = "", old: str = "", new: str = "") -> Bundle:
    """The bundle of this checkout as version `number`, with `old` in one of its files replaced by `new`."""
    with tempfile.TemporaryDirectory() as folder:
        firmware = Path(folder) / "firmware"
        shutil.copytree(FIRMWARE, firmware)
        _replace(firmware / "sprinkler" / "report.py", 'FIRMWARE = "0.1.0"', f'FIRMWARE = "{number}"')
        if file:
            _replace(firmware / "sprinkler" / file, old, new)
        return bundle(firmware)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1))
