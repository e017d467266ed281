"""Clock: the wall clock, and how far it may be trusted. The only place that converts between Unix time and the board's 2000 epoch.

Rule: wall time starts programs and dates reports; it never times a valve. The clock is set by a signed answer to our own nonce, by NTP, or by a DS3231
(the late module `timekeeping`). After a loss of power it is estimated: good for programs that ask for it, and for nothing else. It must not know programs.
"""

if False:  # for annotations
    from shapes import Socket

    from .board import Board
    from .store import Memory

EPOCH_S = 946684800  # 2000-01-01 in Unix seconds
_SYNC_EVERY_S = 3600
_ASK_EVERY_MS = 20000
_SERVER_MS = 1500  # what a time server has to answer in, before Home Assistant is asked too
_STALE_S = 172800  # a clock that nobody confirmed for two days is a fault
NONCE_BYTES = 8


class Clock:
    """The board's wall clock. `memory.synced_s` is when it was set last (0: not since it lost count), `memory.estimated` 1 while it runs on from then."""

    def __init__(self, board: "Board", memory: "Memory", has_part: bool, wake_reason: str) -> None:
        self._board = board
        self._memory = memory
        self.sock: "Socket | None" = None  # an open question to the NTP server
        self._asked_ms = -_ASK_EVERY_MS
        self.asks = 0
        self.nonce = ""
        self.fresh = False  # set in this boot; what a sleep left is some percent of the sleep off
        self.error_s: int | None = (
            None  # how far the clock was ahead when it was set last in this boot; None: it was not
        )
        self.has_part = has_part  # a DS3231
        self.failed = False  # it does not answer
        if wake_reason in (
            "power_on",
            "reset",
        ):  # the reset pin zeroes the chip's counter: the time looks well and is wrong
            memory.synced_s = 0
        if has_part or not memory.synced_s:
            from .timekeeping import begin

            begin(self, board, memory)
            board.drop("timekeeping")

    def now_s(self) -> int:
        """Seconds since 2000-01-01 UTC; 0 while the clock is unset, or only estimated."""
        return self._board.clock_s() if self._memory.synced_s else 0

    def guess_s(self) -> int:
        """Seconds since 2000-01-01 UTC, be they estimated; 0 while nothing is known. For programs alone: nothing may be judged or dated by it."""
        return self._board.clock_s() if self._memory.synced_s or self._memory.estimated else 0

    def unix(self, seconds: int) -> int:
        """Wire time of a board time; 0 stays 0 (unknown)."""
        return seconds + EPOCH_S if seconds else 0

    def word(self) -> str:
        """A word of protocol.CLOCKS."""
        if self._memory.synced_s:
            return "set"
        return "estimated" if self._memory.estimated else "unset"

    def wants_sync(self) -> bool:
        """True when the clock should be set, and a question may go out now."""
        if self._board.uptime_ms() - self._asked_ms < (_SERVER_MS if self.asks == 1 else _ASK_EVERY_MS):
            return False
        return not self.fresh or abs(self.now_s() - self._memory.synced_s) >= _SYNC_EVERY_S

    def ask(self) -> bool:
        """Ask the NTP server. Returns True if Home Assistant should be asked too, with the new nonce: it has no server, or that one kept silent."""
        silent = not any(self._memory.ntp_ip) or not self._memory.synced_s or self.asks > 0
        self.asks += 1
        self._asked_ms = self._board.uptime_ms()
        self.nonce = self._board.random_hex(NONCE_BYTES)
        if any(self._memory.ntp_ip):
            from .timekeeping import question

            self.close()
            self.sock = question(self._board, ".".join([str(byte) for byte in self._memory.ntp_ip]))
            self._board.drop("timekeeping")
        return silent

    def service(self) -> None:
        """Take the NTP server's answer, if it is there."""
        if self.sock is None:
            return
        try:
            data = self.sock.recv(48)
        except OSError:
            return
        from .timekeeping import heard

        self.close()
        heard(self, self._board, self._memory, data)
        self._board.drop("timekeeping")

    def answer(self, nonce: object, unix_s: int) -> None:
        """A signed time came in; it counts only as the answer to our last nonce."""
        if self.nonce and nonce == self.nonce:
            from .timekeeping import set_right

            set_right(self, self._board, self._memory, unix_s - EPOCH_S)
            self._board.drop("timekeeping")

    def close(self) -> None:
        """Forget an open question to the NTP server."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def stale(self) -> bool:
        """True when the clock is set, but nobody has confirmed it for long; a DS3231 needs no confirmation."""
        if self.has_part and not self.failed:
            return False
        return bool(self._memory.synced_s) and abs(self.now_s() - self._memory.synced_s) > _STALE_S

    def hopes(self) -> bool:
        """True while an answer to the first two questions of this boot may still come."""
        waits_ms = self._board.uptime_ms() - self._asked_ms
        return not self.fresh and (self.asks < 2 or (self.asks == 2 and waits_ms < _SERVER_MS))
