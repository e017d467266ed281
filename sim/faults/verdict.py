"""The verdict on a life: how much water ran that nobody asked for, which openings outlasted their grant, which starts were missed, or untold.

Rule: stands on the world's meters and valves, and on what was truly asked for. Definitions are in docs/faults.md; each figure here is one of them.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from sim.faults.accounts import Accounts
from sim.faults.grants import SLACK_S, Grants
from sim.faults.house import CAP_S
from sim.faults.life import Life
from sim.faults.truth import Interval, Opening, Truth
from sim.hydraulics import WHEEL_TURNS_ML_S

LEAK_WINDOW_S = 90.0  # awake, this long until water that should not run is told: 250 ml at the slowest that the wheel turns for, and the words' way out
SLEEP_US = 3_660_000_000  # the longest sleep, with the timer's drift
METER_ERROR_ML = 10.0  # some pulses of the meter
TELLS = (
    "leak",
    "overrun",
    "no_flow",
    "sensor",
)  # the faults that tell a person to go and look at the water; "sensor" where a bridge cannot be reached
TELL_LATE_US = 120_000_000
OPENINGS_MAX = 120  # of a zone in a day, where nothing is set
SHORT = 0.9  # a run that got less of its time than this counts as short

GAVE_UP_US = 10_800_000_000  # a valve that does not obey is pushed again within three hours, however flat the battery


class Excess(NamedTuple):
    """Water outside every grant: where, when, and why it cannot be granted."""

    zone: int
    from_us: int
    until_us: int
    why: str


@dataclass(slots=True)
class Verdict:
    """Of one life. All in ml, but for counts."""

    hours: float = 0.0
    opens: int = 0
    opens_beyond_cap: int = 0
    unaccounted_ml: float = 0.0
    starts: int = 0
    missed_runs: int = 0
    untold_runs: int = 0  # of these, where watering is forbidden, those of which nothing says why
    short_runs: int = 0
    crashes: int = 0
    metered_ml: float = 0.0
    dark_ml: float = 0.0  # ran while the board had no power
    told_ml: float = 0.0  # ran on, and the board had reported why
    window_ml: float = 0.0  # within the leak window
    seeped_ml: float = 0.0  # too slow for the meter's wheel
    story: list[str] = field(default_factory=list)  # what is wrong, in words

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.story


def overlap_us(interval: Interval, others: Iterable[Interval]) -> int:
    """How much of `interval` lies in `others`, which do not overlap."""
    return sum(max(0, min(interval[1], high) - max(interval[0], low)) for low, high in others)


class _Judge:
    def __init__(self, life: Life) -> None:
        self.life = life
        self.truth: Truth = life.truth
        self.grants = Grants(life)
        self.found = Verdict(
            hours=life.timeline.now_us / 3.6e9, opens=len(self.truth.openings), crashes=len(life.board.crashes)
        )
        self.found.metered_ml = sum(zone.meter_ml for zone in life.world.zones)
        kinds = {deed.kind for deed in life.story.deeds}
        self.unreachable = bool(kinds & {"part.missing", "bus.held"})  # pushes may not get out
        if "battery.lies" in kinds:  # then no firmware can know when its cell is empty
            self.truth.dark += self.truth.drained
        self.boots = [low for low, _ in self.truth.awake]
        self.ends = [high for _, high in self.truth.awake]

    # --- what was not

    def excesses(self) -> list[Excess]:
        found = []
        for opening in self.truth.openings:
            granted_us = self.grants.grant_us(opening)
            if opening.from_us + granted_us < opening.until_us:
                why = "after its time" if granted_us else "that nobody asked for"
                found.append(Excess(opening.zone, opening.from_us + granted_us, opening.until_us, why))
            self._outlasts(opening, granted_us)
        return found + self._leaks()

    def _outlasts(self, opening: Opening, granted_us: int) -> None:
        """Count an opening that is longer than the longest grant that it may have, if the board could have closed it and said nothing."""
        longest_s = min(CAP_S, max((ask.length_s for ask in self.grants.fitting(opening)), default=0.0))
        limit_us = min(granted_us, round((longest_s + SLACK_S) * 1e6)) if longest_s else 0
        dark_us = overlap_us((opening.from_us, opening.until_us), self.truth.dark)
        if opening.until_us - opening.from_us - dark_us <= limit_us:
            return
        late_us = opening.from_us + limit_us
        pushes = self._pushes(opening)
        own = bool(limit_us) or self._board_opened(opening)
        first_us = late_us + dark_us + 10_000_000 if own else self.window_end_us(late_us)
        if not own and opening.until_us <= first_us:
            return
        if self._gave_up(pushes, opening.until_us):
            self.beyond(opening, dark_us, "and the board gave up closing it")
        elif not (pushes and pushes[0] <= first_us) and not (self.unreachable and self.told(late_us, opening.until_us)):
            self.beyond(opening, dark_us, f"and {longest_s:.0f} s was the most that was granted")

    def _board_opened(self, opening: Opening) -> bool:
        """Did the board itself push this valve open, by wires that are not changed over? Then nothing has to be noticed first: there is no leak window."""
        return not opening.by_hand and not self.truth.swapped(opening.zone)

    def _pushes(self, opening: Opening) -> list[int]:
        """When the board pushed to close this valve, and it did not obey. With its wires changed over a push to close is one to open."""
        low, high = opening.from_us, opening.until_us - 1_000_000
        own = self.truth.pushes(opening.zone, opens=None if self.truth.swapped(opening.zone) else False)
        return [at_us for at_us in own if low < at_us < high]

    def _gave_up(self, pushes: list[int], until_us: int) -> bool:
        """Were there hours between two closing pulses, with power, although the valve did not obey?"""
        return any(
            later - push - overlap_us((push, later), self.truth.dark) > GAVE_UP_US
            for push, later in pairwise([*pushes, until_us])
        )

    def beyond(self, opening: Opening, dark_us: int, why: str) -> None:
        self.found.opens_beyond_cap += 1
        seconds = (opening.until_us - opening.from_us - dark_us) / 1e6
        self.found.story.append(
            f"zone {opening.zone + 1} was open for {seconds:.0f} s from {opening.from_us / 3.6e9:.3f} h on, {why}"
        )

    def _leaks(self) -> list[Excess]:
        """Water through closed valves, as spans of one zone."""
        found: list[Excess] = []
        for span in self.truth.spans:
            for zone, flow in enumerate(span.flows):
                if not flow or self._open(zone, span.from_us):
                    continue
                if flow < WHEEL_TURNS_ML_S:
                    self.found.seeped_ml += flow * (span.until_us - span.from_us) / 1e6
                elif found and found[-1].zone == zone and found[-1].until_us == span.from_us:
                    found[-1] = found[-1]._replace(until_us=span.until_us)
                else:
                    found.append(Excess(zone, span.from_us, span.until_us, "through the closed valve"))
        return found

    def _open(self, zone: int, at_us: int) -> bool:
        return any(
            opening.zone == zone and opening.from_us <= at_us < opening.until_us for opening in self.truth.openings
        )

    def window_end_us(self, at_us: int) -> int:
        """The end of the leak window of water that begins at `at_us`: LEAK_WINDOW_S after the board is awake, which it is within SLEEP_US of power."""
        index = bisect_left(self.ends, at_us + 1)
        awake_us = max(at_us, self.boots[index]) if index < len(self.boots) else self.life.timeline.now_us
        dark_us = overlap_us((at_us, awake_us), self.truth.dark)
        return min(awake_us, at_us + SLEEP_US + dark_us) + round(LEAK_WINDOW_S * 1e6)

    def told(self, from_us: int, until_us: int) -> bool:
        """Did the board report, at a moment between those or a little later, a fault that explains running water?"""
        low, high = from_us - 5_000_000, until_us + TELL_LATE_US
        active: set[tuple[int, str]] = set()
        words = TELLS if self.unreachable else TELLS[:-1]
        reports = [report for report in self.truth.told if report.word in words]
        for report in sorted((report for report in reports if report.dated), key=lambda report: report.at_us):
            if report.at_us > high:
                break
            if report.at_us > low and (report.present or active):
                return True
            (active.add if report.present else active.discard)((report.zone, report.word))
        return bool(active) or any(report.present and report.at_us >= low for report in reports if not report.dated)

    def account(self, excess: Excess) -> None:
        """Put the water of one excess to where it belongs."""
        told = self.told(excess.from_us, excess.until_us)
        window_us = self.window_end_us(excess.from_us)
        for span in self.truth.spans:
            low, high = max(span.from_us, excess.from_us), min(span.until_us, excess.until_us)
            flow = span.flows[excess.zone]
            if low >= high or not flow:
                continue
            dark_us = overlap_us((low, high), self.truth.dark)
            in_window_us = max(0, min(high, window_us) - low)
            in_window_us = max(0, in_window_us - overlap_us((low, low + in_window_us), self.truth.dark))
            rest_ml = flow * (high - low - dark_us - in_window_us) / 1e6
            self.found.dark_ml += flow * dark_us / 1e6
            self.found.window_ml += flow * in_window_us / 1e6
            if told:
                self.found.told_ml += rest_ml
            else:
                self._unaccounted(excess, rest_ml)

    def _unaccounted(self, excess: Excess, ml: float) -> None:
        if ml <= METER_ERROR_ML:
            return
        self.found.unaccounted_ml += ml
        self.found.story.append(
            f"{ml / 1000:.2f} l of zone {excess.zone + 1} ran {excess.why}, between {excess.from_us / 3.6e9:.3f} h and {excess.until_us / 3.6e9:.3f} h"
        )

    def _count_starts(self) -> None:
        missed, forbids = [], self.life.story.scenario.forbids_watering
        for ask, open_s in self.grants.starts():
            self.found.starts += 1
            self.found.short_runs += open_s is not None and open_s < SHORT * ask.length_s
            if open_s is None:
                missed.append(ask)
        self.found.missed_runs = len(missed)
        if forbids:
            missed = Accounts(self.truth, self.grants).untold(missed)
            self.found.untold_runs = len(missed)
        for ask in missed:
            hour, silence = (ask.start_s - self.grants.start_s) / 3600, ", and nothing says why" if forbids else ""
            self.found.story.append(f"{ask.what} of zone {ask.zone} did not start at {hour:.2f} h{silence}")

    def _count_days(self) -> None:
        """No zone opens more often than its days allow: after the first, each takes 24 hours, of which 8 may have been saved up."""
        days = 1 + int((self.found.hours + 8) // 24)
        limits = {
            zone["zone"]: zone.get("day_openings_max") for zone in self.life.story.scenario.settings.get("zones", ())
        }
        for zone in range(len(self.life.world.zones)):
            most = days * (limits.get(zone + 1) or OPENINGS_MAX)
            found = sum(opening.zone == zone for opening in self.grants.own)
            if found > most:
                self.found.opens_beyond_cap += found - most
                self.found.story.append(
                    f"zone {zone + 1} was opened {found} times in {days} days, and {most} are allowed"
                )

    def judge(self) -> Verdict:
        for excess in self.excesses():
            self.account(excess)
        self._count_starts()
        self._count_days()
        if self.found.crashes:
            last = self.life.board.crashes[0].strip().splitlines()[-1]
            self.found.story.append(f"the firmware crashed {self.found.crashes} times: {last}")
        return self.found


def judge(life: Life) -> Verdict:
    """The verdict on a life that is over."""
    return _Judge(life).judge()
