"""Closer: the only place that pulses a valve, and the first code that runs after any reset.

Rule: works alone. It reads no file but its own configuration, needs no network, no clock, no application, and is never updated over the air. The
port's modules are handed in. The pulse widths come from closer_config.py (written when the board is provisioned) and are bounded here.
A held valve (HELD = 1: normally closed, open while its coil is driven) has no pulses: open leaves the lines driven, closed lets go of them. A
watchdog's reset leaves the pins as they are, so letting go is also the first thing that every boot does.
"""

if False:  # for annotations
    from shapes import Callable, CloserConfig, Keyboard, Machine, Pin, Select, Time

API = 1  # raised when the application would have to change with it

OPEN_PIN, CLOSE_PIN, ENABLE_PIN = 4, 5, 15
SDA_PIN, SCL_PIN = 12, 14
BUTTON_PIN = 0
EXPANDER, IODIR, OLAT = (
    0x20,
    0x00,
    0x0A,
)  # MCP23008: powers up with every pin an input, so pull-downs keep all bridges asleep
PULSE_MS_MAX = 250  # no configuration can burn a coil
BOOST_MS_MAX = 500
LOOK_MS = 12  # into a pulse: its current flows by then; the shortest pulse that moves a plunger is 20 ms
GAP_MS = 50  # between two pulses, for the boost capacitor

HOP_S_MAX = 3600  # machine.deepsleep counts microseconds in 32 bit: above 71 min it would wrap
SLEPT_CLOSED = 0xA5  # the mark of a sleep on purpose, with every valve verified closed
QUICK_BOOTS_MAX = 3  # boots without a minute of uptime, before the board rests
REST_MS = 600000
SECOND_PRESS_MS = (
    300  # a press of reset in mid-sleep looks like the sleep's end; a second one, while this runs, does not
)
RECORD = 8  # bytes of RTC memory that belong to this file
WINDOW_MS = 1000  # long enough for a hand that goes from reset to the button; no sleeping board ever waits for it


def setting(config: "CloserConfig | None", name: str, default: int, highest: int) -> int:
    """An integer from closer_config.py, or `default` where it is missing or out of range."""
    value = getattr(config, name, default)
    return value if isinstance(value, int) and 0 < value <= highest else default


def zone_count(config: "CloserConfig | None") -> int:
    """Zones wired to this board, 1 to 4. Without a configuration there may be four."""
    return setting(config, "ZONES", 1, 4) if config else 4


def _lines(machine: "Machine") -> "list[Pin]":
    """Both lines of the bridge and its enable, all low."""
    out = machine.Pin.OUT
    return [machine.Pin(n, out, value=0) for n in (ENABLE_PIN, OPEN_PIN, CLOSE_PIN)]


def _free_bus(machine: "Machine", time: "Time") -> None:
    """Nine clocks let a part that was cut off in mid-byte finish it and release the data line."""
    scl = machine.Pin(SCL_PIN, machine.Pin.OPEN_DRAIN, value=1)
    for _ in range(9):
        scl(0)
        time.sleep_us(10)
        scl(1)
        time.sleep_us(10)


def _select(machine: "Machine", time: "Time", zone: int) -> None:
    """Wake the bridge of `zone` alone (0: of none). Raises OSError when the expander does not answer."""
    mask = 1 << (zone - 1) if zone else 0
    for attempt in range(3):
        try:
            i2c = machine.I2C(scl=machine.Pin(SCL_PIN), sda=machine.Pin(SDA_PIN), freq=100000)
            i2c.writeto_mem(EXPANDER, IODIR, b"\xff")
            i2c.writeto_mem(EXPANDER, OLAT, bytes((mask,)))
            i2c.writeto_mem(EXPANDER, IODIR, bytes((0xFF ^ mask,)))
            return
        except OSError:
            if attempt == 2:
                raise
            _free_bus(machine, time)


def held(config: "CloserConfig | None") -> bool:
    """True if the valves of this board are open only while they are driven."""
    return setting(config, "HELD", 0, 1) == 1


def pulse(
    machine: "Machine",
    time: "Time",
    config: "CloserConfig | None",
    zone: int,
    opening: bool,
    look: "Callable[[], object] | None" = None,
) -> None:
    """Drive the valve of `zone` open or closed with one bounded pulse. Raises OSError when its bridge cannot be reached. With held valves every
    valve is let go first, which cannot fail; then, to open, that of `zone` is driven until the next call or reset.

    `look()` is called once while the current flows. What it raises is lost, and its time is the pulse's own: it makes no pulse wider, as long as it returns."""
    width_ms = setting(config, "OPEN_MS" if opening else "CLOSE_MS", 60, PULSE_MS_MAX)
    shared = zone_count(config) > 1
    enable, open_line, close_line = _lines(machine)
    forward = bool(opening) != bool(getattr(config, "SWAPPED", 0))
    line = open_line if forward else close_line
    hold = held(config)
    if hold and not opening:
        zone = 0
    driven = False
    try:
        if shared:
            try:
                _select(machine, time, zone)
            except OSError:
                if (
                    config and zone
                ):  # without one, a board of one zone has no expander to answer; what was let go of needs none
                    raise
        if not zone:
            return
        enable(1)
        time.sleep_ms(setting(config, "BOOST_MS", 30, BOOST_MS_MAX))
        line(1)
        driven = hold
        if look:
            width_ms -= _looked(time, look, min(width_ms, LOOK_MS))
        if not hold and width_ms > 0:
            time.sleep_ms(width_ms)
    finally:
        if not driven:
            line(0)
            enable(0)
    if shared and config and not driven:
        _select(machine, time, 0)


