"""Store: what the board remembers over sleep (RTC memory) and over a loss of power (flash).

Rule: every record carries a checksum, files are replaced by temp + rename, and flash is written only at open and close, when settings change, and while
nobody acknowledges. The ledger is kept in both places. It must not know why it is asked to remember; what it kept is read by recall.py.
"""

import hashlib
import struct

from .errors import StoreError

if False:  # for annotations
    from shapes import Record

    from .board import Board

JOURNAL, DESIRED, CONFIG = "/journal.bin", "/desired.json", "/config.json"
PROPOSED = "/proposed.json"
OLD = ".old"
ZONES, PROGRAMS = 4, 8
UNTOLD, TOLD = 1, 2  # of what flash holds: the broker had all of it, so that it is told again only to someone who asks
EVENTS_MAX, SAMPLES_MAX = 6, 6  # what fits the 484 bytes of RTC memory
_CHECK = 4

# its own length in bytes, open zone, program, resumed, run id, granted s, open s, counter, totals, keys, faults, last known time, sleep drift, sequence,
# flash writes, rests of programs, time lived, counts of the day. It grows at its end only: then every older one is read as far as it goes.
LEDGER_FORM = "<BBBBHHHQIIII8H4BIhII12sH8s"
_LEDGER_BYTES = 90
# On flash it ends before the counts of the day. They take the place of how much of each program's run remains, and when it goes on: given up without RTC memory
FLASH_BYTES = 82
SOAKS_AT = 68
TAIL_FORM = "<II"  # behind the ledger in the journal: boot id and number of the first event that follows
_TAIL_EVENTS = 2  # with them the journal stays below 128 bytes, which are cheap to write
SESSION_FORM = "<IIIIIIIBBBBBBHHHHIIBH4s4sBHHIBBH"
LAST_RUN_FORM = "<HIBBBHI"  # run id, at, program, result, reason, duration s, volume ml
LAST_SKIP_FORM = "<IBB"  # at, program, reason
EVENT_FORM = "<IBBHBBBHI"  # at, event, zone, run id, program, result, reason, duration s, volume ml
EVENT_BYTES, SAMPLE_BYTES = 17, 21  # of one that is packed
SAMPLE_FORM = "<IHhHhBBBBHbh"  # at, solar mv, ma, battery mv, ma, soil % of 4 zones, flow ml/min, rssi, weather (4 * temperature dc + rain)
NONE_U16, NONE_I16, NONE_U8 = 0xFFFF, -0x8000, 0xFF
NO_DAYS = 0xFF
NO_DC = -8000  # a temperature that is not known
DRY, WET = 1, 2  # the rain switch; 0: none, or it failed


def sealed(data: bytes | bytearray) -> bytes:
    """`data` with its checksum."""
    return data + hashlib.sha256(data).digest()[:_CHECK]


def unsealed(data: bytes) -> bytes | None:
    """`data` without its checksum, or None if that does not fit."""
    body = data[:-_CHECK]
    return body if len(data) > _CHECK and hashlib.sha256(body).digest()[:_CHECK] == data[-_CHECK:] else None


