"""Watering: the books of the soil's water on flash, and what the board does with them. A late module: loaded when programs are planned.

Rule: core.water reckons; here its books are read, written when they changed, and fed. They lie on flash alone: RTC memory has no room, and what a loss of
power would cost is known nowhere else. It must not know valves.
"""

import struct

from .core import water
from .core.localtime import DAY_S, date_of
from .cycles import UNDECIDED, split
from .errors import StoreError
from .settings import GROUND_FORM
from .store import read_file, sealed, unsealed, write_file

if False:  # for annotations
    from shapes import Start

    from .app import App

BOOKS = "/water.bin"
_HEAD, _ZONE, _NONE = "<HHHI14H", "i7H", 0xFFFF


def _grounds(app: "App") -> tuple[tuple[int, ...], ...]:
    """For each zone what core.water must know of it; () where it is not described."""
    found = []
    for zone in range(1, app.board.zones() + 1):
        fields = struct.unpack(GROUND_FORM, app.settings.water[4 + 8 * zone : 12 + 8 * zone])
        ground = (fields[0] * 10, fields[1], fields[2], fields[3] * 10, fields[4])
        found.append(ground if fields[0] else ())
    return tuple(found)


def _months(app: "App") -> tuple[int, ...]:
    return tuple([tenths * 100 for tenths in app.settings.water[:12]])


def _form(app: "App") -> str:
    return _HEAD + _ZONE * app.board.zones()


def _open(app: "App", today: int) -> list[int]:
    """The books as of `today`; new ones where there are none that fit."""
    grounds = _grounds(app)
    body = read_file(app.board, BOOKS)
    body = unsealed(body) if body else None
    if not body or len(body) != struct.calcsize(_form(app)):
        books = water.opened(len(grounds), today, grounds)
        books[water.RUN_ID] = app.memory.run_id - bool(app.memory.open_zone)  # earlier runs count no more
        _keep(app, books)
        return books
    books = list(struct.unpack(_form(app), body))
    for i in range(water.WEATHER, len(books)):
        if i < water.ZONES or (i - water.ZONES) % water.ZONE:
            books[i] *= water.STEP
    for i in range(water.WEATHER, water.ZONES, 2):
        if books[i] == _NONE * water.STEP:
            books[i] = water.UNKNOWN
    water.settle(books, grounds, _months(app), today)
    return books


def _keep(app: "App", books: list[int]) -> None:
    """Write the books down. A flash that fails is a fault; the soil is then taken for drier than it is, and a run still ends with its run time."""
    fields = books[:]
    for i in range(water.WEATHER, len(fields)):
        if i < water.ZONES or (i - water.ZONES) % water.ZONE:
            fields[i] = _NONE if fields[i] == water.UNKNOWN else fields[i] // water.STEP
    try:
        write_file(app.board, BOOKS, sealed(struct.pack(_form(app), *fields)))
    except StoreError:
        app.storage_fault = True


def decide(app: "App", found: "list[Start]", starts: tuple[int, ...], now_s: int, ahead_s: int) -> tuple[int, ...]:
    """Bring the books up to date, and give each undecided start that was `found` its run time, or the reason why it is not needed. `ahead_s`: how far local
    time is ahead. Returns what the state says of the books."""
    today = (now_s + ahead_s) // DAY_S
    books = _open(app, today)
    days, app.planner.days = app.planner.days, ()
    news = water.take_weather(books, days)
    if _book_runs(app, books, today, ahead_s) or news:
        _keep(app, books)
    for i, start in enumerate(found):
        if start[4] == UNDECIDED:
            next_s = starts[start[0]]
            ahead_days = min(max((next_s + ahead_s) // DAY_S - today, 1), 30)
            run_ms = _need_ms(app, books, start[0], today, ahead_days, start[3])
            part_ms, half_s = split(app.settings, start[0], run_ms)
            reason = "not_needed" if run_ms < app.limits[1] else ""
            found[i] = (start[0], start[1], start[2] | half_s << 16, part_ms, reason)
    return _tell(app, books, today)


def _book_runs(app: "App", books: list[int], today: int, ahead_s: int) -> bool:
    """Book the last run of each zone, if it came after the one that was booked last: RTC memory holds them, so a reset or an unset clock loses none but what
    a later run in the same zone has replaced. Returns whether there was any."""
    found = []
    if (app.memory.run_id - books[water.RUN_ID]) & 0xFFFF >= 0x8000:  # the ledger was lost, and counts anew
        books[water.RUN_ID] = 0
    for i, ground in enumerate(_grounds(app)):
        run = app.memory.last_runs[i]
        later = (run[0] - books[water.RUN_ID]) & 0xFFFF if run and ground else 0
        if 0 < later < 0x8000:
            found.append((later, i, ground, run))
    news = False
    for _, i, ground, run in sorted(found):
        day = min((run[1] + ahead_s) // DAY_S, today) if run[1] else today  # by an unset clock: now
        if day <= books[water.SETTLED]:
            continue
        ml = run[6] if app.senses.has_flow() and run[0] != app.runs.parted else water.UNKNOWN
        water.note_irrigation(books, i + 1, water.applied_um(ground, run[5], ml), run[0], day)
        news = True
    return news


def _tell(app: "App", books: list[int], today: int) -> tuple[int, ...]:
    """What the state says of them: the last day of known weather as yyyymmdd, and each zone's depletion; UNKNOWN where it is not described."""
    date = date_of(water.weather_day(books)) if water.weather_day(books) else (0, 0, 0)
    months = _months(app)
    told = [date[0] * 10000 + date[1] * 100 + date[2]]
    for i, ground in enumerate(_grounds(app)):
        told.append(water.depletion_um(books, i + 1, ground, months, today) if ground else water.UNKNOWN)
    return tuple(told)


def _need_ms(app: "App", books: list[int], zone: int, today: int, ahead_days: int, run_ms: int) -> int:
    """How much of `run_ms` a smart program is to water in `zone`, if the next start is in so many days: 0 if the soil holds enough until then. A probe has
    its say first. Without a description of the zone all of it."""
    ground, months = _grounds(app)[zone - 1], _months(app)
    if not ground:
        return run_ms
    lacking = water.depletion_um(books, zone, ground, months, today)
    soil_pct = app.senses.soil_pct(zone)
    if soil_pct is not None and water.correct(books, zone, ground, lacking, soil_pct, today):
        _keep(app, books)
        lacking = water.depletion_um(books, zone, ground, months, today)
    need = water.need_um(lacking, ground, water.month_et0(months, today) * (2 * ahead_days + 1) // 2)
    return min(run_ms, min(water.time_s(need, ground), 7200) * 1000)
