"""World: the valves as they truly stand, true time, and what has survived so far; how effects change them, and what a valve or a cell may refuse.

Rule: nothing here asks the firmware what it believes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .hardware import Effect
from .shipped import Kept, Ledger, counted


class Run(NamedTuple):
    """The run that opened a valve last, in ticks; `spent`: true open time over all boots, but for time that a valve or a cell refused to close.
    `ended`: 1 when the core closed it or was told to, 2 when it was opened again all the same. `resumed`: how often, at most 2."""

    zone: int
    granted: int
    spent: int
    ended: int = 0
    resumed: int = 0


class Days(NamedTuple):
    """What days allow, in true time: a new one costs `length` ticks, when its first opening is made; `lived` is what is saved up for it, a day more than
    the firmware may, for that one pays before. `used`: openings of each zone in this day; one more than `most` breaks the promise, as does
    a day that is not paid (-1)."""

    lived: int
    used: tuple[int, ...]
    length: int
    most: int

    def after(self, ticks: int) -> Days:
        """The same so many ticks later."""
        return self._replace(lived=min(self.lived + ticks, self.length * 7 // 3))


class World(NamedTuple):
    """For each zone, 1 where water runs, and 1 where it runs although a closing pulse was asked for (or nobody opened it)."""

    valves: tuple[int, ...]
    refused: tuple[int, ...]
    run: Run | None
    days: Days | None = None

    def flows(self) -> bool:
        """True while any water runs."""
        return any(self.valves)


class Point(NamedTuple):
    """The world between two effects."""

    kept: Kept
    world: World
    refusals: tuple[str, ...]  # what valves refused on the way here


class Grant(NamedTuple):
    """What the core says of the run of a zone during one turn, in ticks. `resumed`: it goes on; `ends`: it was open before. `openings`: of the day."""

    granted: int
    resumed: bool
    ends: bool
    openings: int


def closed_world(zones: int, day: int = 0, most: int = 0) -> World:
    """No water anywhere; with a `day` of so many ticks, `most` openings of each zone."""
    days = Days(0, (0,) * zones, day, most).after(day * 7 // 3) if day else None
    return World((0,) * zones, (0,) * zones, None, days)


def new_board(zones: int) -> Kept:
    """Nothing remembered: the first power-on."""
    return Kept(None, None, False)


def put(values: tuple[int, ...], zone: int, value: int) -> tuple[int, ...]:
    """`values` with that of `zone` replaced."""
    return (*values[: zone - 1], value, *values[zone:])


def passed(world: World, ticks: int) -> World:
    """The world `ticks` later."""
    run, days = world.run, world.days
    if days:
        world = world._replace(days=days.after(ticks))
    if run and world.valves[run.zone - 1] and not world.refused[run.zone - 1]:
        return world._replace(run=run._replace(spent=run.spent + ticks))
    return world


def leaked(world: World, zone: int) -> World:
    """Someone, or dirt, opened the valve of `zone`."""
    return world._replace(valves=put(world.valves, zone, 1), refused=put(world.refused, zone, 1))


def without_supply(kept: Kept) -> Kept:
    """What a loss of power leaves."""
    return Kept(None, kept.flash, rtc_counts=False)


def happened(
    start: Point, effects: tuple[Effect, ...], grants: dict[int, Grant], *, sticky: bool
) -> Iterator[tuple[int, Point]]:
    """Every point after 0, 1 ... all of `effects`: (how many, point). `sticky`: any pulse may be refused."""
    points = [start]
    yield 0, start
    for number, effect in enumerate(effects, 1):
        points = [after for point in points for after in _after(point, effect, grants, sticky)]
        for point in points:
            yield number, point


def _after(point: Point, effect: Effect, grants: dict[int, Grant], sticky: bool) -> Iterator[Point]:
    kind = effect[0]
    if kind == "rtc":
        yield Point(
            Kept(effect[1], point.kept.flash, rtc_counts=True),
            _begun(point.world, effect[1][2], effect[2], grants),
            point.refusals,
        )
    elif kind == "flash":
        yield Point(
            Kept(point.kept.rtc, effect[1], rtc_counts=False),
            _begun(point.world, effect[1], effect[2], grants),
            point.refusals,
        )
    else:
        zone, opening = effect[1], effect[2]
        world = _pulsed(point.world, zone, opening, grants)
        if opening and world.days:
            world = _opened(world, zone, grants[zone].openings)
        moved = world._replace(valves=put(world.valves, zone, int(opening)), refused=put(world.refused, zone, 0))
        yield point._replace(world=moved)
        if sticky and world.valves != moved.valves:
            left = world if opening else world._replace(refused=put(world.refused, zone, 1))
            word = f"valve {zone} refuses to {'open' if opening else 'close'}"
            yield Point(point.kept, left, (*point.refusals, word))


def _pulsed(world: World, zone: int, opening: bool, grants: dict[int, Grant]) -> World:
    """The run after a pulse went out."""
    run, grant = world.run, grants.get(zone)
    if opening and grant and (run is None or run.zone != zone):
        return world._replace(run=Run(zone, grant.granted, 0))
    if opening and grant and grant.resumed and run:
        return world._replace(run=run._replace(ended=2 * run.ended, resumed=min(run.resumed + 1, 2)))
    if not opening and grant and grant.ends and run and run.zone == zone:
        return ended(world)
    return world


def _opened(world: World, zone: int, counted: int) -> World:
    """One opening more. The firmware has `counted` so many of this day: if they are fewer than there were, then by a new day."""
    days = world.days
    assert days
    if counted <= days.used[zone - 1]:
        days = days._replace(lived=max(-1, days.lived - days.length), used=(0,) * len(days.used))
    used = min(days.used[zone - 1], days.most) + 1
    return world._replace(days=days._replace(used=put(days.used, zone, used)))


def ended(world: World) -> World:
    """The world whose run was told to end."""
    return world._replace(run=world.run._replace(ended=1)) if world.run and not world.run.ended else world


def _begun(world: World, ledger: Ledger | None, is_new: bool, grants: dict[int, Grant]) -> World:
    """A run begins when it is written down, not when the valve moves: a resumed run may be one that never opened."""
    grant = grants.get(ledger.open_zone) if ledger and is_new else None
    if ledger and grant:
        return world._replace(run=Run(ledger.open_zone, grant.granted, 0))
    return world


def forgotten(kept: Kept, world: World, ledger: Ledger | None) -> World:
    """The world without a run that can no longer add to its open time."""
    run = world.run
    if run is None or world.valves[run.zone - 1]:
        return world
    held = (ledger, kept.flash, kept.rtc[2] if kept.rtc else None)
    if any(one is not None and one.open_zone == run.zone for one in held):
        return world
    return world._replace(run=None)


def broken_promises(kept: Kept, world: World, bound: int) -> Iterator[str]:
    """The promises that do not hold at this moment, in words."""
    run = world.run
    if run and run.spent > run.granted + bound:
        yield f"P1: valve {run.zone} was open for {run.spent} ticks; granted {run.granted}, watchdog and one turn {bound}"
    if run and run.ended == 2:
        yield f"P8: the run of zone {run.zone} was ended, and is opened again"
    if run and run.resumed == 2:
        yield f"P9: the run of zone {run.zone} resumes twice"
    if world.days and max(world.days.used) > world.days.most:
        yield f"P10: a valve is opened more than {world.days.most} times in a day"
    if world.days and world.days.lived < 0:
        yield f"P10: a day begins before {world.days.length} ticks have passed for it"
    running = [zone for zone, opened in enumerate(world.valves, 1) if opened and not world.refused[zone - 1]]
    if len(running) > 1:
        yield f"P6: valves {running} are open at a time"
    for zone in running:
        for name, ledger in (("the ledger that counts", counted(kept)), ("flash", kept.flash)):
            if ledger is None or ledger.open_zone != zone:
                yield f"P7: valve {zone} is open, and {name} does not say so"
