"""Everything that Home Assistant says to a board, built in this one place.

Rule: plain values in, payload bytes out. What each message holds is in docs/protocol.md; when to send it is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
import json
import struct
from typing import Any

from . import protocol
from .signing import sign


def topic(device_id: str, leaf: str) -> str:
    """Full topic name of `leaf` (a constant of protocol.py) for the board `device_id`."""
    name: str = protocol.topic(device_id, leaf)
    return name


def _body(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _signed(key: bytes, device_id: str, leaf: str, message: Mapping[str, Any]) -> bytes:
    return sign(key, topic(device_id, leaf), _body(message))


def command(
    key: bytes, device_id: str, command_id: str, counter: int, expires_at: int, word: str, arguments: Mapping[str, int]
) -> bytes:
    """Build a command: `word` of protocol.COMMANDS, `arguments` such as zone and run_time_s, `expires_at` in Unix seconds."""
    head = {"id": command_id, "counter": counter, "expires_at": expires_at, "command": word}
    return _signed(key, device_id, protocol.COMMAND, {**head, **arguments})


def bare_stop() -> bytes:
    """Build the unsigned stop, which closes what is open now and does nothing else."""
    return _body({"command": "stop"})


def desired(
    key: bytes,
    device_id: str,
    version: int,
    settings: Mapping[str, Any],
    programs: Sequence[Mapping[str, Any]],
) -> bytes:
    """Build the wanted settings and programs. The board takes them as complete: a missing setting takes its default there."""
    message = {"version": version, "settings": dict(settings), "programs": [dict(program) for program in programs]}
    return _signed(key, device_id, protocol.DESIRED, message)


def ack(key: bytes, device_id: str, boot_id: int, event: int, sample: int) -> bytes:
    """Build the acknowledgement of all events and samples of this boot up to these numbers."""
    return _signed(key, device_id, protocol.ACK, {"boot_id": boot_id, "event": event, "sample": sample})


def update_offer(key: bytes, device_id: str, offer: int, firmware: Mapping[str, Any]) -> bytes:
    """Build the offer of a firmware, which is what its bundle's manifest says; `offer` is its number."""
    names = ("version", "hardware", "mpy", "interpreter_min", "closer_api", "size", "sha256")
    return _signed(key, device_id, protocol.UPDATE_OFFER, {"offer": offer, **{name: firmware[name] for name in names}})


def update_block(key: bytes, device_id: str, offer: int, at: int, data: bytes) -> bytes:
    """Build a block of an image: `data` belongs at `at`."""
    return sign(key, topic(device_id, protocol.UPDATE_BLOCK), struct.pack(">II", offer, at) + data)


def weather(key: bytes, device_id: str, days: Mapping[int, tuple[int, int]]) -> bytes:
    """Build the weather of `days`: ET0 and rain in um by yyyymmdd."""
    told = [{"date": day, "et0_um": et0_um, "rain_um": rain_um} for day, (et0_um, rain_um) in days.items()]
    return _signed(key, device_id, protocol.WEATHER, {"days": told})


def time_answer(key: bytes, device_id: str, nonce: str, at: int) -> bytes:
    """Build the answer to one time_request; `at` in Unix seconds."""
    return _signed(key, device_id, protocol.TIME, {"nonce": nonce, "at": at})
