"""Pairing code: the device key as a person types it. Loaded only when someone asks for the code (`import sprinkler.pairing` over the cable)."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648
_CHECK = 1021  # prime, so that every single slip and every swap of neighbours is caught


def pairing_code(key: bytes) -> str:
    """The code for a key of 16 bytes: 26 characters for the key, 2 to check it, in groups of four."""
    number = int.from_bytes(key, "big")
    check = number % _CHECK
    number = number << 2
    text = ""
    for _ in range(26):
        text = _ALPHABET[number & 31] + text
        number >>= 5
    text += _ALPHABET[check >> 5] + _ALPHABET[check & 31]
    return "-".join(text[i : i + 4] for i in range(0, 28, 4))
