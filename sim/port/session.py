"""One boot of one board: what all stand-ins of that boot share. Here time passes, interrupts run and the watchdog bites.

Rule: every stand-in calls `enter` before it acts, so that nothing acts after the boot has ended (a `finally` of the firmware included), and lets
time pass only through `wait`, `spend` and `block`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sim.errors import Ending, PowerLoss, WatchdogReset
from sim.power import AWAKE_MA, AWAKE_RADIO_MA, DOZING_MA
from sim.timeline import FOREVER_US, Event, Files, Timeline, Waiter

if TYPE_CHECKING:
    from sim.chip import Chip
    from sim.net import Network
    from sim.parts import Bench

IRQ_QUEUE = 4  # soft handlers that the interpreter can hold back
WATCHDOG_US = 3_200_000

type Handler = Callable[[object], object]


@runtime_checkable
class Repeatable(Protocol):
    """A handler that can be told to run many times, where to call it so often costs much."""

    def repeat(self, times: int) -> None:
        """Run it so many times, one after the other."""


class Session:
    """The state of one boot. `hang()` is a fault: the firmware never returns from its next wait."""

    __slots__ = (
        "bench",
        "boot_us",
        "cause",
        "chip",
        "ended",
        "flow_handler",
        "hanging",
        "irqs",
        "irqs_lost",
        "joined_at_us",
        "late_calls",
        "network",
        "on_call",
        "radio_on",
        "timeline",
        "uart",
        "waiter",
        "watchdog_until_us",
    )

    def __init__(self, chip: Chip, bench: Bench, network: Network, cause: int) -> None:
        self.chip = chip
        self.bench = bench
        self.network = network
        self.cause = cause
        self.timeline: Timeline = bench.world.timeline  # the time source of this board's world
        self.waiter = Waiter(self.timeline)
        self.boot_us = self.timeline.now_us
        self.ended: Ending | None = None
        self.watchdog_until_us = FOREVER_US
        self.irqs: list[tuple[Handler, object]] = []
        self.irqs_lost = 0
        self.late_calls = 0
        self.flow_handler: Callable[[int], None] | None = None  # takes so many pulses
        self.hanging = False
        self.on_call: Callable[[str], None] | None = None  # a fault hook: told of each act before it happens
        self.radio_on = False
        self.joined_at_us = FOREVER_US
        self.uart = bytearray()
        bench.take_flow_pulses()
        if chip.sdk_station_on:  # the SDK starts its radio and joins by itself
            self.join(chip.sdk_station)
        else:
            self.set_radio(on=False)

    # --- life and death

    def enter(self, call: str) -> None:
        """A stand-in is about to do `call`; raises the ending once there is one."""
        if self.ended is None and self.on_call is not None:
            self.on_call(call)
        if self.ended is not None:
            self.late_calls += 1
            raise self.ended

    def end(self, ending: Ending) -> Ending:
        """The boot is over from this moment: pins fall back (after most endings), nothing acts any more. Returns the ending, to be raised."""
        if self.ended is None:
            self.ended = ending
            self.watchdog_until_us = FOREVER_US
            self.bench.on_button = None
            if not ending.keeps_pins:
                self.bench.release_all()
            self.network.forget(self.waiter)
            self.waiter.notify()
        return self.ended

    @property
    def armed(self) -> bool:
        """Would the watchdog end a hang of the program? Before it is armed the port feeds it, and it ends only what hangs in the SDK."""
        return self.watchdog_until_us != FOREVER_US

    def hang(self) -> None:
        """From now on the firmware is stuck; only a watchdog or a reset helps."""
        self.hanging = True
        self.waiter.notify()

    def set_radio(self, *, on: bool) -> None:
        """The radio's current is drawn from now on, or not."""
        self.radio_on = on
        if not on:
            self.joined_at_us = FOREVER_US
        self.bench.world.set_load_ma(AWAKE_RADIO_MA if on else AWAKE_MA)

    def talk(self, *, on: bool) -> None:
        """A connection is open from now on, or the last one was closed: a radio that is joined and has nothing to say sleeps between the beacons."""
        if self.ended is None and self.joined():
            self.bench.world.set_load_ma(AWAKE_RADIO_MA if on else DOZING_MA)

    def join(self, station: tuple[str, str] | None) -> None:
        """Begin to join a Wi-Fi network with (ssid, key)."""
        self.set_radio(on=True)
        known = station == (self.network.ssid, self.network.key)
        self.joined_at_us = self.timeline.now_us + self.network.join_us if known else FOREVER_US

    def joined(self) -> bool:
        """Is the board on the Wi-Fi network now?"""
        return self.timeline.now_us >= self.joined_at_us and self.network.wifi_up

    # --- time

    def wait(
        self, until_us: int, ready: Callable[[], bool] | None = None, files: Callable[[], Files] | None = None
    ) -> None:
        """Let the world go on until `until_us` or until `ready()`; soft handlers run, the watchdog may bite."""
        if self.ended is not None or self.on_call is not None:
            self.enter("wait")
        timeline, waiter = self.timeline, self.waiter
        if self.flow_handler is not None and (pulses := self.bench.take_flow_pulses()):
            self._count(pulses, in_time=False)
        while True:
            if self.irqs:
                self._run_irqs()
            if self.hanging:
                ready, until_us = None, FOREVER_US
            if timeline.now_us >= until_us or (ready is not None and ready()):
                return
            waiter.notified = False
            bite_us = self.watchdog_until_us
            timeline.wait(
                waiter,
                until_us if until_us < bite_us else bite_us,
                files() if files is not None and timeline.live else (),
            )
            if self.ended is not None:
                raise self.ended
            if self.flow_handler is not None and (pulses := self.bench.take_flow_pulses()):
                self._count(pulses, in_time=True)
            if self.bench.world.charge_mah <= 0:  # as of the last look at the cell
                raise self.end(PowerLoss())
            if timeline.now_us >= self.watchdog_until_us <= until_us:
                raise self.end(WatchdogReset())

    def spend(self, us: int) -> None:
        """The firmware worked for `us`. A loop that never waits meets the watchdog here, and lets others have their turn."""
        timeline = self.timeline
        if timeline.spend(us):
            self.give_way()
        if timeline.now_us >= self.watchdog_until_us and not timeline.live:
            raise self.end(WatchdogReset())

    def give_way(self) -> None:
        """Something is due: others have their turn."""
        timeline = self.timeline
        self.waiter.clear()
        timeline.wait(self.waiter, timeline.now_us)
        if self.ended is not None:
            raise self.ended
        if self.irqs:
            self._run_irqs()

    def block(self, us: int) -> None:
        """The port's own code works for `us`; no handler can run meanwhile."""
        self.timeline.spend(us)

    # --- interrupts

    def interrupt(self, handler: Handler, argument: object) -> None:
        """Hold a soft handler back for the next wait; the fifth is lost."""
        if self.ended is not None:
            return
        if len(self.irqs) >= IRQ_QUEUE:
            self.irqs_lost += 1
            return
        self.irqs.append((handler, argument))
        self.waiter.notify()

    def _run_irqs(self) -> None:
        irqs, self.irqs = self.irqs, []
        for handler, argument in irqs:
            handler(argument)

    def _count(self, pulses: int, *, in_time: bool) -> None:
        """Hand the flow meter's pulses to their handler; those that came while it could not run are held by the queue of four."""
        assert self.flow_handler is not None
        if not in_time and pulses > IRQ_QUEUE:
            self.irqs_lost += pulses - IRQ_QUEUE
            pulses = IRQ_QUEUE
        self.flow_handler(pulses)

    def at(self, at_us: int, callback: Callable[[], None]) -> Event:
        """Call `callback` at true time `at_us` unless the boot is over by then."""

        def call() -> None:
            if self.ended is None:
                callback()

        return self.timeline.at(at_us, call)
