"""DS3231: a clock with a battery of its own, and a thermometer. Comes with the late modules that need it.

Rule: it is right only as long as its oscillator never stopped (status bit 7) since it was set. It must not know who else tells the time.
"""

from .core.localtime import DAY_S, date_of, day_number, weekday
from .errors import SensorError

if False:  # for annotations
    from .board import Board

ADDRESS = 0x68
_TIME, _STATUS, _TEMPERATURE = 0x00, 0x0F, 0x11
_STOPPED = 0x80


def _decimal(byte: int) -> int:
    return (byte >> 4) * 10 + (byte & 15)


def _coded(number: int) -> int:
    return number // 10 << 4 | number % 10


def read_s(board: "Board") -> int:
    """Seconds since 2000-01-01 UTC; 0 when it lost its time. Raises SensorError when it does not answer or answers nonsense."""
    i2c = board.i2c()
    try:
        stopped = i2c.readfrom_mem(ADDRESS, _STATUS, 1)[0] & _STOPPED
        data = i2c.readfrom_mem(ADDRESS, _TIME, 7)
    except OSError:
        raise SensorError("ds3231")
    second, minute, hour, _, day, month, year = [_decimal(byte) for byte in data]
    if stopped:
        return 0
    if second > 59 or minute > 59 or hour > 23 or not 1 <= day <= 31 or not 1 <= month <= 12 or year > 99:
        raise SensorError("ds3231")
    return day_number(2000 + year, month, day) * DAY_S + hour * 3600 + minute * 60 + second


def write_s(board: "Board", seconds: int) -> None:
    """Set it, and take note that its time is right from now on. Raises SensorError."""
    i2c = board.i2c()
    number = seconds // DAY_S
    year, month, day = date_of(number)
    parts = (seconds % 60, seconds // 60 % 60, seconds // 3600 % 24, weekday(number) + 1, day, month, year - 2000)
    try:
        i2c.writeto_mem(ADDRESS, _TIME, bytes(_coded(part) for part in parts))
        status = i2c.readfrom_mem(ADDRESS, _STATUS, 1)[0]
        i2c.writeto_mem(ADDRESS, _STATUS, bytes((status & ~_STOPPED & 0xFF,)))
    except OSError:
        raise SensorError("ds3231")


def temperature_dc(board: "Board") -> int:
    """Its temperature, to a quarter of a degree. Raises SensorError."""
    try:
        data = board.i2c().readfrom_mem(ADDRESS, _TEMPERATURE, 2)
    except OSError:
        raise SensorError("ds3231")
    quarters = (data[0] << 8 | data[1]) >> 6
    if quarters & 0x200:
        quarters -= 0x400
    return quarters * 10 // 4
