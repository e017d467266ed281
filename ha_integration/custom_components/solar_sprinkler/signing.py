"""Signed bodies: the JSON, a newline, 32 hex digits of HMAC-SHA256 over topic + 0x00 + JSON.

Rule: length first, then the signature in constant time, and only then may anyone parse. Knows neither JSON nor Home Assistant.
"""

import hashlib
import hmac

from . import protocol
from .errors import ModelError, SignatureError

KEY_BYTES = 16
_TAIL = 1 + protocol.SIGNATURE_HEX  # newline and signature


def _signature(key: bytes, topic: str, body: bytes) -> bytes:
    digest = hmac.new(key, protocol.signed_part(topic, body), hashlib.sha256).hexdigest()
    return digest[: protocol.SIGNATURE_HEX].encode()


def sign(key: bytes, topic: str, body: bytes) -> bytes:
    """Return the payload that carries `body` (JSON text) on `topic`, signed with the board's 128-bit `key`.

    Raises ModelError when the payload would be longer than a board accepts.
    """
    payload = body + b"\n" + _signature(key, topic, body)
    if len(payload) > protocol.PAYLOAD_MAX:
        raise ModelError(f"{len(payload)} bytes, more than {protocol.PAYLOAD_MAX}")
    return payload


def split(payload: bytes) -> tuple[bytes, bytes]:
    """Return (body, signature) of a signed payload without verifying it; raises ModelError when its shape is wrong."""
    if len(payload) > protocol.PAYLOAD_MAX:
        raise ModelError(f"{len(payload)} bytes, more than {protocol.PAYLOAD_MAX}")
    body, newline, signature = payload[:-_TAIL], payload[-_TAIL : 1 - _TAIL], payload[1 - _TAIL :]
    if not body or newline != b"\n":
        raise ModelError("no signature")
    return body, signature


def verify(key: bytes, topic: str, payload: bytes) -> bytes:
    """Return the body of a signed payload; raises ModelError (shape) or SignatureError (altered, or another key)."""
    body, signature = split(payload)
    if not hmac.compare_digest(signature, _signature(key, topic, body)):
        raise SignatureError("signature does not verify")
    return body
