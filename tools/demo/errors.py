"""What can go wrong in a demo, each with one line that says what to do and the exit code it ends with."""


class DemoError(Exception):
    """Base of the tree. The message is for a person."""

    exit_code = 3


class RefusedError(DemoError):
    """What was asked for cannot be given: a taken port, a second demo in the same folder."""

    exit_code = 2


class CheckError(DemoError):
    """A step of the check came out otherwise than it must."""

    exit_code = 1
