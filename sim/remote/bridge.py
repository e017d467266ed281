"""One boot of the firmware on the real interpreter: its process, and the calls it makes on the stand-ins of `sim.port`.

Rule: no behaviour of hardware is decided here. What a stand-in raises is raised in the interpreter; an `Ending` (reset, deep
sleep, watchdog, power loss) ends its process and goes on to the caller, as it would out of firmware that runs under CPython.
"""

import contextlib
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sim.errors import Ending
from sim.port import Port
from sim.port.timing import CALL_US
from sim.remote import frames
from sim.remote.frames import Call, Heap, Ref
from sim.remote.image import FlashImage
from sim.remote.interpreter import AS_ON_A_BOARD, InterpreterError, Options, command, one_processor

FIXED = {"machine.Pin": "Pin", "machine.ADC": "ADC", "machine.RTC": "RTC", "machine.WDT": "WDT", "network.WLAN": "WLAN"}
NUMBERED = {"machine.I2C": "SoftI2C", "machine.Timer": "Timer", "socket.socket": "socket"}
WATCHDOG = Ref("WDT", 0)
LOOK_MS = 50  # between two looks at the console, while nothing comes over the wire
_LOOK = struct.pack("@ll", 0, LOOK_MS * 1000)  # as a timeval
STUCK_S = 20  # without a call for so long (of real time), something is wrong with the interpreter itself
WORK_US = 200  # what ten jumps and returns take on the board, with the bytecode between them: an estimate, not measured
EXIT_SCRIPT_DONE, EXIT_SCRIPT_RAISED, EXIT_INPUT_ENDED = 0, 1, 72


@dataclass(frozen=True, slots=True)
class _Handler:
    """What the interpreter keeps in a callback slot, as a stand-in calls it."""

    remote: Remote
    slot: int

    def __call__(self, _source: object) -> None:
        self.remote.interrupt(self.slot)

    def repeat(self, times: int) -> None:
        """Run it so many times, one after the other."""
        self.remote.interrupt(self.slot, times)


