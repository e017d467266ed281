"""One tree for what goes wrong in the simulator, and the ways in which a boot of a board ends.

`SimError` is for people: its message is one line that says what to do. An `Ending` is no error: it is what unwinds the
firmware when its board resets, sleeps or loses power, so it derives from BaseException and no `except OSError` catches it.
"""

from typing import Self


class SimError(Exception):
    """Something a user of the simulator can put right; the message says how."""


class SettingError(SimError):
    """A setting of a world, a board or a command line is out of range or contradicts another."""


class UnreachableError(SimError):
    """A live board cannot reach what it was told to talk to."""


class FileError(SimError):
    """A file or folder of the simulator cannot be read or written."""


class Ending(BaseException):
    """The end of a boot: raised out of the stand-ins, through the firmware, to the runner.

    `keeps_pins`: the outputs stay as they are until the next boot sets them ("GPIO status won't change" in the SDK's list of reset reasons).
    """

    keeps_pins = False

    def forget_where(self) -> Self:
        """Let go of the frames that it came through: they hold all of the boot, and a board sleeps with its ending in hand."""
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self


class Reset(Ending):
    """`machine.reset()`, or a reset from outside."""

    keeps_pins = True


class WatchdogReset(Ending):
    """The watchdog was not fed: the soft one bites first, after 3.2 s."""

    keeps_pins = True


class DeepSleep(Ending):
    """`machine.deepsleep(ms)`; `sleep_us` is what the chip's 32-bit timer was given, 0 = for ever."""

    def __init__(self, sleep_us: int) -> None:
        super().__init__(sleep_us)
        self.sleep_us = sleep_us


class PowerLoss(Ending):
    """The supply is gone; RTC memory, clock and the outputs of all parts are lost with it."""


class Stopped(Ending):
    """The simulation itself ends (Ctrl-C, SIGTERM, the end of a test); nothing boots after it."""
