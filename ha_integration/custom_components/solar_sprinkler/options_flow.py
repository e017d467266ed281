"""What a person tells of the garden, and seldom changes: the zones, the season, frost, how often the board wakes; and trying out a valve.

Rule: each form changes what is wanted of the board at once, by the one way that all settings go, and shows in itself why that failed. Only soil
and plant, of which the board knows nothing, are kept in the entry's options. Offered at the end of pairing, too.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr

from . import garden_forms, zone_actions, zone_settings
from .const import CONF_NAME, CONF_PLANT, CONF_SOIL, CONF_ZONES, DOMAIN
from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .devices import zone_identifiers
from .garden_forms import CONF_APPLICATION_RATE, CONF_AREA


class SprinklerOptionsFlow(OptionsFlow):
    """A menu that is come back to after each form, until a person is done."""

    def __init__(self) -> None:
        """Nothing is chosen yet."""
        self._zone = 1
        self._trying: asyncio.Task[str] | None = None
        self._verdict = ""
        self._failure = ""  # the sentence of it

    @property
    def _coordinator(self) -> SprinklerCoordinator:
        entry: SprinklerConfigEntry = self.config_entry
        return entry.runtime_data

    @property
    def _described(self) -> dict[str, str]:
        """Soil and plant of the zone at hand."""
        return dict(self.config_entry.options.get(CONF_ZONES, {}).get(str(self._zone), {}))

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The menu."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        announce = self._coordinator.data.announce
        zones = range(1, announce.zones + 1)
        tried = ["try_valve"] if "check_valve" in announce.commands else []
        return self.async_show_menu(
            step_id="init",
            menu_options=[*(f"zone_{zone}" for zone in zones), "board", *tried, "done"],
            description_placeholders={
                **{f"zone_{zone}": self._name_of(zone) for zone in zones},
                "waiting": self._waiting(),
            },
        )

    def _waiting(self) -> str:
        """That the board has yet to hear of what was changed, if so."""
        coordinator = self._coordinator
        board, teller = coordinator.data, coordinator.teller
        if not board.is_waited_for:
            return ""
        if not board.next_wake:
            return f"({coordinator.words.say('sentence', 'waiting')})"
        return f"({coordinator.words.say('sentence', 'waiting')}, {teller.when(board.next_wake)})"

    async def async_step_zone_1(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe zone 1."""
        return await self._describe(1)

    async def async_step_zone_2(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe zone 2."""
        return await self._describe(2)

    async def async_step_zone_3(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe zone 3."""
        return await self._describe(3)

    async def async_step_zone_4(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe zone 4."""
        return await self._describe(4)

    async def _describe(self, zone: int) -> ConfigFlowResult:
        self._zone = zone
        return await self.async_step_zone()

    async def async_step_zone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Name, soil, plant and sprinklers of a zone."""
        units = self.hass.config.units
        has_flow = "flow" in self._coordinator.data.announce.features
        error = ""
        if user_input is not None:
            rate = garden_forms.rate_um_h(units, user_input.get(CONF_APPLICATION_RATE))
            ground = zone_settings.ground(user_input.get(CONF_SOIL), user_input.get(CONF_PLANT))
            area = {"area_dm2": garden_forms.area_dm2(units, user_input.get(CONF_AREA))} if has_flow else {}
            error = await self._want_of_zone({"application_rate_um_h": rate, **ground, **area})
            if not error:
                self._keep(user_input)
                return await self.async_step_cycle()
        shown = user_input or {
            **self._described,
            CONF_NAME: self._name_of(self._zone),
            CONF_APPLICATION_RATE: garden_forms.rate_shown(units, self._wanted["application_rate_um_h"]),
            CONF_AREA: garden_forms.area_shown(units, self._wanted.get("area_dm2", 0)),
        }
        schema = garden_forms.zone_schema(units, has_flow=has_flow)
        return self.async_show_form(step_id="zone", **self._filled(schema, shown, error))

    async def async_step_cycle(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Cycle and soak of the zone, as its soil asks for, the moisture from which on it is not watered, and what it may have in a day."""
        error = ""
        if user_input is not None:
            error = garden_forms.cycle_error(user_input)
            error = error or await self._want_of_zone(garden_forms.cycle_settings(user_input))
            if not error:
                return await self.async_step_init()
        rate_mm_h = self._wanted["application_rate_um_h"] / 1000
        proposed = zone_settings.proposed_cycle(self._described.get(CONF_SOIL), rate_mm_h)
        shown = user_input or garden_forms.cycle_shown(self._wanted, proposed)
        features = self._coordinator.data.announce.features
        schema = garden_forms.cycle_schema(has_probe="soil" in features, has_flow="flow" in features)
        return self.async_show_form(step_id="cycle", **self._filled(schema, shown, error))

    async def async_step_board(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The season, frost, and how often the board wakes."""
        units = self.hass.config.units
        error = ""
        if user_input is not None:
            error = garden_forms.board_error(user_input)
            error = error or await self._want(garden_forms.board_settings(units, user_input))
            if not error:
                return await self.async_step_init()
        shown = user_input or garden_forms.board_shown(units, self._coordinator.data)
        has_thermometer = "temperature" in self._coordinator.data.announce.features
        return self.async_show_form(
            step_id="board",
            **self._filled(garden_forms.board_schema(units, has_thermometer=has_thermometer), shown, error),
        )

    async def async_step_try_valve(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose a valve, then see water for five seconds."""
        if self._trying is None:
            if user_input is None:
                zones = {str(zone): self._name_of(zone) for zone in range(1, self._coordinator.data.announce.zones + 1)}
                return self.async_show_form(step_id="try_valve", data_schema=garden_forms.valve_schema(zones))
            self._zone = int(user_input["valve"])
            self._trying = self.hass.async_create_task(  # not done at once: what was entered here would be taken for the next step's
                self._try_valve(), f"{DOMAIN} check_valve", eager_start=False
            )
        if not self._trying.done():
            return self.async_show_progress(
                step_id="try_valve",
                progress_action="try_valve",
                progress_task=self._trying,
                description_placeholders={"zone": self._name_of(self._zone)},
            )
        self._verdict, self._trying = self._trying.result(), None
        return self.async_show_progress_done(next_step_id="tried")

    async def async_step_tried(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """What came of it."""
        if user_input is not None:
            return await self.async_step_init()
        placeholders = {"zone": self._name_of(self._zone), "verdict": self._verdict}
        return self.async_show_form(
            step_id="tried", data_schema=vol.Schema({}), description_placeholders=placeholders, last_step=False
        )

    async def async_step_done(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """All is in force, or on its way, already."""
        return self.async_create_entry(data=dict(self.config_entry.options))

    async def _try_valve(self) -> str:
        words = self._coordinator.words
        try:
            told = await zone_actions.check_valve(self._coordinator, self._zone)
        except HomeAssistantError as error:
            return str(words.translated(error))
        if told and told.get("sentence"):
            return str(told["sentence"])
        board = self._coordinator.data
        if told and told.get("queued") and board.next_wake:
            return words.say("sentence", "tried_at_wake", at=self._coordinator.teller.when(board.next_wake))
        return words.say("sentence", "no_verdict")

    @property
    def _wanted(self) -> Mapping[str, Any]:
        return zone_settings.of_zone(self._coordinator.data.zones_wanted, self._zone)

    async def _want_of_zone(self, changes: Mapping[str, Any]) -> str:
        zones = self._coordinator.data.zones_wanted
        return await self._want({"zones": zone_settings.with_zone(zones, self._zone, changes)})

    async def _want(self, settings: Mapping[str, Any]) -> str:
        """Want other settings; the key of the error when that failed, or nothing."""
        try:
            await self._coordinator.desired.async_edit(settings)
        except HomeAssistantError as error:
            self._failure = str(self._coordinator.words.translated(error))
            return "failed"
        return ""

    def _keep(self, given: Mapping[str, Any]) -> None:
        """Keep what the board knows nothing of: soil and plant in the options, the name in the device registry."""
        described = {key: given[key] for key in (CONF_SOIL, CONF_PLANT) if given.get(key)}
        zones = {**self.config_entry.options.get(CONF_ZONES, {}), str(self._zone): described}
        self.hass.config_entries.async_update_entry(
            self.config_entry, options={**self.config_entry.options, CONF_ZONES: zones}
        )
        name, device = str(given.get(CONF_NAME, "")).strip(), self._device_of(self._zone)
        if device is not None and name != self._name_of(self._zone):
            dr.async_get(self.hass).async_update_child_device(device.id, name_by_user=name or None)

    def _device_of(self, zone: int) -> dr.ChildDeviceEntry | None:
        (identifier,) = zone_identifiers(str(self.config_entry.unique_id), zone)
        return dr.async_get(self.hass).async_get_child_device_by_identifier(identifier, self.config_entry.entry_id)

    def _name_of(self, zone: int) -> str:
        device = self._device_of(zone)
        return (device and (device.name_by_user or device.name)) or str(zone)

    def _filled(self, schema: vol.Schema, shown: Mapping[str, Any], error: str) -> dict[str, Any]:
        return {
            "data_schema": self.add_suggested_values_to_schema(schema, shown),
            "errors": {"base": error} if error else {},
            "description_placeholders": {"zone": self._name_of(self._zone), "error": self._failure},
            "last_step": False,
        }
