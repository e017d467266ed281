"""Water: what each zone's soil lacks, reckoned day by day from weather and watering, and how much a smart program gives.

Rule: integers in, integers out, water depths in um (1 um on 1 m2 is 1 ml), every value below 2**30. One stated order: a local day is one step at its end,

    depletion = depletion + Kc * ET0 - rain - irrigation, then brought into 0 ... available water    (FAO-56 eq. 85 and 88, without runoff)

The books hold the depletion at the end of a settled day, and apart the weather and the irrigation of the days after it, today's included. What is asked for is
reckoned from there anew each time, so a day's weather may come late, twice, or be put right: it replaces what was there. A day that nobody tells of takes
its month's ET0 and no rain. It must not know clocks, files or valves.
"""

from .localtime import date_of

DAYS = 7  # that the books hold apart: today and six before it
UNKNOWN = -1

# The books: a list of integers, these fields, then ET0 and rain of each day after the settled one, then for each zone its depletion and irrigations
SETTLED = 0  # a local day number
CORRECTED = (
    1  # 16 times the day on which probes were asked last (its lowest 12 bits), and a bit for each zone whose probe was
)
RUN_ID = 2  # the run that was booked last, and how much of it
RUN_UM = 3
WEATHER = 4
ZONES = WEATHER + 2 * DAYS
ZONE = 1 + DAYS  # fields

# A zone's ground
AVAILABLE = 0  # um between field capacity and wilting point over the roots' depth (TAW)
ALLOWED_PCT = 1  # of it may be used up (FAO-56 table 22)
KC_PCT = 2  # crop coefficient (table 12)
RATE = 3  # um that the sprinklers give in an hour
AREA = 4  # 1/100 m2 that they water; 0: not known, or it does not matter

MISSING_ET0 = 4000  # um a day, where nobody tells of the place either
ROOM_PCT = 60  # of what is allowed that a run leaves used up: room for rain, and for books that are a little wrong
LEAST_UM = 2000  # nobody opens a valve for less
BAND_PCT = 4  # of the available water by which a probe and the books may differ
STEP = 10  # um: so fine are depths in the books
_LOST_DAYS = 400  # further back nothing is left to know


