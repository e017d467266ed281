"""Why did it, or did it not, water? One plain sentence per zone.

Rule: pure functions of the snapshot, of words and of `now` (Unix seconds); says what the board said, and guesses nothing.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from .board import Board
from .models import BoardEvent, LastRun, LastSkip
from .words import Words

DAY_S = 86400
WEEKDAY_DAYS = 6  # within so many days a weekday is not ambiguous


@dataclass(frozen=True)
class Teller:
    """Tells things in one language, in local time, as of a moment."""

    words: Words
    zone_info: tzinfo
    now: float

    def when(self, at: int) -> str:
        """`06:00` today, `Thu 06:00` within a week, else with its date."""
        moment, today = datetime.fromtimestamp(at, UTC).astimezone(self.zone_info), self._today()
        days = abs((moment.date() - today.date()).days)
        if days == 0:
            return f"{moment:%H:%M}"
        if days <= WEEKDAY_DAYS:
            return f"{self.words.say('weekday', f'day_{moment.weekday()}')} {moment:%H:%M}"
        return f"{moment:%Y-%m-%d %H:%M}"

    def reason(self, word: str) -> str:
        """A reason as a person says it."""
        return self.words.say("reason", word)

    def amount(self, duration_s: int, volume_ml: int | None) -> str:
        """Minutes, and litres if they were metered."""
        time = f"{round(duration_s / 60)} min" if duration_s >= 60 else f"{duration_s} s"
        if volume_ml is None:
            return time
        litres = f"{volume_ml / 1000:.0f}" if volume_ml >= 10_000 else f"{volume_ml / 1000:.1f}"
        return f"{time}, {litres} l"

    def skip(self, skip: LastSkip, held_um: int | None = None) -> str:
        """A start that was given up; one that was not needed, with what the soil holds for the plants, if that is known."""
        if skip.reason == "not_needed" and held_um is not None:
            return self.words.say("sentence", "not_needed", at=self.when(skip.at), held=f"{max(0, held_um) / 1000:.0f}")
        return self.words.say("sentence", "skipped", at=self.when(skip.at), reason=self.reason(skip.reason))

    def run(self, run: LastRun | BoardEvent) -> str:
        """A run that is over."""
        values = {"at": self.when(run.at), "amount": self.amount(run.duration_s, run.volume_ml)}
        if run.result == "completed" or not run.reason:
            key = run.result if run.result in ("completed", "stopped", "tripped", "resumed") else "completed"
            return self.words.say("sentence", f"{key}_run", **values)
        if run.result == "skipped":
            return self.words.say("sentence", "skipped", at=values["at"], reason=self.reason(run.reason))
        key = "tripped_because" if run.result == "tripped" else "stopped_because"
        return self.words.say("sentence", key, reason=self.reason(run.reason), **values)

    def event(self, event: BoardEvent) -> str:
        """A run that finished, told by its start as the zone's last run is, or a start that was given up."""
        if event.event == "run_skipped":
            return self.skip(LastSkip(event.at, event.program, event.reason))
        return self.run(replace(event, at=event.at - event.duration_s))

    def outlook(self, board: Board, number: int) -> str:
        """When the zone starts next, or what is in the way."""
        zone, delay_until = board.zone(number), board.setting("rain_delay_until", 0)
        start_at = zone.next_run_at if zone else 0
        if board.state and board.state.safe_mode:
            return self.words.say("reason", "safe_mode")
        if board.setting("winter"):
            return self.words.say("sentence", "in_winter")
        if board.setting("watering_enabled") is False:
            return self.words.say("sentence", "switched_off")
        if delay_until > max(self.now, start_at):
            return self.words.say("sentence", "delayed", until=self.when(delay_until))
        if zone and zone.faults:
            is_said = zone.last_run is not None and zone.last_run.reason == zone.faults[0]
            return self.words.say("sentence", "locked" if is_said else "faulty", reason=self.reason(zone.faults[0]))
        if start_at > self.now:
            return self.words.say("sentence", "next", at=self.when(start_at))
        return self.words.say("sentence", "no_next")

    def why(self, board: Board, number: int) -> str:
        """The sentence: what goes on, else what became of the last start; and what comes next."""
        happened = self._present(board, number) or self._past(board, number)
        return f"{happened}; {self.outlook(board, number)}"

    def _present(self, board: Board, number: int) -> str:
        """What goes on, or waits; nothing where nothing does."""
        zone, waiting = board.zone(number), board.queued.get(number)
        if zone and zone.valve in ("opening", "open"):
            until = self.when(zone.run_until) if zone.run_until else ""
            return self.words.say("sentence", "watering", until=until) if until else self.words.say("sentence", "open")
        if zone and zone.queued_s:
            return self.words.say("sentence", "behind")
        if waiting and not waiting.is_acknowledged:
            at = self.when(board.next_wake) if board.next_wake else ""
            return self.words.say("sentence", "asked_of_sleeper", at=at) if at else self.words.say("sentence", "asked")
        return ""

    def _past(self, board: Board, number: int) -> str:
        """What became of the last start."""
        zone, skip = board.zone(number), board.last_skip(number)
        run = zone.last_run if zone else None
        if skip and (run is None or skip.at >= run.at):
            return self.skip(skip, board.held_um(number))
        return self.run(run) if run else self.words.say("sentence", "never")

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC).astimezone(self.zone_info)
