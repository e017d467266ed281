"""What Home Assistant knows of a board at one moment, and what follows from it.

Rule: one frozen snapshot and pure functions of it and of `now` (Unix seconds). Unknown is never said to be closed. Knows neither Home
Assistant nor how messages travel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .memory import QueuedRun
from .models import (
    ASLEEP,
    LOST,
    ONLINE,
    Announce,
    Availability,
    Desired,
    Health,
    LastSkip,
    Sample,
    State,
    UpdateOffer,
    UpdateState,
    Zone,
)

WAKE_INTERVAL_DEFAULT_S = 900
WAKE_INTERVAL_MIN_S = 60
GRACE_WAKE_INTERVALS = 2.2  # a board is overdue once it missed two wakes and some more
RUN_OVERDUE_S = 120  # an open valve whose run should have ended this long ago is no longer believed


@dataclass(frozen=True)
class ValveView:
    """What to show of a valve; `is_closed` of None means unknown."""

    is_closed: bool | None
    is_opening: bool = False
    is_closing: bool = False


@dataclass(frozen=True)
class Board:
    """All that is known of one board."""

    announce: Announce
    availability: Availability | None = None
    state: State | None = None
    sample: Sample | None = None
    health: Health | None = None  # for the diagnostics
    last_seen: int = 0
    broker_connected: bool = True
    key_fits: bool = True  # the last announce verified with the key that was paired
    desired_refused: str = ""  # why the board refused the settings and programs it was last sent
    update: UpdateState | None = None  # what the board says of its last update
    offered: UpdateOffer | None = None  # the firmware that it was offered, until that is over
    queued: Mapping[int, QueuedRun] = field(default_factory=dict)
    desired: Desired | None = None
    skips: Mapping[int, LastSkip] = field(
        default_factory=dict
    )  # as the events told them, for a board whose state does not

    def setting(self, key: str, default: Any = None) -> Any:
        """A setting as wanted; as reported, when Home Assistant wants nothing of its own."""
        if self.desired is not None and key in self.desired.settings:
            return self.desired.settings[key]
        return default if self.state is None else getattr(self.state, key, default)

    def wanted(self, key: str, default: Any = None) -> Any:
        """A setting that no board reports, as wanted."""
        return self.desired.settings.get(key, default) if self.desired else default

    @property
    def zones_wanted(self) -> Sequence[Mapping[str, Any]]:
        """The settings of the zones, as wanted."""
        zones: Sequence[Mapping[str, Any]] = self.wanted("zones", ())
        return zones

    @property
    def programs(self) -> Sequence[Mapping[str, Any]]:
        """The programs as wanted."""
        return self.desired.programs if self.desired else ()

    @property
    def is_waited_for(self) -> bool:
        """True while the board has not confirmed the settings and programs that are wanted."""
        return self.desired is not None and (self.state is None or self.state.desired_version != self.desired.version)

    def last_skip(self, number: int) -> LastSkip | None:
        """The last start of a zone that was given up."""
        zone = self.zone(number)
        told = [skip for skip in (zone.last_skip if zone else None, self.skips.get(number)) if skip]
        return max(told, key=lambda skip: skip.at, default=None)

    def held_um(self, number: int) -> int | None:
        """What the zone's soil holds that its plants may use up, by the board's books."""
        zone = self.zone(number)
        wanted = next((each for each in self.zones_wanted if each.get("zone") == number), {})
        if zone is None or zone.depletion_um is None or not wanted.get("available_um"):
            return None
        allowed_um: int = wanted["available_um"] * wanted.get("allowed_depletion_pct", 50) // 100
        return allowed_um - zone.depletion_um

    def is_responsive(self, now: float) -> bool:
        """True while the board is kept awake on request."""
        if self.state is None:
            return False
        return self.state.awake_until > now if self.state.awake_until else self.state.power_mode == "responsive"

    def zone(self, number: int) -> Zone | None:
        """What the board said of a zone, if anything."""
        return next((zone for zone in self.state.zones if zone.zone == number), None) if self.state else None

    @property
    def wake_interval_s(self) -> int:
        """How long the board sleeps, as far as it told."""
        if self.state and 0 < self.state.at < self.state.wake_at:
            return max(WAKE_INTERVAL_MIN_S, self.state.wake_at - self.state.at)
        return WAKE_INTERVAL_DEFAULT_S

    @property
    def is_online(self) -> bool:
        """True while the board is awake and linked to the broker, so that an answer may be waited for."""
        return self.broker_connected and self.availability is not None and self.availability.state == ONLINE

    @property
    def next_wake(self) -> int | None:
        """When a sleeping board listens again, if it told."""
        if self.availability and self.availability.state == ASLEEP:
            return self.availability.until or None
        return None

    @property
    def overdue_at(self) -> int | None:
        """When a board that does not sleep through an open link is given up; None when time does not decide."""
        if self.availability is not None and self.availability.state != ASLEEP:
            return None
        expected = self.next_wake or self.last_seen
        return int(expected + GRACE_WAKE_INTERVALS * self.wake_interval_s)

    def is_reachable(self, now: float) -> bool:
        """True while the board is online, or asleep and not overdue."""
        if not self.broker_connected or (self.availability is not None and self.availability.state == LOST):
            return False
        return self.overdue_at is None or now < self.overdue_at

    def is_valve_shown(self, number: int, now: float) -> bool:
        """False when a valve is to be unavailable: out of reach, closed (or never heard of) when last heard, and not asked to open."""
        zone = self.zone(number)
        is_restless = zone is not None and (zone.valve != "closed" or zone.queued_s > 0)
        return self.is_reachable(now) or is_restless or number in self.queued

    def valve(self, number: int, now: float) -> ValveView:
        """What to show of the zone's valve; out of reach, one that is open or was asked to open is unknown, never closed."""
        zone = self.zone(number)
        if not self.is_reachable(now):
            return ValveView(None)
        if zone is None or zone.valve == "unknown":
            return ValveView(None, is_opening=number in self.queued)
        if zone.valve == "closed":
            return ValveView(True, is_opening=number in self.queued or zone.queued_s > 0)
        if 0 < zone.run_until <= now - RUN_OVERDUE_S:
            return ValveView(None)
        return ValveView(False, is_opening=zone.valve == "opening", is_closing=zone.valve == "closing")

    def faults(self) -> tuple[str, ...]:
        """Fault words of the board and of its zones, each once, in the order in which they were said."""
        if self.state is None:
            return ()
        safe = ["safe_mode"] if self.state.safe_mode else []
        said = [*safe, *self.state.faults, *(fault for zone in self.state.zones for fault in zone.faults)]
        return tuple(dict.fromkeys(said))

    def next_change_at(self, now: float) -> int | None:
        """The next moment at which time alone changes what is to be shown."""
        return min((moment for moment in self._moments() if moment > now), default=None)

    def _moments(self) -> Iterator[int]:
        if self.overdue_at is not None:
            yield self.overdue_at
        for queued in self.queued.values():
            yield queued.expires_at
        if self.state:
            yield self.state.awake_until
        yield self.setting("rain_delay_until", 0)
        for zone in self.state.zones if self.state else ():
            if zone.run_until and zone.valve != "closed":
                yield zone.run_until + RUN_OVERDUE_S
