"""What entities share that show, and change, a setting of the board.

Rule: shown is what is wanted; until the board has confirmed it, it says so.
"""

from typing import Any

from .entity import SprinklerEntity


class SettingEntity(SprinklerEntity):
    """An entity whose key is that of a setting."""

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """Whether the board has still to hear of what is wanted."""
        return {"waiting_for_board": self.board.is_waited_for}

    async def async_want(self, value: Any) -> None:
        """Want another value."""
        await self.coordinator.desired.async_edit({self.entity_description.key: value})
