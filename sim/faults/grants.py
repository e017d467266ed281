"""What was granted in a life: which asks an opening answers, how long it may last, and which starts were made.

Rule: knows who asked for what, and when valves were open; of flows and faults it knows nothing.
"""

from collections.abc import Iterator
from math import inf

from sim.faults.calendar import program_asks
from sim.faults.house import QUEUE_S, Ask
from sim.faults.life import Life
from sim.faults.truth import Opening

SLACK_S = 6.0  # a step of the loop, the watchdog's 3.2 s, a boot, the pulse
LATE_S = 2700.0  # a start that comes later than this is a missed one, though the board allows itself two hours
USED_UP_S = 0.5  # less than this of an ask is nothing left: a valve is open for its time, give or take a pulse
WAITED_US = 120_000_000  # a run that waited begins so soon after the one before it
SWITCH_US = 15_000_000  # from one run's end to the next one's beginning, awake: it is about 6 s
BLINK_US = 500_000  # an opening that is shorter is no start


class Grants:
    """The asks of a life that is over; each opening in turn is granted what is left of them."""

    def __init__(self, life: Life) -> None:
        scenario = life.story.scenario
        place = scenario.start.tzinfo
        assert place is not None
        self.start_s = life.world.scenario.start_unix_s
        self.truth = life.truth
        self.openings, self.stopped = life.truth.openings, life.house.stopped
        self.own = [opening for opening in self.openings if not opening.by_hand]
        self.people = list(life.house.asks.values())
        self._excused = life.excused
        self.off_s = scenario.clock_off_s
        self.late_s = LATE_S + self.off_s
        programs = program_asks(life.house.versions, life.world.unix_s(), place, scenario.clock_off_s, life.excused)
        self.asks = sorted([*programs, *self.people], key=lambda ask: ask.until_s)

    def unix_s(self, at_us: int) -> float:
        """True time in Unix seconds."""
        return self.start_s + at_us / 1_000_000

    def fitting(self, opening: Opening) -> list[Ask]:
        """The asks that this opening may answer; later ones than they allow by themselves if another zone was watered until just before. A hand's: none."""
        if opening.by_hand:
            return []
        at_s = self.unix_s(opening.from_us)
        before = range(opening.from_us - WAITED_US, opening.from_us + 1)
        queue_s = QUEUE_S if any(other.until_us in before for other in self.openings) else 60.0
        here = [ask for ask in self.asks if ask.zone in (0, opening.zone + 1) and ask.length_s > 0]
        return [ask for ask in here if ask.from_s <= at_s <= ask.until_s + queue_s]

    def grant_us(self, opening: Opening) -> int:
        """How long this opening was granted, by the asks that are used up first, each until a stop; their time is booked. What a valve that does not obey lets
        through after the first push to close uses up nobody's."""
        left_s = (self._pushed_us(opening) - opening.from_us) / 1e6
        granted_s = 0.0
        for ask in self.fitting(opening):
            until_s = min(left_s, self._stopped_after_s(opening, ask))
            rest_s = ask.length_s - ask.used_s
            take_s = max(0.0, min(until_s - granted_s, rest_s if rest_s > USED_UP_S else 0.0))
            ask.used_s += take_s
            granted_s += take_s
        return round((granted_s + SLACK_S) * 1e6) if granted_s else 0

    def _pushed_us(self, opening: Opening) -> int:
        """When the board first pushed to close it; its end where it did not, or where the wires are changed over."""
        low, high = opening.from_us, opening.until_us
        pushes = () if self.truth.swapped(opening.zone) else self.truth.pushes(opening.zone, opens=False)
        return next((at_us for at_us in pushes if low < at_us < high), high)

    def _stopped_after_s(self, opening: Opening, ask: Ask) -> float:
        """How long this opening may go on for `ask`. A stop does not end what was asked for after it was sent, though a sleeper hears both at once."""
        at_s = self.unix_s(opening.from_us)
        here = [stop for stop in self.stopped if stop.zone in (0, opening.zone + 1) and stop.said_s >= at_s]
        after_s = [stop.said_s - at_s + 1.0 for stop in here if ask.start_s or ask.from_s <= stop.sent_s]
        return min(after_s, default=inf)

    def starts(self) -> Iterator[tuple[Ask, float | None]]:
        """Starts that had to be made, each with the seconds of water that it got: None if its zone did not open in time."""
        free = [one for one in self.own if one.until_us - one.from_us > BLINK_US or self._unwanted(one)]
        programs = [ask for ask in self.asks if ask.start_s]
        for ask in sorted(programs, key=lambda ask: (not ask.must, ask.start_s)):
            last_s = ask.start_s + self.late_s
            own = [one for one in free if one.zone + 1 == ask.zone and ask.from_s <= self.unix_s(one.from_us) <= last_s]
            if own:
                free.remove(own[0])
            if not own and self._stopped_waiting(ask):
                continue
            if ask.must and not any(self._beside(ask, other) for other in self.people):
                yield ask, self._open_s(ask.zone, own[0].from_us) if own else None

    def _unwanted(self, opening: Opening) -> bool:
        """Did it begin while a person wanted no water? Then it is a start, however short."""
        at_s = self.unix_s(opening.from_us)
        return any(low_s <= at_s <= high_s for low_s, high_s in self._excused)

    @staticmethod
    def _beside(ask: Ask, other: Ask) -> bool:
        """Did a person want water there around the program's start? Then it may be one or the other."""
        return other.zone in (0, ask.zone) and ask.start_s - 7200 <= other.from_s <= ask.start_s + 1800

    def _stopped_waiting(self, ask: Ask) -> bool:
        """Did a stop that was carried out end this start while it waited, other zones being watered without a break from its time until then?"""
        here = [stop for stop in self.stopped if stop.zone in (0, ask.zone) and stop.sent_s >= ask.start_s]
        return any(self._others_busy(ask, stop.sent_s) for stop in here)

    def _others_busy(self, ask: Ask, until_s: float) -> bool:
        """Was always one of the other zones open between the start's time and then, but for the moments between two runs?"""
        at_us, end_us = (round((moment_s - self.start_s) * 1e6) for moment_s in (ask.start_s, until_s))
        for one in self.openings:  # by their beginnings
            if one.zone + 1 != ask.zone and one.from_us <= at_us + SWITCH_US:
                at_us = max(at_us, one.until_us)
        return at_us + SWITCH_US >= end_us

    def _open_s(self, zone: int, from_us: int) -> float:
        """Seconds for which the valve was open in the two hours from then on."""
        end_us = from_us + 7_200_000_000
        return (
            sum(
                min(one.until_us, end_us) - one.from_us
                for one in self.own
                if one.zone + 1 == zone and from_us <= one.from_us < end_us
            )
            / 1e6
        )
