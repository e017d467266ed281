"""Kinds of faults of what hangs on the board: valves, water, flow meter, sensors.

Rule: each changes the simulated hardware as the real trouble would, and nothing that the firmware could not meet.
"""

from typing import TYPE_CHECKING, Any

from sim.faults.fields import ZONE, Args, Choice, Kind, Number, Undo
from sim.faults.hold import hold

if TYPE_CHECKING:
    from sim.faults.life import Life


def _valve(name: str, value: Any) -> Any:
    """A fault of a valve that water does not see until the valve is moved."""
    return lambda life, args: hold(life, life.world.zones[args.zone].valve, name, value)


def _water(life: Life, args: Args, name: str) -> Undo:
    """A fault that changes the flow at once."""
    valve = life.world.zones[args.zone].valve

    def change(value: float) -> None:
        life.world.advance()
        setattr(valve, name, value)
        life.world.refresh_flows()

    return hold(life, valve, name, args.number("part"), change)


def _swallow(life: Life, args: Args) -> Undo:
    valve = life.world.zones[args.zone].valve
    valve.swallow_pulses += args.whole("pulses")
    return lambda: setattr(valve, "swallow_pulses", 0)


def _slow(life: Life, args: Args) -> Undo:
    return hold(life, life.world.zones[args.zone].valve, "needs_us", round(args.number("needs_ms") * 1000))


def _swapped(life: Life, args: Args) -> Undo:
    bridge = life.board.bench.bridge

    def swap() -> None:
        bridge.swapped_mask ^= 1 << args.zone

    swap()
    return swap


def _by_hand(life: Life, args: Args) -> None:
    life.world.move_valve(args.zone, opens=True)
    life.truth.turned_by_hand(args.zone)


def _pressure(life: Life, args: Args) -> Undo:
    def change(bar: float) -> None:
        life.world.advance()
        life.world.supply_bar = bar
        life.world.refresh_flows()

    return hold(life, life.world, "supply_bar", args.number("bar"), change)


def _noise(life: Life, args: Args) -> Undo:
    """Edges on the flow meter's wire that no water made; like true ones they are lost where nobody listens."""
    every_us = round(1_000_000 / args.number("hz"))
    on = True

    def edge() -> None:
        session = life.board.session
        if session is not None and (handle := session.flow_handler) is not None:
            session.interrupt(lambda _: handle(1), None)
        if on:
            life.timeline.at(life.timeline.now_us + every_us, edge)

    edge()

    def off() -> None:
        nonlocal on
        on = False

    return off


def _meter_scale(life: Life, args: Args) -> Undo:
    bench = life.board.bench

    def scale(pulses_per_litre: int) -> None:
        bench.take_flow_pulses()
        bench.pulses_per_litre = pulses_per_litre
        bench._counted = int(life.world.turned_ml * pulses_per_litre / 1000)

    return hold(life, bench, "pulses_per_litre", args.whole("pulses_per_litre"), scale)


ADDRESSES = {"battery": 0x40, "panel": 0x41, "expander": 0x20, "probe_1": 0x36, "probe_2": 0x37, "ds3231": 0x68}


def _missing(life: Life, args: Args) -> Undo:
    address, bench = ADDRESSES[args.word("part")], life.board.bench
    bench.bus.absent.add(address)
    if args.word("part") == "battery":
        bench.adc_broken = True

    def back() -> None:
        bench.bus.absent.discard(address)
        bench.adc_broken = False

    return back


def _bus_held(life: Life, args: Args) -> Undo:
    bus = life.board.bench.bus
    bus.hold(args.whole("clocks"))
    return lambda: setattr(bus, "held", False)


def _battery_lies(life: Life, args: Args) -> Undo:
    return hold(life, life.board.bench.battery_flaw, "bias", args.number("by_v"))


def _battery_noise(life: Life, args: Args) -> Undo:
    return hold(life, life.board.bench.battery_flaw, "noise", args.number("noise_v"))


def _probe_lies(life: Life, args: Args) -> Undo:
    return hold(life, life.board.bench.probe_flaws[args.zone], "bias", args.number("by"))


def _probe_bad(life: Life, args: Args) -> Undo:
    return hold(life, life.board.bench.probes[args.zone], "bad", True)


_Z = {"zone": ZONE}

PART_KINDS: dict[str, Kind] = {
    "valve.swallows": Kind(
        "the next good pulses, opening or closing, do nothing",
        _swallow,
        {**_Z, "pulses": Number(1, 50, whole=True)},
        lasts=True,
    ),
    "valve.sticks_open": Kind("closing pulses do nothing", _valve("sticks_open", True), _Z, lasts=True),
    "valve.sticks_closed": Kind("opening pulses do nothing", _valve("sticks_closed", True), _Z, lasts=True),
    "valve.slow": Kind("its plunger needs a longer pulse", _slow, {**_Z, "needs_ms": Number(1, 1000)}, lasts=True),
    "valve.coil_broken": Kind("a broken wire", _valve("coil_ohm", 0.0), _Z, lasts=True),
    "valve.swapped": Kind("its two wires are changed over", _swapped, _Z, lasts=True),
    "valve.opened_by_hand": Kind("someone turns the knob on the valve", _by_hand, _Z),
    "valve.leaks": Kind(
        "the closed diaphragm lets a part of the water pass",
        lambda life, args: _water(life, args, "leak"),
        {**_Z, "part": Number(0, 0.1)},
        lasts=True,
    ),
    "water.burst": Kind(
        "a pipe breaks behind the valve; `part` is its opening, as many times the sprinklers'",
        lambda life, args: _water(life, args, "burst"),
        {**_Z, "part": Number(0, 20)},
        lasts=True,
    ),
    "water.clogged": Kind(
        "a part of the sprinklers is blocked",
        lambda life, args: _water(life, args, "clogged"),
        {**_Z, "part": Number(0, 1)},
        lasts=True,
    ),
    "water.pressure": Kind(
        "the supply's pressure is another one; 0: off", _pressure, {"bar": Number(0, 10)}, lasts=True
    ),
    "flow.dead": Kind(
        "the meter gives no pulses", lambda life, _: hold(life, life.board.bench, "flow_meter_broken", True), lasts=True
    ),
    "flow.noise": Kind("pulses that no water made", _noise, {"hz": Number(0.001, 400)}, lasts=True),
    "flow.wrong_scale": Kind(
        "another number of pulses a litre than was provisioned (450)",
        _meter_scale,
        {"pulses_per_litre": Number(10, 5000, whole=True)},
        lasts=True,
    ),
    "part.missing": Kind("it does not answer", _missing, {"part": Choice(tuple(ADDRESSES))}, lasts=True),
    "bus.held": Kind(
        "a part holds the data line until it was clocked so often; 0: until the power goes",
        _bus_held,
        {"clocks": Number(0, 100, 0, whole=True)},
        lasts=True,
    ),
    "battery.lies": Kind("its sensor is so many volts off", _battery_lies, {"by_v": Number(-5, 5)}, lasts=True),
    "battery.noisy": Kind("its sensor's noise", _battery_noise, {"noise_v": Number(0, 3)}, lasts=True),
    "probe.lies": Kind(
        "a soil probe is so much off, in parts of its range", _probe_lies, {**_Z, "by": Number(-2, 2)}, lasts=True
    ),
    "probe.bad": Kind("a soil probe answers nonsense", _probe_bad, _Z, lasts=True),
}
