"""Promises: what must hold of each turn and in each state, in words.

P1 the true open time of a run, over all boots, stays within its grant, the watchdog's time and one turn of the loop (world.py)
P2 nothing opens on a battery that is unknown or below the opening voltage; what is open is closed in the turn that reads less than the closing voltage
P3 with a meter that tells the truth, "closed: verified" is not said while water runs; a valve that sticks ends in lockout, leak and endless pulses
P4 from every state, under a fair world, the board comes to rest closed and then waters again
P5 a repeated run never extends; run and stop in one step move nothing
P6 at most one valve is open at a time (world.py)
P7 while a valve is open, the ledger that counts and flash say so (world.py)
P8 a run that was stopped, tripped or completed is never opened again (world.py)
P9 a run resumes once at most (world.py)
P10 a zone opens no more often than its days allow, over all boots, and each day costs its time (world.py)
"""

from collections.abc import Iterator

from sprinkler.core import safety, state

from .shipped import Mind, Request, Turn
from .world import World


def of_turn(
    before: Mind, turn: Turn, requests: tuple[Request, ...], battery_mv: int, limits: tuple[int, ...]
) -> Iterator[str]:
    """The promises that this turn breaks."""
    opened = [action[1] for action in turn.actions if action[0] in ("started", "resumed", "pulse_open")]
    if opened and battery_mv < limits[safety.OPEN_MV]:
        yield f"P2: valve {opened[0]} is opened at {battery_mv} mV"
    for zone in range(1, state.zones(before.core) + 1):
        z = state.base(zone)
        was, now = before.core[z : z + state.ZONE], turn.mind.core[z : z + state.ZONE]
        if ("started", zone) in turn.actions:
            if now[state.GRANTED_MS] > min(limits[safety.CAP], safety.CAP_MS):
                yield f"P1: zone {zone} is granted {now[state.GRANTED_MS]} ms"
            if _stopped_after_run(requests, zone):
                yield f"P5: run and stop of zone {zone} in one step, and it opens"
        elif was[state.PHASE] == now[state.PHASE] == state.OPEN:
            if battery_mv < limits[safety.CLOSE_MV]:
                yield f"P2: valve {zone} stays open at {battery_mv} mV"
            if now[state.GRANTED_MS] != was[state.GRANTED_MS] or now[state.OPEN_MS] < was[state.OPEN_MS]:
                yield f"P5: the run of zone {zone} is extended"


def of_mind(mind: Mind, world: World) -> Iterator[str]:
    """The promises that do not hold between two turns, with a meter that tells the truth."""
    for zone, runs in enumerate(world.valves, 1):
        z = state.base(zone)
        if runs and mind.core[z + state.PHASE] == state.CLOSED and mind.core[z + state.EVIDENCE] == "verified":
            yield f"P3: zone {zone} is said to be closed and verified, and water runs"


def _stopped_after_run(requests: tuple[Request, ...], zone: int) -> bool:
    stopped = False
    for request in reversed(requests):
        if request[0] == "stop" and request[1] in (0, zone):
            stopped = True
        elif request[0] == "run" and request[1] == zone:
            return stopped
    return False
