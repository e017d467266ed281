"""Describes the board to itself: config.json, closer_config.py, and the station settings that the chip's own software keeps.

Rule: both files are written beside the old ones and compared before either takes its place. The device key stays unless a new one is asked for. No code
that is sent holds a secret but the one line that writes config.json.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.provision import constants
from tools.provision import mosquitto
from tools.provision.device import Device
from tools.provision.errors import DeviceError, SettingsError
from tools.provision.install import CONFIG
from tools.provision.settings import checked, closer_rows, config_json, new_key, table

CLOSER_CONFIG = "/closer_config.py"
JOIN_S = 20

STATION = """
import network, json, time
a = network.WLAN(network.AP_IF)
if a.active():  # each of these calls writes the chip's flash
    a.active(False)
w = network.WLAN(network.STA_IF)
if not w.active():
    w.active(True)
if {anew} or w.config('ssid') != c['wifi_ssid']:
    w.connect(c['wifi_ssid'], c['wifi_password'])
n = {join_s} * 10
while n and not w.isconnected():
    time.sleep_ms(100)
    n -= 1
print(repr((a.active(), w.isconnected(), w.status())))
"""
READ_CONFIG = "import json\nwith open('/config.json') as f:\n    c = json.load(f)\n"
STATUS = {2: "the password is wrong", 3: "there is no such network here", 4: "the network refused"}


def settings_before(device: Device, *, new_key_wanted: bool) -> dict[str, Any]:
    """What the board was told before, as far as this firmware knows it. Raises DeviceError when its file is damaged."""
    text = device.read(CONFIG)
    if text is None:
        return {}
    try:
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError
    except ValueError as error:
        if new_key_wanted:
            return {}
        raise DeviceError(
            "the board's config.json is damaged and its key lost: give --new-key, then pair it anew in Home Assistant"
        ) from error
    rows = table()
    known = {name: value for name, value in found.items() if name in rows and not rows[name].closer}
    return known | _closer_before(device)


def _closer_before(device: Device) -> dict[str, int]:
    found = {}
    for line in (device.read(CLOSER_CONFIG) or b"").decode(errors="replace").splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if name.lower() in table() and value.isdigit():
            found[name.lower()] = int(value)
    return found


def kept_secrets(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Passwords that the board has and that were not given, as far as they still belong to the same network and user. An empty one that is given clears."""
    owners = {"wifi_password": "wifi_ssid", "broker_password": "broker_user"}
    same = [
        name for name, owner in owners.items() if before.get(name) and given.get(owner, "") in ("", before.get(owner))
    ]
    return {name: before[name] for name in same if name not in given}


def complete(
    given: Mapping[str, Any], before: Mapping[str, Any], device_id: str, *, new_key_wanted: bool, broker: bool
) -> dict[str, Any]:
    """All settings, with the key kept or made. `broker`: this tool gives the board its account there. Raises SettingsError."""
    values = {**kept_secrets(given, before), **given}
    if new_key_wanted:
        if given.get("device_key"):
            raise SettingsError(
                "device_key is given in the settings, and --new-key asks for another: leave one of them out"
            )
        values["device_key"] = new_key()
    values["device_key"] = values.get("device_key") or before.get("device_key") or new_key()
    if broker:
        values["broker_user"] = values.get("broker_user") or device_id
        values["broker_password"] = values.get("broker_password") or mosquitto.new_password()
        if values["broker_user"] != device_id:
            raise SettingsError(f"broker_user must be the device id {device_id}: the broker's rights go by it")
    elif values.get("broker_password") and not values.get("broker_user"):
        if not device_id:
            raise SettingsError("broker_user is missing: the board's id is not known here")
        values["broker_user"] = device_id
    return checked(values)


def configure(
    device: Device, values: Mapping[str, Any], before: Mapping[str, Any], *, join: bool = True
) -> dict[str, Any]:
    """Write the settings, switch the access point off, store the station settings once, and see (with `join`) whether the network takes it."""
    closer = constants(closer_rows(values)).encode()
    config = config_json(values)
    device.check_room(len(config) + len(closer))
    changed = device.read(CONFIG) != config or device.read(CLOSER_CONFIG) != closer
    if changed:
        device.put_new(CLOSER_CONFIG, closer)
        device.put_new(CONFIG, config)
        device.rename_new(CLOSER_CONFIG, CONFIG)
        device.say.step("settings written")
    anew = any(values[name] != before.get(name) for name in ("wifi_ssid", "wifi_password"))
    if join:
        device.say.step(f"joining the Wi-Fi network (up to {JOIN_S} s)")
    code = READ_CONFIG + STATION.format(anew=anew, join_s=JOIN_S if join else 0)
    access_point, joined, status = device.value(code, "joining the Wi-Fi network", patience_s=JOIN_S + 10)
    if access_point:
        raise DeviceError(
            "the board's access point stays on: give the same command again; if it stays, `flash --erase`"
        )
    problem = "" if joined or not join else STATUS.get(status, "no answer in time")
    return {"device_id": device.facts.device_id, "changed": changed, "joined": joined, "wifi_problem": problem}


def save(folder: Path, given: Mapping[str, Any], *, new_key_wanted: bool) -> list[Path]:
    """Write the board's two files into a folder, readable by their owner alone; a key that lies there stays. Raises SettingsError."""
    paths = [folder / CONFIG.strip("/"), folder / CLOSER_CONFIG.strip("/")]
    try:
        before = json.loads(paths[0].read_text()) if paths[0].exists() and not new_key_wanted else {}
        values = complete(given, before, "", new_key_wanted=new_key_wanted, broker=False)
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in zip(paths, (config_json(values), constants(closer_rows(values)).encode()), strict=True):
            path.touch(mode=0o600)
            path.write_bytes(data)
    except ValueError as error:
        raise SettingsError(f"{paths[0]} is damaged: give --new-key, or remove it") from error
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error
    return paths


def mosquitto_files(folder: Path, values: Mapping[str, Any], home_assistant: str) -> list[str]:
    """The broker's files for this board; their names."""
    return mosquitto.write_files(folder, values["broker_user"], values["broker_password"], home_assistant)
