"""Soil probes: moisture in percent between the two calibration points, and the temperature in the ground. Comes with the late module `sampling`.

Rule: a seesaw probe for each zone on the bus, or one analog probe on the ADC. It must not know watering.
"""

from .errors import SensorError

if False:  # for annotations
    from .board import Board

FIRST_ADDRESS = 0x36  # zone 1; one more for each further zone
_TOUCH, _TEMPERATURE = b"\x0f\x10", b"\x00\x04"
_WAIT_MS = 5
_RAW_MAX = 4095
_ANALOG_RAW = (8, 1016)  # outside of this no probe is connected, of 0 to 1024
_TEMPERATURE_DC = (-400, 850)


def _ask(board: "Board", zone: int, what: bytes, count: int) -> bytes:
    i2c = board.i2c()
    address = FIRST_ADDRESS + zone - 1
    try:
        i2c.writeto(address, what)
        board.sleep_ms(_WAIT_MS)
        return i2c.readfrom(address, count)
    except OSError:
        raise SensorError("soil")


def seesaw_raw(board: "Board", zone: int) -> int:
    """What the probe of `zone` measures. Raises SensorError when it does not answer or answers nonsense."""
    data = _ask(board, zone, _TOUCH, 2)
    raw = data[0] << 8 | data[1]
    if raw > _RAW_MAX:
        raise SensorError("soil")
    return raw


def analog_raw(board: "Board") -> int:
    """What the probe on the ADC measures. Raises SensorError when none is connected."""
    raw = board.adc_raw()
    if not _ANALOG_RAW[0] <= raw <= _ANALOG_RAW[1]:
        raise SensorError("soil")
    return raw


def moisture_pct(raw: int, dry_raw: int, wet_raw: int) -> int:
    """0 at the dry point, 100 at the wet one, and never beyond. Either may be the higher number. Raises SensorError when they are the same."""
    if wet_raw == dry_raw:
        raise SensorError("soil")
    return max(0, min(100, 100 * (raw - dry_raw) // (wet_raw - dry_raw)))


def temperature_dc(board: "Board", zone: int) -> int:
    """Temperature of the chip of the probe of `zone`, which lies in the ground: 16.16 fixed point (seesaw, module 0x00, register 0x04). Raises
    SensorError; an unused probe answers ff ff ff ff."""
    data = _ask(board, zone, _TEMPERATURE, 4)
    whole = (data[0] & 0x3F) << 8 | data[1]  # the two highest bits are no part of the number
    if whole & 0x2000:
        whole -= 0x4000
    found_dc = whole * 10 + ((data[2] << 8 | data[3]) * 10 >> 16)
    if data == b"\xff\xff\xff\xff" or not _TEMPERATURE_DC[0] <= found_dc <= _TEMPERATURE_DC[1]:
        raise SensorError("temperature")
    return found_dc
