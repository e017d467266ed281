"""One life: the shipped firmware on a simulated board, with a script of trouble. Afterwards the truth is known.

Rule: glue between script, house and truth; it decides nothing about right or wrong.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sim.board import SimulatedBoard
from sim.broker import Broker
from sim.errors import SettingError, Stopped
from sim.faults.fields import Args
from sim.faults.house import House
from sim.faults.kinds import KINDS
from sim.faults.scenario import BOARD, Scenario, Value
from sim.faults.script import Deed
from sim.faults.truth import MeteredWorld, Truth
from sim.provision import Settings
from sim.world import Scenario as Garden

SLICE_US = 3_600_000_000
HOST, NTP = "127.0.0.1", "192.168.4.1"

type Progress = Callable[[float], bool]  # told the part that is done; True: stop here


@dataclass(frozen=True, slots=True)
class Story:
    """What is played: a scenario, the seed of its noise and weather, its deeds, and how long it lasts."""

    scenario: Scenario
    seed: int
    deeds: tuple[Deed, ...]
    until_us: int


class Life:
    """Plays a story. `files` replaces the firmware's files on flash: for firmware that was spoiled on purpose."""

    def __init__(self, story: Story, files: dict[str, bytes] | None = None) -> None:
        self.story = story
        scenario = story.scenario
        board = {key: scenario.board.get(key, rule.default) for key, rule in BOARD.items()}
        self.world: MeteredWorld = MeteredWorld(_garden(scenario, board, story.seed))
        self.timeline = self.world.timeline
        self.broker: Broker = Broker(HOST, keep_log=False)
        self.board: SimulatedBoard = SimulatedBoard(
            self.world, self.broker, seed=story.seed, settings=_settings(board), files=files, device_id="5a17e001"
        )
        self.board.raise_crashes = False
        if board["ds3231"] == "yes":
            self.board.bench.rtc.set_s(self.world.unix_s() - 946_684_800)
        self.house: House = House(self.board, scenario)
        self.truth: Truth = Truth(self.board, self.world)
        self.truth.on_happening = self._happens
        self.excused: list[tuple[float, float]] = []  # (from, until): a person did not want the water then
        self.held: dict[
            tuple[int, str], tuple[Any, list[tuple[object, Any]]]
        ] = {}  # attributes that faults hold: own value, theirs
        self._counts: dict[tuple[str, int], int] = {}
        self._waiting = [deed for deed in story.deeds if deed.when]
        for deed in story.deeds:
            if not deed.when:
                self._plan(deed, deed.at_us + deed.after_us)

    def note(self, words: str) -> None:
        """A line of the log."""
        self.truth.note(words)

    def stopped(self, seconds: float) -> None:
        """A person wants no water: programs that start or run in the next `seconds` need not run."""
        now_s = self.world.unix_s()
        self.excused.append((now_s, now_s + seconds))

    def run(self, progress: Progress = lambda _: False) -> bool:
        """Let it pass. True if it was stopped before its end."""
        board, until_us = self.board, self.story.until_us
        board.power_on()
        try:
            while self.timeline.now_us < until_us:
                board.run_until(min(until_us, self.timeline.now_us + SLICE_US))
                if progress(self.timeline.now_us / until_us):
                    return True
        finally:
            self.world.advance()
            self.truth.finish()
            board.on_end = None
            with contextlib.suppress(Stopped):
                board.stop()
        return False

    # --- deeds

    def _plan(self, deed: Deed, at_us: int) -> None:
        self.timeline.at(max(0, at_us), lambda: self._do(deed))

    def _do(self, deed: Deed) -> None:
        self.note(f"fault {deed.kind} {dict(deed.values)}")
        undo = KINDS[deed.kind].apply(self, Args(deed.values, deed.seed))
        if deed.for_us and undo is not None:

            def end() -> None:
                self.note(f"over {deed.kind}")
                undo()

            self.timeline.at(self.timeline.now_us + deed.for_us, end)

    def _happens(self, what: str, zone: int) -> None:
        if not self._waiting:
            return
        for of in {0, zone}:
            self._counts[what, of] = self._counts.get((what, of), 0) + 1
        ready = [
            deed for deed in self._waiting if deed.when == what and self._counts.get((what, deed.zone), 0) >= deed.nth
        ]
        for deed in ready:
            self._waiting.remove(deed)
            self._plan(deed, self.timeline.now_us + deed.after_us)


def _garden(scenario: Scenario, board: Mapping[str, Value | None], seed: int) -> Garden:
    return Garden(
        zones=int(board["zones"] or 2),
        seed=seed,
        latitude_deg=float(board["latitude_deg"] or 0),
        start_unix_s=scenario.start_unix_s,
        battery_pct=float(board["battery_pct"] or 0),
        capacity_mah=float(board["battery_mah"] or 0),
        panel_w=float(board["panel_w"] or 0),
        feather=str(board["feather"]),
    )


def _settings(board: Mapping[str, Value | None]) -> Settings:
    zones = int(board["zones"] or 2)
    if not 1 <= zones <= 4:
        raise SettingError(f"a board has 1 to 4 zones, not {zones}")
    settings = Settings(
        zones=zones,
        ntp_host=NTP,
        battery_sensor=str(board["battery_sensor"]),
        soil_probes=board["soil_probes"] == "yes",
        always_responsive=board["always_responsive"] == "yes",
        held=board["valve"] == "held",
    )
    if board["flow_meter"] == "no":
        settings.ul_per_pulse = 0
    if board["ds3231"] == "yes":
        settings.more = {"ds3231": True}
    return settings
