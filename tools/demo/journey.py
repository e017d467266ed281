"""What --check proves: water runs when Home Assistant asks, and the board ends it by its own timer. Every step with its latency.

Whether water truly runs is asked of the simulator; what Home Assistant shows is held against that.
"""

import time
from typing import Any

from tools.demo.api import Api
from tools.demo.board import Board, Truth
from tools.demo.errors import CheckError
from tools.demo.lawn import Lawn
from tools.demo.processes import Processes
from tools.demo.progress import Progress

ZONE = 1
RUN_TIME_S = 8
TIMER_SLACK_S = 1.5  # the board's own timer, by this machine's clock
ANSWER_S = 10.0
TOTAL_SLACK_ML = 100


class Journey:
    """One run of zone 1, asked for in Home Assistant."""

    def __init__(self, api: Api, lawn: Lawn, board: Board, progress: Progress) -> None:
        """Nothing happens yet."""
        self._api = api
        self._lawn = lawn
        self._progress = progress
        self._truth = Truth(board, ZONE)

    async def run(self) -> None:
        """All steps in their order. Raises CheckError at the first that does not hold."""
        await self._wait_for("valve", "closed", "zone 1 is closed, says Home Assistant", time.time())
        total_before, meter_before = self._number("water_total"), self._truth.now["meter_ml"]
        asked_at = time.time()
        granted = await self._api.act(
            "solar_sprinkler.run", self._valve, answers=True, duration={"seconds": RUN_TIME_S}
        )
        self._hold(
            granted.get("run_time_s") == RUN_TIME_S, f"the board granted {granted.get('run_time_s')} s", asked_at
        )
        opened_at = await self._moved("open", asked_at, ANSWER_S, "the valve is open, in truth")
        await self._wait_for("valve", "open", "the valve is open, says Home Assistant", asked_at)
        await self._flows(meter_before, asked_at)
        closed_at = await self._moved("closed", opened_at, RUN_TIME_S + ANSWER_S, "the valve is closed again, in truth")
        self._timed(closed_at - opened_at)
        await self._wait_for("valve", "closed", "the valve is closed, says Home Assistant", closed_at)
        await self._wait_for("last_result", "completed", "the run is completed, says Home Assistant", closed_at)
        await self._totals(total_before, meter_before, closed_at)

    @property
    def _valve(self) -> str:
        return self._lawn.entity("valve", ZONE)

    def _hold(self, holds: bool, what: str, since: float) -> None:
        self._progress.record(what, time.time() - since, held=holds)
        if not holds:
            raise CheckError(f"did not hold: {what}")

    def _number(self, key: str) -> float:
        try:
            return float(self._api.state(self._lawn.entity(key, ZONE)))
        except ValueError:
            return 0.0

    async def _wait_for(self, key: str, state: str, what: str, since: float) -> None:
        entity_id = self._lawn.entity(key, ZONE)
        held = await self._api.until(lambda: self._api.state(entity_id) == state, ANSWER_S)
        self._hold(held, what if held else f"{what} (it says '{self._api.state(entity_id)}')", since)

    async def _moved(self, valve: str, since: float, limit_s: float, what: str) -> float:
        moved_at = await self._truth.until(valve, since, limit_s)
        self._progress.record(what, (moved_at or time.time()) - since, held=moved_at is not None)
        if moved_at is None:
            raise CheckError(f"did not hold within {limit_s:.0f} s: {what}")
        return moved_at

    async def _flows(self, meter_before: float, since: float) -> None:
        held = await self._api.until(lambda: self._number("flow_rate") > 0, ANSWER_S)
        self._hold(held, f"water flows, says Home Assistant: {self._number('flow_rate'):g} l/min", since)
        meter = self._truth.now["meter_ml"] - meter_before
        self._hold(meter > 0, f"the meter has run {meter:.0f} ml, in truth", since)

    def _timed(self, open_s: float) -> None:
        held = abs(open_s - RUN_TIME_S) <= TIMER_SLACK_S
        self._progress.record(
            f"the board closed it by its own timer: open for {open_s:.2f} s of {RUN_TIME_S}", open_s, held=held
        )
        if not held:
            raise CheckError(f"the valve was open for {open_s:.2f} s instead of {RUN_TIME_S}")

    async def _totals(self, total_before: float, meter_before: float, since: float) -> None:
        truth: float = self._truth.now["meter_ml"] - meter_before

        def counted() -> float:
            return (self._number("water_total") - total_before) * 1000

        held = await self._api.until(lambda: abs(counted() - truth) <= TOTAL_SLACK_ML, ANSWER_S)
        self._hold(held, f"{counted():.0f} ml, says Home Assistant, and {truth:.0f} ml in truth", since)


def errors_in(processes: Processes) -> list[str]:
    """Lines of the logs that tell of an error in what is ours: the component, the firmware, the simulator."""
    lines: list[Any] = []
    for name, words in (("home-assistant", ("solar_sprinkler",)), ("board", ("crash", "Traceback"))):
        log = processes.log(name).read_text(errors="replace").splitlines()
        lines += [
            line for line in log if any(word in line for word in words) and (" ERROR " in line or name == "board")
        ]
    return lines
