"""Which starts of programs had to be made: a stop ends one that waits behind another zone, and excuses no other."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from sim.faults.grants import Grants
from sim.faults.house import Stop, Version
from sim.faults.life import Life
from sim.faults.truth import Opening

BEGIN_S = datetime(2027, 6, 14, tzinfo=UTC).timestamp()
SIX_S = BEGIN_S + 6 * 3600
PROGRAM = {"id": 2, "zone": 2, "weekdays": list(range(7)), "start_min": 360, "run_time_s": 150}


def opening(zone: int, from_s: float, until_s: float) -> Opening:
    """Of a zone (from 1), by seconds after six."""
    return Opening(zone - 1, *(round((6 * 3600 + moment_s) * 1e6) for moment_s in (from_s, until_s)))


def missed(openings: list[Opening], stops: list[Stop]) -> int:
    """How many starts of zone 2 at six are judged as missed."""
    life = SimpleNamespace(
        story=SimpleNamespace(scenario=SimpleNamespace(start=datetime(2027, 6, 14, tzinfo=UTC), clock_off_s=0.0)),
        world=SimpleNamespace(scenario=SimpleNamespace(start_unix_s=BEGIN_S), unix_s=lambda: BEGIN_S + 12 * 3600),
        truth=SimpleNamespace(openings=openings),
        house=SimpleNamespace(asks={}, stopped=stops, versions=[Version(BEGIN_S, {}, (PROGRAM,))]),
        board=SimpleNamespace(bench=SimpleNamespace(bridge=SimpleNamespace(swapped_mask=0, pulses=()))),
        excused=[],
    )
    return sum(open_s is None for _, open_s in Grants(cast(Life, life)).starts())


def stop(zone: int, at_s: float) -> Stop:
    return Stop(zone, SIX_S + at_s, SIX_S + at_s + 0.1)


BUSY = [opening(1, -60, 200), opening(1, 206, 320)]  # two runs, and the six seconds between them


def test_a_start_that_nothing_hindered_is_missed() -> None:
    assert missed([], []) == missed(BUSY, []) == 1


def test_a_stop_ends_a_start_that_waits_behind_another_zone() -> None:
    assert missed(BUSY, [stop(0, 320)]) == missed(BUSY, [stop(2, 320)]) == 0


@pytest.mark.parametrize(
    ("openings", "stopped"),
    [
        (BUSY, stop(1, 320)),  # another zone's
        (BUSY, stop(0, -30)),  # before its time
        (BUSY, stop(0, 400)),  # a minute and a half after the zone before it was done
        ([], stop(0, 320)),  # nothing was watered
        ([opening(1, -60, 100), opening(1, 200, 320)], stop(0, 320)),  # there was room between two runs
        ([opening(2, -500, -400), opening(1, 40, 320)], stop(0, 320)),  # the other zone began later
    ],
)
def test_no_other_stop_excuses_a_missed_start(openings: list[Opening], stopped: Stop) -> None:
    assert missed(openings, [stopped]) == 1