def opened(zones: int, today: int, grounds: tuple) -> list:
    """New books: half of what is allowed is used up. `grounds` has a tuple or () for each zone."""
    books = [today - 1, 0, 0, 0] + [UNKNOWN, 0] * DAYS
    for zone in range(1, zones + 1):
        ground = grounds[zone - 1]
        books += [ground[AVAILABLE] * ground[ALLOWED_PCT] // 200 if ground else 0] + [0] * DAYS
    return books


def month_et0(months: tuple, day: int) -> int:
    """ET0 of a usual day in the month of `day`, in um; `months` has twelve, or none."""
    return months[date_of(day)[1] - 1] if months else MISSING_ET0


def _day_end(depletion: int, ground: tuple, et0: int, rain: int, irrigation: int) -> int:
    crop = et0 * ground[KC_PCT] // 100
    return min(max(depletion + crop - rain - irrigation, 0), ground[AVAILABLE])


def _weather(books: list, months: tuple, day: int) -> tuple:
    """(ET0, rain) of `day`, a later one than the settled."""
    i = day - books[SETTLED] - 1
    if i < DAYS and books[WEATHER + 2 * i] != UNKNOWN:
        return books[WEATHER + 2 * i], books[WEATHER + 2 * i + 1]
    return month_et0(months, day), 0


def depletion_um(books: list, zone: int, ground: tuple, months: tuple, today: int) -> int:
    """What the soil of `zone` lacks now: today's rain and irrigation have come, today's evaporation has not. Water that a wrong clock booked ahead counts."""
    at = ZONES + ZONE * (zone - 1)
    depletion = books[at]
    settled = books[SETTLED]
    for day in range(max(settled + 1, today - _LOST_DAYS), today):
        et0, rain = _weather(books, months, day)
        i = day - settled
        depletion = _day_end(depletion, ground, et0, rain, books[at + i] if i <= DAYS else 0)
    i = today - settled
    rain = 0
    if 0 < i <= DAYS and books[WEATHER + 2 * i - 2] != UNKNOWN:
        rain = books[WEATHER + 2 * i - 1]
    return _day_end(depletion, ground, 0, rain, sum(books[at + max(1, i) : at + ZONE]))


def settle(books: list, grounds: tuple, months: tuple, today: int) -> None:
    """Close the days that are too far back to hold apart. A clock that was set back costs the weather of the days that are to come once more."""
    if books[SETTLED] >= today:
        books[SETTLED] = today - 1
        books[WEATHER:ZONES] = [UNKNOWN, 0] * DAYS
        for at in range(ZONES, len(books), ZONE):
            books[at + 1 : at + ZONE] = [sum(books[at + 1 : at + ZONE])] + [0] * (DAYS - 1)
    books[SETTLED] = max(books[SETTLED], today - DAYS - _LOST_DAYS)
    while books[SETTLED] < today - DAYS:
        et0, rain = _weather(books, months, books[SETTLED] + 1)
        for i, ground in enumerate(grounds):
            at = ZONES + ZONE * i
            if ground and at < len(books):
                books[at] = _day_end(books[at], ground, et0, rain, books[at + 1])
                books[at + 1 : at + ZONE] = books[at + 2 : at + ZONE] + [0]
        books[WEATHER:ZONES] = books[WEATHER + 2 : ZONES] + [UNKNOWN, 0]
        books[SETTLED] += 1


def take_weather(books: list, days: tuple) -> bool:
    """Note the weather of `days`, (day number, ET0 in um, rain in um); what is known of a day is replaced, a settled day stays as it is. Settle first.
    Returns whether that changed anything."""
    changed = False
    for day, et0, rain in days:
        i = WEATHER + 2 * (day - books[SETTLED] - 1)
        told = [et0 // STEP * STEP, rain // STEP * STEP]
        if WEATHER <= i < ZONES and books[i : i + 2] != told:
            books[i : i + 2] = told
            changed = True
    return changed


def weather_day(books: list) -> int:
    """The last day whose weather is known; 0: none of those that are held apart."""
    for i in range(DAYS, 0, -1):
        if books[WEATHER + 2 * i - 2] != UNKNOWN:
            return books[SETTLED] + i
    return 0


def note_irrigation(books: list, zone: int, um: int, run_id: int, today: int) -> None:
    """Note that the run `run_id` has given `zone` so much in all; what was noted of it before counts once. Settle first."""
    noted = books[RUN_UM] if books[RUN_ID] == run_id else 0
    um = (um + STEP // 2) // STEP * STEP
    books[RUN_ID] = run_id
    books[RUN_UM] = max(um, noted)
    at = ZONES + ZONE * (zone - 1) + min(max(today - books[SETTLED], 1), DAYS)
    books[at] = min(books[at] + max(0, um - noted), 0xFFFF * STEP)


def correct(books: list, zone: int, ground: tuple, now_um: int, soil_pct: int, today: int) -> bool:
    """Bring the books, which say that `zone` lacks `now_um`, half way to what its probe says, once a day; a small difference is the probe's. Returns False
    if it was asked today."""
    day = today % 4096 * 16
    asked = books[CORRECTED] % 16 if books[CORRECTED] // 16 * 16 == day else 0
    if asked >> (zone - 1) & 1:
        return False
    books[CORRECTED] = day + (asked | 1 << (zone - 1))
    apart = (100 - soil_pct) * ground[AVAILABLE] // 100 - now_um
    band = ground[AVAILABLE] * BAND_PCT // 100
    if not -band <= apart <= band:
        at = ZONES + ZONE * (zone - 1)
        books[at] = min(max(books[at] + apart // 2, -ground[AVAILABLE]), ground[AVAILABLE])
    return True


def need_um(now_um: int, ground: tuple, ahead_um: int) -> int:
    """What a zone that lacks `now_um` is to be given now, if until the next chance to water the air asks for `ahead_um` of ET0; 0: the soil holds enough."""
    allowed = ground[AVAILABLE] * ground[ALLOWED_PCT] // 100
    left = allowed - ahead_um * ground[KC_PCT] // 100
    if now_um <= left:
        return 0
    need = now_um - max(0, min(left, allowed * ROOM_PCT // 100))
    return need if need >= LEAST_UM else 0


def time_s(um: int, ground: tuple) -> int:
    """How long the sprinklers take for `um`, in seconds, rounded up."""
    return (um * 3600 + ground[RATE] - 1) // ground[RATE]


def applied_um(ground: tuple, open_s: int, ml: int) -> int:
    """What a run of `open_s` gave; by its metered `ml` where these (not UNKNOWN) and the area are known."""
    area = ground[AREA]
    if area and ml != UNKNOWN:
        return ml // area * 100 + ml % area * 100 // area
    return open_s // 60 * ground[RATE] // 60 + open_s % 60 * ground[RATE] // 3600
