"""Announcing: the message that Home Assistant discovers the board by. A late module: loaded for each new session, then dropped.

Rule: what the board is, not what it does; the same text at each boot, because it is signed and kept by the broker. It must not know when it is published.
"""

import json

from . import protocol
from .report import FIRMWARE

if False:  # for annotations
    from .app import App
    from .settings import Config


def announce(app: "App") -> bytes:
    """The text, with its keys in a fixed order (bytes)."""
    config = app.config
    features = ["battery"]
    for there, word in (
        (app.senses.has_flow(), "flow"),
        (config.soil_raw, "soil"),
        (config.panel_sensor, "solar"),
        (config.temperature_sensor, "temperature"),
        (config.rain_switch, "rain"),
    ):
        if there:
            features.append(word)
    head = '{"protocol": %d, "device_id": "%s", "firmware": "%s", "hardware": "%s", "zones": %d, "run_time_max_s": %d, "programs_max": %d, '
    head = head % (
        protocol.PROTOCOL,
        app.board.device_id,
        FIRMWARE,
        protocol.HARDWARE,
        app.board.zones(),
        protocol.RUN_TIME_S_LIMITS[1],
        protocol.PROGRAM_ID_LIMITS[1],
    )
    lists = (json.dumps(list(protocol.COMMANDS)), json.dumps(features), "held" if app.board.held else "latching")
    text = head + '"commands": %s, "features": %s, "valve": "%s", "leak_from_ml_min": ' % lists
    return (text + json.dumps(_leak_from(app, config)) + "}").encode()


def _leak_from(app: "App", config: "Config") -> int | None:
    """The smallest flow that a watch of the closed valves is sure to see, ml/min; None without a meter."""
    if not config.ul_per_pulse:
        return None
    from .watching import seen_from_ml_min

    flow_ml_min = seen_from_ml_min(config.ul_per_pulse)
    app.board.drop("watching")
    return flow_ml_min
