"""A recording of one board's life, and the same life once more: what happened, line by line, and whether it happens again byte for byte.

Rule: a recording says how it was made (`Order`), so that playing it again needs nothing else; its lines are what the simulator knows to have happened, never
what was expected. It must not know how lines are shown.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sim.broker import Message
from sim.errors import FileError, SettingError
from sim.faults import campaign, scenario
from sim.garden import DAYS, Program, plant
from sim.provision import FIRMWARE
from sim.world import Scenario

FORMAT = "solar-sprinkler recording 1"

type Progress = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Order:
    """How a life is made: `scenario` is one of `faults`, or "" for a board in a garden that lives `days` days with a daily run."""

    scenario: str = ""
    seed: int = 0
    days: float = 1.0
    site: str = ""
    run_time_s: int = 1200
    wake_interval_s: int = 900

    def __post_init__(self) -> None:
        if not 0 < self.days <= 3660:
            raise SettingError(f"days must be above 0 and at most 3660, not {self.days:g}")


@dataclass(frozen=True, slots=True)
class Recording:
    """`lines` are "microseconds what happened"; `firmware` is a digest of what the board ran."""

    order: Order
    firmware: str
    lines: tuple[str, ...]

    def digest(self) -> str:
        """Of all lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def text(self) -> str:
        """The file's content."""
        head = {"format": FORMAT, "firmware": self.firmware, "order": asdict(self.order)}
        return "\n".join([json.dumps(head), *self.lines, ""])


def firmware_digest() -> str:
    """Of all files that a board is given."""
    found = hashlib.sha256()
    for path in sorted(FIRMWARE.rglob("*.py")):
        found.update(path.relative_to(FIRMWARE).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def play(order: Order, progress: Progress = lambda _: False) -> Recording:
    """Let the life pass, and write down what happens; a stop keeps what happened until then. Raises SettingError for a scenario that is not there."""
    lines = _scenario_lines(order) if order.scenario else _garden_lines(order, progress)
    return Recording(order, firmware_digest(), tuple(lines))


def _scenario_lines(order: Order) -> list[str]:
    life = campaign.live(campaign.story_of(scenario.load(order.scenario), order.seed))
    return [line for text in life.truth.lines for line in text.split("\n")]


def _garden_lines(order: Order, progress: Progress) -> list[str]:
    program = Program(order.run_time_s, 360, tuple(range(len(DAYS))), order.wake_interval_s)
    world = Scenario(zones=2, seed=order.seed, site=order.site)
    board, _ = plant(world, program, seed=order.seed, device_id="00000001")
    board.raise_crashes = False
    lines: list[str] = []

    def note(words: str) -> None:
        lines.append(f"{board.timeline.now_us} {words}")

    def hear(message: Message) -> None:
        leaf = message.topic.rsplit("/", 1)[1]
        note(f"message {leaf} {message.payload.decode(errors='backslashreplace').replace(chr(10), ' ')}")

    def move(zone: int) -> None:
        note(f"valve {zone + 1} {'open' if board.world.zones[zone].valve.open else 'closed'}")

    assert board.broker is not None
    board.broker.subscribe("#", hear)
    board.world.on_valve.append(move)
    board.on_boot = lambda _: note(f"boot {board.chip.boots}")
    board.on_end = lambda ending: note(f"over {type(ending).__name__}")
    hours = max(1, round(order.days * 24))
    for hour in range(hours):
        board.run_for(order.days * 86_400 / hours)
        if progress((hour + 1) / hours):
            break
    return lines


def load(path: Path) -> Recording:
    """Read a recording. Raises FileError when it is none, or cut off in its head."""
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        told = json.loads(head)
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        return Recording(Order(**told["order"]), str(told["firmware"]), tuple(lines))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FileError(f"{path} is no recording of `replay --save`") from error


def first_difference(one: Recording, other: Recording) -> int | None:
    """The number of the first line (from 1) in which two recordings differ; None when they are the same."""
    for number, (mine, its) in enumerate(zip(one.lines, other.lines, strict=False), 1):
        if mine != its:
            return number
    return None if len(one.lines) == len(other.lines) else min(len(one.lines), len(other.lines)) + 1
