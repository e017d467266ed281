"""The pairing code: a board's 128-bit key as a person types it.

Rule: 26 base32 characters hold the key, two more hold the key modulo 1021, so that a slip of the keyboard is told from the code of
another board. Whether the key is this board's only its signed announce can tell. Knows nothing of Home Assistant.
"""

import base64
import binascii

from .errors import PairingCodeError
from .signing import KEY_BYTES

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
KEY_CHARACTERS = 26
CHECK_CHARACTERS = 2
CHECK_MODULUS = 1021  # prime, below 32 * 32: every single slip and every swap of neighbours changes it
GROUP = 4
_SEPARATORS = str.maketrans(
    "", "", " -\t\r\n\u2010\u2011\u2012\u2013\u2014\u00a0"
)  # dashes and blanks as phones type them


def _check_characters(key: bytes) -> str:
    high, low = divmod(int.from_bytes(key, "big") % CHECK_MODULUS, len(ALPHABET))
    return ALPHABET[high] + ALPHABET[low]


def encode(key: bytes) -> str:
    """Return the pairing code of `key` (16 bytes) in groups of four."""
    plain = base64.b32encode(key).decode().rstrip("=") + _check_characters(key)
    return "-".join(plain[i : i + GROUP] for i in range(0, len(plain), GROUP))


def decode(code: str) -> bytes:
    """Return the key (16 bytes) that `code` holds; spaces, dashes and case do not matter. Raises PairingCodeError for a slip."""
    plain = code.translate(_SEPARATORS).upper()
    if len(plain) != KEY_CHARACTERS + CHECK_CHARACTERS:
        raise PairingCodeError(f"{len(plain)} characters instead of {KEY_CHARACTERS + CHECK_CHARACTERS}")
    try:
        padded = base64.b32decode(plain[:KEY_CHARACTERS] + "======")
    except (binascii.Error, ValueError) as error:
        raise PairingCodeError("a character that no pairing code holds") from error
    key = padded[:KEY_BYTES]
    if encode(key).replace("-", "") != plain:  # check characters, and the two zero bits after the key
        raise PairingCodeError("the check characters do not fit")
    return key
