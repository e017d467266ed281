"""Energy: how long the board sleeps, what the sleep timer must be asked for, and how many days the battery lasts.

Rule: integers in, integers out. Worked out once a wake, so it comes with a late module. It must not know valves, clocks or files.
"""

from .power import CRITICAL_MV, LONGEST_SLEEP_S, battery_pct

SAVER_FACTOR = 4
DULL_FACTOR = 2
DULL_DAYS = 7  # with less battery than this at the present sun, the board wakes more seldom
WINTER_SLEEP_S = 21600
LAST_HOP_S = 300

DRIFT_MAX = 1000  # hundredths of a percent: a sleep that is further off was no sleep
DRIFT_SLEEP_S_MIN = 600  # shorter ones tell more about the second that clocks are read to

BATTERY_DAYS_MAX = 99  # or more: it does not fall
NO_DAYS = 255  # not known yet


def wake_every_s(power_mode: str, wake_interval_s: int, battery_days: int) -> int:
    """Seconds between two wakes in `power_mode`; more where the battery does not last long (`battery_days`, or NO_DAYS)."""
    if power_mode == "winter":
        return WINTER_SLEEP_S
    if power_mode == "critical":
        return LONGEST_SLEEP_S
    if power_mode == "saver":
        return min(wake_interval_s * SAVER_FACTOR, LONGEST_SLEEP_S)
    if battery_days < DULL_DAYS:
        return min(wake_interval_s * DULL_FACTOR, LONGEST_SLEEP_S)
    return wake_interval_s


def approach_s(left_s: int) -> int:
    """How long to sleep when something starts in `left_s`: a tenth less, so that the time can be confirmed, then the short rest of at most LAST_HOP_S."""
    if left_s <= LAST_HOP_S:
        return max(1, left_s)
    return max(left_s * 9 // 10, min(left_s, LONGEST_SLEEP_S) - LAST_HOP_S)


def asked_s(seconds: int, drift: int) -> int:
    """What to ask the sleep timer for, to sleep `seconds`; `drift` is how much longer it sleeps than asked, in hundredths of a percent."""
    return max(1, (seconds * 10000 + (10000 + drift) // 2) // (10000 + drift))


def learned(drift: int, error_s: int, slept_s: int) -> int:
    """The drift as the last sleeps (`slept_s`, corrected by `drift`) showed it. `error_s`: how far the clock was ahead after them.

    The first is believed at once, later ones by half; what would be more than a tenth is no drift.
    """
    if slept_s < DRIFT_SLEEP_S_MIN or abs(error_s) * 10 > slept_s:
        return drift
    change = -error_s * 10000 // slept_s
    change = drift + (change // 2 if drift else change)
    return change if -DRIFT_MAX <= change <= DRIFT_MAX else drift


def solar_day(now_s: int, longitude_cdeg: int) -> int:
    """Number of the day from one solar midnight to the next, so that dawn, when a battery is lowest, lies in its middle."""
    return (now_s + longitude_cdeg * 12 // 5) // 86400


def note_battery(known: tuple, day: int, battery_mv: int) -> tuple:
    """What is known of the battery's days, with a reading of `day` added: (day, its lowest mV, that of the day before, days left).

    A lowest reading of 0 means that the day was not seen from its beginning. An unknown battery (0 mV) changes nothing.
    """
    known_day, low_mv, before_mv, days = known
    if not battery_mv:
        return known
    if day == known_day:
        return (day, min(low_mv, battery_mv), before_mv, days)
    if day != known_day + 1:
        return (day, 0, 0, NO_DAYS)
    if low_mv and before_mv:
        days = battery_days(low_mv, before_mv)
    return (day, battery_mv, low_mv, days)


def battery_days(low_mv: int, before_mv: int) -> int:
    """Days until the battery is critical, if each takes as much as the last one: from the lowest voltages of the last day and of the one before."""
    left_pct = battery_pct(low_mv) - battery_pct(CRITICAL_MV[0])
    fall_pct = battery_pct(before_mv) - battery_pct(low_mv)
    if left_pct <= 0:
        return 0
    return min(left_pct // fall_pct, BATTERY_DAYS_MAX) if fall_pct > 0 else BATTERY_DAYS_MAX
