"""Puts the application on a board that has its interpreter, and keeps the settings.

Rule: the order of writes is the promise. First what closes the valves, then main.py is taken away while slot 0 is rewritten and the record says that it is the
application, confirmed, and that slot 1 is nothing; main.py comes last: at every moment a reset finds a boot.py that closes, and never half an application that
runs.
"""

import hashlib
from typing import Any

from sim.provision import SLOTS, active_slot
from tools.provision.build import BOOT, CHOOSER, CLOSER, MAIN, SHADOWS, Parts
from tools.provision.device import Device
from tools.provision.errors import CheckError

CONFIG = "/config.json"


def install(device: Device, made: Parts) -> dict[str, Any]:
    """Make the board hold `made`; what was done. What is there already is not written again."""
    device.check_kind(made.mpy_version)
    missing = [path for path, data in made.files.items() if device.hash(path) != hashlib.sha256(data).hexdigest()]
    same_rom = device.hash_rom(len(made.rom)) == hashlib.sha256(made.rom).hexdigest()
    if missing:
        device.check_room(sum(len(made.files[path]) for path in missing))
    written = []
    for path in (CLOSER, CHOOSER, BOOT):
        if device.put(path, made.files[path]):
            device.say.step(f"{path} written")
            written.append(path)
    for path in SHADOWS:
        device.remove(path)
    if not same_rom:
        device.remove(MAIN)
        device.say.step(f"writing the application, {len(made.rom)} bytes")
        device.put_rom(made.rom)
        written.append("application")
    if device.put(SLOTS, made.record):
        device.say.step("slot 0 is the application")
        written.append(SLOTS)
    if device.put(MAIN, made.files[MAIN]):
        device.say.step(f"{MAIN} written")
        written.append(MAIN)
    if differences(device, made):
        raise CheckError("what lies on the board is not what was written: give the same command again")
    return {"device_id": device.facts.device_id, "written": written, "configured": device.hash(CONFIG) is not None}


def differences(device: Device, made: Parts) -> list[str]:
    """The parts that differ on the board from what this checkout builds, by name."""
    found = [path for path, data in made.files.items() if device.hash(path) != hashlib.sha256(data).hexdigest()]
    record = device.read(SLOTS)
    if record is None or device.hash_rom(len(made.rom), active_slot(record)) != hashlib.sha256(made.rom).hexdigest():
        found.append("application")
    return found
