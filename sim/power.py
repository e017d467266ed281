"""What each part draws: `hardware/power.toml`, the table that the parts list is made from as well.

Rule: figures only, in mA at the cell. It knows no board and no time.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "hardware" / "power.toml"
DRAWS: dict[str, float] = {name: float(row["ma"]) for name, row in tomllib.loads(TABLE.read_text("utf-8")).items()}

AWAKE_RADIO_MA, AWAKE_MA, DOZING_MA = DRAWS["radio"], DRAWS["awake"], DRAWS["modem_sleep"]
ASLEEP_MA = {  # by the Feather's revision
    "rev_g": DRAWS["feather_rev_g_asleep"],
    "rev_f": DRAWS["feather_rev_f_asleep"],
}


def parts_ma(config: Mapping[str, object]) -> float:
    """What hangs on the 3.3 V supply all day long, whatever the board does; `config` is the content of config.json. The flow meter does not: it is switched."""
    raw = config["soil_raw"]
    assert isinstance(raw, list)
    analog = config.get("analog_probe_zone", 0)
    probes = sum(bool(zone) for number, zone in enumerate(raw, 1) if number != analog)
    counts = {
        "soil_probe": probes,
        "current_sensor": (config["battery_sensor"] == "ina219") + bool(config["panel_sensor"]),
        "expander": config["zones"] != 1 or config.get("rain_switch") == "expander",
        "ds3231": bool(config.get("ds3231")),
    }
    return sum(DRAWS[part] * count for part, count in counts.items())
