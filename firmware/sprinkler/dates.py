"""Dates: yyyymmdd of a message as a day number. A late module, with those that need it.

Rule: a date that there is not is refused. It must not know what the date is for.
"""

from .core.localtime import date_of, day_number
from .errors import RefusedError
from .settings import integer


def day_of(date: int) -> int:
    """The day number of yyyymmdd. Raises RefusedError for a date that there is not."""
    integer(date, (20000101, 20991231))
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if not 1 <= month <= 12:
        raise RefusedError("invalid")
    number = day_number(year, month, day)
    if date_of(number) != (year, month, day):
        raise RefusedError("invalid")
    return number
