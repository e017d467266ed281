"""Soil probe (seesaw, capacitive): moisture in percent between the two calibration points. It must not know watering."""

from .errors import SensorError

FIRST_ADDRESS = 0x36  # zone 1; one more for each further zone
_TOUCH = b"\x0f\x10"
_WAIT_MS = 5
_RAW_MAX = 4095


def read_pct(board, zone, dry_raw, wet_raw):
    """Moisture at the probe of `zone`, 0 to 100. Raises SensorError when it does not answer or answers nonsense."""
    i2c = board.i2c()
    address = FIRST_ADDRESS + zone - 1
    try:
        i2c.writeto(address, _TOUCH)
        board.sleep_ms(_WAIT_MS)
        data = i2c.readfrom(address, 2)
    except OSError:
        raise SensorError("soil")
    raw = data[0] << 8 | data[1]
    if raw > _RAW_MAX or wet_raw == dry_raw:
        raise SensorError("soil")
    return max(0, min(100, 100 * (raw - dry_raw) // (wet_raw - dry_raw)))
