"""INA219: voltage and current of the battery or the panel. It sleeps between two readings. It must not know what they mean."""

from .errors import SensorError

if False:  # for annotations
    from .board import Board

BATTERY, PANEL = 0x40, 0x41
_SET, _SHUNT, _BUS = 0, 1, 2
_AWAKE, _ASLEEP = (
    b"\x39\x9f",
    b"\x39\x98",
)  # 32 V, 320 mV, 12 bit; both without end, or powered down (datasheet, table 3)
_CONVERSION_MS = 2  # shunt and bus take 0.53 ms each


def read(board: "Board", address: int) -> tuple[int, int]:
    """(mV, mA) at `address`, through the usual 0.1 ohm shunt. Raises SensorError when the part does not answer, is not ready, or overflowed."""
    i2c = board.i2c()
    try:
        i2c.writeto_mem(address, _SET, _AWAKE)
        board.sleep_ms(_CONVERSION_MS)
        shunt = i2c.readfrom_mem(address, _SHUNT, 2)
        bus = i2c.readfrom_mem(address, _BUS, 2)
        i2c.writeto_mem(address, _SET, _ASLEEP)
    except OSError:
        raise SensorError("ina219")
    raw = bus[0] << 8 | bus[1]
    if raw & 3 != 2:  # bit 1: a conversion is ready; bit 0: the math overflowed
        raise SensorError("ina219")
    current = shunt[0] << 8 | shunt[1]
    if current & 0x8000:
        current -= 0x10000
    return (raw >> 3) * 4, current // 10  # 4 mV and 10 uV steps (INA219 datasheet, tables 5 and 6)
