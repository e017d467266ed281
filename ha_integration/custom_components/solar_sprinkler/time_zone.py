"""The POSIX rule of a named time zone, which a board without a time zone database can follow.

Rule: reads the last line of the zone's own TZif file (RFC 9636), from the system's database or from the tzdata package. Reads files: call it
in an executor. Knows nothing of Home Assistant.
"""

from importlib import resources
from pathlib import Path
import zoneinfo

from . import protocol
from .errors import TimeZoneError


def _tzif(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, *name.split("/"))
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


def posix_rule(name: str) -> str:
    """Return the rule that holds from now on in the zone `name` ("America/New_York"), at most protocol.TZ_RULE_MAX characters.

    Raises TimeZoneError when the zone or its rule is not known.
    """
    try:
        zoneinfo.ZoneInfo(name)  # refuses names that are no zones, paths that lead elsewhere among them
        content = _tzif(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, ModuleNotFoundError) as error:
        raise TimeZoneError(f"no time zone {name!r}") from error
    rule = content.rsplit(b"\n", 2)[-2].decode("ascii", "replace") if content.endswith(b"\n") else ""
    if not rule or len(rule) > protocol.TZ_RULE_MAX or not rule.isprintable():
        raise TimeZoneError(f"the time zone {name!r} has no rule of at most {protocol.TZ_RULE_MAX} characters")
    return rule
