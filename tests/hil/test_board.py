"""What a board owner lets a computer look at: chip, memory, flash, pins, closing, parts, meter. docs/hil.md says what each proves.

Nothing here opens a valve. Shut the tap all the same.
"""

import os

import pytest

from tools.provision.build import parts
from tools.provision.device import Device
from tools.provision.install import differences
from tools.provision.verify import read_config, self_test

pytestmark = pytest.mark.hil

ROM_BYTES = 327_680
HEAP_BYTES = 8 * 1024  # what must be free with the application loaded and nothing else going on
PINS = "from machine import Pin\n"


def test_interpreter_is_one_that_runs_the_application_in_place(device: Device) -> None:
    assert device.facts.platform == "esp8266"
    assert device.facts.rom_size == ROM_BYTES
    assert device.facts.free > 0


def test_files_on_the_board_are_this_checkouts(device: Device) -> None:
    assert differences(device, parts()) == []


def test_lines_that_move_a_valve_are_low_when_nobody_drives_them(device: Device) -> None:
    read = PINS + "print(repr([Pin(n, Pin.IN).value() for n in (4, 5, 15)]))"
    assert device.value(read, "reading the bridge's lines") == [0, 0, 0]


def test_closing_pulse_lasts_as_configured_and_leaves_all_lines_low(device: Device) -> None:
    """By the board's own clock; an oscilloscope at GPIO5 shows it without trust in that."""
    code = """
import machine, time, closer, closer_config as cc
a = time.ticks_us()
closer.pulse(machine, time, cc, 1, False)
took = time.ticks_diff(time.ticks_us(), a) // 1000
width = min(getattr(cc, 'CLOSE_MS', 60), 250) + min(getattr(cc, 'BOOST_MS', 30), 500)
print(repr((took, width, [machine.Pin(n).value() for n in (4, 5, 15)])))
"""
    took_ms, width_ms, lines = device.value(code, "closing zone 1")
    assert width_ms <= took_ms <= width_ms + 40
    assert lines == [0, 0, 0]


def test_every_provisioned_part_answers(device: Device) -> None:
    assert self_test(device, read_config(device)) == []


def test_heap_is_free_with_the_application_loaded(device: Device, record_property: pytest.RecordProperty) -> None:
    free = device.value("import sprinkler.app, gc\ngc.collect()\nprint(gc.mem_free())", "loading the application")
    record_property("heap_free", free)
    assert free >= HEAP_BYTES


def test_flash_keeps_what_was_written_and_renamed(device: Device) -> None:
    data = os.urandom(700)
    try:
        device.put("/hil.bin", data)
        assert device.read("/hil.bin") == data
    finally:
        device.remove("/hil.bin")


def test_access_point_is_off(device: Device) -> None:
    assert device.value("import network\nprint(network.WLAN(1).active())", "asking for its access point") is False


def test_flow_meter_is_quiet_while_all_is_closed_and_while_it_is_switched(device: Device) -> None:
    """Three seconds fed, then switched off and on ten times: noise on the cable, or a pulse of its own, would count as water."""
    code = (
        PINS
        + """
import time
n = 0
def count(_):
    global n
    n += 1
supply = Pin(15, Pin.OUT, value=1)
time.sleep_ms(50)
pin = Pin(13, Pin.IN)
pin.irq(handler=count, trigger=Pin.IRQ_RISING)
for _ in range(30):
    time.sleep_ms(100)
quiet = n
for _ in range(10):
    supply(0)
    time.sleep_ms(20)
    supply(1)
    time.sleep_ms(20)
pin.irq(handler=None)
supply(0)
print(repr((quiet, n - quiet)))
"""
    )
    assert device.value(code, "listening to the flow meter") == (0, 0)


def test_memory_that_outlives_a_reset_does(device: Device) -> None:
    """The board's own record is put back; the closing at the next start makes it good anyway."""
    kept = device.value("import machine\nprint(machine.RTC().memory())", "reading RTC memory")
    try:
        device.run("machine.RTC().memory(b'hil' * 160)", "writing RTC memory")
        assert device.value("print(machine.RTC().memory())", "reading it back") == b"hil" * 160
    finally:
        device.run(f"machine.RTC().memory({kept!r})", "putting it back")
