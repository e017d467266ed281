"""Store: what the board remembers over sleep (RTC memory) and over a loss of power (flash).

Rule: every record carries a checksum, files are replaced by temp + rename, and flash is written only at open and close, or when settings change.
The ledger is kept in both places; the one with the higher sequence number counts. It must not know why it is asked to remember.
"""

import hashlib
import struct

from .errors import StoreError

JOURNAL, DESIRED, CONFIG = "/journal.bin", "/desired.json", "/config.json"
ZONES, PROGRAMS = 4, 8
EVENTS_MAX, SAMPLES_MAX = 8, 7  # what fits the 484 bytes of RTC memory
_CHECK = 4

# version, open zone, program, resumed, run id, granted s, open s, counter, totals, keys, faults, last known time, sleep drift, sequence
_LEDGER = "<BBBBHHHQIIII8H4BIhI"
_SESSION = "<IIIIIIIBBBBBBHHHH"
_LAST_RUN = "<HIBBBHI"  # run id, at, program, result, reason, duration s, volume ml
_EVENT = "<IBBHBBBHI"  # at, event, zone, run id, program, result, reason, duration s, volume ml
_SAMPLE = "<IHhHhBBBBHbh"  # at, solar mv, ma, battery mv, ma, soil % of 4 zones, flow ml/min, rssi, weather (4 * temperature dc + rain)
NONE_U16, NONE_I16, NONE_U8 = 0xFFFF, -0x8000, 0xFF
NO_DAYS = 0xFF
NO_DC = -8000  # a temperature that is not known
DRY, WET = 1, 2  # the rain switch; 0: none, or it failed
_VERSION = 2


def _sealed(data):
    return data + hashlib.sha256(data).digest()[:_CHECK]


def _unsealed(data):
    """`data` without its checksum, or None if that does not fit."""
    body = data[:-_CHECK]
    return body if len(data) > _CHECK and hashlib.sha256(body).digest()[:_CHECK] == data[-_CHECK:] else None


