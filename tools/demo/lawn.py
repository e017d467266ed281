"""The board as Home Assistant shows it: which entity is what, found by what the entities are and not by how they are named."""

import dataclasses

from tools.demo.api import Api
from tools.demo.errors import DemoError
from tools.demo.onboarding import DOMAIN

BOARD = 0  # instead of a zone's number


@dataclasses.dataclass(frozen=True)
class Lawn:
    """Entity ids by zone (BOARD for the board's own) and key, as `(1, "valve")`."""

    entities: dict[tuple[int, str], str]
    names: dict[str, str]  # of entities, without their device's

    @property
    def zones(self) -> list[int]:
        """The zones' numbers."""
        return sorted({zone for zone, _ in self.entities if zone != BOARD})

    def entity(self, key: str, zone: int = BOARD) -> str:
        """The entity id. Raises DemoError if the component made none."""
        try:
            return self.entities[zone, key]
        except KeyError:
            raise DemoError(
                f"the component made no entity '{key}' for {f'zone {zone}' if zone else 'the board'}"
            ) from None


async def find(api: Api, device_id: str) -> Lawn:
    """The entities of a board, of those that are not switched off."""
    entities, names = {}, {}
    for entry in await api.command("config/entity_registry/list"):
        if entry["platform"] == DOMAIN and entry["unique_id"].startswith(device_id) and not entry["disabled_by"]:
            entities[place(entry["unique_id"].removeprefix(f"{device_id}_"))] = entry["entity_id"]
            names[entry["entity_id"]] = entry["original_name"] or ""
    return Lawn(entities, names)


def place(key: str) -> tuple[int, str]:
    """Zone and key in the last part of an entity's unique id: `zone_1_valve` or `battery`."""
    words = key.split("_", 2)
    return (int(words[1]), words[2]) if words[0] == "zone" and len(words) == 3 else (BOARD, key)
