"""A client of a running Home Assistant: its HTTP and WebSocket interfaces as a person's browser uses them.

It knows how to ask, not what to ask for.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import aiohttp

from tools.demo.errors import DemoError

TIMEOUT = aiohttp.ClientTimeout(total=30)


class Api:
    """One Home Assistant at `url`. After `connect`, `states` follows every entity."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Use `session` for everything; `url` has no slash at its end."""
        self.url = url
        self.client_id = f"{url}/"
        self.states: dict[str, dict[str, Any]] = {}
        self._session = session
        self._token = ""
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Condition()

    async def request(self, method: str, path: str, *, json: Any = None, form: dict[str, str] | None = None) -> Any:
        """One HTTP request; returns the decoded answer. Raises DemoError when refused, aiohttp.ClientError when not answered."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self._session.request(method, self.url + path, json=json, data=form, headers=headers) as answer:
            if answer.status >= 400:
                raise DemoError(
                    f"Home Assistant answered {method} {path} with {answer.status}: {(await answer.text())[:300]}"
                )
            return await answer.json(content_type=None)

    async def log_in(self, code: str) -> None:
        """Trade an authorization code for a token and open the WebSocket."""
        form = {"client_id": self.client_id, "grant_type": "authorization_code", "code": code}
        self._token = (await self.request("POST", "/auth/token", form=form))["access_token"]
        self._socket = await self._session.ws_connect(
            self.url.replace("http", "ws", 1) + "/api/websocket", max_msg_size=0
        )
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": self._token})
        if (await self._socket.receive_json())["type"] != "auth_ok":
            raise DemoError("Home Assistant refused the demo's own token")
        self._reader = asyncio.create_task(self._read(self._socket))

    async def command(self, kind: str, **fields: Any) -> Any:
        """One WebSocket command; returns its result. Raises DemoError with Home Assistant's words if it fails."""
        if self._socket is None:
            raise DemoError("the demo is not logged in to Home Assistant yet")
        number = len(self._answers) + 1
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "type": kind, **fields})
        return await asyncio.wait_for(self._answers[number], TIMEOUT.total)

    async def act(self, action: str, entity_id: str, *, answers: bool = False, **data: Any) -> dict[str, Any]:
        """Perform an action (`domain.name`) on an entity, as a person does from the page; its answer, if it `answers`."""
        domain, _, service = action.partition(".")
        target = {"entity_id": entity_id}
        result = await self.command(
            "call_service", domain=domain, service=service, target=target, service_data=data, return_response=answers
        )
        return dict((result["response"] or {}).get(entity_id, {})) if answers else {}

    async def follow_states(self) -> None:
        """From now on `states` is what Home Assistant shows."""
        await self.command("subscribe_events", event_type="state_changed")
        for state in await self.command("get_states"):
            self.states.setdefault(state["entity_id"], state)

    async def until(self, holds: Callable[[], bool], limit_s: float) -> bool:
        """Wait until `holds`, asked again at every change of a state; False if it does not within `limit_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s), self._changed:
                await self._changed.wait_for(holds)
                return True
        return False

    def state(self, entity_id: str) -> str:
        """The state of an entity; an empty text if there is none of that name."""
        return str(self.states.get(entity_id, {}).get("state", ""))

    async def close(self) -> None:
        """Close the WebSocket."""
        if self._socket:
            await self._socket.close()
        if self._reader:
            await self._reader

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            heard = message.json()
            if heard["type"] == "result":
                self._answer(heard)
            elif heard["type"] == "event" and heard["event"].get("event_type") == "state_changed":
                await self._remember(heard["event"]["data"])

    def _answer(self, heard: dict[str, Any]) -> None:
        waiting = self._answers[heard["id"]]
        if waiting.done():
            return
        if heard["success"]:
            waiting.set_result(heard["result"])
        else:
            waiting.set_exception(DemoError(f"Home Assistant: {heard['error']['message']}"))

    async def _remember(self, change: dict[str, Any]) -> None:
        async with self._changed:
            if change["new_state"]:
                self.states[change["entity_id"]] = change["new_state"]
            else:
                self.states.pop(change["entity_id"], None)
            self._changed.notify_all()

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Self]:
        """A client for the Home Assistant at `url`, closed with the block."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            api = cls(session, url)
            try:
                yield api
            finally:
                await api.close()
