"""What a person does in the first minutes: make an account, add the broker, accept the board that was discovered, type its code."""

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from typing import Any

import aiohttp

from tools.demo.api import Api
from tools.demo.broker import Broker
from tools.demo.errors import DemoError

READY_S = 60.0
DOMAIN = "solar_sprinkler"


async def make_account(api: Api) -> None:
    """Make the owner's account and log in. Its password is random and kept nowhere: 127.0.0.1 is trusted without one."""
    await _until_answers(api, "/api/onboarding")
    account = {
        "client_id": api.client_id,
        "name": "Demo",
        "username": "demo",
        "password": secrets.token_urlsafe(24),
        "language": "en",
    }
    await api.log_in((await api.request("POST", "/api/onboarding/users", json=account))["auth_code"])


async def log_in_again(api: Api) -> None:
    """Log in to a Home Assistant that has an account, as a browser on this machine does: trusted, without a password."""
    await _until_answers(api, "/auth/providers")
    client = {"client_id": api.client_id, "redirect_uri": api.client_id, "handler": ["trusted_networks", None]}
    flow = await api.request("POST", "/auth/login_flow", json=client)
    if flow["type"] != "create_entry":
        raise DemoError(f"Home Assistant does not trust this machine: its login asks for {flow.get('step_id')}")
    await api.log_in(flow["result"])


async def until_running(api: Api, version: str = "") -> None:
    """Wait until Home Assistant has started everything, then follow its states. Raises DemoError if it is not the `version` that was asked for."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while (config := await api.command("get_config"))["state"] != "RUNNING":
                await asyncio.sleep(0.1)
            if version and config["version"] != version:
                raise DemoError(f"Home Assistant says that it is {config['version']}, not {version}")
            await api.follow_states()
            return
    raise DemoError(f"Home Assistant is not running after {READY_S:.0f} s; see its log")


async def add_broker(api: Api, broker: Broker) -> None:
    """Add the mqtt integration through its own form."""
    flow = await api.request("POST", "/api/config/config_entries/flow", json={"handler": "mqtt"})
    user, password = "home-assistant", broker.passwords["home-assistant"]
    await finish(api, flow, {"broker": "127.0.0.1", "port": broker.port, "username": user, "password": password})


async def discovered(api: Api, device_id: str, limit_s: float) -> dict[str, Any]:
    """The first form of a board that MQTT announced."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while True:
                for flow in await api.command("config_entries/flow/progress"):
                    if flow["handler"] == DOMAIN and flow["context"]["unique_id"] == device_id:
                        found: dict[str, Any] = await api.request(
                            "GET", f"/api/config/config_entries/flow/{flow['flow_id']}"
                        )
                        return found
                await asyncio.sleep(0.05)
    raise DemoError(
        f"Home Assistant did not discover board {device_id} within {limit_s:.0f} s; see the logs of board and home-assistant"
    )


async def finish(api: Api, flow: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Answer a flow's forms with `given`, else with what they propose, until it has made its entry."""
    while flow["type"] == "form":
        if flow.get("errors"):
            raise DemoError(f"{flow['handler']} refused what the demo entered: {flow['errors']}")
        answers = fill(flow["data_schema"] or (), given)
        flow = await api.request("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", json=answers)
    if flow["type"] != "create_entry":
        raise DemoError(f"{flow['handler']} made no entry: {flow.get('reason') or flow['type']}")
    return flow


def fill(schema: Iterable[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Answers to a form: what is given, else the default, else what a person leaves who touches nothing."""
    answers: dict[str, Any] = {}
    for field in schema:
        name, selector = field["name"], field.get("selector", {})
        if name in given:
            answers[name] = given[name]
        elif field.get("type") == "expandable":
            answers[name] = fill(field["schema"], given)
        elif "default" in field:
            answers[name] = field["default"]
        elif field.get("required") and "boolean" in selector:
            answers[name] = False
        elif field.get("required") and "select" in selector:
            first = selector["select"]["options"][0]
            answers[name] = first["value"] if isinstance(first, dict) else first
    return answers


async def _until_answers(api: Api, path: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    await api.request("GET", path)
                    return
                await asyncio.sleep(0.05)
    raise DemoError(f"Home Assistant does not answer after {READY_S:.0f} s; see its log")
