"""The application's error tree. Rule: a word says what failed; no formatted messages on the board."""


class SprinklerError(Exception):
    """Anything this firmware raises on purpose."""


class LinkError(SprinklerError):
    """The network or the broker failed, or the broker broke the protocol."""


class StoreError(SprinklerError):
    """A file could not be written, or does not validate."""


class SensorError(SprinklerError):
    """A sensor does not answer, or says what cannot be."""


class RefusedError(SprinklerError):
    """A message is not accepted; its argument is a word of protocol.REASONS."""
