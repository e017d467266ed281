"""Timekeeping: what sets the clock, and what is learned from how far it was off. A late module: loaded at a start or for an answer, then dropped.

Rule: a time server may move a set clock by ten minutes, and by a tenth of what was slept since; a DS3231 is believed unless it is behind the ledger. It must
not know programs.
"""

from . import ds3231
from .core.energy import learned
from .errors import SensorError

if False:  # for annotations
    from shapes import Socket

    from .board import Board
    from .clock import Clock
    from .store import Memory

EARLIEST_S = 820454400  # 2026-01-01: a board that has not lived before it never knew the time
_NTP_PORT = 123
_NTP_EPOCH_S = 3155673600  # 2000-01-01 in seconds since 1900
_NTP_STEP_MAX_S = 600
_NTP_SLEEP_S_MAX = 21600


def begin(clock: "Clock", board: "Board", memory: "Memory") -> None:
    """At a start: the time from the DS3231, right at once; else, if it was lost, the last one known."""
    lost = not memory.synced_s
    seconds = _of_part(clock, board, memory) if clock.has_part else 0
    if seconds:
        if not lost:
            _learn(memory, board.clock_s() - seconds)
        board.set_clock(seconds)
        memory.estimated = 0
        clock.fresh = True
        if lost:
            memory.synced_s = seconds
    elif lost:
        known_s = max(memory.at_s, board.clock_s())
        memory.estimated = 1 if known_s >= EARLIEST_S else 0
        if known_s > board.clock_s():
            board.set_clock(known_s)


def _of_part(clock: "Clock", board: "Board", memory: "Memory") -> int:
    """The DS3231's time; 0 when it has none, or none to believe."""
    try:
        seconds = ds3231.read_s(board)
        if seconds and seconds < max(memory.at_s, EARLIEST_S):
            raise SensorError("ds3231")
        return seconds
    except SensorError:
        clock.failed = True
        return 0


def _learn(memory: "Memory", error_s: int) -> None:
    memory.sleep_drift = learned(memory.sleep_drift, error_s, memory.unsynced_s)
    memory.unsynced_s = 0


def set_right(clock: "Clock", board: "Board", memory: "Memory", seconds: int) -> None:
    """The time is known: `seconds` since 2000. Take note of how far off it was, and tell the DS3231."""
    if memory.synced_s:
        clock.error_s = board.clock_s() - seconds
        _learn(memory, clock.error_s)
    board.set_clock(seconds)
    memory.synced_s = seconds
    memory.unsynced_s = memory.estimated = 0
    clock.nonce = ""
    clock.asks = 0
    clock.fresh = True
    if clock.has_part:
        try:
            ds3231.write_s(board, seconds)
            clock.failed = False
        except SensorError:
            clock.failed = True


def question(board: "Board", host: str) -> "Socket | None":
    """Ask the time server. Returns the socket that the answer comes to, or None."""
    s = board.socket
    sock = None
    try:
        sock = s.socket(s.AF_INET, s.SOCK_DGRAM)
        sock.setblocking(False)
        sock.sendto(b"\x1b" + bytes(47), (host, _NTP_PORT))
    except OSError:
        if sock is not None:
            sock.close()
        return None
    return sock


def heard(clock: "Clock", board: "Board", memory: "Memory", data: bytes) -> None:
    """Take a time server's answer, if it is one, from a server with a stratum (RFC 4330, section 4), and not too far from what we know."""
    if len(data) != 48 or data[0] & 7 != 4 or not 0 < data[1] < 16:
        return
    seconds = 0
    for byte in data[40:44]:
        seconds = seconds << 8 | byte
    if seconds < _NTP_EPOCH_S:
        seconds += 1 << 32  # era 1, from 2036 on
    seconds -= _NTP_EPOCH_S
    step_s = abs(seconds - board.clock_s())
    if not memory.synced_s or step_s <= _NTP_STEP_MAX_S + min(memory.unsynced_s, _NTP_SLEEP_S_MAX) // 10:
        set_right(clock, board, memory, seconds)
