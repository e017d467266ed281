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


class ProgramError(SprinklerError):
    """What a person wants of a program is more than a board can do; `key` names the sentence in translations/, `values` fill it."""

    def __init__(self, key: str, **values: str) -> None:
        """Keep what names the sentence."""
        super().__init__(key)
        self.key = key
        self.values = values
