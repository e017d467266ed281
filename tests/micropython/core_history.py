"""Ten thousand steps of the core under chance, printed: two interpreters that agree on it agree on the core.

Bare, import-free but for the core: CPython and the board's interpreter both run it.
"""

from sprinkler.core import controller, localtime, power, schedule, water
from sprinkler.core.safety import LIMITS

KINDS = ("run", "run", "stop", "bare_stop", "clear_fault", "failed")
STEPS = 10000


def chance(seed):
    """A generator of 15-bit numbers that never needs more than a small int."""
    while True:
        seed = (seed * 1103 + 12345) % 65521
        yield seed & 0x7FFF


def request(dice, zones):
    """One request, or none."""
    if next(dice) % 40:
        return ()
    kind = KINDS[next(dice) % len(KINDS)]
    zone = 1 + next(dice) % zones
    if kind == "run":
        return ((kind, zone, next(dice) * 500, next(dice) % 9),)
    if kind == "failed":
        return ((kind, zone, "sensor" if next(dice) % 2 else "storage"),)
    return ((kind,) if kind == "bare_stop" else (kind, zone),)


def live(zones, seed):
    """One controller's life, step by step."""
    dice = chance(seed)
    state = controller.booted(zones, [0] * zones, None, "power_on", LIMITS)
    for step in range(STEPS // zones):
        battery_mv = 3300 + next(dice) % 900
        flow_ml = 0 if next(dice) % 3 else next(dice) % 400
        state, actions, due_ms = controller.step(
            state, 100 + next(dice) % 1900, (battery_mv, flow_ml), request(dice, zones), LIMITS
        )
        if actions or step % 50 == 0:
            print(zones, step, state, actions, due_ms)


def soak_up(seed):
    """A year and more of books that hear of weather late, twice or never, with a clock that leaps."""
    dice = chance(seed)
    grounds = ((78000, 40, 95, 15000, 0), (), (43200, 50, 80, 200000, 5000))
    months = tuple(1000 + 400 * month for month in range(12))
    today = 9000
    books = water.opened(3, today, grounds)
    for step in range(600):
        today += next(dice) % 3 - (next(dice) % 40 == 0) * 3 + (next(dice) % 150 == 0) * 500
        water.settle(books, grounds, months, today)
        if next(dice) % 4:
            water.take_weather(books, [(today - next(dice) % 9, next(dice) % 12000, next(dice) % 20000)])
        for zone in (1, 3):
            ground = grounds[zone - 1]
            lacking = water.depletion_um(books, zone, ground, months, today)
            if next(dice) % 5 == 0:
                water.correct(books, zone, ground, lacking, next(dice) % 101, today)
            need = water.need_um(lacking, ground, 6000)
            given = water.applied_um(ground, water.time_s(need, ground), water.UNKNOWN)
            if given:
                water.note_irrigation(books, zone, given, step % 90, today)
            print(today, zone, lacking, need, given, water.weather_day(books))
    print(books)


for zone_count in (1, 2, 4):
    live(zone_count, 7 + zone_count)
soak_up(11)
rule = localtime.parse_rule("CET-1CEST,M3.5.0,M10.5.0/3")
weekly = (17, 0b1010101 << 2, 390, 600, schedule.NEVER)
sunny = (18 + 128 * schedule.SUNRISE, schedule.ODD, -30, 600, schedule.NEVER)
place = (rule, 5252, 1340, 301, 1031)
for day in range(0, 12000, 37):
    now_s = day * 86400 + day * 61 % 86400
    print(day, localtime.local_s(rule, now_s), schedule.due((weekly, sunny), [day - 2] * 2, now_s, place))
    print(schedule.next_starts((weekly, sunny), [day] * 2, now_s, place), power.battery_pct(2900 + day % 1400))
