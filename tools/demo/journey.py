"""What --check proves: water runs when Home Assistant asks, and the board ends it by its own timer. Every step with its latency.

Whether water truly runs is asked of the simulator; what Home Assistant shows is held against that.
"""

import time

from tools.demo.api import Api
from tools.demo.board import Board, Truth
from tools.demo.errors import CheckError
from tools.demo.lawn import BOARD, Lawn
from tools.demo.processes import Processes
from tools.demo.progress import Progress

ZONE = 1
RUN_TIME_S = 8
TIMER_SLACK_S = 1.5  # the board's own timer, by this machine's clock
ANSWER_S = 10.0
SAMPLE_S = 40.0  # an awake board samples every 30 s
TOTAL_SLACK_ML = 100


class Steps:
    """Steps that hold or not, held against the truth about zone 1."""

    def __init__(self, board: Board, progress: Progress) -> None:
        """Follow the truth."""
        self.truth = Truth(board, ZONE)
        self.progress = progress

    def hold(self, what: str, since: float, *, held: bool) -> None:
        """A step that took from `since` until now. Raises CheckError if it did not hold."""
        self.measured(what, time.time() - since, held=held)

    def measured(self, what: str, seconds: float, *, held: bool) -> None:
        """A step that took `seconds`. Raises CheckError if it did not hold."""
        self.progress.record(what, seconds, held=held)
        if not held:
            raise CheckError(f"did not hold: {what}")

    async def opened(self, since: float) -> float:
        """The moment from `since` on at which the valve was truly open."""
        what = "the valve is open, in truth"
        self.progress.expect(what)
        opened_at = await self.truth.until("open", since, ANSWER_S)
        self.measured(what, (opened_at or time.time()) - since, held=opened_at is not None)
        return opened_at or 0.0

    async def closed(self, opened_at: float) -> float:
        """The moment at which the valve was truly closed again. It was the board's timer, and nobody else."""
        self.progress.expect(f"the board closes the valve by its own timer, after {RUN_TIME_S} s")
        closed_at = await self.truth.until("closed", opened_at, RUN_TIME_S + ANSWER_S)
        self.timed((closed_at or time.time()) - opened_at)
        return closed_at or 0.0

    def timed(self, open_s: float) -> None:
        """Hold how long the valve was open against the run time that was asked for."""
        held = abs(open_s - RUN_TIME_S) <= TIMER_SLACK_S
        what = f"the board closed the valve by its own timer, in truth: it was open for {open_s:.2f} s of {RUN_TIME_S}"
        self.measured(what, open_s, held=held)


class Journey(Steps):
    """One run of zone 1, asked for in Home Assistant."""

    def __init__(self, api: Api, lawn: Lawn, board: Board, progress: Progress) -> None:
        """Nothing happens yet."""
        super().__init__(board, progress)
        self._api = api
        self._lawn = lawn

    async def run(self) -> None:
        """All steps in their order. Raises CheckError at the first that does not hold."""
        await self._wait_for("valve", "closed", "zone 1 is closed, says Home Assistant", time.time())
        total_before, meter_before = self._number("water_total"), self.truth.now["meter_ml"]
        self.progress.say(f"{RUN_TIME_S} s of water are asked for in Home Assistant; seconds since then:")
        asked_at = time.time()
        granted = await self._api.act(
            "solar_sprinkler.run", self._valve, answers=True, duration={"seconds": RUN_TIME_S}
        )
        granted_s = granted.get("run_time_s")
        self.hold(f"the board granted {granted_s} s", asked_at, held=granted_s == RUN_TIME_S)
        opened_at = await self.opened(asked_at)
        await self._wait_for("valve", "open", "the valve is open, says Home Assistant", asked_at)
        await self._flows(meter_before, asked_at)
        closed_at = await self.closed(opened_at)
        self.progress.say("the valve is closed; seconds since then (the board waits for the meter to stand still):")
        await self._wait_for("valve", "closed", "the valve is closed, says Home Assistant", closed_at)
        await self._wait_for("last_result", "completed", "the run is completed, says Home Assistant", closed_at)
        await self._totals(total_before, meter_before, closed_at)
        await self._sampled(closed_at)

    @property
    def _valve(self) -> str:
        return self._lawn.entity("valve", ZONE)

    def _number(self, key: str) -> float:
        state = self._api.state(self._lawn.entity(key, ZONE))
        return float(state) if is_number(state) else 0.0

    def _flow(self) -> float:
        """Litres a minute through the valve, as Home Assistant shows it."""
        return flow_of(self._api, self._valve)

    async def _wait_for(self, key: str, state: str, what: str, since: float) -> None:
        entity_id = self._lawn.entity(key, ZONE)
        self.progress.expect(what)
        held = await self._api.until(lambda: self._api.state(entity_id) == state, ANSWER_S)
        self.hold(what if held else f"{what} (it says '{self._api.state(entity_id)}')", since, held=held)

    async def _flows(self, meter_before: float, since: float) -> None:
        self.progress.expect("water flows, says Home Assistant")
        held = await self._api.until(lambda: self._flow() > 0, ANSWER_S)
        self.hold(f"water flows, says Home Assistant: {self._flow():.1f} l/min", since, held=held)
        ran_at = await self.truth.until_holds(lambda moment: moment["meter_ml"] > meter_before, since, ANSWER_S)
        meter = self.truth.now["meter_ml"] - meter_before
        self.measured(f"the meter has run {meter:.0f} ml, in truth", (ran_at or time.time()) - since, held=meter > 0)

    async def _totals(self, total_before: float, meter_before: float, since: float) -> None:
        truth: float = self.truth.now["meter_ml"] - meter_before

        def counted() -> float:
            return (self._number("water_total") - total_before) * 1000

        held = await self._api.until(lambda: abs(counted() - truth) <= TOTAL_SLACK_ML, ANSWER_S)
        self.hold(f"{counted():.0f} ml, says Home Assistant, and {truth:.0f} ml in truth", since, held=held)

    async def _sampled(self, since: float) -> None:
        places = [(ZONE, "soil_moisture"), (BOARD, "battery"), (BOARD, "solar_power")]
        readings = [self._lawn.entity(key, zone) for zone, key in places]
        self.progress.expect("the board's samples are there")
        held = await self._api.until(lambda: all(is_number(self._api.state(reading)) for reading in readings), SAMPLE_S)
        shown = ", ".join(map(self._shown, readings))
        self.hold(f"the board's samples are there: {shown}", since, held=held)

    def _shown(self, entity_id: str) -> str:
        """A reading as a person reads it."""
        state = self._api.state(entity_id)
        number = f"{float(state):.3g}" if is_number(state) else state
        unit = self._api.states.get(entity_id, {}).get("attributes", {}).get("unit_of_measurement", "")
        return f"{self._lawn.names[entity_id].lower()} {number} {unit}".rstrip()


def flow_of(api: Api, valve: str) -> float:
    """Litres a minute that Home Assistant shows at a valve; 0 while it shows none."""
    return float(api.states.get(valve, {}).get("attributes", {}).get("flow_rate", 0))


def is_number(state: str) -> bool:
    """Whether a state is a reading, and not that there is none."""
    try:
        float(state)
    except ValueError:
        return False
    return True


def errors_in(processes: Processes) -> list[str]:
    """Lines of the logs that tell of an error, in Home Assistant with our component, in the firmware or in the simulator."""
    lines = []
    for name, word in (("home-assistant", "ERROR"), ("board", "crash"), ("board", "Traceback")):
        log = processes.log(name)
        lines += [line for line in log.read_text(errors="replace").splitlines() if word in line] if log.exists() else []
    return lines
