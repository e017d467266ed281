"""A zone's programs as a calendar: an event is a program, its length the run time; what is over is what the board told.

Rule: shows what is wanted; until the board has confirmed it, it says so. A new program, or a changed one, becomes part of `desired`.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEntityFeature,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from . import programs, suntimes
from .coordinator import SprinklerConfigEntry
from .entity import SprinklerEntity
from .errors import ProgramError
from .programs import Program

PARALLEL_UPDATES = 0

SCHEDULE = CalendarEntityDescription(key="schedule", translation_key="schedule")
AHEAD_DAYS = 62  # how far the entity's own state looks; the calendar's page asks for any time
SEPARATOR = " · "  # between the name that a person gave and what is said about the program
THIS_AND_FUTURE = "THISANDFUTURE"

type Change = Callable[[list[Program]], list[Program]]


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a calendar per zone."""
    coordinator = entry.runtime_data
    async_add_entities(Schedule(coordinator, SCHEDULE, zone) for zone in range(1, coordinator.data.announce.zones + 1))


class Schedule(SprinklerEntity, CalendarEntity):
    """The programs of one zone."""

    _attr_supported_features = (
        CalendarEntityFeature.CREATE_EVENT | CalendarEntityFeature.UPDATE_EVENT | CalendarEntityFeature.DELETE_EVENT
    )

    @property
    def available(self) -> bool:
        """Always: what is wanted does not depend on the board."""
        return True

    @property
    def event(self) -> CalendarEvent | None:
        """The run that is due now, or the next one."""
        now = dt_util.now()
        coming = [*self._coming(now, now + timedelta(days=AHEAD_DAYS))]
        return min(coming, key=lambda event: event.start_datetime_local, default=None)

    async def async_get_events(
        self, _hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """What is to come and what is over, between two moments."""
        events = [*self._past(start_date, end_date), *self._coming(start_date, end_date)]
        return sorted(events, key=lambda event: event.start_datetime_local)

    async def async_create_event(self, **kwargs: Any) -> None:
        """Add a program. Raises HomeAssistantError for what the board cannot do."""
        made = self._attempt(self._program_of, kwargs, None)

        def add(wanted: list[Program]) -> list[Program]:
            number = programs.free_id(wanted, self.board.announce.programs_max)
            self._name(number, kwargs.get("summary"))
            smart = {"smart": True} if self.zone in self.coordinator.memory.smart else {}
            return [*wanted, {"id": number, "zone": self.zone, "enabled": True, **made, **smart}]

        await self._want(add)

    async def async_update_event(
        self, uid: str, event: dict[str, Any], recurrence_id: str | None = None, recurrence_range: str | None = None
    ) -> None:
        """Change a program; a single one of its starts cannot be changed."""
        if recurrence_id and recurrence_range != THIS_AND_FUTURE:
            raise self.coordinator.words.invalid("single_start")

        def change(wanted: list[Program]) -> list[Program]:
            known = self._found(wanted, uid)
            made = self._program_of(event, known)
            kept = {key: value for key, value in known.items() if key not in programs.DAYS_KEYS}
            self._name(known["id"], event.get("summary"))
            return [{**kept, **made} if program is known else program for program in wanted]

        await self._want(change)

    async def async_delete_event(
        self, uid: str, recurrence_id: str | None = None, recurrence_range: str | None = None
    ) -> None:
        """Delete a program, skip one of its starts, or end it."""
        day = datetime.strptime(recurrence_id[:8], "%Y%m%d").date() if recurrence_id else None

        def change(wanted: list[Program]) -> list[Program]:
            known, today = self._found(wanted, uid), dt_util.now().date()
            left: Program | None = None
            if day is not None and recurrence_range == THIS_AND_FUTURE:
                left = programs.ended_before(known, day, today)
            elif day is not None:
                left = programs.without_date(known, day, today)
            if left is None:
                self.coordinator.memory.names.pop(uid, None)
            changed = [left if program is known else program for program in wanted]
            return [program for program in changed if program is not None]

        await self._want(change)

    async def _want(self, change: Change) -> None:
        try:
            await self.coordinator.desired.async_edit(programs=lambda wanted: self._attempt(change, [*wanted]))
        except HomeAssistantError as error:
            raise self.coordinator.words.translated(error) from error

    def _attempt[**P, R](self, make: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `make` returns; what the board cannot do becomes an error that says so."""
        try:
            return make(*args, **kwargs)
        except ProgramError as error:
            raise self.coordinator.words.invalid(error.key, **error.values) from error

    def _found(self, wanted: list[Program], uid: str) -> Program:
        ours = programs.of_zone(wanted, self.zone)
        found = next((program for program in ours if str(program["id"]) == uid), None)
        if found is None:
            raise self.coordinator.words.invalid("no_such_program")
        return found

    def _name(self, number: int, summary: str | None) -> None:
        name = (summary or "").split(SEPARATOR)[0].strip()
        if name:
            self.coordinator.memory.names[str(number)] = name[:100]

    def _program_of(self, event: dict[str, Any], known: Program | None) -> dict[str, Any]:
        """Days, start and run time of the event that was entered."""
        start, end = event["dtstart"], event["dtend"]
        if not isinstance(start, datetime):
            raise ProgramError("all_day")
        start, end = dt_util.as_local(start), dt_util.as_local(end)
        run_time_s = programs.checked_run_time_s((end - start).total_seconds(), self.board.announce.run_time_max_s)
        today = dt_util.now().date()
        rule = event.get("rrule") or None
        if known is None and not rule and start <= dt_util.now():
            raise ProgramError("start_is_over")
        # An edit of "this and future" is one of the program: it goes on on the days before, too.
        counted_from = start.date() if known is not None and rule else today
        made = programs.days_of_rule(rule, start.date(), counted_from, dt_util.get_default_time_zone())
        if known is not None and rule:
            made = programs.with_rhythm_of(made, known) | {"skip_dates": [*known.get("skip_dates", ())]}
        made |= {"start_min": start.hour * 60 + start.minute, "run_time_s": run_time_s}
        if known is not None and known.get("start", "clock") != "clock":
            made |= self._sun_start(known, start)
        return made

    def _sun_start(self, known: Program, start: datetime) -> dict[str, Any]:
        """A start by the sun stays one, unless another time was entered."""
        shown = suntimes.start_of(self.hass, known, start.date())
        is_same = shown is not None and (shown.hour, shown.minute) == (start.hour, start.minute)
        return {} if is_same else {"start": "clock", "offset_min": 0}

    def _coming(self, first: datetime, last: datetime) -> Iterator[CalendarEvent]:
        """Starts that are not over, between two moments."""
        now = dt_util.now()
        first = max(dt_util.as_local(first), now)
        for program in programs.of_zone(self.board.programs, self.zone):
            once = programs.runs_once(program, now.date())
            run_time = timedelta(seconds=program["run_time_s"])
            for day in programs.days(program, first.date() - timedelta(days=1), dt_util.as_local(last).date()):
                start = suntimes.start_of(self.hass, program, day)
                if start is not None and start + run_time > first and start < last:
                    yield self._event(program, day, start, once=once)

    def _event(self, program: Program, day: date, start: datetime, *, once: bool) -> CalendarEvent:
        return CalendarEvent(
            start=start,
            end=start + timedelta(seconds=program["run_time_s"]),
            summary=SEPARATOR.join([self._name_of(program["id"]), *self._remarks(start)]),
            uid=str(program["id"]),
            recurrence_id=None if once else f"{programs.number_of(day)}T{start:%H%M%S}",
            rrule=None if once else programs.rule_of(program),
        )

    def _name_of(self, number: int) -> str:
        words = self.coordinator.words
        return self.coordinator.memory.names.get(str(number)) or words.say("sentence", "program", number=str(number))

    def _remarks(self, start: datetime) -> Iterator[str]:
        """What a person should know of a start: the board has not heard of it, refused it, or will not make it."""
        board, teller = self.board, self.coordinator.teller
        if board.desired_refused:
            yield teller.words.say("sentence", "refused", reason=teller.reason(board.desired_refused))
        elif board.is_waited_for:
            until = f", {teller.when(board.next_wake)}" if board.next_wake else ""
            yield teller.words.say("sentence", "waiting") + until
        if board.setting("winter"):
            yield teller.reason("winter")
        elif board.setting("watering_enabled") is False:
            yield teller.reason("disabled")
        elif board.setting("rain_delay_until", 0) > start.timestamp():
            yield teller.reason("rain_delay")

    def _past(self, first: datetime, last: datetime) -> Iterator[CalendarEvent]:
        """Runs and skipped starts as the board told them."""
        teller = self.coordinator.teller
        for told in self.coordinator.memory.events:
            if told.zone != self.zone or told.event not in ("run_finished", "run_skipped"):
                continue
            end = dt_util.as_local(dt_util.utc_from_timestamp(told.at))
            start = end - timedelta(seconds=told.duration_s)
            if end >= first and start < last:
                yield CalendarEvent(start=start, end=max(end, start + timedelta(minutes=1)), summary=teller.event(told))
