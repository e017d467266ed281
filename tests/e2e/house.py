"""A house with a lawn: real broker, real Home Assistant, simulated board; and what a test may do to it.

Whether water runs is asked of the simulator's truth, never of Home Assistant or of the firmware.
"""

import asyncio
import contextlib
import time
from typing import Any

from tools.demo import broker, home_assistant, onboarding, session
from tools.demo.api import Api
from tools.demo.board import Truth
from tools.demo.lawn import BOARD, Lawn, find

ANSWER_S = 10.0
BROKER, HOME_ASSISTANT = "broker", "home-assistant"


class House:
    """A demo that runs. Broker and Home Assistant can be killed and started again; the board goes on whatever happens to them."""

    def __init__(self, running: session.Session, api: Api, lawn: Lawn) -> None:
        """A house in which everything is up."""
        self.running = running
        self.api = api
        self.lawn = lawn
        self._clients = contextlib.AsyncExitStack()

    async def close(self) -> None:
        """Log out where the house logged in itself."""
        await self._clients.aclose()

    def truth(self, zone: int) -> Truth:
        """What truly happens in a zone."""
        return Truth(self.running.board, zone)

    def state(self, key: str, zone: int = BOARD) -> str:
        """What Home Assistant shows."""
        return self.api.state(self.lawn.entity(key, zone))

    async def shows(self, key: str, zone: int, state: str, limit_s: float = ANSWER_S) -> bool:
        """Wait until Home Assistant shows this state; False if it does not in time."""
        return await self.api.until(lambda: self.state(key, zone) == state, limit_s)

    async def run_zone(self, zone: int, seconds: int) -> dict[str, Any]:
        """Water from Home Assistant; its answer."""
        valve = self.lawn.entity("valve", zone)
        return await self.api.act("solar_sprinkler.run", valve, answers=True, duration={"seconds": seconds})

    async def programs(self, zone: int) -> dict[str, Any]:
        """A zone's programs as Home Assistant tells them, and whether the board has confirmed them."""
        return await self.api.act("solar_sprinkler.get_programs", self.lawn.entity("valve", zone), answers=True)

    async def kill(self, *names: str) -> None:
        """kill -9, all at once."""
        await asyncio.gather(*(self.running.processes.stop(name, kill=True) for name in names))

    async def start_broker(self, *, remembers: bool) -> None:
        """Start the broker again, with or without what it kept on disk."""
        if not remembers:
            (self.running.broker.config.parent / "mosquitto.db").unlink(missing_ok=True)
        await broker.start(self.running.broker, self.running.processes)

    async def start_home_assistant(self) -> None:
        """Start Home Assistant again on what it kept on disk, and log in."""
        folder = self.running.folder / "home-assistant"
        await home_assistant.start(folder, self.running.http_port, self.running.processes)
        self.api = await self._clients.enter_async_context(Api.at(self.api.url))
        await onboarding.log_in_again(self.api)
        await onboarding.until_running(self.api)
        self.lawn = await find(self.api, self.running.board.device_id)

    def crashes(self) -> list[str]:
        """What the logs tell of firmware that crashed."""
        logs = sorted(self.running.processes.logs.glob("*.log"))
        return [line for log in logs for line in log.read_text(errors="replace").splitlines() if "crashed:" in line]

    async def recorded(self, entity_id: str, since: float) -> list[dict[str, Any]]:
        """What Home Assistant's recorder keeps of an entity: its states with their attributes, the oldest first."""
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
        path = f"/api/history/period/{start}?filter_entity_id={entity_id}"
        return [state for states in await self.api.request("GET", path) for state in states]
