"""The wiring diagrams, drawn from hardware/wiring.toml: parts at both sides, a coloured trunk for each net in the middle, a dot where a pin joins it.

Rule: draws what the file says, and refuses a file that cannot be built: an unknown pin, a pin in two nets, a pin in none. It knows no firmware; a test
holds the file against that.
"""

import dataclasses
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

BUILDS = ("one", "many")
ROW, HEAD, GAP = 16, 20, 12  # heights of a pin, of a part's name, of the room between two parts
BOX, TRUNK = 138, 17  # width of a part, room of a trunk
TOP, LEFT = 150, 10  # the trunks' names stand above them


class WiringError(Exception):
    """The wiring cannot be built as the file has it."""


@dataclasses.dataclass(frozen=True)
class Part:
    """One thing with pins, at the left or the right side; `address` on the bus, or None."""

    key: str
    name: str
    side: str
    pins: tuple[str, ...]
    address: int | None


@dataclasses.dataclass(frozen=True)
class Net:
    """Pins, as `part.pin`, that are one wire."""

    name: str
    colour: str
    pins: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Wiring:
    """Parts and nets of one build."""

    parts: tuple[Part, ...]
    nets: tuple[Net, ...]

    def net_of(self, pin: str) -> str:
        """The net that `part.pin` belongs to."""
        return next(net.name for net in self.nets if pin in net.pins)


def read(path: Path, build: str) -> Wiring:
    """The wiring of a build, `one` or `many`. Raises WiringError if it cannot be built."""
    table = tomllib.loads(path.read_text("utf-8"))
    parts = tuple(
        Part(key, row["name"], row["side"], tuple(row["pins"]), row.get("address"))
        for key, row in table["part"].items()
        if build in row.get("builds", BUILDS)
    )
    here = {f"{part.key}.{pin}" for part in parts for pin in part.pins}
    known = {f"{key}.{pin}" for key, row in table["part"].items() for pin in row["pins"]}
    nets = []
    for name, row in table["net"].items():
        pins = [_of_build(pin, build) for pin in row["pins"]]
        if unknown := sorted({pin for pin in pins if pin} - known):
            raise WiringError(f"net {name} has {unknown[0]}, which no part has")
        nets.append(Net(name, row["colour"], tuple(pin for pin in pins if pin in here)))
    used = [pin for net in nets for pin in net.pins]
    if twice := sorted({pin for pin in used if used.count(pin) > 1}):
        raise WiringError(f"{twice[0]} is in two nets")
    if loose := sorted(here - set(used)):
        raise WiringError(f"{loose[0]} is in no net")
    if lone := [net.name for net in nets if len(net.pins) == 1]:
        raise WiringError(f"net {lone[0]} joins nothing")
    return Wiring(parts, tuple(net for net in nets if net.pins))


def _of_build(pin: str, build: str) -> str:
    """The pin, or nothing if it is marked (`:one`, `:many`) for another build."""
    name, _, only = pin.partition(":")
    return name if only in ("", build) else ""


def draw(wiring: Wiring, title: str) -> str:
    """The diagram as SVG."""
    trunks = {net.name: LEFT + BOX + 34 + TRUNK * index for index, net in enumerate(_across(wiring))}
    right = LEFT + BOX + 34 + TRUNK * len(wiring.nets) + 18
    pictures, places, bottom = _place(wiring, right)
    lines = [line for net in wiring.nets for line in _net(net, trunks[net.name], places)]
    width, height = right + BOX + LEFT, bottom + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
            *lines,
            *pictures,
            "</svg>",
            "",
        ]
    )


def _across(wiring: Wiring) -> list[Net]:
    """The nets from left to right: those of the left side alone first, those of the right side alone last, so that few lines cross."""
    side = {part.key: part.side for part in wiring.parts}

    def rank(net: Net) -> int:
        sides = {side[pin.partition(".")[0]] for pin in net.pins}
        return 1 if len(sides) > 1 else 0 if "left" in sides else 2

    return sorted(wiring.nets, key=rank)


def _place(wiring: Wiring, right: int) -> tuple[list[str], dict[str, tuple[int, int]], int]:
    """Boxes of all parts, where each pin's wire begins, and the lowest edge."""
    pictures: list[str] = []
    places: dict[str, tuple[int, int]] = {}
    y = {"left": TOP, "right": TOP + ROW // 2}  # half a row lower: no wire of one side lies on one of the other
    for part in wiring.parts:
        x, top = (LEFT if part.side == "left" else right), y[part.side]
        height = HEAD + ROW * len(part.pins)
        name = part.name + (f" 0x{part.address:02x}" if part.address is not None else "")
        pictures += [
            f'<rect x="{x}" y="{top}" width="{BOX}" height="{height}" rx="3" fill="#f4f6f6" stroke="#566573"/>',
            f'<text x="{x + BOX / 2}" y="{top + 14}" font-size="11" font-weight="bold" text-anchor="middle">{escape(name)}</text>',
        ]
        edge, anchor, at = (x + BOX, "end", x + BOX - 6) if part.side == "left" else (x, "start", x + 6)
        for index, pin in enumerate(part.pins):
            middle = top + HEAD + ROW * index + ROW // 2
            places[f"{part.key}.{pin}"] = edge, middle
            net = wiring.net_of(f"{part.key}.{pin}")
            other, across = ("start", x + 6) if part.side == "left" else ("end", x + BOX - 6)
            pictures += [
                f'<text x="{at}" y="{middle + 3}" font-size="10" text-anchor="{anchor}">{escape(pin)}</text>',
                f'<text x="{across}" y="{middle + 3}" font-size="8" text-anchor="{other}" fill="#7f8c8d">{escape(net)}</text>',
            ]
        y[part.side] = top + height + GAP
    return pictures, places, max(y.values())


def _net(net: Net, trunk: int, places: dict[str, tuple[int, int]]) -> list[str]:
    """A net's trunk, its name above, and a wire with a dot for each pin."""
    rows = [places[pin][1] for pin in net.pins]
    lines = [
        f'<line x1="{trunk}" y1="{min(rows)}" x2="{trunk}" y2="{max(rows)}" stroke="{net.colour}" stroke-width="2.4"/>',
        f'<line x1="{trunk}" y1="{TOP - 14}" x2="{trunk}" y2="{min(rows)}" stroke="{net.colour}" stroke-width="0.6" stroke-dasharray="2 3"/>',
        f'<text transform="translate({trunk + 4} {TOP - 18}) rotate(-90)" font-size="11" font-weight="bold" fill="{net.colour}">{escape(net.name)}</text>',
    ]
    for pin in net.pins:
        x, y = places[pin]
        lines += [
            f'<line x1="{x}" y1="{y}" x2="{trunk}" y2="{y}" stroke="{net.colour}" stroke-width="1.4"/>',
            f'<circle cx="{trunk}" cy="{y}" r="3.2" fill="{net.colour}"/>',
        ]
    return lines
