"""The people of a scenario: Home Assistant beside the board, whoever asks for water, and whoever should not.

Rule: it speaks to the board as on the wire, by the firmware's own words and signature, and keeps the books of what was truly asked for (`asks`, `versions`).
It must not know what the board does with it.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import TZPATH

from sim.errors import FileError

if TYPE_CHECKING:
    from sim.board import SimulatedBoard
    from sim.broker import Message
    from sim.faults.scenario import Scenario

WAKE_S = 1800  # twice the usual: half as many wakes to simulate, and longer to wait for whoever wants something
ACK_DELAY_US = 300_000
ANSWER_DELAY_US = 200_000
HAND_RUN_S = 600.0  # what the button on the board gives
CHECK_S = 5.0  # and a check of a valve
CAP_S = 7200.0  # no run is longer, whoever asks
QUEUE_S = 21_600.0  # how long a run may wait for another zone


@dataclass(slots=True)
class Ask:
    """Water that somebody asked for: up to `length_s` in `zone` (0: any), begun between two moments (Unix seconds). `must`: else it is missed.

    Behind another zone it may wait QUEUE_S longer.
    """

    zone: int
    from_s: float
    until_s: float
    length_s: float
    what: str
    must: bool = False
    start_s: float = 0.0  # of a program
    program: int = 0
    used_s: float = 0.0


class Stop(NamedTuple):
    """A stop of `zone` (0: all), which ends what was asked for before it was sent, from when the board says so (Unix seconds)."""

    zone: int
    sent_s: float
    said_s: float


@dataclass(frozen=True, slots=True)
class Version:
    """What `desired` said from `at_s` on."""

    at_s: float
    settings: Mapping[str, Any]
    programs: tuple[Mapping[str, Any], ...]


@cache
def tz_rule(place: str) -> str:
    """The POSIX rule of a time zone: the last line of its file."""
    found = [Path(folder) / place for folder in TZPATH if (Path(folder) / place).is_file()]
    with suppress(ModuleNotFoundError):
        found = found or [Path(str(resources.files("tzdata") / "zoneinfo" / place))]
    if not found:
        raise FileError(f"the time zones' files are missing: install the package tzdata ({place})")
    return found[0].read_bytes().rstrip(b"\n").rpartition(b"\n")[2].decode()


class House:
    """Home Assistant and its people. `here` False: it is down."""

    def __init__(self, board: SimulatedBoard, scenario: Scenario) -> None:
        from sprinkler import protocol  # found once a board was made
        from sprinkler.auth import sign

        assert board.broker is not None
        self.board, self.broker, self.timeline = board, board.broker, board.timeline
        self.protocol, self.sign = protocol, sign
        self.here = True
        self.clock_off_s = 0.0
        self.counter = 0
        self.asks: dict[str, Ask] = {}
        self.stops: dict[str, tuple[int, float]] = {}  # command id: zone, and when it was sent
        self.stopped: list[Stop] = []
        self.versions: list[Version] = []
        self.sent: list[tuple[str, bytes]] = []  # genuine commands, for whoever recorded them
        self.settings: dict[str, Any] = {
            "tz_rule": tz_rule(str(scenario.start.tzinfo)),
            "latitude_cdeg": round(board.world.scenario.latitude_deg * 100),
            "longitude_cdeg": round(board.world.scenario.longitude_deg * 100),
            "wake_interval_s": WAKE_S,
            **scenario.settings,
        }
        self.programs = scenario.programs
        self._accepted: set[str] = set()
        self._wished: dict[str, float] = {}  # of asks that were refused so far
        self._heard: dict[int, list[int]] = {}
        self._due = False
        self._gave_again = True
        for leaf, hear in (
            (protocol.EVENT, self._event),
            (protocol.TELEMETRY, self._telemetry),
            (protocol.TIME_REQUEST, self._time_request),
            (protocol.REPLY, self._reply),
            (protocol.STATE, self._state),
        ):
            self.broker.subscribe(self.topic(leaf), hear)
        self.publish_desired()

    def now_s(self) -> float:
        """True time in Unix seconds."""
        return self.board.world.unix_s()

    def topic(self, leaf: str) -> str:
        """A topic of this board."""
        return self.protocol.topic(self.board.device_id, leaf)

    def send(self, leaf: str, body: Mapping[str, Any], *, retain: bool = False, key: bytes | None = None) -> bytes:
        """Publish a signed message; its payload."""
        topic = self.topic(leaf)
        payload: bytes = self.sign(key or self.board.key, topic, json.dumps(body).encode())
        self.broker.publish(topic, payload, retain=retain)
        return payload

    # --- what it wants

    def publish_desired(self, *, again: bool = False) -> None:
        """Retain settings and programs: a new version, or (`again`) the last one once more."""
        if not again:
            self.versions.append(Version(self.now_s(), dict(self.settings), self.programs))
        body = {"version": len(self.versions), "settings": self.settings, "programs": self.programs}
        self.send(self.protocol.DESIRED, body, retain=True)

    def command(self, command: str, *, expires_s: float = 120.0, **fields: Any) -> str:
        """A genuine command; its id."""
        now_s = self.now_s() + self.clock_off_s
        self.counter = max(round(now_s * 1000), self.counter) + 1
        command_id = f"c{len(self.sent) + 1}"
        body = {
            "id": command_id,
            "counter": self.counter,
            "expires_at": round(now_s + expires_s),
            "command": command,
            **fields,
        }
        self.sent.append((self.topic(self.protocol.COMMAND), self.send(self.protocol.COMMAND, body)))
        return command_id

    def ask_run(self, zone: int, run_time_s: float, expires_s: float) -> str:
        """A person wants water now."""
        length_s = run_time_s if run_time_s <= CAP_S else 0.0  # above the cap nothing may come of it
        command_id = self.command("run", expires_s=expires_s, zone=zone, run_time_s=round(run_time_s))
        self._note(command_id, Ask(zone, self.now_s(), self.now_s() + expires_s, length_s, "run"))
        return command_id

    def ask_check(self, zone: int) -> None:
        """A person has a valve tried out."""
        command_id = self.command("check_valve", zone=zone)
        self._note(command_id, Ask(zone, self.now_s(), self.now_s() + 120, CHECK_S, "check"))

    def ask_stop(self, zone: int) -> None:
        """A person wants no more water."""
        self.stops[self.command("stop", expires_s=3600, zone=zone)] = (zone, self.now_s())

    def ask_button(self) -> None:
        """A finger at the board: ten minutes for some zone, or an end to what runs."""
        key = f"button {len(self.asks)}"
        self._note(key, Ask(0, self.now_s(), self.now_s() + 60, HAND_RUN_S, "button"))

    def _note(self, key: str, ask: Ask) -> None:
        self.asks[key] = ask

    # --- what it hears

    def _event(self, message: Message) -> None:
        event = json.loads(message.payload)
        self._count(event["boot_id"], 0, event["n"])

    def _telemetry(self, message: Message) -> None:
        told = json.loads(message.payload)
        if told["samples"]:
            self._count(told["boot_id"], 1, told["samples"][-1]["n"])

    def _count(self, boot_id: int, which: int, number: int) -> None:
        if not self.here:
            return
        last = self._heard.setdefault(boot_id, [0, 0])
        last[which] = max(last[which], number)
        if not self._due:
            self._due = True
            self.timeline.at(self.timeline.now_us + ACK_DELAY_US, self._acknowledge)

    def _acknowledge(self) -> None:
        self._due = False
        if not self.here:
            return
        for boot_id, (event, sample) in self._heard.items():
            self.send(self.protocol.ACK, {"boot_id": boot_id, "event": event, "sample": sample}, retain=True)
        while len(self._heard) > 2:
            del self._heard[next(iter(self._heard))]

    def _time_request(self, message: Message) -> None:
        if self.here:
            nonce = json.loads(message.payload)["nonce"]
            self.timeline.at(self.timeline.now_us + ANSWER_DELAY_US, lambda: self._tell_time(nonce))

    def _tell_time(self, nonce: str) -> None:
        self.send(self.protocol.TIME, {"nonce": nonce, "at": round(self.now_s() + self.clock_off_s)})

    def _state(self, message: Message) -> None:
        """A board that lost its settings gets them again, as from the component."""
        version = json.loads(message.payload)["desired_version"]
        if version == len(self.versions):
            self._gave_again = False
        elif self.here and not self._gave_again and version < len(self.versions):
            self._gave_again = True
            self.publish_desired(again=True)

    def _reply(self, message: Message) -> None:
        reply = json.loads(message.payload)
        ask, stop = self.asks.get(reply["id"]), self.stops.get(reply["id"])
        if ask is not None and reply["accepted"]:
            self._accepted.add(reply["id"])
            ask.length_s = self._wished.pop(reply["id"], ask.length_s)
        elif ask is not None and reply["id"] not in self._accepted:  # a repeat of one that was accepted is refused, too
            self._wished.setdefault(reply["id"], ask.length_s)
            ask.length_s = 0.0
        if stop is not None and reply["accepted"]:
            self.stopped.append(Stop(*stop, self.now_s()))
