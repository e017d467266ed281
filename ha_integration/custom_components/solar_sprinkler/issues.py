"""What a person should look after, as issues under Settings > System > Repairs.

Rule: `wanted` says from the snapshot which issues there are at a moment; the keeper makes those there are and deletes those there are no more.
Each links to the page of its word.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.issue_registry import IssueSeverity

from . import protocol
from .board import RUN_OVERDUE_S, Board
from .const import DOMAIN
from .sentences import Teller

PAGE = "https://github.com/solar-sprinkler/solar-sprinkler/blob/main/docs/home_assistant.md"
ZONE_FAULTS = ("no_flow", "leak", "overrun")  # a person clears them, after a look
BOARD_FAULTS = ("low_battery", "sensor", "storage", "tampering", "clock", "leak")
LEAK_CLOSED = "fault_leak_closed"  # the board's leak: no zone can be named
UPDATE_PROBLEMS = ("refused", "failed", "rolled_back")
CLOCK = "fault_clock"
DESIRED_UNKNOWN = "desired_unknown"
SAFE_MODE = "safe_mode"
FIXABLE = frozenset({*(f"fault_{word}" for word in ZONE_FAULTS), CLOCK, DESIRED_UNKNOWN, SAFE_MODE})
CRITICAL = frozenset({"valve_overdue", "fault_leak", LEAK_CLOSED, "fault_overrun"})


@dataclass(frozen=True)
class Issue:
    """One issue: its key in translations/, the zone it is about (0: the board), and what its text needs."""

    key: str
    zone: int = 0
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Where it is explained."""
        return f"{PAGE}#{self.key.removeprefix('fault_')}"


def wanted(board: Board, teller: Teller) -> Iterator[Issue]:
    """The issues that there are now."""
    if board.announce.protocol > protocol.PROTOCOL:
        yield Issue("protocol_newer")
    elif board.announce.protocol < protocol.PROTOCOL:
        yield Issue("protocol_older")
    if board.update is not None and board.update.state in UPDATE_PROBLEMS and board.update.offer:
        told = {"version": board.update.version or "?", "firmware": board.announce.firmware}
        yield Issue(
            f"update_{board.update.state}",
            values=told | {"reason": teller.words.say("update_reason", board.update.reason)},
        )
    if board.state is None:
        return
    yield from _out_of_reach(board, teller)
    if board.state.safe_mode:
        yield Issue(SAFE_MODE)
    known = {word: Issue(LEAK_CLOSED if word == "leak" else f"fault_{word}") for word in BOARD_FAULTS}
    yield from (known[word] for word in board.state.faults if word in known)
    for zone in board.state.zones:
        yield from (
            Issue(f"fault_{word}", zone.zone, {"zone": str(zone.zone)}) for word in zone.faults if word in ZONE_FAULTS
        )
    if board.desired is None and board.state.desired_version > 0:
        yield Issue(DESIRED_UNKNOWN)
    if board.desired_refused:
        yield Issue("desired_refused", values={"reason": teller.reason(board.desired_refused)})


def _out_of_reach(board: Board, teller: Teller) -> Iterator[Issue]:
    """The board is silent; worse, it was silent with a valve that may be open. A broker that is away says nothing of either."""
    if not board.broker_connected or board.state is None:
        return
    is_silent = not board.is_reachable(teller.now)
    heard = teller.when(board.last_seen) if board.last_seen else "?"
    if is_silent:
        yield Issue("board_overdue", values={"heard": heard})
    for zone in board.state.zones:
        is_late = 0 < zone.run_until <= teller.now - RUN_OVERDUE_S
        if zone.valve != "closed" and (is_silent or is_late):
            yield Issue("valve_overdue", zone.zone, {"zone": str(zone.zone), "heard": heard})


class IssueKeeper:
    """Keeps the issues of one board."""

    def __init__(self, hass: HomeAssistant, device_id: str, entry_id: str, title: str) -> None:
        """There are none yet."""
        self._hass = hass
        self._device_id = device_id
        self._entry_id = entry_id
        self._title = title
        self._there: dict[str, Issue] = {}

    @callback
    def async_keep(self, issues: Iterator[Issue]) -> None:
        """Make what is new and delete what is gone."""
        found = {f"{self._device_id}_{issue.key}_{issue.zone}": issue for issue in issues}
        for issue_id in self._there.keys() - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for issue_id, issue in found.items():
            if self._there.get(issue_id) != issue:
                self._make(issue_id, issue)
        self._there = found

    @callback
    def async_clear(self) -> None:
        """Delete all: nobody looks after them any more."""
        self.async_keep(iter(()))

    def _make(self, issue_id: str, issue: Issue) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={"entry_id": self._entry_id, "key": issue.key, "zone": issue.zone},
            is_fixable=issue.key in FIXABLE,
            learn_more_url=issue.page,
            severity=IssueSeverity.CRITICAL if issue.key in CRITICAL else IssueSeverity.WARNING,
            translation_key=issue.key,
            translation_placeholders={"board": self._title, **issue.values},
        )
