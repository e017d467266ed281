"""Self-test: does what was provisioned answer? A late module: loaded when `health` is told, then dropped.

Rule: asks every part once and changes nothing that counts; what fails is a word of protocol.SELF_TESTS. A part is asked by itself, never by a scan of the whole
bus: on a bus that hangs, a scan outlasts the watchdog. It must not know what the parts are for.
"""

from .errors import StoreError
from .store import read_file, unsealed, write_file

if False:  # for annotations
    from .app import App
    from .board import Board
    from .settings import Config

SCRATCH = "/selftest.bin"
_BATTERY, _PANEL, _EXPANDER, _DS3231, _SOIL = 0x40, 0x41, 0x20, 0x68, 0x36


def check(app: "App") -> list:
    """Words for what does not work; at most a second, the watchdog is fed."""
    board, config = app.board, app.config
    found = []
    for address, word in _expected(board, config):
        board.feed()
        try:
            board.i2c().readfrom(address, 1)
        except OSError:
            if word not in found:
                found.append(word)
    if not app.senses.battery()[0] and "battery" not in found:
        found.append("battery")
    app.memory.save_rtc(board)
    if unsealed(board.rtc_load()) is None:
        found.append("rtc_memory")
    if app.wake_reason != "timer" and not _flash_works(board):  # the daily sleeper's flash is left alone
        found.append("flash")
    if app.press_ms < 0:
        found.append("button")
    return found


def _expected(board: "Board", config: "Config") -> list:
    """(I2C address, word) of the parts that config.json names."""
    parts = []
    if config.battery_sensor == "ina219":
        parts.append((_BATTERY, "battery"))
    if config.panel_sensor:
        parts.append((_PANEL, "panel"))
    if board.zones() > 1:
        parts.append((_EXPANDER, "expander"))
    if config.ds3231 or config.temperature_sensor == "ds3231":
        parts.append((_DS3231, "ds3231"))
    probes = [i for i in range(len(config.soil_raw)) if config.soil_raw[i] and i + 1 != config.analog_probe_zone]
    return parts + [(_SOIL + i, "soil") for i in probes]


def _flash_works(board: "Board") -> bool:
    """Write a file, read it back, remove it."""
    data = board.random_hex(8).encode()
    try:
        write_file(board, SCRATCH, data)
        same = read_file(board, SCRATCH) == data
        board.os.remove(SCRATCH)
    except (StoreError, OSError):
        return False
    return same
