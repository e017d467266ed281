"""Aftermath: what must hold of a board that was cut, whatever it was doing.

C1 within a second of each boot's first line no water runs; a valve that sticks is the world's fault
C2 the water ran no longer than what was granted, the watchdog's time, one turn and a boot, over all boots; what was accepted is not accepted twice
C3 nothing is torn: journal and settings on flash are whole, those before the step or those after it
C4 what was reported stands: settings that were confirmed, totals of water, events in their order, an end for each run that was told to have begun
C5 the board waters again when it is asked to

Rule: water is judged by the world's valves, never by what the board says of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from sim.port import HARD_RESET, Port
from sim.port.session import WATCHDOG_US
from sprinkler import protocol, reading, recall, store
from tests.firmware.rig import Rig

from .scenes import Scene, acknowledge

CLOSED_WITHIN_S = 1.0
BOOT_S, TURN_S, PULSES_S = 0.25, 0.5, 0.75
WATCHDOG_S = WATCHDOG_US / 1_000_000
SLACK_S = WATCHDOG_S + BOOT_S + TURN_S + PULSES_S
AGAIN_S = 5
RESTED_S = 700  # longer than the closer's rest


class Witness:
    """Looks at the valves a second after each boot began."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.broken: list[str] = []
        rig.board.on_boot = self._boots

    def _boots(self, port: Port) -> None:
        stuck = [zone.valve.sticks_open for zone in self.rig.world.zones]
        session = port.session
        session.at(session.timeline.now_us + round(CLOSED_WITHIN_S * 1_000_000), lambda: self._look(stuck))

    def _look(self, stuck: list[bool]) -> None:
        for zone in self.rig.open_zones():
            if not stuck[zone - 1]:  # when it was told to close
                self.broken.append(f"C1: valve {zone} is open {CLOSED_WITHIN_S} s after a boot")


def board_of(files: dict[str, bytes], zones: int, rtc: bytes = b"") -> Any:
    """As much of a board as the store and the settings read, with these files."""

    @contextmanager
    def open_file(path: str, mode: str) -> Iterator[BytesIO]:
        if path not in files:
            raise OSError(2)
        yield BytesIO(files[path])

    return SimpleNamespace(
        open_file=open_file,
        zones=lambda: zones,
        rtc_load=lambda: rtc[8:],
        random_hex=lambda count: "00" * count,
        flash_writes=0,
        drop=lambda name: None,
    )


def whole(files: dict[str, bytes], scene: Scene, rig: Rig, confirmed: int) -> Iterator[str]:
    """C3, and what C4 says of settings: by the firmware's own readers, on what is on flash."""
    board = board_of(files, len(rig.world.zones))
    journal = files.get(store.JOURNAL)
    if journal is not None and not recall.ledger_part(store.unsealed(journal)):
        yield f"C3: the journal is torn: {journal.hex()}"
    found = reading.load(board, rig.topic(protocol.DESIRED), rig.key).version
    if found not in scene.versions and found not in (0, *scene.versions):
        yield f"C3: settings of version {found}"
    if found < confirmed:
        yield f"C4: settings {confirmed} were confirmed, and {found} are on flash"


def confirmed(rig: Rig) -> int:
    """The highest version of settings that a state has confirmed."""
    return max((state["desired_version"] for state in rig.said(protocol.STATE)), default=0)


def judge(rig: Rig, scene: Scene, crashes: int, hangs: int) -> Iterator[str]:
    """What is broken when the scene is over and the board has had time to come back from so many crashes, `hangs` of them after the loop hung."""
    rig.run(12)
    yield from _water(rig, scene, crashes, hangs)
    yield from _books(rig)
    yield from _waters_again(rig)


def _water(rig: Rig, scene: Scene, crashes: int, hangs: int) -> Iterator[str]:
    told = [e for e in rig.said(protocol.EVENT) if e["event"] == "run_started"]
    granted_s = sum(scene.grants)
    if scene.sticks:
        return
    again_s = max(0, hangs - 1) * WATCHDOG_S + max(0, crashes - 1) * BOOT_S  # a boot that hangs before it has closed
    most_s = granted_s + (SLACK_S + again_s if granted_s else 0.0)
    if scene.found_open:  # until the closer is through, which each crash puts off by as much
        most_s = (1 + crashes) * SLACK_S
    before_s = rig.opened_s()
    if before_s > most_s:
        yield f"C2: open for {before_s:.2f} s in all; granted {granted_s} s, {len(told)} starts"
    repeated = [m for m in rig.broker.log if m.topic == rig.topic(protocol.COMMAND)]
    for message in repeated:
        rig.broker.publish(message.topic, message.payload)
    rig.run(8)
    if repeated and before_s and rig.opened_s() - before_s > 0.1:  # what has opened a valve was taken down before
        yield f"C2: a repeated command opened for {rig.opened_s() - before_s:.2f} s more"


def _books(rig: Rig) -> Iterator[str]:
    totals: dict[int, int] = {}
    for state in rig.said(protocol.STATE):
        for zone in state["zones"]:
            if zone["volume_ml"] < totals.get(zone["zone"], 0):
                yield f"C4: the water total of zone {zone['zone']} fell to {zone['volume_ml']} ml"
            totals[zone["zone"]] = zone["volume_ml"]
    events = rig.said(protocol.EVENT)
    begun = {e["run_id"] for e in events if e["event"] == "run_started"}
    ended = {e["run_id"] for e in events if e["event"] == "run_finished"}
    if begun - ended and not rig.open_zones() and rig.board.network.wifi_up and _is_up(rig):
        yield f"C4: runs {sorted(begun - ended)} have begun and never ended"


def _is_up(rig: Rig) -> bool:
    """Whether what it knows has been told by now: awake and idle."""
    states = rig.said(protocol.STATE)
    return rig.board.session is not None and bool(states) and all(z["valve"] == "closed" for z in states[-1]["zones"])


def _waters_again(rig: Rig) -> Iterator[str]:
    """As a person would have it: ask; clear a fault; press reset; be patient."""
    if rig.said(protocol.STATE):
        acknowledge(rig)
    before_s = rig.opened_s()
    for patience_s in (0, 0, RESTED_S):
        rig.run(patience_s)
        wanted = rig.command("run", zone=1, run_time_s=AGAIN_S)
        rig.run(16)
        if not _replies(rig, wanted):  # two presses wake it, also in a long sleep
            rig.board.reset_now(HARD_RESET)
            rig.run(0.4)
            rig.board.reset_now(HARD_RESET)
            rig.run(20)
        replies = _replies(rig, wanted)
        if replies and replies[-1]["accepted"]:
            rig.run(95 if replies[-1]["reason"] == "queued" else 0)
            break
        if replies and replies[-1]["reason"] == "lockout":
            rig.command("clear_fault", zone=0)
            rig.run(2)
        else:  # a restart ends safe mode
            rig.board.reset_now(HARD_RESET)
            rig.run(14)
    if rig.open_zones():  # it was heard late
        rig.run(10)
    opened_s = rig.opened_s() - before_s
    if rig.open_zones():
        yield f"C5: asked for {AGAIN_S} s, and valve {rig.open_zones()} is still open"
    if opened_s < AGAIN_S - 1:
        yield f"C5: asked for {AGAIN_S} s it waters {opened_s:.1f} s: {replies}"
    elif opened_s > 2 * AGAIN_S + SLACK_S + 70:
        yield f"C5: asked for {AGAIN_S} s it waters {opened_s:.1f} s"


def _replies(rig: Rig, command_id: str) -> list[dict[str, Any]]:
    return [reply for reply in rig.said(protocol.REPLY) if reply["id"] == command_id]
