"""What hangs on the pins: valves move only for a good pulse, chips answer as their data sheets say."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.board import SimulatedBoard
from sim.errors import Ending, PowerLoss, Reset, WatchdogReset
from sim.parts import Bench
from sim.parts.flaw import Flaw
from sim.port import Port, Session
from sim.world import Scenario, World

OPEN, CLOSE, ENABLE = 4, 5, 15


def expander(port: Port, zones_mask: int) -> None:
    """Wake the bridges of the zones in `zones_mask`."""
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    i2c.writeto_mem(0x20, 0x0A, bytes((zones_mask,)))
    i2c.writeto_mem(0x20, 0x00, bytes((0xFF ^ zones_mask,)))


def pulse(port: Port, *, lines: tuple[int, ...], width_ms: int = 60, boost_ms: int = 30, enable: bool = True) -> None:
    """Drive lines as the closer would."""
    pins = {number: port.machine.Pin(number, port.machine.Pin.OUT, value=0) for number in (OPEN, CLOSE, ENABLE)}
    if enable:
        pins[ENABLE](1)
    port.time.sleep_ms(boost_ms)
    for line in lines:
        pins[line](1)
    port.time.sleep_ms(width_ms)
    for line in lines:
        pins[line](0)
    pins[ENABLE](0)


def opened(board: SimulatedBoard) -> list[bool]:
    """Which valves are truly open."""
    return [zone.valve.open for zone in board.world.zones]


def test_good_pulses_open_and_close_the_chosen_zone_only(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0b10)
    pulse(port, lines=(OPEN,))
    assert opened(board) == [False, True]
    pulse(port, lines=(CLOSE,))
    assert opened(board) == [False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": (OPEN,), "width_ms": 30},  # too short
        {"lines": (OPEN,), "enable": False},  # no motor supply
        {"lines": (OPEN, CLOSE)},  # brake
        {"lines": (OPEN,), "boost_ms": 0, "width_ms": 50},  # the capacitor was still charging
        {"lines": ()},
    ],
)
def test_valve_stays_with_a_bad_pulse(board: SimulatedBoard, port: Port, wrong: dict[str, object]) -> None:
    expander(port, 0b01)
    pulse(port, **wrong)  # type: ignore[arg-type]
    assert opened(board) == [False, False]


def test_valve_stays_while_its_bridge_sleeps(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0)
    pulse(port, lines=(OPEN,))
    assert opened(board) == [False, False]


def test_line_that_stays_high_moves_the_valve_though_the_pulse_never_ends(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0b01)
    for number in (ENABLE, OPEN):
        port.machine.Pin(number, port.machine.Pin.OUT, value=1)
    port.time.sleep_ms(1000)
    assert opened(board) == [True, False]
    meter_ml = board.world.zones[0].meter_ml
    board.world.advance()
    assert board.world.zones[0].meter_ml - meter_ml == pytest.approx((1000 - 30 - 40) / 1000 * 8000 / 60, rel=1e-6)


def test_power_cut_in_the_middle_of_a_pulse_leaves_the_valve(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0b01)
    for number in (ENABLE, OPEN):
        port.machine.Pin(number, port.machine.Pin.OUT, value=1)
    port.time.sleep_ms(60)  # 30 ms of it charged the capacitor
    board.bench.lose_power()
    assert opened(board) == [False, False]
    assert board.bench.bridge.pulses[-1].effective is False


def test_valve_faults_are_ones_of_the_valve(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0b01)
    valve = board.world.zones[0].valve
    valve.swallow_pulses = 2
    for wanted in (False, False, True):
        pulse(port, lines=(OPEN,))
        assert valve.open is wanted
    valve.sticks_open = True
    pulse(port, lines=(CLOSE,))
    assert valve.open
    valve.sticks_open, valve.sticks_closed = False, True
    pulse(port, lines=(CLOSE,))
    pulse(port, lines=(OPEN,))
    assert not valve.open


def test_swapped_coil_moves_the_other_way(board: SimulatedBoard, port: Port) -> None:
    board.bench.bridge.swapped_mask = 0b01
    expander(port, 0b01)
    pulse(port, lines=(CLOSE,))
    assert opened(board) == [True, False]


def test_a_broken_coil_draws_nothing_and_moves_nothing(board: SimulatedBoard, port: Port) -> None:
    board.world.zones[0].valve.coil_ohm = 0
    expander(port, 0b01)
    pulse(port, lines=(OPEN,))
    assert opened(board) == [False, False]
    assert not board.bench.bridge.pulses[-1].effective


def test_a_pulse_is_seen_in_the_cells_current_and_costs_its_charge(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0b01)
    board.world.advance()
    drawn_mah, rest_a = board.world.drawn_mah, board.world.currents()[3]
    port.machine.Pin(ENABLE, port.machine.Pin.OUT, value=1)
    line = port.machine.Pin(OPEN, port.machine.Pin.OUT, value=1)
    port.time.sleep_ms(90)
    assert board.world.currents()[3] < rest_a - 1
    line(0)
    assert board.world.currents()[3] == pytest.approx(rest_a, abs=0.01)
    assert board.world.drawn_mah - drawn_mah == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("line", [OPEN, CLOSE])
def test_a_held_valve_is_open_while_its_coil_is_driven_in_either_direction(
    board: SimulatedBoard, port: Port, line: int
) -> None:
    board.world.zones[0].valve.held = True
    expander(port, 0b01)
    port.machine.Pin(ENABLE, port.machine.Pin.OUT, value=1)
    driven = port.machine.Pin(line, port.machine.Pin.OUT, value=1)
    port.time.sleep_ms(5000)
    assert opened(board) == [True, False]
    assert board.world.held_ma > 100
    driven(0)
    assert opened(board) == [False, False]
    assert board.world.held_ma == 0


@pytest.mark.parametrize(("ending", "stays"), [(WatchdogReset, True), (Reset, True), (PowerLoss, False)])
def test_a_watchdogs_reset_leaves_the_pins_as_they_are(
    board: SimulatedBoard, port: Port, ending: type[Ending], stays: bool
) -> None:
    port.machine.Pin(OPEN, port.machine.Pin.OUT, value=1)
    session = Session(board.chip, board.bench, board.network, 0)
    session.end(ending())
    assert (board.bench.level(OPEN) == 1) is stays


def test_weak_cell_cannot_push_the_plunger(board: SimulatedBoard, port: Port) -> None:
    board.world.charge_mah = 0.0005 * board.world.scenario.capacity_mah
    expander(port, 0b01)
    pulse(port, lines=(OPEN,))
    assert opened(board) == [False, False]


def test_expander_keeps_its_outputs_over_a_reset_and_loses_them_with_power(board: SimulatedBoard, port: Port) -> None:
    expander(port, 0b01)
    board.bench.release_all()
    assert board.bench.expander.driven_high_mask == 0b01
    board.bench.lose_power()
    assert board.bench.expander.driven_high_mask == 0


def test_absent_part_and_held_bus_answer_with_their_errors(board: SimulatedBoard, port: Port) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    assert i2c.scan() == [0x20, 0x36, 0x37, 0x40, 0x41, 0x68]
    board.bench.bus.absent.add(0x40)
    with pytest.raises(OSError, match=r"Errno 19\b") as absent:
        i2c.readfrom_mem(0x40, 2, 2)
    assert absent.value.args[0] == 19
    board.bench.bus.hold(clocks=9)
    with pytest.raises(OSError, match=r"Errno 110\b") as held:
        i2c.readfrom_mem(0x41, 2, 2)
    assert held.value.args[0] == 110
    scl = port.machine.Pin(14, port.machine.Pin.OPEN_DRAIN, value=1)
    for _ in range(9):
        assert port.machine.Pin(12).value() == 0
        scl(0)
        scl(1)
    assert len(i2c.readfrom_mem(0x41, 2, 2)) == 2


def test_current_sensor_tells_the_cell_and_keeps_its_values_when_powered_down(
    board: SimulatedBoard, port: Port
) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    raw = int.from_bytes(i2c.readfrom_mem(0x40, 2, 2), "big")
    assert (raw >> 3) * 4 == pytest.approx(board.world.battery_v() * 1000, abs=4)
    shunt = int.from_bytes(i2c.readfrom_mem(0x40, 1, 2), "big", signed=False) - 0x10000
    assert shunt / 10 == pytest.approx(-board.world.load_ma, abs=0.2)
    i2c.writeto_mem(0x40, 0, b"\x39\x98")  # power down
    board.world.charge_mah /= 4
    assert int.from_bytes(i2c.readfrom_mem(0x40, 2, 2), "big") == raw
    i2c.writeto_mem(0x40, 0, b"\x39\x9f")
    port.time.sleep_ms(1)
    assert int.from_bytes(i2c.readfrom_mem(0x40, 2, 2), "big") < raw


def test_soil_probe_wants_five_milliseconds(board: SimulatedBoard, port: Port) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    i2c.writeto(0x36, b"\x0f\x10")
    assert i2c.readfrom(0x36, 2) == b"\xff\xff"
    i2c.writeto(0x36, b"\x0f\x10")
    port.time.sleep_ms(5)
    raw = int.from_bytes(i2c.readfrom(0x36, 2), "big")
    assert raw == pytest.approx(320 + 695 * 0.75, abs=12)  # 20 of 80 mm are missing


def test_flaws_of_sensors_bend_what_they_tell_and_not_what_is_so(board: SimulatedBoard, port: Port) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    flaw = board.bench.probe_flaws[0]
    flaw.noise, flaw.bias, flaw.drift_a_day = 0.0, -0.15, -0.01

    def wet() -> float:
        i2c.writeto(0x36, b"\x0f\x10")
        port.time.sleep_ms(5)
        return (int.from_bytes(i2c.readfrom(0x36, 2), "big") - 320) / 695

    assert wet() == pytest.approx(board.bench.wetness(0) - 0.15, abs=0.002)
    board.world.load_ma = 0.0  # two days are too long for this cell
    port.time.sleep_ms(2 * 86_400_000)
    assert wet() == pytest.approx(board.bench.wetness(0) - 0.17, abs=0.002)
    flaw.bias = -10
    assert wet() == pytest.approx(-320 / 695)  # no less than zero comes over the wire
    true_v = board.world.battery_v()
    board.bench.battery_flaw.bias = -0.5
    assert board.world.battery_v() == pytest.approx(true_v, abs=0.01)
    i2c.writeto_mem(0x40, 0, b"\x39\x9f")
    port.time.sleep_ms(1)
    raw = int.from_bytes(i2c.readfrom_mem(0x40, 2, 2), "big") >> 3
    assert raw * 0.004 == pytest.approx(true_v - 0.5, abs=0.02)


@given(noise=st.floats(0, 1), bias=st.floats(-1, 1), drift=st.floats(-1, 1), days=st.integers(0, 100))
def test_flaw_is_repeatable_and_bounded_by_what_it_was_told(noise: float, bias: float, drift: float, days: int) -> None:
    flaw = Flaw(noise, bias, drift)
    told = [flaw.told(0.5, days * 86_400_000_000, Random(7)) for _ in range(2)]
    assert told[0] == told[1]
    assert abs(told[0] - 0.5 - bias - drift * days) <= 6 * noise + 1e-9


def test_divider_gives_a_fifth_of_the_cell(board: SimulatedBoard, port: Port) -> None:
    readings = sorted(port.machine.ADC(0).read() for _ in range(9))
    assert readings[4] * 5000 / 1024 == pytest.approx(board.world.battery_v() * 1000, abs=40)


def test_flow_meter_pulses_as_often_as_water_turns_it(board: SimulatedBoard, port: Port) -> None:
    counted = [0]
    port.machine.Pin(13, port.machine.Pin.IN).irq(
        lambda _pin: counted.__setitem__(0, counted[0] + 1), port.machine.Pin.IRQ_RISING
    )
    board.world.move_valve(0, opens=True)
    port.time.sleep_ms(60_000)
    assert counted[0] == 0  # it has no supply
    port.machine.Pin(15, port.machine.Pin.OUT, value=1)
    port.time.sleep_ms(60_000)
    assert counted[0] == pytest.approx(8 * 450, abs=1)
    board.world.move_valve(0, opens=False)
    board.world.zones[0].valve.leak = 0.02
    board.world.advance()
    board.world.refresh_flows()
    before = counted[0]
    port.time.sleep_ms(60_000)
    assert counted[0] == before  # too slow to turn the wheel, yet the water meter sees it
    board.world.advance()
    assert board.world.zones[0].meter_ml > 16_050


def test_pulses_that_come_while_no_handler_can_run_are_lost_but_four(board: SimulatedBoard, port: Port) -> None:
    counted = [0]
    port.machine.Pin(13, port.machine.Pin.IN).irq(
        lambda _pin: counted.__setitem__(0, counted[0] + 1), port.machine.Pin.IRQ_RISING
    )
    port.machine.Pin(15, port.machine.Pin.OUT, value=1)
    board.world.move_valve(0, opens=True)
    port.time.sleep_us(1_000_000)  # a busy wait
    port.time.sleep_ms(0)
    assert counted[0] == 4
    assert port.session.irqs_lost == 60 - 4


def test_button_handler_runs_in_the_next_wait(board: SimulatedBoard, port: Port) -> None:
    seen: list[int] = []
    pin = port.machine.Pin(0, port.machine.Pin.IN, port.machine.Pin.PULL_UP)
    pin.irq(lambda _pin: seen.append(1), port.machine.Pin.IRQ_FALLING)
    for _ in range(6):
        board.bench.press_button(down=True)
        board.bench.press_button(down=False)
    assert not seen
    port.time.sleep_ms(1)
    assert len(seen) == 4
    assert port.session.irqs_lost == 2


def test_pins_stand_as_the_chip_leaves_them_at_boot(board: SimulatedBoard, port: Port) -> None:
    for number in (4, 5, 12, 13, 14, 15):
        port.machine.Pin(number, port.machine.Pin.OUT, value=1)
    fresh = Port(Session(board.chip, board.bench, board.network, 0))
    board.bench.release_all()
    assert [fresh.machine.Pin(number).value() for number in (4, 5, 12, 13, 14, 15)] == [0, 0, 1, 1, 1, 0]


def test_real_time_clock_goes_on_without_the_board_and_stops_with_its_cell(board: SimulatedBoard, port: Port) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    assert i2c.readfrom_mem(0x68, 0x0F, 1)[0] & 0x80, "never set"
    i2c.writeto_mem(0x68, 0x00, b"\x58\x59\x23\x04\x31\x12\x27")
    i2c.writeto_mem(0x68, 0x0F, b"\x00")
    board.bench.lose_power()
    port.time.sleep_ms(3000)
    assert i2c.readfrom_mem(0x68, 0x00, 7) == b"\x01\x00\x00\x06\x01\x01\x28"
    board.bench.rtc.lose_cell()
    assert i2c.readfrom_mem(0x68, 0x0F, 1)[0] & 0x80


def test_expander_reads_a_contact_against_its_pull_up(board: SimulatedBoard, port: Port) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    i2c.writeto_mem(0x20, 0x06, b"\x10")
    for wet in (False, True):
        board.bench.wet = wet
        assert i2c.readfrom_mem(0x20, 0x09, 1)[0] >> 4 & 1 == (not wet)
    board.bench.wet = False
    i2c.writeto_mem(0x20, 0x06, b"\x00")
    assert i2c.readfrom_mem(0x20, 0x09, 1)[0] >> 4 & 1 == 0, "without a pull-up it floats; here it reads low"


def test_rain_switch_stays_wet_for_two_hours_after_the_rain() -> None:
    world = World(Scenario(seed=3))
    bench = Bench(world)
    moments = range(30 * 96)
    rain = [world.weather.slot(world.scenario.start_unix_s + i * 900).rain_mm_h > 0 for i in moments]
    assert any(rain)
    seen = []
    for _ in moments:
        seen.append(bench.raining())
        world.timeline.now_us += 900_000_000
    assert seen[10:] == [any(rain[i - 8 : i + 1]) for i in moments][10:]


def test_current_sensor_has_no_reading_until_a_conversion_is_done(port: Port) -> None:
    i2c = port.machine.I2C(scl=port.machine.Pin(14), sda=port.machine.Pin(12), freq=100_000)
    port.time.sleep_ms(2)
    assert i2c.readfrom_mem(0x40, 2, 2)[1] & 2
    i2c.writeto_mem(0x40, 0, b"\x39\x98")
    i2c.writeto_mem(0x40, 0, b"\x39\x9f")
    assert not i2c.readfrom_mem(0x40, 2, 2)[1] & 2
