"""The file that holds what must survive a restart of Home Assistant.

Rule: one file per board; readable to Home Assistant's user alone, because it tells where the lawn is. Holds no key.
"""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .memory import Memory

VERSION = 1
SAVE_DELAY_S = 2


class MemoryStore:
    """A Memory and its file."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; nothing is read yet."""
        self._store: Store[dict[str, Any]] = Store(hass, VERSION, f"{DOMAIN}.{entry_id}", private=True)
        self.memory = Memory()

    async def async_load(self) -> None:
        """Read what was kept; a file that is not there, or is broken, means to start afresh."""
        form = await self._store.async_load()
        if form is not None:
            self.memory = Memory.from_json(form)

    def async_schedule_save(self) -> None:
        """Write soon; several changes make one write."""
        self._store.async_delay_save(self.memory.to_json, SAVE_DELAY_S)

    async def async_save(self) -> None:
        """Write now; returns when it is on disk."""
        await self._store.async_save(self.memory.to_json())

    async def async_remove(self) -> None:
        """Forget the board."""
        await self._store.async_remove()
