"""Finding and pairing a board.

Rule: an announce is a claim until the pairing code's key verifies it; only then is an entry made. A slip of the keyboard and the code of
another board are told apart, so that a person knows whether to look at the keys or at the label.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.components import mqtt
from homeassistant.components.mqtt import ReceiveMessage
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo

from . import messages, models, pairing, protocol
from .channel import payload_of
from .const import CONF_ANNOUNCE, CONF_KEY, CONF_PAIRING_CODE, DOMAIN, MANUFACTURER
from .errors import ModelError, PairingCodeError, SignatureError
from .options_flow import SprinklerOptionsFlow

CONF_BOARD = "board"
LISTEN_S = 2  # a broker hands out what it retains at once

_PAIRING_SCHEMA = vol.Schema({vol.Required(CONF_PAIRING_CODE): TextSelector(TextSelectorConfig(autocomplete="off"))})


def _claimed(topic: str, payload: str | bytes | bytearray) -> models.Announce | None:
    """What an announce claims, or None when it is none."""
    try:
        return models.announce(topic, payload.encode() if isinstance(payload, str) else bytes(payload), key=None)
    except ModelError:
        return None


class SprinklerConfigFlow(ConfigFlow, domain=DOMAIN):
    """One entry per board."""

    VERSION = 1

    @staticmethod
    @callback
    def async_get_options_flow(_config_entry: ConfigEntry) -> SprinklerOptionsFlow:
        """What a person tells of the garden."""
        return SprinklerOptionsFlow()

    def __init__(self) -> None:
        """No board is chosen yet."""
        self._device_id = ""
        self._announce = ""
        self._heard: dict[str, str] = {}

    async def async_step_mqtt(self, discovery_info: MqttServiceInfo) -> ConfigFlowResult:
        """A board announced itself."""
        claim = _claimed(discovery_info.topic, discovery_info.payload)
        if claim is None:  # empty, when the retained announce was removed, or foreign
            return self.async_abort(reason="invalid_discovery_info")
        payload = discovery_info.payload
        return await self._async_chosen(
            claim.device_id, payload if isinstance(payload, str) else bytes(payload).decode()
        )

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """A person wants to add a board: show those that are heard."""
        if user_input is not None:
            device_id = user_input[CONF_BOARD]
            return await self._async_chosen(device_id, self._heard[device_id], is_discovered=False)
        if not await mqtt.async_wait_for_mqtt_client(self.hass):
            return self.async_abort(reason="mqtt_unavailable")
        await self._async_listen()
        known = {entry.unique_id for entry in self._async_current_entries(include_ignore=False)}
        boards = [board for board in sorted(self._heard) if board not in known]
        if not boards:
            return self.async_abort(reason="no_board_heard")
        options = [SelectOptionDict(value=board, label=f"{MANUFACTURER} {board}") for board in boards]
        schema = vol.Schema({vol.Required(CONF_BOARD): SelectSelector(SelectSelectorConfig(options=options))})
        return self.async_show_form(step_id="user", data_schema=schema)

    async def async_step_pairing(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the pairing code and hold it against the announce."""
        errors: dict[str, str] = {}
        if user_input is not None:
            key, error = self._check(user_input[CONF_PAIRING_CODE])
            if not error:
                return self._async_paired(key)
            errors[CONF_PAIRING_CODE] = error
        return self.async_show_form(
            step_id="pairing",
            data_schema=_PAIRING_SCHEMA,
            errors=errors,
            description_placeholders={"device_id": self._device_id},
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """The board's announce does not verify any more: it was given a new key."""
        self._device_id = str(self._get_reauth_entry().unique_id)
        self._announce = entry_data[CONF_ANNOUNCE]  # the one that was heard last
        return await self.async_step_pairing()

    async def async_step_reconfigure(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """A person wants to enter another pairing code, unasked: the board was provisioned anew."""
        entry = self._get_reconfigure_entry()
        if not await mqtt.async_wait_for_mqtt_client(self.hass):
            return self.async_abort(reason="mqtt_unavailable")
        self._device_id = str(entry.unique_id)
        await self._async_listen()
        self._announce = self._heard.get(self._device_id, entry.data[CONF_ANNOUNCE])
        return await self.async_step_pairing()

    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the garden: a new board wants its zones described and its valves tried."""
        entry = result["result"]
        if entry.state is ConfigEntryState.LOADED:
            options = await self.hass.config_entries.options.async_init(entry.entry_id, context={"source": SOURCE_USER})
            result["next_flow"] = (FlowType.OPTIONS_FLOW, options["flow_id"])
        return result

    async def _async_chosen(self, device_id: str, announce: str, *, is_discovered: bool = True) -> ConfigFlowResult:
        self._device_id, self._announce = device_id, announce
        entry = await self.async_set_unique_id(device_id, raise_on_progress=is_discovered)
        is_believed = (
            entry is not None and CONF_KEY in entry.data and self._verifies(bytes.fromhex(entry.data[CONF_KEY]))
        )
        self._abort_if_unique_id_configured(updates={CONF_ANNOUNCE: announce} if is_believed else None)
        self.context["title_placeholders"] = {"name": f"{MANUFACTURER} {device_id}"}
        return await self.async_step_pairing()

    def _verifies(self, key: bytes) -> bool:
        topic = messages.topic(self._device_id, protocol.ANNOUNCE)
        try:
            models.announce(topic, self._announce.encode(), key)
        except SignatureError:
            return False
        return True

    def _check(self, code: str) -> tuple[bytes, str]:
        """The key that a pairing code holds, and the error to show, empty when it fits."""
        try:
            key = pairing.decode(code)
        except PairingCodeError:
            return b"", "pairing_code_typo"
        return key, "" if self._verifies(key) else "pairing_code_other_board"

    @callback
    def _async_paired(self, key: bytes) -> ConfigFlowResult:
        data = {CONF_KEY: key.hex(), CONF_ANNOUNCE: self._announce}
        if self.source == SOURCE_REAUTH:
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data=data)
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data=data)
        return self.async_create_entry(title=f"{MANUFACTURER} {self._device_id}", data=data)

    async def _async_listen(self) -> None:
        """Hear for a moment which boards announce themselves; the broker retains what they said."""

        @callback
        def hear(message: ReceiveMessage) -> None:
            payload = payload_of(message)
            claim = _claimed(message.topic, payload)
            if claim is not None:
                self._heard[claim.device_id] = payload.decode()

        topic = f"{protocol.BASE}/+/{protocol.ANNOUNCE}"
        unsubscribe = await mqtt.async_subscribe(self.hass, topic, hear, encoding=None)
        await asyncio.sleep(LISTEN_S)
        unsubscribe()