def read_file(board, path):
    """The bytes of `path`, or None if there is no such file."""
    try:
        with board.open_file(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def write_file(board, path, data):
    """Replace `path` as a whole. Raises StoreError; the old content then still stands."""
    temporary = path + ".new"
    try:
        with board.open_file(temporary, "wb") as f:
            f.write(data)
        board.os.rename(temporary, path)
    except OSError:
        raise StoreError("storage")


class Memory:
    """The ledger (open run, totals, run-once keys, command counter, latched faults), the numbered backlog, and what a sleep must not forget."""

    def __init__(self):
        self.open_zone = self.program = self.resumed = 0
        self.run_id = 0  # the last one given out
        self.granted_s = self.open_s = 0
        self.counter = 0
        self.totals_ml = [0] * ZONES
        self.kept_ml = [
            0
        ] * ZONES  # totals as they stand on flash: what is reported, so that a loss of power never makes one fall
        self.keys = [0] * PROGRAMS  # local day number on which program i + 1 ran last
        self.faults = [0] * ZONES
        self.at_s = 0  # the last time that was known when the ledger was kept, seconds since 2000
        self.sleep_drift = 0  # hundredths of a percent by which a sleep lasts longer than it was asked to
        self.sequence = 0

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
        self.last_runs: list = [None] * ZONES
        self.events = []  # packed, oldest first, numbered up to event_count without a gap
        self.samples = []

    def load(self, board):
        """Recall. Returns False when a journal was there but was not readable: what was open is then unknown."""
        flash = read_file(board, JOURNAL)
        ledger = _unsealed(flash) if flash else None
        if not _is_ledger(ledger):
            ledger = None
        else:
            self._unpack_ledger(ledger)
            self.kept_ml = list(self.totals_ml)
        rtc = _unsealed(board.rtc_load())
        known = _is_rtc(rtc)
        if not known:
            self.boot_id = int(board.random_hex(4), 16)
        if not known or not self._unpack_rtc(rtc):
            self.resumed = (
                1  # flash may be a minute behind, and may not know of a stop: what it says was open is not opened again
            )
        return flash is None or ledger is not None

    def save_rtc(self, board):
        """Keep everything over a reset or a sleep (not over a loss of power)."""
        board.rtc_save(_sealed(self._pack_rtc()))

    def save(self, board):
        """Keep everything over a reset, and the ledger over a loss of power. Raises StoreError; RTC memory then still knows it all."""
        self.sequence += 1
        self.save_rtc(board)
        write_file(board, JOURNAL, _sealed(self._pack_ledger()))
        self.kept_ml = list(self.totals_ml)

    def add_event(self, at_s, event, zone, run_id, program, result, reason, duration_s, volume_ml):
        """Number and keep an event; the oldest one gives way."""
        packed = struct.pack(
            _EVENT, at_s, event, zone, run_id, program, result, reason, min(duration_s, NONE_U16), volume_ml
        )
        self.event_count += 1
        self.events = (self.events + [packed])[-EVENTS_MAX:]

    def add_sample(self, values):
        """Number and keep a sample (the fields of _SAMPLE); the oldest one gives way."""
        self.sample_count += 1
        self.samples = (self.samples + [struct.pack(_SAMPLE, *values)])[-SAMPLES_MAX:]

    def oldest_event(self):
        """The lowest event number that is still held; one more than the last where none is."""
        return self.event_count - len(self.events) + 1

    def oldest_sample(self):
        """The lowest sample number that is still held; one more than the last where none is."""
        return self.sample_count - len(self.samples) + 1

    def next_event(self, after):
        """(number, fields) of the first kept event with a number above `after`, or None."""
        number = max(after + 1, self.oldest_event())
        if number > self.event_count:
            return None
        return number, struct.unpack(_EVENT, self.events[number - self.event_count - 1])

    def next_samples(self, after, most):
        """[(number, fields)] of the first kept samples with a number above `after`."""
        first = max(after + 1, self.oldest_sample())
        numbers = range(first, min(first + most, self.sample_count + 1))
        return [(number, struct.unpack(_SAMPLE, self.samples[number - self.sample_count - 1])) for number in numbers]

    def acknowledge(self, event, sample):
        """Free what Home Assistant has stored. Numbers that were never given out are ignored."""
        if self.acked_event < event <= self.event_count:
            self.acked_event = event
            self.events = self.events[len(self.events) - min(len(self.events), self.event_count - event) :]
        if self.acked_sample < sample <= self.sample_count:
            self.acked_sample = sample
            self.samples = self.samples[len(self.samples) - min(len(self.samples), self.sample_count - sample) :]

    def _pack_ledger(self):
        return struct.pack(
            _LEDGER, _VERSION, self.open_zone, self.program, self.resumed, self.run_id, self.granted_s, self.open_s, self.counter,
            *(self.totals_ml + self.keys + self.faults + [self.at_s, self.sleep_drift, self.sequence])
        )  # fmt: skip

    def _unpack_ledger(self, data):
        fields = struct.unpack(_LEDGER, data)
        self.open_zone, self.program, self.resumed, self.run_id, self.granted_s, self.open_s, self.counter = fields[1:8]
        self.totals_ml = list(fields[8:12])
        self.keys = list(fields[12:20])
        self.faults = list(fields[20:24])
        self.at_s, self.sleep_drift, self.sequence = fields[24:]

    def _pack_rtc(self):
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
        parts.append(struct.pack(_SESSION, *(session + flags + battery)))
        parts += [struct.pack(_LAST_RUN, *(run or (0,) * 7)) for run in self.last_runs]
        parts.append(bytes((len(self.events), len(self.samples))))
        return b"".join(parts + self.events + self.samples)

    def _unpack_rtc(self, data):
        """Take up an RTC record. Returns True if its ledger counts: it is no older than that on flash."""
        end = struct.calcsize(_LEDGER)
        counts = struct.unpack(_LEDGER, data[:end])[-1] >= self.sequence
        if counts:
            self._unpack_ledger(data[:end])
        fields = struct.unpack(_SESSION, data[end : end + struct.calcsize(_SESSION)])
        (
            self.boot_id,
            self.event_count,
            self.sample_count,
            self.acked_event,
            self.acked_sample,
            self.synced_s,
            self.slept_s,
        ) = fields[:7]
        self.power_mode, self.fault_mask, self.subscribed, self.failed_joins, self.estimated = fields[7:12]
        self.battery_days, self.low_mv, self.low_before_mv, self.low_day, self.unsynced_s = fields[12:]
        end += struct.calcsize(_SESSION)
        for i in range(ZONES):
            run = struct.unpack(_LAST_RUN, data[end : end + struct.calcsize(_LAST_RUN)])
            self.last_runs[i] = run if run[0] else None
            end += struct.calcsize(_LAST_RUN)
        event_count, sample_count = data[end], data[end + 1]
        self.events, end = _split(data, end + 2, _EVENT, event_count)
        self.samples, end = _split(data, end, _SAMPLE, sample_count)
        return counts


def _is_ledger(data):
    """True for a ledger of this very layout: an older firmware's is not guessed at."""
    return data is not None and len(data) == struct.calcsize(_LEDGER) and data[0] == _VERSION


def _is_rtc(data):
    """True for an RTC record of this very layout."""
    if data is None:
        return False
    counts = struct.calcsize(_LEDGER) + struct.calcsize(_SESSION) + ZONES * struct.calcsize(_LAST_RUN)
    if len(data) < counts + 2 or data[0] != _VERSION:
        return False
    return len(data) == counts + 2 + data[counts] * struct.calcsize(_EVENT) + data[counts + 1] * struct.calcsize(
        _SAMPLE
    )


def _split(data, start, form, count):
    size = struct.calcsize(form)
    return [data[start + i * size : start + (i + 1) * size] for i in range(count)], start + count * size