def read_file(board: "Board", path: str) -> bytes | None:
    """The bytes of `path`, or None if there is no such file."""
    try:
        with board.open_file(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def write_file(board: "Board", path: str, data: bytes) -> None:
    """Replace `path` as a whole. Raises StoreError; the old content then still stands."""
    lay_down(board, path + ".new", data)
    try:
        board.os.rename(path + ".new", path)
    except OSError:
        raise StoreError("storage")


def lay_down(board: "Board", path: str, data: bytes | memoryview) -> None:
    """Write a file that nothing relies on yet. Raises StoreError."""
    board.flash_writes += 1
    try:
        with board.open_file(path, "wb") as f:
            f.write(data)
    except OSError:
        raise StoreError("storage")


def set_in_place(board: "Board", new: str, path: str) -> None:
    """Let the file `new` be `path`; the old one stays at `path` + OLD, for a reader that finds `path` missing (the power went between the two renames)
    or damaged. Raises StoreError."""
    try:
        board.os.rename(path, path + OLD)
    except OSError:
        pass  # there was none
    try:
        board.os.rename(new, path)
    except OSError:
        raise StoreError("storage")


class Memory:
    """The ledger (open run, totals, run-once keys, command counter, latched faults), the numbered backlog, and what a sleep must not forget."""

    def __init__(self) -> None:
        self.open_zone = self.program = self.resumed = 0
        self.run_id = 0  # the last one given out
        self.granted_s = self.open_s = 0
        self.counter = 0
        self.totals_ml = [0] * ZONES
        # Totals as they stand on flash: what is reported, so that a loss of power never makes one fall
        self.kept_ml = [0] * ZONES
        self.keys = [0] * PROGRAMS  # of core.schedule, for program i + 1
        self.soaks = bytearray(3 * ZONES)  # what is left of a program's run in each zone (planner.py)
        self.lived = 57600  # core.state.LIVED_MS in 2 s: all that may be saved up
        # Of each zone: openings of the day, and its water in 1/250 of what is allowed (runs.py)
        self.day = bytearray(2 * ZONES)
        self.lost = 0  # 1: RTC memory does not vouch for what flash says
        self.faults = [0] * ZONES
        self.at_s = 0  # the last time that was known when the ledger was kept, seconds since 2000
        self.sleep_drift = 0  # hundredths of a percent by which a sleep lasts longer than it was asked to
        self.sequence = 0
        self.flash_writes = 0  # files written, renamed or removed, in this board's life

        self.boot_id = 0
        self.event_count = self.sample_count = 0
        self.acked_event = self.acked_sample = 0
        self.synced_s = 0  # when the clock was set last, seconds since 2000; 0: it is unset
        self.slept_s = 0  # since the last closing pulse
        self.power_mode = 0  # index into protocol.POWER_MODES
        self.fault_mask = 0  # board faults that were reported, a bit for each word of protocol.FAULTS
        self.subscribed = 0  # 1: the broker has confirmed our subscriptions
        self.failed_joins = 0
        self.estimated = 0  # 1: the clock runs, from a time that was only the last one known
        self.unsynced_s = 0  # slept since the clock was set last, at most 65535
        self.battery_days = NO_DAYS  # at this sun; NO_DAYS: not known yet
        self.low_mv = self.low_before_mv = 0  # the battery's lowest reading of this day, and of the day before; 0: none
        self.low_day = 0
        self.last_runs: list[tuple[int, int, int, int, int, int, int] | None] = [None] * ZONES
        self.last_skips = [(0, 0, 0)] * ZONES
        self.events = b""  # packed, one behind the other, oldest first, numbered up to event_count without a gap
        self.samples = b""
        self.kept = 0  # whether flash holds some of the backlog: 0, UNTOLD, TOLD
        self.flash_event = self.flash_sample = 0  # the oldest numbers of this boot that flash holds; 0: none
        # Of a boot, from which event and sample on flash can forget more: to look takes its time
        self.free_due = (0, 0, 0)
        self.dropped = 0  # events and samples that were given up unheard since memory was lost
        self.check = (0, 0, 0, 0)  # the last check of a valve: at, zone (0: none), index into protocol.CHECKS, ml
        self.broker_ip = self.ntp_ip = bytes(4)  # what their names stood for
        self.crashes = 0  # boots by the watchdog, one soon after the other
        self.boots = self.wakes = 0  # since memory was lost: starts, and ends of a sleep; both go round

    def load(self, board: "Board") -> bool:
        """Recall. Returns False when a journal was there but was not readable: what was open is then unknown."""
        from .recall import load

        readable, earlier = load(self, board)
        board.drop("recall")
        if earlier or (not self.kept and board.wake_reason() != "timer"):
            from .backlog import append, look

            try:
                if earlier:  # the last events before the power went
                    append(self, board, "e", earlier[0], earlier[1], earlier[2])
            except StoreError:
                readable = False
            look(self, board)
            board.drop("backlog")
        return readable

    def save_rtc(self, board: "Board") -> None:
        """Keep everything over a reset or a sleep (not over a loss of power)."""
        self.flash_writes = board.flash_writes
        board.rtc_save(sealed(self._pack_rtc()))

    def save(self, board: "Board") -> None:
        """Keep everything over a reset, and the ledger with the last events over a loss of power. Raises StoreError; RTC memory then still knows it all."""
        self.sequence += 1
        self.save_rtc(board)
        self.flash_writes = board.flash_writes + 1
        tail = self.events[-_TAIL_EVENTS * EVENT_BYTES :]
        if tail:
            tail = struct.pack(TAIL_FORM, self.boot_id, self.event_count - len(tail) // EVENT_BYTES + 1) + tail
        write_file(board, JOURNAL, sealed(self.pack_kept() + tail))
        self.kept_ml = list(self.totals_ml)

    def holds(self) -> None:
        """Flash holds some of the backlog."""
        self.kept = self.kept or UNTOLD

    def keep(self, board: "Board") -> None:
        """Move the backlog to flash. Raises StoreError; it then stays, and its oldest give way to newer ones."""
        from .backlog import keep

        try:
            keep(self, board)
        finally:
            board.drop("backlog")
            self.save_rtc(board)

    def add_event(self, *fields: int) -> None:
        """Number and keep an event (the fields of EVENT_FORM); the oldest one gives way."""
        self.event_count += 1
        self.events += struct.pack(EVENT_FORM, *fields)
        if self.held_events() > EVENTS_MAX:
            self.events = self.events[EVENT_BYTES:]
            self.dropped += 1

    def add_sample(self, values: list[int]) -> None:
        """Number and keep a sample (the fields of SAMPLE_FORM); the oldest one gives way."""
        self.sample_count += 1
        self.samples += struct.pack(SAMPLE_FORM, *values)
        if self.held_samples() > SAMPLES_MAX:
            self.samples = self.samples[SAMPLE_BYTES:]
            self.dropped += 1

    def held_events(self) -> int:
        """How many events RTC memory holds."""
        return len(self.events) // EVENT_BYTES

    def held_samples(self) -> int:
        """How many samples RTC memory holds."""
        return len(self.samples) // SAMPLE_BYTES

    def oldest_event(self) -> int:
        """The lowest event number of this boot that is still held; one more than the last where none is."""
        return self.flash_event or self.event_count - self.held_events() + 1

    def oldest_sample(self) -> int:
        """The lowest sample number of this boot that is still held; one more than the last where none is."""
        return self.flash_sample or self.sample_count - self.held_samples() + 1

    def next_events(self, after: int) -> "list[Record]":
        """[(0, number, packed event)] of the first event in RTC memory with a number above `after`; [] if there is none."""
        oldest = self.event_count - self.held_events()
        number = max(after, oldest) + 1
        at = (number - oldest - 1) * EVENT_BYTES
        return [(0, number, self.events[at : at + EVENT_BYTES])] if number <= self.event_count else []

    def next_samples(self, after: int, most: int) -> "list[Record]":
        """[(0, number, packed sample)] of the first samples in RTC memory with a number above `after`."""
        # As above; one function for both would be called in two places, and cost a board 288 B of heap
        oldest = self.sample_count - self.held_samples()
        first = max(after, oldest) + 1
        found = []
        for number in range(first, min(first + most, self.sample_count + 1)):
            at = (number - oldest - 1) * SAMPLE_BYTES
            found.append((0, number, self.samples[at : at + SAMPLE_BYTES]))
        return found

    def acknowledge(self, event: int, sample: int) -> None:
        """Free what Home Assistant has stored. Numbers that were never given out are ignored."""
        if self.acked_event < event <= self.event_count:
            self.acked_event = event
            self.events = self.events[max(0, len(self.events) - (self.event_count - event) * EVENT_BYTES) :]
        if self.acked_sample < sample <= self.sample_count:
            self.acked_sample = sample
            self.samples = self.samples[max(0, len(self.samples) - (self.sample_count - sample) * SAMPLE_BYTES) :]

    def _pack_ledger(self) -> bytes:
        return struct.pack(
            LEDGER_FORM, _LEDGER_BYTES, self.open_zone, self.program, self.resumed, self.run_id, self.granted_s, self.open_s, self.counter,
            *(self.totals_ml + self.keys + self.faults + [self.at_s, self.sleep_drift, self.sequence, self.flash_writes, bytes(self.soaks)]),
            self.lived, bytes(self.day)
        )  # fmt: skip

    def pack_kept(self) -> bytearray:
        """The ledger as flash has it."""
        data = bytearray(self._pack_ledger()[:FLASH_BYTES])
        data[0] = FLASH_BYTES
        for i, count in enumerate(self.day):
            data[SOAKS_AT + 1 + i + i // 2] = count
        return data

    def _pack_rtc(self) -> bytes:
        parts = [self._pack_ledger()]
        session = (
            self.boot_id,
            self.event_count,
            self.sample_count,
            self.acked_event,
            self.acked_sample,
            self.synced_s,
            self.slept_s,
        )
        flags = (self.power_mode, self.fault_mask, self.subscribed, min(self.failed_joins, 255), self.estimated)
        battery = (self.battery_days, self.low_mv, self.low_before_mv, self.low_day, self.unsynced_s)
        kept = (
            self.flash_event,
            self.flash_sample,
            self.kept,
            min(self.dropped, NONE_U16),
            self.broker_ip,
            self.ntp_ip,
            self.crashes,
            self.boots,
            self.wakes,
        ) + self.check
        parts.append(struct.pack(SESSION_FORM, *(session + flags + battery + kept)))
        parts += [struct.pack(LAST_RUN_FORM, *(run or (0,) * 7)) for run in self.last_runs]
        parts += [struct.pack(LAST_SKIP_FORM, *skip) for skip in self.last_skips]
        return b"".join(parts + [bytes((self.held_events(), self.held_samples())), self.events, self.samples])