def _looked(time: "Time", look: "Callable[[], object]", after_ms: int) -> int:
    """Wait `after_ms`, then look. Returns the ms that went by."""
    start = time.ticks_ms()
    time.sleep_ms(after_ms)
    try:
        look()
    except Exception:  # noqa: BLE001 - whoever looks on ends no pulse
        pass
    return time.ticks_diff(time.ticks_ms(), start)


def close_all(machine: "Machine", time: "Time", config: "CloserConfig | None") -> list[int]:
    """One closing pulse for every zone. Returns the zones that could not be reached."""
    _lines(machine)
    failed = []
    for zone in range(1, zone_count(config) + 1):
        try:
            pulse(machine, time, config, zone, False)
        except OSError:
            failed.append(zone)
        time.sleep_ms(GAP_MS)
    return failed


def record(mark: int, quick_boots: int, left_s: int = 0) -> bytes:
    """The closer's own bytes of RTC memory, with their checksum. `left_s`: what is still to be slept after this sleep, at most 65535."""
    head = bytes((0x53, API, mark, quick_boots, left_s >> 8, left_s & 0xFF))
    check = mark * 3 + quick_boots * 7 + head[4] * 11 + head[5] * 13 + 0xC3
    return head + bytes(((sum(head) ^ 0x5A) & 0xFF, check & 0xFF))


def read_record(memory: bytes) -> tuple[int, int]:
    """(mark, quick boots) of RTC memory; (0, 0) when it holds no valid record."""
    if len(memory) < RECORD or memory[:RECORD] != record(memory[2], memory[3], memory[4] << 8 | memory[5]):
        return 0, 0
    return memory[2], memory[3]


def sleep(machine: "Machine", mark: int, seconds: int) -> None:
    """Sleep, in hops that the port can count; a reset ends it. Only with the mark of a sleep that all is closed for are there more hops than one."""
    rtc = machine.RTC()
    hop_s = max(1, min(seconds, HOP_S_MAX))
    rtc.memory(record(mark, 0, max(0, seconds - hop_s) if mark else 0) + rtc.memory()[RECORD:])
    machine.deepsleep(hop_s * 1000)


def close_first(machine: "Machine", time: "Time", config: "CloserConfig | None") -> list[int]:
    """Close every zone unless the board slept on purpose with all verified closed. Returns the zones that could not be reached.

    A board that keeps restarting closes, then rests: water first. If that very pulse restarted it (a nearly flat cell), it rests before the next one.
    """
    rtc = machine.RTC()
    memory = rtc.memory()
    mark, quick_boots = read_record(memory)
    cause = machine.reset_cause()
    rest = memory[RECORD:]
    if mark == SLEPT_CLOSED and cause == machine.DEEPSLEEP_RESET:
        if memory[4] or memory[5]:  # not due yet: no application, no radio, on to the next hop
            time.sleep_ms(SECOND_PRESS_MS)
            sleep(machine, mark, memory[4] << 8 | memory[5])
        rtc.memory(record(0, 0) + rest)  # the mark counts for one wake
        return []
    if quick_boots > QUICK_BOOTS_MAX:
        _lines(machine)
        rtc.memory(record(0, QUICK_BOOTS_MAX) + rest)
        machine.deepsleep(REST_MS)
    if cause == machine.HARD_RESET:  # a person at the reset button is not a flat cell
        quick_boots = 0
    rtc.memory(record(0, quick_boots + 1) + rest)
    failed = close_all(machine, time, config)
    if quick_boots == QUICK_BOOTS_MAX:
        rtc.memory(record(0, QUICK_BOOTS_MAX - 1) + rest)
        machine.deepsleep(REST_MS)
    return failed


def maintenance_asked(machine: "Machine", time: "Time", select: "Select", stdin: "Keyboard") -> bool:
    """True if, within a second of a power-on or a press of reset, the button is pressed or Return or Ctrl-C comes in on the cable (a stray byte is
    neither: maintenance has no end of its own).

    The button must come after reset: held during it, it starts the chip's own loader instead of this file.
    """
    if machine.reset_cause() not in (machine.PWRON_RESET, machine.HARD_RESET):
        return False
    button = machine.Pin(BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
    poller = select.poll()
    poller.register(stdin, select.POLLIN)
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < WINDOW_MS:
        if not button() or (poller.poll(10) and stdin.read(1) in "\r\n\x03"):
            return True
    return False
