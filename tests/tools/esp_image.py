"""An interpreter image made by esptool's own tools, from an ELF file of two sections: the headers are those of the chip's loader, not ours."""

import struct
import subprocess
import sys
from pathlib import Path

RAM, FLASH = (
    0x40100000,
    0x40209000,
)  # where code runs from: memory, and flash mapped from 0x9000 on, as MicroPython's linker script has it
_HEAD, _SECTION = 0x34, 0x28


def _elf(sections: dict[str, tuple[int, bytes]]) -> bytes:
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    body, rows = b"", [bytes(_SECTION)]
    for name, (address, data) in sections.items():
        at = names.index(name.encode() + b"\0")
        rows.append(struct.pack("<10L", at, 1, 6, address, _HEAD + len(body), len(data), 0, 0, 4, 0))
        body += data
    at = names.index(b".shstrtab\0")
    rows.append(struct.pack("<10L", at, 3, 0, 0, _HEAD + len(body), len(names), 0, 0, 1, 0))
    body += names
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    entry = next(iter(sections.values()))[0]
    numbers = (2, 0x5E, 1, entry, 0, _HEAD + len(body), 0, _HEAD, 0x20, 0, _SECTION, len(rows), len(rows) - 1)
    return struct.pack("<16sHHLLLLLHHHHHH", ident, *numbers) + body + b"".join(rows)


def _esptool(*words: str | Path, chip: str = "esp8266") -> str:
    line = [sys.executable, "-m", "esptool", "--chip", chip, *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def interpreter(folder: Path, *, in_flash: bytes, size: int = 560_000) -> Path:
    """elf2image, then merge-bin, as the makers of images do: code in memory, and `in_flash` in the middle of `size` bytes of code in flash."""
    elf = folder / "interpreter.elf"
    code = in_flash.rjust(size // 2, b"\x55").ljust(size, b"\xaa")
    elf.write_bytes(_elf({".text": (RAM, b"MicroPython".ljust(2048, b"\0")), ".irom0.text": (FLASH, code)}))
    _esptool(
        "elf2image", "--version", "1", "--flash-size", "2MB", "--flash-mode", "dio", "--output", f"{folder}/part-", elf
    )
    merged = folder / "interpreter.bin"
    _esptool("merge-bin", "--output", merged, "0x0", folder / "part-0x00000.bin", "0x9000", folder / "part-0x09000.bin")
    return merged


def of_another_chip(folder: Path) -> Path:
    """An image for an ESP32: it starts with the same byte."""
    elf, image = folder / "other.elf", folder / "other.bin"
    elf.write_bytes(_elf({".iram0.text": (0x40080000, b"MicroPython rom_ioctl".ljust(400_000, b"\0"))}))
    _esptool("elf2image", "--output", image, elf, chip="esp32")
    return image


def described(image: Path) -> str:
    """What esptool says of an image."""
    return _esptool("image-info", image)
