"""Clock: the wall clock, and how far it may be trusted. The only place that converts between Unix time and the board's 2000 epoch.

Rule: wall time starts programs and dates reports; it never times a valve. The clock is set by a signed answer to our own nonce, or by NTP, which may move a
set clock by ten minutes at most. It must not know programs.
"""

EPOCH_S = 946684800  # 2000-01-01 in Unix seconds
_NTP_PORT = 123
_NTP_EPOCH_S = 3155673600  # 2000-01-01 in seconds since 1900
_NTP_STEP_MAX_S = 600
_SYNC_EVERY_S = 3600
_ASK_EVERY_MS = 20000
_SERVER_MS = 1500  # what a time server has to answer in, before Home Assistant is asked too
_STALE_S = 172800  # a clock that nobody confirmed for two days is a fault
NONCE_BYTES = 8


class Clock:
    """The board's wall clock. `memory.synced_s` is when it was set last (0: not since it lost count)."""

    def __init__(self, board, memory, ntp_host, wake_reason):
        self._board = board
        self._memory = memory
        self._ntp_host = ntp_host
        self._sock = None
        self._asks = 0
        self._asked_ms = -_ASK_EVERY_MS
        self.nonce = ""
        self.fresh = False  # set in this boot; what a sleep left is some percent of the sleep off
        if wake_reason in (
            "power_on",
            "reset",
        ):  # the reset pin zeroes the chip's counter: the time looks well and is wrong
            memory.synced_s = 0

    def now_s(self):
        """Seconds since 2000-01-01 UTC; 0 while the clock is unset."""
        return self._board.clock_s() if self._memory.synced_s else 0

    def unix(self, seconds):
        """Wire time of a board time; 0 stays 0 (unknown)."""
        return seconds + EPOCH_S if seconds else 0

    def word(self):
        """A word of protocol.CLOCKS."""
        return "set" if self._memory.synced_s else "unset"

    def wants_sync(self):
        """True when the clock should be set, and a question may go out now."""
        if self._board.uptime_ms() - self._asked_ms < (_SERVER_MS if self._asks == 1 else _ASK_EVERY_MS):
            return False
        return not self.fresh or abs(self.now_s() - self._memory.synced_s) >= _SYNC_EVERY_S

    def ask(self):
        """Ask the NTP server. Returns True if Home Assistant should be asked too, with the new nonce: it has no server, or that one kept silent."""
        silent = not self._ntp_host or not self._memory.synced_s or self._asks > 0
        self._asks += 1
        self._asked_ms = self._board.uptime_ms()
        self.nonce = self._board.random_hex(NONCE_BYTES)
        self._ask_server()
        return silent

    def _ask_server(self):
        if not self._ntp_host:
            return
        self.close()
        s = self._board.socket
        try:
            self._sock = s.socket(s.AF_INET, s.SOCK_DGRAM)
            self._sock.setblocking(False)
            self._sock.sendto(b"\x1b" + bytes(47), (self._ntp_host, _NTP_PORT))
        except OSError:
            self.close()

    def service(self):
        """Take the NTP server's answer, if it is there."""
        if self._sock is None:
            return
        try:
            data = self._sock.recv(48)
        except OSError:
            return
        self.close()
        if len(data) == 48 and data[0] & 7 == 4 and 0 < data[1] < 16:  # a server with a stratum (RFC 4330, section 4)
            seconds = 0
            for byte in data[40:44]:
                seconds = seconds << 8 | byte
            if seconds < _NTP_EPOCH_S:
                seconds += 1 << 32  # era 1, from 2036 on
            seconds -= _NTP_EPOCH_S
            if not self._memory.synced_s or abs(seconds - self.now_s()) <= _NTP_STEP_MAX_S:
                self._set(seconds)

    def answer(self, nonce, unix_s):
        """A signed time came in; it counts only as the answer to our last nonce."""
        if self.nonce and nonce == self.nonce:
            self.nonce = ""
            self._set(unix_s - EPOCH_S)

    def close(self):
        """Forget an open question to the NTP server."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _set(self, seconds):
        self._board.set_clock(seconds)
        self._memory.synced_s = seconds
        self.nonce = ""
        self._asks = 0
        self.fresh = True

    def stale(self):
        """True when the clock is set, but nobody has confirmed it for long."""
        return bool(self._memory.synced_s) and abs(self.now_s() - self._memory.synced_s) > _STALE_S

    def hopes(self):
        """True while an answer to the first two questions of this boot may still come."""
        waits_ms = self._board.uptime_ms() - self._asked_ms
        return not self.fresh and (self._asks < 2 or (self._asks == 2 and waits_ms < _SERVER_MS))