class Remote:
    """The interpreter as a board's processor.

    `port` is one boot's set of stand-ins; `image` is the flash, which outlives it (without one, the flash is erased).
    `console` is called with what the board prints; with a `terminal` (its descriptor), the board's console is that instead.
    How long computing takes is an estimate (WORK_US).
    """

    def __init__(
        self,
        port: Port,
        image: FlashImage | None = None,
        options: Options = AS_ON_A_BOARD,
        console: Callable[[bytes], None] | None = None,
        terminal: int | None = None,
    ) -> None:
        self.port = port
        self.image = image
        self.calls = 0
        self.last_heap: Heap | None = None  # when the boot ended
        self._console = console
        self._options = options
        self._terminal = terminal
        self._objects: dict[Ref, Any] = {}
        self._last_id = 0
        self._own: dict[str, Callable[..., object]] = {
            "board.wait": self._wait,
            "board.poll": self._poll,
            "board.work": lambda: None,
        }
        if image is not None:
            self._own |= {"esp.flash_erase": image.erase, "esp.flash_write": image.write}

    # --- the process

    def run(self, *, typed: bytes = b"") -> int:
        """One boot; `typed` waits on the console from the start.

        Returns the exit code of a script. Raises the `Ending` of a boot that resets, sleeps or dies, and InterpreterError when
        the interpreter itself fails.
        """
        with one_processor():
            return self._run(typed)

    def _run(self, typed: bytes) -> int:
        self._wire, theirs = socket.socketpair()
        self._heard = bytearray()  # of a frame that is not complete
        process = self._process = subprocess.Popen(
            command(self._options, image=self.image.path if self.image else None, wire=theirs.fileno()),
            stdin=subprocess.PIPE if self._terminal is None else self._terminal,
            stdout=subprocess.PIPE if self._terminal is None else self._terminal,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs.fileno(),),
            bufsize=0,
        )
        theirs.close()
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _LOOK)
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
        try:
            self.type(typed)
            self._serve()
            return self._finished()
        except Ending:
            self.last_heap = self.heap(collect=False)
            raise
        finally:
            process.kill()
            process.wait()
            self._read_console()
            self._wire.close()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _finished(self) -> int:
        code = self._process.wait()
        if code not in (EXIT_SCRIPT_DONE, EXIT_SCRIPT_RAISED, EXIT_INPUT_ENDED):
            raise InterpreterError(f"MicroPython ended with {code}")
        return code

    # --- its console

    def type(self, data: bytes) -> None:
        """Send bytes to the board's console, as a cable would."""
        if data and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended; the wire says so
                self._process.stdin.write(data)

    def _pass_console(self) -> None:
        """What arrived on the simulated serial line goes to the interpreter's own."""
        if self.port.session.uart:
            self.type(self.port.sys.stdin.read(len(self.port.session.uart)).encode("latin-1"))

    def _read_console(self) -> None:
        """Hand on what has been printed."""
        output = self._process.stdout
        with contextlib.suppress(BlockingIOError):  # nothing more, for now
            while output is not None and (data := os.read(output.fileno(), 65536)):
                if self._console is not None:
                    self._console(data)

    # --- the wire

    def _frame(self) -> bytes:
        """The next frame from the wire, without its length, or none when it was closed; what is printed meanwhile is handed on."""
        heard = self._heard
        looks = STUCK_S * 1000 // LOOK_MS
        while len(heard) < 4 or len(heard) < 4 + int.from_bytes(heard[:4], "little"):
            try:
                piece = self._wire.recv(65536)
            except BlockingIOError:
                self._read_console()  # a full pipe would hold the interpreter up
                looks -= 1
                if not looks:
                    raise InterpreterError(f"MicroPython says nothing for {STUCK_S} s") from None
                continue
            if not piece:
                return b""
            heard += piece
        end = 4 + int.from_bytes(heard[:4], "little")
        frame = bytes(heard[4:end])
        del heard[:end]
        return frame

    def _serve(self) -> Heap | None:
        """Answer calls until the program ends, or has done what it was sent: handled an interrupt, measured its heap."""
        while frame := self._frame():
            said = frames.decode(frame)
            if not isinstance(said, Call):
                return said
            self.calls += 1
            answer = self._answer(said)
            self._pass_console()  # first: then it is there when the wait for it ends
            self._send(answer)
        return None

    def _send(self, frame: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended; the next read says so
            self._wire.sendall(frame)

    def _pass_time(self, work: int, looks: int) -> None:
        if work or looks:
            self.port.session.spend(work * WORK_US + looks * CALL_US)

    def _answer(self, call: Call) -> bytes:
        session = self.port.session
        try:
            for work, looks in call.feeds:
                self._pass_time(work, looks)
                self._objects[WATCHDOG].feed()
            self._pass_time(call.work, call.looks)
            if call.clock:
                session.chip.clock.read_us(session.timeline.now_us)
            result = self._perform(call)
            return frames.answer(result, self._now())
        except frames.KINDS as raised:  # the firmware's to handle; anything else is a fault of the simulator
            return frames.error(raised, self._now())

    def _now(self) -> bytes:
        """The time, if the interpreter may reckon it by itself: not in live time, nor while somebody wants to see each call."""
        session = self.port.session
        if session.timeline.live or session.on_call is not None or session.ended is not None:
            return frames.ASK
        now_us, clock = session.timeline.now_us, session.chip.clock
        ticks_us = now_us - session.boot_us + session.chip.ticks_offset_us
        return frames.now(ticks_us, clock.shown_us(now_us), clock.awake_drift, WORK_US, CALL_US)

    def interrupt(self, slot: int, times: int = 1) -> None:
        """Run the soft handler of a slot, now; the calls that it makes are answered meanwhile."""
        self._send(frames.interrupt(slot, times))
        self._serve()

    def heap(self, *, collect: bool = True, dump: bool = False) -> Heap | None:
        """The heap now, after a collection unless told otherwise; only while the interpreter waits for an answer. `dump`: what lies where in it, and
        every name, is printed on the board's console.

        None: it has ended.
        """
        self._send(frames.measure(collect=collect, dump=dump))
        return self._serve()

    # --- calls

    def _perform(self, call: Call) -> object:
        if call.name.startswith(".") and isinstance(call.args[0], Ref):
            return self._method(call.args[0], call.name[1:], call.args[1:], call.kwargs)
        args = [self._objects[arg] if isinstance(arg, Ref) else arg for arg in call.args]
        if call.name in self._own:
            return self._own[call.name](*args)
        kwargs = {key: self._objects[arg] if isinstance(arg, Ref) else arg for key, arg in call.kwargs.items()}
        module, _, name = call.name.partition(".")
        result = getattr(getattr(self.port, module), name)(*args, **kwargs)
        if call.name in FIXED:  # one object for each number, or one alone
            return self._keep(Ref(FIXED[call.name], args[0] if args else 0), result)
        if call.name in NUMBERED:
            return self._number(NUMBERED[call.name], result)
        return result

    def _keep(self, ref: Ref, made: object) -> int:
        self._objects[ref] = made
        return ref.id

    def _number(self, kind: str, made: object) -> int:
        self._last_id += 1
        return self._keep(Ref(kind, self._last_id), made)

    def _method(self, ref: Ref, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        if name == "close":
            closed = self._objects.pop(ref, None)  # None: closed by the program, and now collected
            return None if closed is None else closed.close()
        target = self._objects[ref]
        if (ref.type, name) == ("Pin", "irq"):
            slot, trigger = args
            target.irq(handler=None if slot is None else self._handler(slot), trigger=trigger)
            return None
        if (ref.type, name) == ("Timer", "init"):
            kwargs = kwargs | {"callback": self._handler(kwargs["callback"])}
        result = getattr(target, name)(*args, **kwargs)
        if (ref.type, name) == ("socket", "accept"):
            return self._number("socket", result[0]), result[1]
        return result

    def _handler(self, slot: int) -> _Handler:
        return _Handler(self, slot)

    # --- waiting

    def _poll(self, target: Any, events: int) -> int:
        poller = self.port.select.poll()
        poller.register(target, events)
        ready = poller.poll(0)
        return ready[0][1] if ready else 0

    def _wait(self, timeout_ms: int | None, *watched: int) -> None:
        """Until a watched socket (number, events, ...) or the serial line may have something, or the time is over."""
        self._read_console()
        poller = self.port.select.poll()
        poller.register(self.port.sys.stdin, self.port.select.POLLIN)
        for number, events in zip(watched[::2], watched[1::2], strict=True):
            target = self._objects.get(Ref("socket", number))
            if target is not None:
                poller.register(target, events)
        poller.poll(-1 if timeout_ms is None else timeout_ms)
