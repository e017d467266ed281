"""Coil: does a valve's pulse have its current? A late module: loaded for each pulse where config.json names that current, then dropped.

Rule: the battery's INA219 measures what the cell gives, shortly before the pulse and in its middle; the difference is the coil's. A sensor that does not
answer says nothing, and stops no pulse. It must not know what follows from it.
"""

from .ina219 import BATTERY

if False:  # for annotations
    from .app import App
    from .board import Board

SEEN, MISSING, UNKNOWN = 1, 0, -1
_SET, _SHUNT = 0, 1
_SHUNT_ALONE, _ASLEEP = (
    b"\x39\xdd",
    b"\x39\x98",
)  # the mean of eight readings every 4.3 ms (INA219 datasheet, table 3); powered down
_SETTLE_MS = 10  # two of those


def pulse(app: "App", zone: int, opening: bool) -> int:
    """Give the pulse. SEEN: its current was that of the coil, within a half; MISSING: less (a broken wire, no coil) or more (a short circuit); UNKNOWN:
    nothing was measured. Raises OSError as board.pulse does."""
    board, nominal_ma = app.board, app.config.pulse_ma
    found: list[int] = []
    try:
        board.i2c().writeto_mem(BATTERY, _SET, _SHUNT_ALONE)
        board.sleep_ms(_SETTLE_MS)
        found.append(_drawn_ma(board))
    except OSError:
        pass
    if not found or not board.can_look():
        board.pulse(zone, opening)
        return UNKNOWN
    board.pulse(zone, opening, lambda: found.append(_drawn_ma(board)))
    try:
        board.i2c().writeto_mem(BATTERY, _SET, _ASLEEP)
    except OSError:
        pass  # it goes on measuring, at a milliampere, until the next reading
    if len(found) < 2:
        return UNKNOWN
    app.pulse_ma = found[1] - found[0]
    return SEEN if nominal_ma <= 2 * app.pulse_ma <= 3 * nominal_ma else MISSING


def _drawn_ma(board: "Board") -> int:
    """What the cell gives, in mA; less than nothing while it is charged."""
    raw = board.i2c().readfrom_mem(BATTERY, _SHUNT, 2)
    current = raw[0] << 8 | raw[1]
    if current & 0x8000:
        current -= 0x10000
    return -current // 10  # 10 uV steps at 0.1 ohm (table 5)
