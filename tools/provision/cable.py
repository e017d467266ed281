"""The cable: opens the port and brings the board to its prompt, held still for maintenance.

Rule: a running application is never interrupted: its watchdog cannot be stopped, and it may be watering. The prompt is only taken from a board whose
boot.py opened its maintenance window, or that has no boot.py of ours. What is then said over the cable is device.py's business.
"""

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import serial
import serial.tools.list_ports
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from tools.provision.errors import CableError, DeviceError
from tools.provision.say import Say

READ_S, WRITE_S = 2.0, 5.0  # the longest silence within an answer; the longest time to take what is sent
KNOCK = b"\r\x02"  # Return opens boot.py's window; Ctrl-B leaves the raw prompt that a tool cut off may have left
KNOCK_S = 0.1  # the window is open for a second
PROMPT = b">>> "
PULLS_S = (1.0, 1.25, 4.0, 4.25)  # a sleeping board only wakes at the first, and opens its window at the second
ASK_AFTER_S = 6.5
TELL_EVERY_S = 10.0
CLOSES_WITHIN_S = 3.0  # from reset until the last of four zones has had its pulse, with room to spare

PRESS = (
    "No answer yet: the board sleeps or works. Press its RESET button twice now, as quickly as a double click: a sleeping board\n"
    "only wakes at the first press. Nothing needs to be held; waiting up to {left} s."
)
STAYS = "import os\nprint(globals().get('maintenance', True) or 'main.py' not in os.listdir('/'))"
LOST = (
    "the board stopped answering while {what}. Its valves close at every start, and nothing is half configured: check the cable "
    "and its power, then give the same command again. Until then, or until RESET is pressed, it may stand still and water nothing"
)


def find_port(name: str | None) -> str:
    """The port that was named, or the only one with a USB serial device. Raises CableError."""
    ports: list[str] = sorted(port.device for port in serial.tools.list_ports.comports() if port.vid is not None)
    there = (
        f"ports here: {', '.join(ports)}" if ports else "no USB serial port is here: is it a data cable, plugged in?"
    )
    if name is None:
        if len(ports) != 1:
            raise CableError(f"name the board's port with --port; {there}")
        return ports[0]
    if os.name == "posix" and not Path(name).exists():
        raise CableError(f"there is no {name}; {there}")
    if os.name == "posix" and not os.access(name, os.R_OK | os.W_OK):
        raise CableError(f"may not open {name}: add yourself to the group that owns it (often dialout), log in again")
    return name


def open_port(name: str | None) -> SerialTransport:
    """mpremote's transport on the port, with an end to every wait. Raises CableError."""
    device = find_port(name)
    try:
        transport = SerialTransport(device, timeout=READ_S)
        transport.serial.write_timeout = WRITE_S
    except (TransportError, OSError) as error:
        raise CableError(
            f"cannot open {device}: another program (a terminal, mpremote) holds it, or it is gone"
        ) from error
    return transport


@contextlib.contextmanager
def spoken(what: str) -> Iterator[None]:
    """Whatever mpremote raises, as an error of ours; whatever it prints stays unseen."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except TransportExecError as error:
        last = (error.error_output.strip().splitlines() or ["nothing was said"])[-1]
        if "ENOSPC" in last or last.startswith("OSError: 28"):
            raise DeviceError(
                f"the board's file system is full while {what}: remove files that are not this firmware's"
            ) from None
        raise DeviceError(f"the board refused while {what}: {last}") from None
    except (
        TransportError,
        OSError,
        IndexError,
        ValueError,
        SyntaxError,
        AssertionError,
    ) as error:  # half an answer parses as anything
        raise CableError(LOST.format(what=what)) from error
    except Exception as error:  # struct.error and termios.error have no tree in common
        if type(error).__name__ != "error":
            raise
        raise CableError(LOST.format(what=what)) from error


def pull_reset(port: serial.Serial) -> bool:
    """Press reset through the cable, where its adapter has the line for it (a Feather's has)."""
    try:
        port.dtr = False  # GPIO0 stays high: not the chip's own loader
        port.rts = True
        time.sleep(0.1)
        port.rts = False
    except OSError, serial.SerialException:
        return False
    return True


def reset_once(name: str) -> None:
    """Reset the board through its cable, where that works, and give it the time to close its valves: its loader will not."""
    transport = open_port(name)
    try:
        if pull_reset(transport.serial):
            time.sleep(CLOSES_WITHIN_S)
    finally:
        with contextlib.suppress(OSError):
            transport.close()


class Knock:
    """Knocks until the prompt answers."""

    def __init__(
        self, transport: SerialTransport, say: Say, wait_s: float, pull: Callable[[serial.Serial], bool] = pull_reset
    ):
        self._transport = transport
        self._say = say
        self._wait_s = wait_s
        self._pull = pull
        self._heard = bytearray()

    def until_prompt(self) -> None:
        """Returns at the raw prompt of a board that stays there. Raises CableError when none answers in time."""
        began = told = time.monotonic()
        pulls, ask_after_s = list(PULLS_S), ASK_AFTER_S
        while True:
            if self._answers() and self._stays():
                if told != began:
                    self._say.step("the board answers, its valves closed")
                return
            for_s = time.monotonic() - began
            if for_s > self._wait_s:
                raise CableError(self._nobody())
            if pulls and for_s > pulls[0]:
                pulls.pop(0)
                if not self._pull(self._transport.serial):
                    ask_after_s, pulls = for_s, []
            if for_s > ask_after_s and (told == began or time.monotonic() - told > TELL_EVERY_S):
                told = time.monotonic()
                self._say.step(PRESS.format(left=round(self._wait_s - for_s)))

    def _answers(self) -> bool:
        """One knock; True at a prompt."""
        port = self._transport.serial
        with spoken("waiting for its prompt"):
            port.write(KNOCK)
            time.sleep(KNOCK_S)
            new = port.read(port.in_waiting) if port.in_waiting else b""
        self._heard += new
        del self._heard[:-4096]
        return PROMPT in new

    def _stays(self) -> bool:
        """True when nothing will reset this board: bare MicroPython, or maintenance. The watchdog of an application that fell may still bite."""
        try:
            with spoken("opening its prompt"):
                self._settle()
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=5)
                stays = bool(self._transport.exec(STAYS).strip() == b"True")
                if not stays:
                    self._transport.exit_raw_repl()
        except CableError, DeviceError:  # reset was pressed once more; a dead cable shows at the next knock
            return False
        return stays

    def _settle(self) -> None:
        """Read on until the answers to the other knocks are in."""
        port = self._transport.serial
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 2 * KNOCK_S:
            if port.in_waiting:
                port.read(port.in_waiting)
                quiet_since = time.monotonic()
            time.sleep(0.01)

    def _nobody(self) -> str:
        if PROMPT in self._heard:
            return (
                "the board is at a prompt that its watchdog may end (its application fell, or a tool restarted it): press RESET, "
                "then give the command again at once"
            )
        if len(bytes(self._heard).strip(b"\x00\xff\r\n")) > 200 and b"MicroPython" not in self._heard:
            return (
                "what answers at this port is not this firmware's MicroPython: is it the right port? A new board gets its "
                "interpreter with `flash`"
            )
        return (
            "no board answered: check the cable (one with data lines) and the port, press RESET twice, quickly, while this waits; a board "
            "without MicroPython needs `flash` first"
        )
