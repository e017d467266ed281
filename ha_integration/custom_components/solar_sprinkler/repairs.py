"""What can be mended from Home Assistant: a fault that a person has looked at, a clock, settings that nobody knows."""

from typing import Any

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .issues import CLOCK, DESIRED_UNKNOWN, SAFE_MODE


class MendFlow(ConfirmRepairFlow):
    """Asks, then does it; when that fails it says why, and the issue stays."""

    def __init__(self, key: str, zone: int, entry_id: str) -> None:
        """Keep what is to be mended."""
        self._key, self._zone, self._entry_id = key, zone, entry_id

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Mend it once a person said so."""
        if user_input is None:
            return await super().async_step_confirm(user_input)
        entry: SprinklerConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.domain != DOMAIN or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        try:
            await self._mend(entry.runtime_data)
        except HomeAssistantError as error:
            told = entry.runtime_data.words.translated(error)
            return self.async_abort(reason="failed", description_placeholders={"error": str(told)})
        return self.async_create_entry(data={})

    async def _mend(self, coordinator: SprinklerCoordinator) -> None:
        if self._key == CLOCK:
            await coordinator.async_tell_time()
        elif self._key == DESIRED_UNKNOWN:
            await coordinator.desired.async_start_afresh()
        elif self._key == SAFE_MODE:
            await coordinator.commands.tell("restart")
        else:
            await coordinator.commands.tell("clear_fault", zone=self._zone)


async def async_create_fix_flow(_hass: HomeAssistant, _issue_id: str, data: dict[str, Any] | None) -> RepairsFlow:
    """The flow that mends an issue."""
    assert data is not None  # every issue of ours has some
    return MendFlow(str(data["key"]), int(data["zone"]), str(data["entry_id"]))
