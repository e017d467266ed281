"""Power: how much the board may do at this battery voltage.

Rule: integers in, words out, with hysteresis, so that a mode never flaps. It must not know valves.
"""

# Battery mV below which a mode is left for the poorer one, and above which it is entered again
SAVER_MV = (3700, 3800)
CRITICAL_MV = (3500, 3600)
LONGEST_SLEEP_S = 3600

# Open-circuit voltage of a LiPo cell at 0, 10 ... 100 %: usual values, not measured on the cell of the parts list
_OCV_MV = (3000, 3640, 3695, 3733, 3762, 3793, 3836, 3909, 3994, 4088, 4200)


def battery_pct(mv: int) -> int:
    """Charge in percent of a LiPo cell at rest with `mv` millivolts, between the table's points by straight lines."""
    if mv <= _OCV_MV[0]:
        return 0
    for i in range(1, 11):
        if mv < _OCV_MV[i]:
            low = _OCV_MV[i - 1]
            return 10 * (i - 1) + 10 * (mv - low) // (_OCV_MV[i] - low)
    return 100


def mode(before: str, battery_mv: int, responsive: bool, winter: bool) -> str:
    """The power mode (a word of protocol.POWER_MODES). An unknown battery (0 mV) is a critical one.

    `responsive`: someone wants the board awake; `winter`: it is put away for the season, which no battery needs to be spared for.
    """
    critical = battery_mv < CRITICAL_MV[before == "critical"]
    low = battery_mv < SAVER_MV[before in ("saver", "critical")]
    if responsive and not low:
        return "responsive"
    if winter:
        return "winter"
    if critical:
        return "critical"
    return "saver" if low else "normal"
