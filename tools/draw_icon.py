"""Draw the component's icon: a sun above drops of water.

usage: python tools/draw_icon.py [ICON.png]

Rule: standard library only; the same pixels on every machine, so that a test can compare.
"""

import struct
import sys
import zlib
from math import hypot
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ICON = ROOT / "ha_integration/custom_components/solar_sprinkler/brand/icon.png"
SIZE = 256
SAMPLES = 4  # per pixel and axis, for smooth edges
SUN, WATER = (250, 179, 36), (33, 118, 210)
SUN_CENTRE, SUN_RADIUS, RAY_FROM, RAY_TO, RAY_WIDTH = (0.5, 0.3), 0.15, 0.19, 0.27, 0.022
RAYS = ((1, 0), (0, 1), (-1, 0), (0, -1), (0.7071, 0.7071), (-0.7071, 0.7071), (0.7071, -0.7071), (-0.7071, -0.7071))
DROPS = ((0.26, 0.78), (0.5, 0.86), (0.74, 0.78))  # centres of their round part
DROP_RADIUS, DROP_HEIGHT = 0.095, 0.24


def _is_sun(x: float, y: float) -> bool:
    dx, dy = x - SUN_CENTRE[0], y - SUN_CENTRE[1]
    if hypot(dx, dy) <= SUN_RADIUS:
        return True
    return any(
        RAY_FROM <= dx * along + dy * down <= RAY_TO and abs(dx * down - dy * along) <= RAY_WIDTH
        for along, down in RAYS
    )


def _is_water(x: float, y: float) -> bool:
    for centre_x, centre_y in DROPS:
        dx, dy = abs(x - centre_x), centre_y - y
        if hypot(dx, dy) <= DROP_RADIUS or (0 <= dy <= DROP_HEIGHT and dx <= DROP_RADIUS * (1 - dy / DROP_HEIGHT)):
            return True
    return False


def _pixel(column: int, row: int) -> bytes:
    """Colour and opacity of one pixel, from how many of its samples lie in the sun or in the water."""
    hits = []
    for i in range(SAMPLES * SAMPLES):
        x = (column + (i % SAMPLES + 0.5) / SAMPLES) / SIZE
        y = (row + (i // SAMPLES + 0.5) / SAMPLES) / SIZE
        if _is_water(x, y):
            hits.append(WATER)
        elif _is_sun(x, y):
            hits.append(SUN)
    if not hits:
        return bytes(4)
    colour = (sum(channel) // len(hits) for channel in zip(*hits, strict=True))
    return bytes((*colour, 255 * len(hits) // SAMPLES**2))


def rows() -> bytes:
    """The image as PNG filters it: a zero and RGBA pixels for each row."""
    return b"".join(b"\0" + b"".join(_pixel(column, row) for column in range(SIZE)) for row in range(SIZE))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png() -> bytes:
    """The icon."""
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows(), 9))
        + _chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ICON
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(png())
