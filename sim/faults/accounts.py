"""Whether a start that was not made is accounted for: what the board said became of it, or why it could say nothing.

Rule: goes by what the board said and when it had power; of valves it knows only that a start was made late. Definitions are in docs/faults.md.
"""

from collections.abc import Iterable

from sim.faults.grants import Grants
from sim.faults.house import Ask
from sim.faults.truth import Account, Interval, Truth

TELLS_S = 10_900.0  # a start has two hours' grace, and the board's longest sleep may lie before the word
NEXT_S = 79_200.0  # 22 h: what is said of a start is said before the program's next one, a day of 23 hours later
LATE_WORDS = ("missed", "clock_lost")  # said when the board looks back, on the day after its start's at the latest
LOOKS_BACK_S = 172_800.0
GONE_S = 86_400.0  # after so long without power the board looks back no further
BOOT_US = 120_000_000  # a board with power again has spoken by then
WISHES = (  # reasons of people and calendars, which a start that had to be made has none of: such an answer is a wrong one
    "adjusted_to_zero",
    "disabled",
    "winter",
    "rain_delay",
    "season",
    "skip_date",
    "skipped",
    "no_start",
    "not_needed",
)


class Accounts:
    """What a board that is over said of its starts. Each account is one start's."""

    def __init__(self, truth: Truth, grants: Grants) -> None:
        self._truth, self._grants = truth, grants
        self._end_us = truth.world.timeline.now_us
        said = [one for one in truth.accounts.values() if one.reason not in WISHES]
        self._free = sorted(said, key=lambda one: one.at_us)

    def untold(self, missed: Iterable[Ask]) -> list[Ask]:
        """Those of the missed starts that nothing accounts for. The later ones take their pick first: what is said of a start is said after it."""
        due = [ask for ask in missed if self._us(ask.start_s + TELLS_S) <= self._end_us]
        found = [ask for ask in sorted(due, key=lambda ask: -ask.start_s) if not self._accounted(ask)]
        return sorted(found, key=lambda ask: (ask.start_s, ask.zone))

    def _accounted(self, ask: Ask) -> bool:
        return (
            self._said(ask)
            or self._made_late(ask)
            or self._without_power(ask)
            or self._memory_lost(ask)
            or self._settings_refused(ask)
            or self._unheard(ask)
        )

    def _said(self, ask: Ask) -> bool:
        """Did the board say what became of it: skipped, or over at once, with a reason?"""
        for one in self._free:
            if (one.zone, one.program) == (ask.zone, ask.program) and self._fits(ask, one):
                self._free.remove(one)
                return True
        return False

    def _fits(self, ask: Ask, one: Account) -> bool:
        after_s = self._grants.unix_s(one.at_us) - ask.start_s
        longest_s = LOOKS_BACK_S if one.reason in LATE_WORDS else NEXT_S
        return -self._grants.off_s <= after_s <= longest_s + self._grants.off_s

    def _made_late(self, ask: Ask) -> bool:
        """Was it made after all, once power was back: within its two hours' grace, or behind another zone that was?"""
        own = [one.from_us for one in self._grants.own if ask in self._grants.fitting(one)]
        return any(high <= at_us for _, high in self._dark(ask) for at_us in own)

    def _dark(self, ask: Ask) -> list[Interval]:
        """When it had no power, of what began before the start was missed and ended after its time."""
        spans = [*self._truth.dark, *self._truth.drained]
        low_us, high_us = self._us(ask.start_s), self._us(ask.start_s + self._grants.late_s)
        return [(low, high) for low, high in spans if low <= high_us and high > low_us]

    def _without_power(self, ask: Ask) -> bool:
        """Did the power stay away for a day, or until the end?"""
        return any(high == self._end_us or high >= self._us(ask.start_s + GONE_S) for _, high in self._dark(ask))

    def _memory_lost(self, ask: Ask) -> bool:
        """Did it say, back with power, that its flash cannot be read? Then nobody knows which starts were made."""
        said = [one.at_us for one in self._truth.told if one.word == "storage" and one.present]
        return any(high <= at_us <= high + BOOT_US for _, high in self._dark(ask) for at_us in said)

    def _settings_refused(self, ask: Ask) -> bool:
        """Had the board refused the settings that hold the program, with a reason, and never said since that it holds any?"""
        held = [holds for at_us, holds in self._truth.settled if at_us <= self._us(ask.start_s)]
        return bool(held) and not held[-1]

    def _unheard(self, ask: Ask) -> bool:
        """Did it never say anything again? The broker, or the wake that it did not keep, tells everybody that it is gone."""
        return self._truth.heard_us <= self._us(ask.start_s + self._grants.late_s)

    def _us(self, unix_s: float) -> int:
        return round((unix_s - self._grants.start_s) * 1e6)
