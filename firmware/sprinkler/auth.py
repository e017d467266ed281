"""Signed bodies: HMAC-SHA256 over topic, a zero byte and the JSON, cut to 128 bit. It must not know what the messages say."""

import hashlib

from .protocol import PAYLOAD_MAX, SIGNATURE_HEX

_BLOCK = 64
_HEX = b"0123456789abcdef"


def _mac(key: bytes, topic: str, body: bytes | memoryview) -> bytes:
    """HMAC-SHA256 (RFC 2104) of what protocol.signed_part joins, without joining it; `key` is shorter than a block."""
    pad = bytearray(_BLOCK)
    for i in range(_BLOCK):
        pad[i] = (key[i] if i < len(key) else 0) ^ 0x36
    inner = hashlib.sha256(pad)
    inner.update(topic.encode())
    inner.update(b"\0")
    inner.update(body)
    for i in range(_BLOCK):
        pad[i] ^= 0x36 ^ 0x5C
    outer = hashlib.sha256(pad)
    outer.update(inner.digest())
    return outer.digest()


def _signature(key: bytes, topic: str, body: bytes | memoryview) -> bytes:
    digest = _mac(key, topic, body)
    text = bytearray(SIGNATURE_HEX)
    for i in range(SIGNATURE_HEX // 2):
        text[2 * i] = _HEX[digest[i] >> 4]
        text[2 * i + 1] = _HEX[digest[i] & 15]
    return bytes(text)


def sign(key: bytes, topic: str, body: bytes) -> bytes:
    """`body` (JSON bytes) with its signature line."""
    return body + b"\n" + _signature(key, topic, body)


def verify(key: bytes, topic: str, payload: bytes | memoryview) -> int:
    """Length of the JSON in a signed `payload`, or 0 if it is too long, unsigned, or signed under another key or topic. The JSON is not copied."""
    end = len(payload) - SIGNATURE_HEX - 1
    if len(payload) > PAYLOAD_MAX or end < 1 or payload[end] != 10:
        return 0
    expected = _signature(key, topic, memoryview(payload)[:end])
    wrong = 0
    for i in range(SIGNATURE_HEX):
        wrong |= expected[i] ^ payload[i - SIGNATURE_HEX]
    return 0 if wrong else end
