"""The settings of a board, in one table: what each means, what it may be, and in which of the board's two files it lies.

Rule: names and defaults are the firmware's own (`_CONFIG` in provisioned.py, `setting(...)` in closer.py, read as text), so a key that the firmware learns
is known here at once; DETAILS adds words, limits and questions to it. Nothing here knows a cable.
"""

import ast
import ipaddress
import json
import os
import secrets
import socket
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sim.provision import FIRMWARE
from tools.provision.errors import SettingsError

CONFIG_TABLE = "sprinkler/provisioned.py"
KEY_DIGITS = 32  # 128 bit
ENVIRONMENT = "SPRINKLER_"  # SPRINKLER_WIFI_PASSWORD and so on: secrets that shall lie in no file

type Check = Callable[[Any], str]  # why a value cannot be, or nothing


def _between(lowest: int, highest: int) -> Check:
    return lambda value: "" if lowest <= value <= highest else f"must be {lowest} to {highest}"


def _text(longest: int, *, empty: bool = True) -> Check:
    def check(value: str) -> str:
        if not value and not empty:
            return "must not be empty"
        return "" if len(value.encode()) <= longest else f"has more than {longest} bytes"

    return check


def _one_of(*words: str) -> Check:
    return lambda value: "" if value in words else "must be " + " or ".join(f'"{word}"' for word in words)


def _wifi_password(value: str) -> str:
    return "" if not value or 8 <= len(value.encode()) <= 64 else "must have 8 to 64 characters, or none (open network)"


def _key(value: str) -> str:
    good = len(value) == KEY_DIGITS and set(value) <= set("0123456789abcdef")
    return "" if good else f"must be {KEY_DIGITS} hex digits in lower case (leave it out: one is made)"


def _calibration(value: Any) -> str:
    """Pairs (dry, wet) of a probe's raw readings, one for each zone; or none at all."""
    for pair in value:
        if pair == []:
            continue  # that zone has no probe
        good = isinstance(pair, list) and len(pair) == 2 and all(type(raw) is int and 0 <= raw <= 4095 for raw in pair)
        if not good or pair[0] == pair[1]:
            return (
                "must be pairs [dry, wet] of different readings 0 to 4095, such as [[320, 1015]], or [] without probes"
            )
    return "" if len(value) <= 4 else "has more than four probes"


def _numeric(value: str) -> str:
    try:
        if value:
            ipaddress.IPv4Address(value)
        return ""
    except ValueError:
        return "must be an IPv4 address such as 192.168.1.5, or a name that this computer can look up"


@dataclass(frozen=True, slots=True)
class Detail:
    """What a person is told and asked about a setting. `question` empty: it is not asked, its default stands."""

    question: str = ""
    check: Check = lambda _: ""
    secret: bool = False
    required: bool = False
    host: bool = False  # a name that is looked up here, for the board must not wait for a name server


