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

    def skip(self, skip: LastSkip) -> str:
        """A start that was given up."""
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
            return self.words.say("sentence", "faulty", reason=self.reason(zone.faults[0]))
        if start_at > self.now:
            return self.words.say("sentence", "next", at=self.when(start_at))
        return self.words.say("sentence", "no_next")

    def why(self, board: Board, number: int) -> str:
        """The sentence: what became of the last start, and what comes next."""
        zone, skip = board.zone(number), board.last_skip(number)
        run = zone.last_run if zone else None
        if skip and (run is None or skip.at >= run.at):
            happened = self.skip(skip)
        elif run:
            happened = self.run(run)
        else:
            happened = self.words.say("sentence", "never")
        return f"{happened}; {self.outlook(board, number)}"

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC).astimezone(self.zone_info)
