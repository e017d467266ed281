"""Recall: reads back what the store has kept, in today's layout or an older one. A late module: loaded at boot, then dropped.

Rule: what does not validate is as if it were not there; what an older firmware has kept is read as far as it goes. The ledger of RTC memory and that
of flash: the one with the higher sequence number counts. It must not know what the values are for.
"""

import struct

from .store import (
    EVENT_BYTES,
    FLASH_BYTES,
    JOURNAL,
    LAST_RUN_FORM,
    LAST_SKIP_FORM,
    LEDGER_FORM,
    SAMPLE_BYTES,
    SESSION_FORM,
    SOAKS_AT,
    TAIL_FORM,
    ZONES,
    read_file,
    unsealed,
)  # fmt: skip

if False:  # for annotations
    from .board import Board
    from .store import Memory

_FIRST, _SECOND = 58, 64  # bytes of the ledger in the layouts 1 and 2; from the third on its first byte says it


def load(memory: "Memory", board: "Board") -> tuple[bool, tuple[int, int, bytes] | None]:
    """Recall all. Returns (False when a journal was there but was not readable: what was open is then unknown; the events of an earlier
    life that only the journal has, as (boot id, first number, packed events), or None)."""
    flash = read_file(board, JOURNAL)
    body = unsealed(flash) if flash else None
    part = ledger_part(body)
    if part:
        unpack_ledger(memory, part)
        memory.kept_ml = list(memory.totals_ml)
        board.flash_writes = memory.flash_writes
    rtc = unsealed(board.rtc_load())
    counts = take_ledger(memory, ledger_part(rtc))
    earlier = None
    if not take_session(memory, rtc):
        counts = False
        memory.boot_id = int(board.random_hex(4), 16)
        earlier = _tail(body) if part else None
    if not counts:
        memory.lost = 1
        memory.resumed = (
            1  # flash may be a minute behind, and may not know of a stop: what it says was open is not opened again
        )
    board.flash_writes = max(board.flash_writes, memory.flash_writes)
    return part is not None or JOURNAL[1:] not in board.os.listdir(
        "/"
    ), earlier  # one that cannot be read is there all the same


def ledger_part(data: bytes | None) -> bytes | None:
    """The ledger at the start of `data` in today's layout, or None."""
    if not data:
        return None
    size = _FIRST if data[0] == 1 else (_SECOND if data[0] == 2 else data[0])
    if size < _FIRST or len(data) < size or (data[0] <= 2 and _is_other(data, size)):
        return None
    part = data[:size]
    if data[0] == 1:  # the last known time and the drift came in before the sequence number
        part = part[:-4] + bytes(6) + part[-4:]
    part = (part + bytes(struct.calcsize(LEDGER_FORM)))[: struct.calcsize(LEDGER_FORM)]
    return _from_flash(part) if data[0] == FLASH_BYTES else part


def _from_flash(part: bytes | bytearray) -> bytes:
    """The counts of the day back to their place."""
    part = bytearray(part)
    for i in range(2 * ZONES):
        at = SOAKS_AT + 1 + i + i // 2
        part[FLASH_BYTES + i], part[at] = part[at], 0
    return bytes(part)


def _is_other(data: bytes, size: int) -> bool:
    """RTC memory of the first two layouts goes on after the ledger, the journal did not."""
    return len(data) != size and len(data) < size + 60


def unpack_ledger(memory: "Memory", data: bytes) -> None:
    """Take over a ledger of today's layout."""
    fields = struct.unpack(LEDGER_FORM, data)
    m = memory
    m.open_zone, m.program, m.resumed, m.run_id, m.granted_s, m.open_s, m.counter = fields[1:8]
    m.totals_ml = list(fields[8:12])
    m.keys = list(fields[12:20])
    m.faults = list(fields[20:24])
    m.at_s, m.sleep_drift, m.sequence, m.flash_writes = fields[24:28]
    m.soaks = bytearray(fields[28])
    m.lived = fields[29]
    m.day = bytearray(fields[30])


def take_ledger(memory: "Memory", part: bytes | None) -> bool:
    """Take over a ledger if it counts: it is no older than the one that is known."""
    if part is None or struct.unpack(LEDGER_FORM, part)[26] < memory.sequence:
        return False
    unpack_ledger(memory, part)
    return True


def take_session(memory: "Memory", data: bytes | None) -> bool:
    """Take over what RTC memory holds behind the ledger. False if it is not of today's layout."""
    if not data or not _is_rtc(data):
        return False
    m = memory
    end = struct.calcsize(LEDGER_FORM) + struct.calcsize(SESSION_FORM)
    fields = struct.unpack(SESSION_FORM, data[struct.calcsize(LEDGER_FORM) : end])
    m.boot_id, m.event_count, m.sample_count, m.acked_event, m.acked_sample, m.synced_s, m.slept_s = fields[:7]
    m.power_mode, m.fault_mask, m.subscribed, m.failed_joins, m.estimated = fields[7:12]
    m.battery_days, m.low_mv, m.low_before_mv, m.low_day, m.unsynced_s = fields[12:17]
    m.flash_event, m.flash_sample, m.kept, m.dropped, m.broker_ip, m.ntp_ip = fields[17:23]
    m.crashes, m.boots, m.wakes = fields[23:26]
    m.check = fields[26:]
    size = struct.calcsize(LAST_RUN_FORM)
    for i in range(ZONES):
        run = struct.unpack(LAST_RUN_FORM, data[end : end + size])
        m.last_runs[i] = run if run[0] else None
        end += size
    size = struct.calcsize(LAST_SKIP_FORM)
    m.last_skips = [struct.unpack(LAST_SKIP_FORM, data[end + i * size : end + (i + 1) * size]) for i in range(ZONES)]
    end += ZONES * size
    samples_at = end + 2 + data[end] * EVENT_BYTES
    m.events, m.samples = data[end + 2 : samples_at], data[samples_at : samples_at + data[end + 1] * SAMPLE_BYTES]
    return True


def _is_rtc(data: bytes) -> bool:
    """True for an RTC record of this very layout."""
    counts = struct.calcsize(LEDGER_FORM) + struct.calcsize(SESSION_FORM)
    counts += ZONES * (struct.calcsize(LAST_RUN_FORM) + struct.calcsize(LAST_SKIP_FORM))
    if data[0] != struct.calcsize(LEDGER_FORM) or len(data) < counts + 2:
        return False
    backlog = data[counts] * EVENT_BYTES + data[counts + 1] * SAMPLE_BYTES
    return len(data) == counts + 2 + backlog


def _tail(body: bytes) -> tuple[int, int, bytes] | None:
    """The last events, which lie behind the ledger in the journal since its third layout: (boot id, first number, packed events), or None."""
    start = body[0]
    at = start + struct.calcsize(TAIL_FORM)
    if start <= 2 or len(body) < at + EVENT_BYTES or (len(body) - at) % EVENT_BYTES:
        return None
    boot_id, first = struct.unpack(TAIL_FORM, body[start:at])
    return boot_id, first, body[at:]
