"""INA219: voltage and current of the battery or the panel. It must not know what they mean."""

from .errors import SensorError

BATTERY, PANEL = 0x40, 0x41
_SHUNT, _BUS = 1, 2


def read(i2c, address):
    """(mV, mA) at `address`, through the usual 0.1 ohm shunt. Raises SensorError when the part does not answer or overflowed."""
    try:
        shunt = i2c.readfrom_mem(address, _SHUNT, 2)
        bus = i2c.readfrom_mem(address, _BUS, 2)
    except OSError:
        raise SensorError("ina219")
    raw = bus[0] << 8 | bus[1]
    if raw & 1:  # the math overflow flag
        raise SensorError("ina219")
    current = shunt[0] << 8 | shunt[1]
    if current & 0x8000:
        current -= 0x10000
    return (raw >> 3) * 4, current // 10  # 4 mV and 10 uV steps (INA219 datasheet, tables 5 and 6)
