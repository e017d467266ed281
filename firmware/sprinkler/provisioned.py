"""Provisioned: reads config.json, the board's description as it was written over the cable. A late module: loaded at boot, then dropped.

Rule: what is missing or of the wrong kind takes its default; only a file that is no JSON object, or has no key, is an error. It must not know how a
value is used.
"""

import json

from .errors import StoreError
from .settings import Config
from .store import CONFIG, OLD, read_file

if False:  # for annotations
    from .board import Board

_CONFIG = (
    ("device_key", ""),
    ("wifi_ssid", ""),
    ("wifi_password", ""),
    ("broker_host", ""),
    ("broker_port", 1883),
    ("broker_user", ""),
    ("broker_password", ""),
    ("ntp_host", ""),
    ("ul_per_pulse", 0),
    ("soil_raw", ()),
    ("battery_sensor", "adc"),
    ("panel_sensor", False),
    ("pulse_ma", 0),
    ("analog_probe_zone", 0),
    ("temperature_sensor", ""),
    ("rain_switch", ""),
    ("rain_when_open", False),
    ("ds3231", False),
    ("always_responsive", False),
)


def read_config(board: "Board") -> Config:
    """The board's Config. Raises StoreError when there is no device key to be had."""
    config = Config()
    given = _object(read_file(board, CONFIG))
    if given is None:
        given = _object(read_file(board, CONFIG + OLD))
    if given is None:
        raise StoreError("storage")
    for name, default in _CONFIG:
        value = given.get(name, default)
        if type(value) is list:
            value = tuple(value)
        setattr(config, name, value if type(value) is type(default) else default)
    try:
        config.key = bytes(int(config.device_key[i : i + 2], 16) for i in range(0, 32, 2))
    except ValueError:
        raise StoreError("storage")
    config.device_key = ""  # as text it is not needed any more
    return config


def _object(text: bytes | None) -> dict | None:
    """The JSON object in `text`, or None."""
    try:
        given = json.loads(text) if text else None
    except ValueError:
        return None
    return given if type(given) is dict else None
