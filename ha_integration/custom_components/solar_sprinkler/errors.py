"""The component's one tree of errors that are no business of Home Assistant.

Rule: names only. What a person is told is in translations/; errors raised towards Home Assistant are its own classes.
"""


class SprinklerError(Exception):
    """Anything that went wrong in what we read or wrote."""


class ModelError(SprinklerError):
    """A message is malformed, too long, or not one that this board may send."""


class SignatureError(ModelError):
    """A signed body does not verify: altered, or signed with another key."""


class PairingCodeError(SprinklerError):
    """A pairing code was mistyped: wrong length, a foreign character, or check characters that do not fit."""


class TimeZoneError(SprinklerError):
    """No POSIX rule is known for a time zone."""