DETAILS = {
    "device_key": Detail(check=_key, secret=True),
    "wifi_ssid": Detail("Wi-Fi network (2.4 GHz)", _text(32, empty=False), required=True),
    "wifi_password": Detail("Wi-Fi password", _wifi_password, secret=True),
    "broker_host": Detail("MQTT broker (address or name)", _numeric, required=True, host=True),
    "broker_port": Detail("MQTT broker's port", _between(1, 65535)),
    "broker_user": Detail("MQTT user (empty: the device's id)", _text(64)),
    "broker_password": Detail("MQTT password", _text(64), secret=True),
    "ntp_host": Detail("Time server (address or name; empty: Home Assistant tells the time)", _numeric, host=True),
    "ul_per_pulse": Detail("Flow meter: microlitres a pulse (0: no meter)", _between(0, 1_000_000)),
    "soil_raw": Detail(check=_calibration),
    "battery_sensor": Detail('Battery is measured by "adc" or "ina219"', _one_of("adc", "ina219")),
    "panel_sensor": Detail("Is the panel measured (INA219 at 0x41)"),
    "pulse_ma": Detail(check=_between(0, 3000)),
    "analog_probe_zone": Detail(check=_between(0, 4)),
    "temperature_sensor": Detail(check=_one_of("", "soil", "ds3231")),
    "rain_switch": Detail(check=_one_of("", "expander", "flow_pin")),
    "always_responsive": Detail("Never sleep (only with power from a wall)"),
    "zones": Detail("Zones (valves)", _between(1, 4), required=True),
    "open_ms": Detail("Opening pulse in ms"),
    "close_ms": Detail("Closing pulse in ms"),
    "boost_ms": Detail("Time to charge the boost capacitor in ms"),
    "held": Detail("Are the valves open only while driven (1), or latching (0)"),
    "swapped": Detail("Are the valves' wires swapped (0 or 1)", _between(0, 1)),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name here and in a settings file, its default, and its limits."""

    name: str
    default: Any
    closer: bool  # it lies in closer_config.py, as a constant in capitals
    highest: int | None
    detail: Detail

    def problem(self, value: Any) -> str:
        """Why `value` cannot be, in words; or nothing."""
        kind = list if isinstance(self.default, (tuple, list)) else type(self.default)
        if type(value) is not kind:
            return f"must be {_KINDS.get(kind, kind.__name__)}"
        lowest = min(1, self.default) if isinstance(self.default, int) else 1
        if self.highest is not None and isinstance(value, int) and not lowest <= value <= self.highest:
            return f"must be {lowest} to {self.highest}"
        return self.detail.check(value)


_KINDS = {bool: "true or false", int: "a whole number", str: "a text in quotes", list: "a list"}


def _constants(tree: ast.Module) -> dict[str, Any]:
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def _config_rows(text: str) -> list[tuple[str, Any]]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_CONFIG":
            return [(str(name), default) for name, default, *_ in ast.literal_eval(node.value)]
    raise SettingsError(f"{CONFIG_TABLE} has no table _CONFIG: this checkout is not whole")


def _closer_rows(text: str) -> dict[str, tuple[int, int | None]]:
    """Name, default and highest value of each constant that closer.py reads from its configuration."""
    tree = ast.parse(text)
    known = _constants(tree)
    rows: dict[str, tuple[int, int | None]] = {}

    def value(node: ast.expr) -> int:
        return int(known[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node))

    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or len(node.args) < 3:
            continue
        words = [part.value for part in ast.walk(node.args[1]) if isinstance(part, ast.Constant)]
        for name in (word for word in words if isinstance(word, str)):
            if node.func.id == "setting":
                rows[name] = value(node.args[2]), value(node.args[3])
            elif node.func.id == "getattr":
                rows[name] = value(node.args[2]), None
    return rows


@cache
def table(firmware: Path = FIRMWARE) -> dict[str, Setting]:
    """Every setting by name: those of the closer first, for water comes first."""
    rows = {}
    for constant, (default, highest) in _closer_rows((firmware / "closer.py").read_text()).items():
        name = constant.lower()
        rows[name] = Setting(name, default, True, highest, DETAILS.get(name, Detail()))
    for name, default in _config_rows((firmware / CONFIG_TABLE).read_text()):
        rows[name] = Setting(name, default, False, None, DETAILS.get(name, Detail()))
    return rows


def read_settings_file(path: Path) -> dict[str, Any]:
    """The settings in a TOML or JSON file, not yet checked. Raises SettingsError."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # never its text: the line at fault may hold a password
        kind = "JSON" if path.suffix == ".json" else "TOML"
        line = getattr(error, "lineno", None)
        raise SettingsError(f"{path} is no {kind}" + (f" (line {line})" if line else "")) from error
    if not isinstance(found, dict):
        raise SettingsError(f"{path} must hold names and values, such as: zones = 2")
    return found


def secrets_of_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Secrets that were given as SPRINKLER_WIFI_PASSWORD and so on."""
    names = [name for name, setting in table().items() if setting.detail.secret]
    return {
        name: environment[ENVIRONMENT + name.upper()] for name in names if ENVIRONMENT + name.upper() in environment
    }


def look_up(name: str, value: Any) -> Any:
    """`value`, but a host's name as its address now: a board that waits for a name server is a board that hangs."""
    if not table()[name].detail.host or not isinstance(value, str) or not value:
        return value
    try:
        return socket.getaddrinfo(value, None, socket.AF_INET)[0][4][0]
    except OSError as error:
        raise SettingsError(f"{name}: cannot find the address of {value}; give its IPv4 address") from error


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings: those given, and defaults for the rest. Raises SettingsError, which names the setting and never a secret's value."""
    rows = table()
    unknown = [name for name in given if name not in rows]
    if unknown:
        raise SettingsError(f"there is no setting {unknown[0]}; there are: {', '.join(rows)}")
    result = {}
    for name, setting in rows.items():
        if setting.detail.required and name not in given:
            raise SettingsError(f"{name} is missing: give it in the settings file")
        default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
        value = look_up(name, given.get(name, default))
        problem = "" if name == "device_key" and not value else setting.problem(value)
        if problem:
            shown = "" if setting.detail.secret else f", not {json.dumps(value)}"
            raise SettingsError(f"{name} {problem}{shown}")
        result[name] = value
    problem = contradiction(result)
    if problem:
        raise SettingsError(problem)
    return result


def contradiction(values: Mapping[str, Any]) -> str:
    """Why these settings cannot stand together, or nothing."""
    probe = values.get("analog_probe_zone", 0)
    if len(values.get("soil_raw", ())) > values["zones"]:
        return "soil_raw has more probes than there are zones"
    if probe and (probe > len(values["soil_raw"]) or not values["soil_raw"][probe - 1]):
        return f"analog_probe_zone is {probe}, but soil_raw has no readings for that zone"
    if probe and values["battery_sensor"] == "adc":
        return 'analog_probe_zone wants battery_sensor = "ina219": the one ADC cannot serve both'
    if values.get("pulse_ma") and values["battery_sensor"] == "adc":
        return 'pulse_ma wants battery_sensor = "ina219": it measures the current'
    if values.get("rain_switch") == "flow_pin" and values["ul_per_pulse"]:
        return 'rain_switch = "flow_pin" wants ul_per_pulse = 0: the flow meter has that pin'
    return ""


def new_key() -> str:
    """A device key: 128 bit, as hex digits."""
    return secrets.token_bytes(KEY_DIGITS // 2).hex()


def config_json(values: Mapping[str, Any]) -> bytes:
    """The board's config.json."""
    rows = table()
    return json.dumps({name: value for name, value in values.items() if not rows[name].closer}).encode()


def closer_rows(values: Mapping[str, Any]) -> dict[str, int]:
    """The constants of the board's closer_config.py."""
    rows = table()
    return {name.upper(): value for name, value in values.items() if rows[name].closer}
