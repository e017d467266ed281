"""The files of a provisioned board: what the provisioning tool would leave on its flash.

Rule: firmware files are copied, never changed. The device key is made here at random and kept in the flash's config.json alone.
"""

import functools
import hashlib
import importlib
import io
import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.errors import FileError
from sim.flash import Flash
from sim.rom import DELIVERED

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
CONFIG_NAMES = (  # those keys of config.json that are settings as they stand
    *(
        "device_key",
        "wifi_ssid",
        "wifi_password",
        "broker_host",
        "broker_port",
        "broker_user",
        "broker_password",
        "ntp_host",
    ),
    *("zones", "ul_per_pulse", "battery_sensor", "panel_sensor", "always_responsive"),
)
ON_FLASH = ("boot.py", "chooser.py", "closer.py", "main.py")
SLOTS = "/slots.bin"  # the chooser's record


@dataclass(slots=True)
class Settings:
    """What provisioning asks for; see `config.json` in the firmware. An empty `device_key` is filled in at random."""

    zones: int = 2
    device_key: str = ""
    wifi_ssid: str = "lawn"
    wifi_password: str = "water-and-sun"
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str = ""
    broker_password: str = ""
    ntp_host: str = "192.168.4.1"
    ul_per_pulse: int = 2222
    battery_sensor: str = "ina219"
    panel_sensor: bool = True
    soil_probes: bool = True
    always_responsive: bool = False
    open_ms: int = 60
    close_ms: int = 60
    boost_ms: int = 30
    swapped: int = 0
    held: bool = False  # valves that are open only while they are driven
    more: dict[str, object] = field(
        default_factory=dict
    )  # further keys of config.json, or other values for those above


def config_json(settings: Settings) -> dict[str, object]:
    """The content of config.json."""
    probes = settings.zones if settings.soil_probes else 0
    config: dict[str, object] = {name: getattr(settings, name) for name in CONFIG_NAMES}
    config["soil_raw"] = [[320, 1015]] * probes
    return config | settings.more


def closer_config(settings: Settings) -> str:
    """The content of closer_config.py."""
    rows = {
        "ZONES": settings.zones,
        "OPEN_MS": settings.open_ms,
        "CLOSE_MS": settings.close_ms,
        "BOOST_MS": settings.boost_ms,
        "SWAPPED": settings.swapped,
    }
    if settings.held:
        rows["HELD"] = 1
    return constants(rows)


def constants(rows: dict[str, int]) -> str:
    """The content of a closer_config.py with these names and values."""
    return "".join(f"{name} = {value}\n" for name, value in rows.items())


@functools.cache
def firmware_files(folder: Path = FIRMWARE) -> Mapping[str, bytes]:
    """The firmware's own files that lie on flash; read once, and shared by all boards of a process."""
    try:
        return {"/" + name: (folder / name).read_bytes() for name in ON_FLASH}
    except OSError as error:
        raise FileError(f"cannot read the firmware in {folder}: {error.strerror}") from error


def provision(flash: Flash, settings: Settings, files: dict[str, bytes] | None = None) -> bytes:
    """Put everything on `flash`, keep the key that is already there, and return the device key.

    `files` replaces the firmware's own files.
    """
    key = settings.device_key
    if not key and "/config.json" in flash.files:
        try:
            key = json.loads(flash.files["/config.json"])["device_key"]
        except (ValueError, KeyError, TypeError) as error:
            raise FileError("the board's config.json is damaged; remove its data folder and start again") from error
    settings.device_key = key or secrets.token_bytes(16).hex()
    wanted = dict(firmware_files() if files is None else files)
    wanted["/closer_config.py"] = closer_config(settings).encode()
    wanted["/config.json"] = json.dumps(config_json(settings)).encode()
    if SLOTS not in flash.files:  # a board that lives on keeps what it was updated to
        wanted[SLOTS] = slots_record(DELIVERED)
    for path, data in wanted.items():
        if flash.files.get(path) != data:
            flash.write(path, data)
    return bytes.fromhex(settings.device_key)


def find_firmware() -> None:
    """Let the firmware's modules be imported in this process, as its `firmware` folder has them."""
    if str(FIRMWARE) not in sys.path:
        sys.path.insert(0, str(FIRMWARE))


def _chooser() -> Any:
    find_firmware()
    return importlib.import_module("chooser")


@functools.cache
def slots_record(image: bytes) -> bytes:
    """The chooser's record of a board whose slot 0 was written over the cable, by the firmware's own functions."""
    chooser = _chooser()
    record: bytes = chooser.packed(chooser.fresh(len(image), hashlib.sha256(image).digest()))
    return record


def active_slot(record: bytes | None) -> int:
    """The slot that a board's record says is its application; 0 where there is no record that can be read."""
    chooser = _chooser()
    fields = None if record is None else chooser.load(lambda _path, _mode: io.BytesIO(record))
    slot: int = fields[chooser.ACTIVE] if fields else 0
    return slot


def pairing_code(key: bytes) -> str:
    """The key as a person types it, by the firmware's own function."""
    find_firmware()
    from sprinkler.pairing import pairing_code as of_key

    code: str = of_key(key)
    return code
