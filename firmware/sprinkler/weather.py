"""Weather: the days that Home Assistant tells of, checked before they are believed. A late module: loaded for one message, then dropped.

Rule: taken as a whole or refused as a whole, with a reason word; the planner then books them, when the message has left the heap. It must not know the books.
"""

import json

from . import protocol
from .core.localtime import DAY_S, date_of, day_number, local_s
from .errors import RefusedError
from .settings import integer

if False:  # for annotations
    from shapes import Day

    from .app import App

_REPLY_ID = "weather"


def hear(app: "App", body: bytes | memoryview) -> None:
    """Weather as JSON that is signed: for the planner, if it makes sense."""
    reason = ""
    if app.inbox.proposed:  # settings that may describe a zone come first: the broker is asked for the weather again
        app.link.resubscribe = True
    try:
        if not app.settings.water:
            raise RefusedError("not_needed")
        app.planner.days = _read(app, json.loads(bytes(body))["days"])
        app.planner.until_s = 0
    except RefusedError as error:
        reason = error.args[0]
    except (ValueError, KeyError, TypeError):
        reason = "invalid"
    app.outbox.reply(_REPLY_ID, not reason, reason)


def _read(app: "App", days: object) -> "tuple[Day, ...]":
    """The days as core.water takes them."""
    now_s = app.clock.now_s()
    if not now_s:  # whether a day lies ahead cannot be known: the broker is asked for it again at the next wake
        app.link.resubscribe = True
        raise RefusedError("clock_unset")
    if type(days) is not list or not 0 < len(days) <= protocol.WEATHER_DAYS_MAX:
        raise RefusedError("invalid")
    found = []
    for told in days:
        number = integer(told["date"], (20000101, 20991231))
        year, month, day_of_month = number // 10000, number // 100 % 100, number % 100
        if not 1 <= month <= 12:
            raise RefusedError("invalid")
        day = day_number(year, month, day_of_month)
        if date_of(day) != (year, month, day_of_month) or day > local_s(app.settings.rule, now_s) // DAY_S:
            raise RefusedError("invalid")
        et0_um = integer(told["et0_um"], protocol.DAY_ET0_UM_LIMITS)
        found.append((day, et0_um, integer(told["rain_um"], protocol.DAY_RAIN_UM_LIMITS)))
    return tuple(found)
