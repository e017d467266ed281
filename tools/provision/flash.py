"""The interpreter: looks at the image that was given, and hands it to esptool.

Rule: nothing is sent before the hash and the image's own checks hold. What only the chip can show is not claimed here.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from esptool.bin_image import LoadFirmwareImage
from esptool.util import FatalError

from tools.provision.errors import CableError, ImageError

BAUD = 460800
ROMFS_START = 0xB0000  # of the 2 MB ROMFS build: the interpreter must end before it
ENTRY_HIGH = 0x4010  # an ESP8266 starts in its instruction memory, 0x40100000 on; an ESP32's images begin with E9, too
SMALLEST = 300_000  # an interpreter for this chip has about 600 KB
WITHOUT_ROMFS = b"rom_ioctl"  # a word that only a build with ROMFS knows


def read_image(path: Path, sha256: str) -> bytes:
    """The image, if it is the one with that hash and one for this board. Raises ImageError."""
    wanted = sha256.strip().lower()
    if len(wanted) != 64 or not set(wanted) <= set("0123456789abcdef"):
        raise ImageError("--sha256 wants the 64 hex digits that belong to the image")
    try:
        image = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from error
    found = hashlib.sha256(image).hexdigest()
    if found != wanted:
        raise ImageError(
            f"{path} is not the image that was asked for: its SHA-256 is {found}; fetch it anew, or correct --sha256"
        )
    check_image(path.name, image)
    return image


def check_image(name: str, image: bytes) -> None:
    """Raises ImageError unless `image` can be a MicroPython for an ESP8266 with ROMFS in 2 MB."""
    if not image.startswith(b"\xe9"):
        raise ImageError(
            f"{name} is no ESP8266 image (its first byte is not E9): take the .bin file, not an .elf or .zip"
        )
    if len(image) >= 8 and int.from_bytes(image[4:8], "little") >> 16 != ENTRY_HIGH:
        raise ImageError(f"{name} is an image for another chip: take MicroPython for the ESP8266")
    try:
        parsed = LoadFirmwareImage("esp8266", image)
    except (FatalError, ValueError, IndexError, OSError) as error:
        raise ImageError(f"{name} is no whole ESP8266 image: {error}") from error
    except Exception as error:  # struct.error has no tree
        if type(error).__name__ != "error":
            raise
        raise ImageError(f"{name} is no whole ESP8266 image: it ends in the middle") from error
    if parsed.checksum != parsed.calculate_checksum():
        raise ImageError(f"{name} is damaged: its checksum does not fit; fetch it anew")
    if b"MicroPython" not in image or len(image) < SMALLEST:
        raise ImageError(f"{name} is not a MicroPython interpreter")
    if WITHOUT_ROMFS not in image:
        raise ImageError(
            f"{name} was built without ROMFS, so the application has no place: take the FLASH_2M_ROMFS build"
        )
    if len(image) > ROMFS_START:
        raise ImageError(
            f"{name} has {len(image)} bytes and would reach into the ROMFS partition: take the FLASH_2M_ROMFS build"
        )


def command_line(port: str, image: Path, *, erase: bool) -> list[str]:
    """esptool's command line. `erase`: all of the flash first, settings and SDK included."""
    line = [
        sys.executable,
        "-m",
        "esptool",
        "--chip",
        "esp8266",
        "--port",
        port,
        "--baud",
        str(BAUD),
        "--after",
        "hard-reset",
    ]
    line += ["write-flash", "--flash-size", "detect"]
    return [*line, *(["--erase-all"] if erase else []), "0x0", str(image)]


def write(port: str, image: Path, *, erase: bool) -> None:
    """Run esptool; its progress goes where ours goes. Raises CableError."""
    try:
        done = subprocess.run(
            command_line(port, image, erase=erase), stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
    except OSError as error:
        raise CableError(f"cannot start esptool: {error.strerror}; run: sh tools/setup.sh python") from error
    if done.returncode != 0:
        raise CableError(
            "esptool did not finish (its words are above). A half-written interpreter does no harm to the chip: give the same command "
            "again. If it cannot connect, hold the button at GPIO0, press RESET, let go of the button, and give it once more"
        )
