"""Sampling: reads every sensor once. A late module: loaded for each sample, then dropped.

Rule: what fails is None and marks `senses.failed`; nothing here raises. It must not know runs or messages.
"""

from . import ds3231, ina219, soil
from .core.energy import note_battery, solar_day
from .errors import SensorError
from .store import DRY, NO_DC, NONE_I16, NONE_U8, NONE_U16, WET

if False:  # for annotations
    from shapes import Callable, Read

    from .board import Board
    from .senses import Senses
    from .settings import Config
    from .store import Memory

_EXPANDER, _PULL_UPS, _PORT = 0x20, 0x06, 0x09  # MCP23008
_RAIN_BIT = 4


def take(senses: "Senses", board: "Board", config: "Config", at_s: int, rssi_dbm: int | None) -> list[int]:
    """Read all sensors into `senses`. Returns the fields of a sample, in the order of the store's form."""
    senses.failed = False
    battery_mv, battery_ma = senses.battery()
    panel = _try(senses, ina219.read, board, ina219.PANEL) if config.panel_sensor else None
    for zone in range(1, 5):
        senses.soil[zone - 1] = _soil(senses, board, config, zone)
    senses.temperature_dc = _temperature(senses, board, config)
    senses.rain = _rain(senses, board, config)
    values = [at_s, _or(panel and panel[0], NONE_U16), _or(panel and panel[1], NONE_I16), battery_mv or NONE_U16]
    values.append(_or(battery_ma, NONE_I16))
    values += [_or(pct, NONE_U8) for pct in senses.soil]
    values.append(_or(senses.flow_rate_ml_min, NONE_U16))
    values.append(rssi_dbm if rssi_dbm is not None and -127 <= rssi_dbm < 0 else 0)
    rain = 0 if senses.rain is None else (WET if senses.rain else DRY)
    values.append(4 * _or(senses.temperature_dc, NO_DC) + rain)
    return values


def note_day(memory: "Memory", at_s: int, longitude_cdeg: int, battery_mv: int) -> None:
    """Keep what the battery's days need (`battery_mv` as in a sample); nothing while the time or the battery is unknown."""
    if at_s and battery_mv != NONE_U16:
        known = (memory.low_day, memory.low_mv, memory.low_before_mv, memory.battery_days)
        known = note_battery(known, solar_day(at_s, longitude_cdeg), battery_mv)
        memory.low_day, memory.low_mv, memory.low_before_mv, memory.battery_days = known


def _try(senses: "Senses", read: "Callable[..., Read]", *arguments: object) -> "Read | None":
    try:
        return read(*arguments)
    except (SensorError, TypeError, ValueError):  # the latter two: a calibration that is no pair of numbers
        senses.failed = True
        return None


def _or(value: int | None, none: int) -> int:
    return none if value is None else max(-32767, min(value, 65534))


def _soil(senses: "Senses", board: "Board", config: "Config", zone: int) -> int | None:
    """Moisture in percent; None where there is no probe (no calibration), or where it failed."""
    if zone > len(config.soil_raw) or not config.soil_raw[zone - 1]:
        return None
    return _try(senses, _moisture_pct, board, config, zone)


def _moisture_pct(board: "Board", config: "Config", zone: int) -> int:
    dry_raw, wet_raw = config.soil_raw[zone - 1]
    if zone != config.analog_probe_zone:
        return soil.moisture_pct(soil.seesaw_raw(board, zone), dry_raw, wet_raw)
    if config.battery_sensor == "adc":
        raise SensorError("soil")  # there is one ADC, and the battery has it: its voltage would pass for moisture
    return soil.moisture_pct(soil.analog_raw(board), dry_raw, wet_raw)


def _temperature(senses: "Senses", board: "Board", config: "Config") -> int | None:
    """In tenths of a degree; None where nothing measures it, or where it failed."""
    if config.temperature_sensor == "ds3231":
        return _try(senses, ds3231.temperature_dc, board)
    if config.temperature_sensor == "soil":
        for zone in range(1, len(config.soil_raw) + 1):
            if config.soil_raw[zone - 1] and zone != config.analog_probe_zone:
                return _try(senses, soil.temperature_dc, board, zone)
    if config.temperature_sensor:
        senses.failed = True
    return None


def _rain(senses: "Senses", board: "Board", config: "Config") -> bool | None:
    """True while it is wet; None where there is no switch, or where it failed."""
    if not config.rain_switch:
        return None
    is_open = None
    if config.rain_switch == "expander":
        is_open = _try(senses, _expander_level, board)
    elif config.rain_switch == "flow_pin" and not config.ul_per_pulse:
        is_open = board.flow_pin_level()
    if is_open is None:
        senses.failed = True  # not such a place, or the flow meter has it
        return None
    return bool(is_open) == config.rain_when_open


def _expander_level(board: "Board") -> int:
    """The level of the expander's GP4 against its own pull-up: 1 while the contact is open."""
    i2c = board.i2c()
    try:
        i2c.writeto_mem(_EXPANDER, _PULL_UPS, bytes((1 << _RAIN_BIT,)))
        return i2c.readfrom_mem(_EXPANDER, _PORT, 1)[0] >> _RAIN_BIT & 1
    except OSError:
        raise SensorError("rain")
