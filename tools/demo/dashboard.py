"""The demo's dashboard: valves, water, soil, sun and battery on one page, made of the entities that are there."""

import json
from pathlib import Path
from typing import Any

from tools.demo.lawn import BOARD, Lawn

BOARD_TILES = ("solar_power", "battery", "next_wake", "connectivity", "problem", "stop_all")
ZONE_TILES = ("flow_rate", "water_total", "soil_moisture", "run_time", "run_ends", "last_result")
HISTORY_HOURS = 1
COLUMNS = 3


def write(path: Path, lawn: Lawn) -> None:
    """Write the dashboard's file; Home Assistant reads it at the next look. (JSON is YAML.)"""
    path.write_text(json.dumps({"title": "Lawn", "views": [view(lawn)]}, indent=1))


def view(lawn: Lawn) -> dict[str, Any]:
    """The page: a column per zone, one for the board, and below them what happened."""
    sections = [zone_section(lawn, zone) for zone in lawn.zones]
    return {
        "title": "Lawn",
        "path": "lawn",
        "type": "sections",
        "max_columns": COLUMNS,
        "sections": [*sections, board_section(lawn), history_section(lawn)],
    }


def zone_section(lawn: Lawn, zone: int) -> dict[str, Any]:
    """The valve with its two buttons, and the zone's readings."""
    valve = {
        "type": "tile",
        "entity": lawn.entity("valve", zone),
        "features": [{"type": "valve-open-close"}],
        "grid_options": {"columns": "full"},
    }
    return section(f"Zone {zone}", "mdi:sprinkler-variant", [valve, *tiles(lawn, ZONE_TILES, zone)])


def board_section(lawn: Lawn) -> dict[str, Any]:
    """Sun, battery and health."""
    return section("Board", "mdi:solar-power-variant", tiles(lawn, BOARD_TILES, BOARD))


def history_section(lawn: Lawn) -> dict[str, Any]:
    """Curves of the last hour, and what happened."""
    curves = [
        lawn.entities[place] for place in sorted(lawn.entities) if place[1] in ("flow_rate", "solar_power", "battery")
    ]
    happened = [lawn.entity("valve", zone) for zone in lawn.zones]
    cards = [
        {
            "type": "history-graph",
            "hours_to_show": HISTORY_HOURS,
            "entities": curves,
            "grid_options": {"columns": "full"},
        },
        {
            "type": "logbook",
            "hours_to_show": HISTORY_HOURS,
            "target": {"entity_id": happened},
            "grid_options": {"columns": "full"},
        },
    ]
    return section("Last hour", "mdi:chart-line", cards) | {"column_span": COLUMNS}


def section(heading: str, icon: str, cards: list[dict[str, Any]]) -> dict[str, Any]:
    """A column with its heading."""
    return {"type": "grid", "cards": [{"type": "heading", "heading": heading, "icon": icon}, *cards]}


def tiles(lawn: Lawn, keys: tuple[str, ...], zone: int) -> list[dict[str, Any]]:
    """A tile for each of `keys` that there is, under its own short name."""
    there = [lawn.entities[zone, key] for key in keys if (zone, key) in lawn.entities]
    return [{"type": "tile", "entity": entity_id, "name": lawn.names[entity_id]} for entity_id in there]
