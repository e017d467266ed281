"""What can go wrong while a board is provisioned, each with one line that says what to do and the exit code it ends with."""


class ProvisionError(Exception):
    """Base of the tree. The message is for a person."""

    exit_code = 2


class SettingsError(ProvisionError):
    """Wrong usage, or settings that no board could use. Nothing was sent."""


class CheckError(ProvisionError):
    """The board was reached, but is not as it should be."""

    exit_code = 1


class CableError(ProvisionError):
    """No port, no answer, or none any more."""

    exit_code = 3


class DeviceError(ProvisionError):
    """Something answers that is not the board that is wanted, or that has no room."""

    exit_code = 4


class ImageError(ProvisionError):
    """The interpreter image is not the one that was asked for, or not one for this board. Nothing was sent."""

    exit_code = 5
