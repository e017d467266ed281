"""A board as the tests play it: written from docs/protocol.md, sharing no code with the component that it examines."""

import base64
import copy
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEVICE_ID = "5a17e001"
KEY = bytes(range(16))
PAIRING_CODE = "AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4FO"
OTHER_PAIRING_CODE_KEY = bytes(range(16, 32))
NOW = 1_800_000_000  # the time in the examples
NOW_UTC = datetime.fromtimestamp(NOW, UTC)


def examples() -> list[tuple[str, str, str]]:
    """(kind, modifier, text) of every example in docs/protocol.md."""
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- example: ([\w/]+) ?(\w*) -->\n```\w+\n(.*?)\n```", text, re.DOTALL)
    return [(kind, modifier, body) for kind, modifier, body in found]


def example(kind: str, index: int = 0) -> dict[str, Any]:
    """One example, decoded."""
    bodies = [json.loads(body) for found, modifier, body in examples() if found == kind and modifier != "signed"]
    decoded: dict[str, Any] = copy.deepcopy(bodies[index])
    return decoded


def topic(leaf: str, device_id: str = DEVICE_ID) -> str:
    """Full topic name."""
    return f"solar_sprinkler/{device_id}/{leaf}"


def mac(key: bytes, topic_name: str, body: str) -> str:
    """The signature that docs/protocol.md describes."""
    return hmac.new(key, topic_name.encode() + b"\0" + body.encode(), hashlib.sha256).hexdigest()[:32]


def signed(leaf: str, message: dict[str, Any], key: bytes = KEY, device_id: str = DEVICE_ID) -> str:
    """A signed payload."""
    body = json.dumps(message)
    return f"{body}\n{mac(key, topic(leaf, device_id), body)}"


def opened(leaf: str, payload: bytes | str, key: bytes = KEY) -> dict[str, Any]:
    """What a signed payload says; fails when its signature does not verify or it is too long for a board."""
    text = payload if isinstance(payload, str) else payload.decode()
    assert len(text.encode()) <= 2048
    body, _, signature = text.rpartition("\n")
    assert signature == mac(key, topic(leaf), body)
    message: dict[str, Any] = json.loads(body)
    return message


def pairing_code(key: bytes) -> str:
    """The pairing code of a key, by arithmetic on one big number."""
    number = int.from_bytes(key, "big")
    assert base64.b32encode(key)[:26].decode() == _base32(number << 2, 26)
    return _base32(number << 2, 26) + _base32(number % 1021, 2)


def _base32(number: int, length: int) -> str:
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[number >> 5 * place & 31] for place in reversed(range(length)))
