"""The demo's dashboard: a column per zone, one for the board, and below them what happened; made of the entities that are there.

Rule: what is unknown by nature at the moment (the end of a run that does not run, the wake of a board that does not sleep) is not on the page.
"""

import json
from pathlib import Path
from typing import Any

from tools.demo.lawn import BOARD, Lawn

CURVE_HOURS = 0.1  # a demo lives for minutes
PANEL_W = 2  # the simulated panel's rating
COLUMNS = 3
FULL = {"grid_options": {"columns": "full"}}
WELCOME = """\
Open a zone: the board waters it for its **run time**, then closes it **by its own timer**. Sun, soil and water are simulated; the firmware is real.\
"""

type Card = dict[str, Any]


def write(path: Path, lawn: Lawn) -> None:
    """Write the dashboard's file; Home Assistant reads it at the next look. (JSON is YAML.)"""
    path.write_text(json.dumps({"title": "Lawn", "views": [view(lawn)]}, indent=1))


def view(lawn: Lawn) -> Card:
    """The page."""
    zones = [zone_section(lawn, zone) for zone in lawn.zones]
    return {
        "title": "Lawn",
        "path": "lawn",
        "type": "sections",
        "max_columns": COLUMNS,
        "header": {"layout": "start", "card": {"type": "markdown", "text_only": True, "content": WELCOME}},
        "sections": [*zones, board_section(lawn), *curve_sections(lawn)],
    }


def zone_section(lawn: Lawn, zone: int) -> Card:
    """The valve with its switch, and the zone's readings."""
    valve = lawn.entity("valve", zone)
    cards = [
        {"type": "tile", "entity": valve, "features": [{"type": "valve-open-close"}], **FULL},
        *tile(lawn, zone, "run_time", hide_state=True, features=[{"type": "numeric-input", "style": "buttons"}]),
        *tile(lawn, zone, "flow_rate", features=[trend()]),
        *tile(lawn, zone, "soil_moisture", features=[{"type": "bar-gauge"}]),
        *tile(lawn, zone, "water_total", features=[trend()]),
        *tile(lawn, zone, "run_ends", visibility=[unless(valve, "closed"), is_known(lawn, zone, "run_ends")], **FULL),
        *tile(
            lawn,
            zone,
            "last_result",
            state_content=["state", "last_changed"],
            visibility=[when(valve, "closed"), is_known(lawn, zone, "last_result")],
            **FULL,
        ),
    ]
    return section(f"Zone {zone}", "mdi:sprinkler-variant", cards)


def board_section(lawn: Lawn) -> Card:
    """Sun, battery and health; when a sleeping board wakes, or when one that is awake was heard."""
    asleep = is_known(lawn, BOARD, "next_wake")
    awake = {"condition": "not", "conditions": [asleep]}
    cards = [
        *tile(lawn, BOARD, "solar_power", color="amber", features=[{"type": "bar-gauge", "min": 0, "max": PANEL_W}]),
        *tile(lawn, BOARD, "battery", features=[{"type": "bar-gauge"}]),
        *tile(lawn, BOARD, "connectivity", color="green"),
        *tile(lawn, BOARD, "problem", color="red"),
        *tile(lawn, BOARD, "next_wake", visibility=[asleep]),
        *tile(lawn, BOARD, "last_seen", visibility=[awake]),
        *tile(lawn, BOARD, "stop_all", hide_state=True, color="blue", **press(lawn, "stop_all")),
        happenings(lawn),
    ]
    return section("Board", "mdi:solar-power-variant", cards)


def happenings(lawn: Lawn) -> Card:
    """What happened, the latest first."""
    entities = [lawn.entity("valve", zone) for zone in lawn.zones]
    entities += [lawn.entities[place] for place in [(BOARD, "activity")] if place in lawn.entities]
    return {
        "type": "logbook",
        "hours_to_show": 1,
        "target": {"entity_id": entities},
        "grid_options": {"columns": "full", "rows": 3},
    }


def curve_sections(lawn: Lawn) -> list[Card]:
    """Water and sun over the last minutes."""
    return [
        section("Water", "mdi:water", curves(lawn, "flow_rate")) | {"column_span": COLUMNS - 1},
        section("Sun", "mdi:white-balance-sunny", curves(lawn, "solar_power")),
    ]


def curves(lawn: Lawn, key: str) -> list[Card]:
    """One card with a curve for each entity of that key, or nothing if there is none."""
    places = [place for place in sorted(lawn.entities) if place[1] == key]
    entities = [{"entity": lawn.entities[place], "name": title(lawn, place)} for place in places]
    looks = {"hours_to_show": CURVE_HOURS, "min_y_axis": 0, "grid_options": {"columns": "full", "rows": 3}}
    return [{"type": "history-graph", "entities": entities, **looks}] if entities else []


def section(heading: str, icon: str, cards: list[Card]) -> Card:
    """A column with its heading."""
    return {"type": "grid", "cards": [{"type": "heading", "heading": heading, "icon": icon}, *cards]}


def tile(lawn: Lawn, zone: int, key: str, **more: Any) -> list[Card]:
    """A tile under the entity's own short name, or nothing if there is no such entity."""
    entity_id = lawn.entities.get((zone, key))
    return [{"type": "tile", "entity": entity_id, "name": lawn.names[entity_id], **more}] if entity_id else []


def title(lawn: Lawn, place: tuple[int, str]) -> str:
    """An entity's name where its device's is not beside it."""
    name = lawn.names[lawn.entities[place]]
    return f"{name}, zone {place[0]}" if place[0] != BOARD else name


def trend() -> Card:
    """The curve below a tile."""
    return {"type": "trend-graph", "hours_to_show": CURVE_HOURS, "detail": False}


def press(lawn: Lawn, key: str) -> Card:
    """A touch presses the button, wherever it hits the tile."""
    entity_id = lawn.entities.get((BOARD, key), "")
    action = {"action": "perform-action", "perform_action": "button.press", "target": {"entity_id": entity_id}}
    return {"tap_action": action, "icon_tap_action": action}


def when(entity_id: str, state: str) -> Card:
    """Shown while the entity is in a state."""
    return {"condition": "state", "entity": entity_id, "state": state}


def unless(entity_id: str, *states: str) -> Card:
    """Shown while the entity is in none of these states."""
    return {"condition": "state", "entity": entity_id, "state_not": list(states)}


def is_known(lawn: Lawn, zone: int, key: str) -> Card:
    """Shown while there is a reading."""
    return unless(lawn.entities.get((zone, key), ""), "unknown", "unavailable")
