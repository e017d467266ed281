"""Single values taken from a board's snapshot, in the units that people read.

Rule: pure functions of the snapshot and a zone's number (0: the board); None where nothing is known. Knows nothing of Home Assistant.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from . import protocol
from .board import Board
from .models import UNTOLD, LastSkip
from .sentences import Teller
from .zone_settings import is_described

RESULTS = tuple(result for result in protocol.RESULTS if result)

type Value = str | int | float | datetime | None
type Reading = Callable[[Board, int], Value]


def moment(at: int | None) -> datetime | None:
    """Unix seconds as a moment; 0 is none."""
    return datetime.fromtimestamp(at, UTC) if at else None


def _in_thousands(value: int | None) -> float | None:
    return None if value is None else value / 1000


def _if_known(word: str | None, words: tuple[str, ...]) -> str | None:
    return word if word in words else None


def sampled(key: str) -> Reading:
    """A value of the last sample as it was sent."""
    return lambda board, _zone: getattr(board.sample, key, None)


def sampled_in_thousands(key: str) -> Reading:
    """A value of the last sample in volts (mV) or amperes (mA)."""
    return lambda board, _zone: _in_thousands(getattr(board.sample, key, None))


def has_books(board: Board, number: int) -> bool:
    """True if the board keeps books of the zone's water."""
    return is_described(board.zones_wanted, number)


def depletion_mm(board: Board, number: int) -> float | None:
    """What the zone's soil lacks of all that it could hold."""
    zone = board.zone(number)
    return _in_thousands(zone.depletion_um) if zone else None


def solar_power_w(board: Board, _zone: int) -> float | None:
    """What the panel delivers, in watts."""
    sample = board.sample
    if sample is None or sample.solar_mv is None or sample.solar_ma is None:
        return None
    return sample.solar_mv * sample.solar_ma / 1_000_000


def battery_days(board: Board, _zone: int) -> int | None:
    """Days that the battery lasts at the sun of these days."""
    days = board.state.battery_days if board.state else None
    return None if days == UNTOLD else days


def temperature_c(board: Board, _zone: int) -> float | None:
    """Temperature at the board in degrees Celsius."""
    sample = board.sample
    return sample.temperature_dc / 10 if sample and sample.temperature_dc is not None else None


def responsive_until(board: Board, _zone: int) -> datetime | None:
    """Until when the board is kept awake on request."""
    return moment(board.state.awake_until) if board.state else None


def of_health(key: str) -> Reading:
    """A value of what the board says of itself once a day."""
    return lambda board, _zone: getattr(board.health, key, None)


def soil_pct(board: Board, zone: int) -> int | None:
    """Soil moisture of a zone in percent."""
    soil = board.sample.soil_pct if board.sample else ()
    return soil[zone - 1] if zone <= len(soil) else None


def last_seen(board: Board, _zone: int) -> datetime | None:
    """When the board was last heard, to half a minute."""
    return moment(board.last_seen)


def next_wake(board: Board, _zone: int) -> datetime | None:
    """When a sleeping board listens again."""
    return moment(board.next_wake)


def wake_reason(board: Board, _zone: int) -> str | None:
    """Why the board woke up last."""
    return _if_known(board.state.wake_reason, protocol.WAKE_REASONS) if board.state else None


def power_mode(board: Board, _zone: int) -> str | None:
    """How the board saves energy."""
    return _if_known(board.state.power_mode, protocol.POWER_MODES) if board.state else None


def flow_rate_l_min(board: Board, number: int) -> float | None:
    """Flow through a zone in litres a minute."""
    zone = board.zone(number)
    return _in_thousands(zone.flow_rate_ml_min) if zone else None


def water_total_l(board: Board, number: int) -> float | None:
    """Water that a zone ever took in litres; counted on the board."""
    zone = board.zone(number)
    return _in_thousands(zone.volume_ml) if zone else None


def run_ends(board: Board, number: int) -> datetime | None:
    """When the board will close an open zone."""
    zone = board.zone(number)
    return moment(zone.run_until) if zone and zone.valve != "closed" else None


def _last_skip(board: Board, number: int) -> LastSkip | None:
    """The start that was given up, if nothing ran since."""
    zone, skip = board.zone(number), board.last_skip(number)
    run = zone.last_run if zone else None
    return skip if skip and (run is None or skip.at >= run.at) else None


def last_result(board: Board, number: int) -> str | None:
    """How a zone's last run ended, or that its last start was given up."""
    zone = board.zone(number)
    if _last_skip(board, number):
        return "skipped"
    return _if_known(zone.last_run.result, RESULTS) if zone and zone.last_run else None


def last_result_details(board: Board, number: int, teller: Teller) -> dict[str, Any]:
    """The sentence that answers "why did it not water?"; then reason, time, and what it gave."""
    zone, skip = board.zone(number), _last_skip(board, number)
    run = zone.last_run if zone else None
    told = {"sentence": teller.why(board, number)} if zone else {}
    if skip:
        return {**told, "reason": skip.reason, "at": moment(skip.at), "program": skip.program}
    if run is None:
        return told
    return {
        **told,
        "reason": run.reason,
        "at": moment(run.at),
        "duration_s": run.duration_s,
        "volume_l": _in_thousands(run.volume_ml),
        "program": run.program,
    }
