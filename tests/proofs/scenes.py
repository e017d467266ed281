"""Scenes: what a board is doing when it is cut: booting, opening, closing, keeping its books, taking settings, sleeping.

Rule: a scene says what it grants and what it sets; what must hold afterwards is in aftermath.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sim.port import SOFT_WDT_RESET
from sprinkler import protocol
from tests.firmware.rig import Rig

EIGHT = 8 * 60  # the rig's world begins at eight


@dataclass(frozen=True)
class Scene:
    """`prepare` makes a board, `act` is watched. `grants`: seconds that each run is granted which `act` brings about. `versions` of settings that may be
    found in force; `sticks`: a valve does not close for a while, so that open time proves nothing;
    `found_open`: the first boot finds one open."""

    name: str
    what: str
    prepare: Callable[[], Rig]
    act: Callable[[Rig], None]
    grants: tuple[float, ...] = ()
    versions: tuple[int, ...] = (0,)
    sticks: bool = False
    found_open: bool = False


def _settled(**arguments: Any) -> Rig:
    rig = Rig(**{"zones": 1, **arguments})
    rig.settle()
    return rig


def _program(number: int = 1, zone: int = 1, **more: Any) -> dict[str, Any]:
    day = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "clock", "start_min": EIGHT + 1}
    return {"id": number, "zone": zone, "run_time_s": 70, **day, **more}


def _powers_on() -> Rig:
    rig = Rig(zones=2)
    rig.world.move_valve(1, opens=True)  # somebody left it so
    return rig


def _runs_by_hand(rig: Rig) -> None:
    rig.command("run", zone=1, run_time_s=6)
    rig.run(16)


def _is_stopped(rig: Rig) -> None:
    rig.command("run", zone=2, run_time_s=60)
    rig.run(4)
    rig.command("stop", zone=0)
    rig.run(9)


def _runs_a_program(rig: Rig) -> None:
    rig.run(46 + 90)


def _resumes(rig: Rig) -> None:
    rig.run(46 + 12)
    rig.board.reset_now(SOFT_WDT_RESET)
    rig.run(55)


def _with_program(**settings: Any) -> Callable[[], Rig]:
    def prepare() -> Rig:
        rig = _settled()
        rig.desired(1, [_program()], **settings)
        rig.run(2)
        return rig

    return prepare


def _sleeps_on_a_program() -> Rig:
    rig = Rig(zones=1, responsive=False)
    rig.run(3)
    rig.desired(1, [_program()])
    rig.run(15)
    return rig


def _hears_settings(rig: Rig) -> None:
    rig.desired(2, [_program(n, start_min=n, run_time_s=60 * n) for n in range(1, 9)], seasonal_adjust_pct=80)
    rig.run(4)
    rig.desired(3, [], tz_rule="CET-1CEST,M3.5.0,M10.5.0/3", winter=False)
    rig.run(4)


def _soaks() -> Rig:
    rig = _settled()
    rig.desired(1, [_program(run_time_s=120)], zones=[{"zone": 1, "cycle_s": 60, "soak_s": 60}])
    rig.run(40)
    return rig


def _is_away(rig: Rig) -> None:
    """Nobody hears it until RTC memory is full; then it is heard, and acknowledged."""
    rig.board.network.wifi_up = False
    rig.run(200)
    rig.board.network.wifi_up = True
    rig.run(40)
    acknowledge(rig)
    rig.run(5)


def acknowledge(rig: Rig) -> None:
    """Home Assistant has stored all that it has heard."""
    heard = rig.state()
    rig.send(
        protocol.ACK, {"boot_id": heard["boot_id"], "event": heard["event"], "sample": heard["sample"]}, retain=True
    )


def _sticks(rig: Rig) -> None:
    rig.world.zones[0].valve.sticks_open = True
    rig.command("run", zone=1, run_time_s=6)
    rig.run(40)
    rig.world.zones[0].valve.sticks_open = False
    rig.run(30)
    rig.command("clear_fault", zone=0)
    rig.run(5)


SCENES = (
    Scene("boot", "power on, with a valve that somebody left open", _powers_on, lambda rig: rig.run(14), found_open=True),
    Scene("hand", "a run by hand, from the command to the proof of closing", _settled, _runs_by_hand, (6,)),
    Scene("stop", "a run that is stopped, of two zones", lambda: _settled(zones=2), _is_stopped, (60,)),
    Scene("program", "a program's run, with its checkpoints", _with_program(), _runs_a_program, (70,), (1,)),
    Scene("resume", "a program's run that a watchdog cuts off and that resumes", _with_program(), _resumes, (70,), (1,)),
    Scene("soak", "a program's run in cycles, with soaks between them", _soaks, lambda rig: rig.run(290), (120,), (1,)),
    Scene("settings", "settings and programs, twice", _with_program(), _hears_settings, (70,), (1, 2, 3)),
    Scene("away", "nobody hears it: the backlog goes to flash, is told and freed", _settled, _is_away),
    Scene("stuck", "a valve that does not close: lockout, endless pulses, then it is freed", _settled, _sticks, (6,),
          sticks=True),
    Scene("sleep", "sleeps on purpose, and wakes", lambda: _settled(responsive=False), lambda rig: rig.run(1900)),
    Scene("woken", "a sleeping board wakes for its program", _sleeps_on_a_program, lambda rig: rig.run(160), (70,), (1,)),
    Scene("swapped", "a valve whose wires are the other way round", lambda: _settled(swapped=1), _runs_by_hand, (6,)),
    Scene("held", "a valve that is open only while it is driven", lambda: _settled(held=True), _runs_by_hand, (6,)),
)  # fmt: skip
BY_NAME = {scene.name: scene for scene in SCENES}
