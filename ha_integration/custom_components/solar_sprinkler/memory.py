"""What must survive a restart of Home Assistant for one board.

Rule: plain values with a JSON form, and the two questions that only memory answers: which counter comes next, and is this number the next one.
Knows neither files nor topics; what it reads back passes the same readers as a message does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, auto
import json
import re
from typing import Any

from . import protocol
from .errors import ModelError
from .fields import integer, read, text, truth
from .models import Availability, BoardEvent, Desired, LastSkip, Sample, State

BOOTS_KEPT = 16  # a board that lost power in an outage tells of each of its lives
EVENTS_KEPT = 64
REPORTED_AHEAD_MS = 12 * 3_600_000  # half of what a board accepts
SENT_AHEAD_MS = 23 * 3_600_000  # room for what follows a report
SAMPLES_KEPT = 96  # a day, at a wake every 15 minutes


@dataclass(frozen=True)
class QueuedRun:
    """A run that was sent and of which the board has not yet told in a state; it may have accepted it already."""

    zone: int = integer(protocol.ZONE_LIMITS)
    command_id: str = text(re.compile("[0-9a-f]{8}"))
    counter: int = integer((0, 2**53 - 1))
    expires_at: int = integer((0, 2**32 - 1))
    run_time_s: int = integer(protocol.RUN_TIME_S_LIMITS)
    is_acknowledged: bool = truth()


@dataclass(frozen=True)
class Stored:
    """The last event and the last sample of one boot that are stored here."""

    boot_id: int
    event: int = 0
    sample: int = 0


def plain(model: Any) -> Any:
    """The JSON form of a model, with lists for tuples, as it came over the wire."""
    return None if model is None else json.loads(json.dumps(asdict(model)))


def _read[Model](model: type[Model], value: Any) -> Model | None:
    try:
        return None if value is None else read(model, value)
    except ModelError:
        return None


def _read_all[Model](model: type[Model], values: Any) -> list[Model]:
    return [found for value in values if (found := _read(model, value)) is not None]


def _weather(days: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    return {int(day): (int(values[0]), int(values[1])) for day, values in days.items()}


def last_skips(events: Iterable[BoardEvent]) -> dict[int, LastSkip]:
    """The last start of each zone that was given up, as events told."""
    skipped = [event for event in events if event.event == "run_skipped" and event.reason]
    return {event.zone: LastSkip(event.at, event.program, event.reason) for event in skipped}


class Arrival(Enum):
    """What a number is, held against what is stored."""

    NEXT = auto()
    REPEATED = auto()
    AHEAD = auto()  # one before it is missing, and the board still holds that one


def arrived(number: int, stored: int, oldest: int, after: int = 0) -> Arrival:
    """Judge a number; what is older than `oldest`, or between `after` and it, had to give way on the board and will never come."""
    expected = max(stored + 1, oldest)
    if number == expected or 0 < after <= stored < number:
        return Arrival.NEXT
    return Arrival.REPEATED if number < expected else Arrival.AHEAD


@dataclass
class Memory:
    """See the module's docstring. `stored` holds the boot that spoke last at its end."""

    counter: int = 0
    last_seen: int = 0
    desired: Desired | None = None
    availability: Availability | None = None
    state: State | None = None
    names: dict[str, str] = field(default_factory=dict)  # of programs, by their ids; a board knows none
    weather: dict[int, tuple[int, int]] = field(default_factory=dict)  # by yyyymmdd: ET0 and rain in um
    smart: list[int] = field(default_factory=list)  # zones whose programs are to be smart, be there any yet or not
    queued: list[QueuedRun] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    events: list[BoardEvent] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def next_counter(self, now_ms: int, reported: int) -> int:
        """A command counter above the clock, above every one sent before, and above the one that the board reported.

        What lies too far ahead is left out: a board refuses a counter of tomorrow, so a forged report, or a clock that once ran ahead, would
        shut Home Assistant out.
        """
        reported = reported if reported <= now_ms + REPORTED_AHEAD_MS else 0
        sent = self.counter if self.counter <= now_ms + SENT_AHEAD_MS else 0
        self.counter = max(now_ms, sent, reported) + 1
        return self.counter

    def is_newer_than(self, state: State) -> bool:
        """True if the known state was told later in the same life of the board: `state` was kept somewhere, and comes again.

        Events tell it, because they are numbered; time must agree, so that neither a clock that is put back nor a firmware that has lost its
        count makes Home Assistant deaf.
        """
        known = self.state
        return (
            known is not None and known.boot_id == state.boot_id and known.event > state.event and known.at > state.at
        )

    def of_boot(self, boot_id: int) -> Stored:
        """What is stored of a boot."""
        return next((stored for stored in self.stored if stored.boot_id == boot_id), Stored(boot_id))

    def touch(self, boot_id: int) -> Stored:
        """Make a boot the one that spoke last; returns what is stored of it."""
        latest = self.of_boot(boot_id)
        self._store(latest)
        return latest

    def _store(self, latest: Stored) -> None:
        others = [stored for stored in self.stored if stored.boot_id != latest.boot_id]
        self.stored = [*others, latest][-BOOTS_KEPT:]

    def add_event(self, event: BoardEvent) -> Arrival:
        """Keep an event if it is the next one."""
        known = self.of_boot(event.boot_id)
        arrival = arrived(event.n, known.event, event.oldest, event.after)
        if arrival is Arrival.NEXT:
            self._store(replace(known, event=event.n))
            self.events = [*self.events, event][-EVENTS_KEPT:]
        return arrival

    def add_sample(self, boot_id: int, sample: Sample, oldest: int) -> Arrival:
        """Keep a sample if it is the next one."""
        known = self.of_boot(boot_id)
        arrival = arrived(sample.n, known.sample, oldest, sample.after)
        if arrival is Arrival.NEXT:
            self._store(replace(known, sample=sample.n))
            self.samples = [*self.samples, sample][-SAMPLES_KEPT:]
        return arrival

    def to_json(self) -> dict[str, Any]:
        """The form that is written to disk."""
        form: dict[str, Any] = plain(self)
        return form

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Memory:
        """Read back what `to_json` gave; a part that does not validate is forgotten."""
        return cls(
            counter=form["counter"],
            last_seen=form["last_seen"],
            desired=_read(Desired, form["desired"]),
            availability=_read(Availability, form["availability"]),
            state=_read(State, form["state"]),
            names={str(number): str(name) for number, name in form.get("names", {}).items()},
            weather=_weather(form.get("weather", {})),
            smart=[int(zone) for zone in form.get("smart", ())],
            queued=_read_all(QueuedRun, form["queued"]),
            stored=[Stored(**stored) for stored in form["stored"]],
            events=_read_all(BoardEvent, form["events"]),
            samples=_read_all(Sample, form["samples"]),
        )
