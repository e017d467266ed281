"""The only parser of what a board says: payload bytes in, frozen dataclasses out.

Rule: one line per key with its limits; anything malformed, oversized or foreign raises ModelError and nothing else. A word that an older
component cannot know (a new fault, a new reason) is kept as long as it looks like a word; an unknown word about a valve means `unknown`.
Imports nothing of Home Assistant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import Any

from . import protocol
from .errors import ModelError
from .fields import (
    decode,
    integer,
    mapping,
    maybe,
    nested,
    one_of,
    optional,
    read,
    several,
    text,
    truth,
    word,
    word_or_empty,
)
from .signing import split, verify

ONLINE = "online"
ASLEEP = "asleep"
LOST = "lost"

_DEVICE_ID = re.compile(r"[0-9a-f]{8}")
_NAME = re.compile(r"[ -~]{1,64}")
_COMMAND_ID = re.compile(r"[!-~]{1,16}")
_CRASH = re.compile(r".{0,100}", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9.]{0,16}")
_NONCE = re.compile(r"[0-9a-f]{8,32}")

_UINT32 = (0, 2**32 - 1)  # times and boot ids
_COUNT = (0, 2**31 - 1)
_COUNTER = (0, 2**53 - 1)
_VOLUME_ML = (0, 2**50)
_FLOW_RATE_ML_MIN = (0, 1_000_000)
_MILLI = (-100_000, 100_000)  # mV and mA
_PCT = (0, 100)
_RSSI_DBM = (-200, 20)
_TEMPERATURE_DC = (-1000, 1500)
UNTOLD = -1  # of a number that an older firmware does not tell; None means that the board cannot know it
_DAYS = (UNTOLD, 100_000)
_DEPTH_UM = (0, 1_000_000)
_DATE = (0, 99_999_999)
_RUN_TIME_S = (0, 86_400)  # what a board may report
_ASKED_RUN_TIME_S = protocol.RUN_TIME_S_LIMITS  # what it may be asked for
_ZONE = protocol.ZONE_LIMITS  # named here because a field of that name hides the module in its class
_ZONES_MAX = _ZONE[1]
_ZONE_OR_NONE = (0, _ZONES_MAX)


@dataclass(frozen=True)
class Announce:
    """What a board is; constant for a firmware and its settings file."""

    protocol: int = integer((1, 1000))
    device_id: str = text(_DEVICE_ID)
    firmware: str = text(_NAME)
    hardware: str = text(_NAME)
    zones: int = integer(_ZONE)
    run_time_max_s: int = integer(_ASKED_RUN_TIME_S)
    programs_max: int = integer((0, 100))
    commands: tuple[str, ...] = several(word())
    features: tuple[str, ...] = several(word())
    leak_from_ml_min: int | None = optional(maybe(integer(_FLOW_RATE_ML_MIN)), None)  # an older firmware does not say


@dataclass(frozen=True)
class Availability:
    """`online`, `asleep` with the time of its next wake (0 for unknown), or `lost`."""

    state: str = one_of((ONLINE, ASLEEP, LOST))
    until: int = integer(_UINT32)


@dataclass(frozen=True)
class LastRun:
    """How the last run of a zone ended, and why."""

    run_id: int = integer(_UINT32)
    program: int = integer(_COUNT)
    at: int = integer(_UINT32)
    result: str = word_or_empty()
    reason: str = word_or_empty()
    duration_s: int = integer(_RUN_TIME_S)
    volume_ml: int | None = maybe(integer(_VOLUME_ML))


@dataclass(frozen=True)
class LastSkip:
    """The last start of a zone that was given up, and why."""

    at: int = integer(_UINT32)
    program: int = integer(_COUNT)
    reason: str = word()


@dataclass(frozen=True)
class Check:
    """What the last check of a zone's valve found."""

    at: int = integer(_UINT32)
    verdict: str = word()
    volume_ml: int | None = maybe(integer(_VOLUME_ML))


@dataclass(frozen=True)
class Zone:
    """What is true of one zone."""

    zone: int = integer(_ZONE)
    valve: str = one_of(protocol.VALVES, otherwise="unknown")
    evidence: str = one_of(protocol.EVIDENCE, otherwise="unknown")
    run_id: int = integer(_UINT32)
    program: int = integer(_COUNT)
    run_time_s: int = integer(_RUN_TIME_S)
    run_until: int = integer(_UINT32)
    queued_s: int = integer(_RUN_TIME_S)
    flow_rate_ml_min: int | None = maybe(integer(_FLOW_RATE_ML_MIN))
    volume_ml: int | None = maybe(integer(_VOLUME_ML))
    next_run_at: int = integer(_UINT32)
    faults: tuple[str, ...] = several(word())
    last_run: LastRun | None = maybe(nested(LastRun))  # noqa: RUF009  (gives a field, no default)
    last_skip: LastSkip | None = optional(maybe(nested(LastSkip)), None)  # noqa: RUF009
    check: Check | None = optional(maybe(nested(Check)), None)  # noqa: RUF009
    depletion_um: int | None = optional(maybe(integer(_DEPTH_UM)), None)


@dataclass(frozen=True)
class State:
    """What is true of a board and its zones."""

    at: int = integer(_UINT32)
    boot_id: int = integer(_UINT32)
    clock: str = word()
    power_mode: str = word()
    wake_reason: str = word()
    wake_at: int = integer(_UINT32)
    watering_enabled: bool = truth()
    rain_delay_until: int = integer(_UINT32)
    seasonal_adjust_pct: int = integer(protocol.SEASONAL_ADJUST_PCT_LIMITS)
    desired_version: int = integer(_COUNT)
    command_counter: int = integer(_COUNTER)
    event: int = integer(_COUNT)
    sample: int = integer(_COUNT)
    faults: tuple[str, ...] = several(word())
    zones: tuple[Zone, ...] = several(nested(Zone), _ZONES_MAX)
    awake_until: int = optional(integer(_UINT32), 0)
    winter: bool | None = optional(maybe(truth()), None)
    battery_days: int | None = optional(maybe(integer(_DAYS)), UNTOLD)
    safe_mode: bool = optional(truth(), False)
    weather_date: int = optional(integer(_DATE), 0)


@dataclass(frozen=True)
class Sample:
    """One numbered measurement; None where there is no such sensor, or where it failed."""

    n: int = integer(_COUNT)
    at: int = integer(_UINT32)
    solar_mv: int | None = maybe(integer(_MILLI))
    solar_ma: int | None = maybe(integer(_MILLI))
    battery_mv: int | None = maybe(integer(_MILLI))
    battery_ma: int | None = maybe(integer(_MILLI))
    battery_pct: int | None = maybe(integer(_PCT))
    soil_pct: tuple[int | None, ...] = several(maybe(integer(_PCT)), _ZONES_MAX)
    flow_rate_ml_min: int | None = maybe(integer(_FLOW_RATE_ML_MIN))
    rssi_dbm: int | None = maybe(integer(_RSSI_DBM))
    after: int = optional(
        integer(_COUNT), 0
    )  # the number before it that the board still held, if it gave up those between
    temperature_dc: int | None = optional(maybe(integer(_TEMPERATURE_DC)), None)
    rain: bool | None = optional(maybe(truth()), None)


@dataclass(frozen=True)
class Telemetry:
    """Samples of one boot, oldest first; the board still holds those from `oldest` on."""

    boot_id: int = integer(_UINT32)
    oldest: int = integer(_COUNT)
    samples: tuple[Sample, ...] = several(nested(Sample))
    dropped: int = optional(integer(_COUNT), 0)  # given up unheard since the board lost its memory


@dataclass(frozen=True)
class BoardEvent:
    """One numbered happening on a board, which still holds those from `oldest` on."""

    boot_id: int = integer(_UINT32)
    oldest: int = integer(_COUNT)
    n: int = integer(_COUNT)
    at: int = integer(_UINT32)
    event: str = word()
    zone: int = integer(_ZONE_OR_NONE)
    run_id: int = integer(_UINT32)
    program: int = integer(_COUNT)
    result: str = word_or_empty()
    reason: str = word_or_empty()
    duration_s: int = integer(_RUN_TIME_S)
    volume_ml: int | None = maybe(integer(_VOLUME_ML))
    after: int = optional(integer(_COUNT), 0)  # as in Sample


@dataclass(frozen=True)
class Health:
    """How the board itself is: told once a start and once a day. None where the board does not know; all of it may be left out."""

    firmware: str = optional(text(_NAME), "")
    boots: int | None = optional(maybe(integer(_COUNT)), None)
    wakes: int | None = optional(maybe(integer(_COUNT)), None)
    heap_free: int | None = optional(maybe(integer(_COUNT)), None)
    flash_writes: int | None = optional(maybe(integer(_UINT32)), None)
    clock_error_s: int | None = optional(maybe(integer((-_UINT32[1], _UINT32[1]))), None)
    join_ms: int | None = optional(maybe(integer(_COUNT)), None)
    pulse_ma: int | None = optional(maybe(integer((-_COUNT[1], _COUNT[1]))), None)
    self_test: tuple[str, ...] | None = optional(maybe(several(word())), None)  # what does not answer; None: not tested
    crash: str | None = optional(maybe(text(_CRASH)), None)


@dataclass(frozen=True)
class Reply:
    """A board's answer to one command."""

    id: str = text(_COMMAND_ID)
    accepted: bool = truth()
    reason: str = word_or_empty()
    zone: int = integer(_ZONE_OR_NONE)
    run_id: int = integer(_UINT32)
    run_time_s: int = integer(_RUN_TIME_S)
    run_until: int = integer(_UINT32)
    at: int = optional(integer(_UINT32), 0)  # of the start that a `skip` gave up


@dataclass(frozen=True)
class TimeRequest:
    """A board asks for the time."""

    nonce: str = text(_NONCE)


@dataclass(frozen=True)
class UpdateState:
    """What becomes of an update; `state` and `reason` are words of protocol.UPDATES and UPDATE_REASONS, or a newer board's own."""

    state: str = word()
    reason: str = word_or_empty()
    offer: int = integer(_UINT32)
    version: str = text(_VERSION)
    done: int = integer(_COUNT)
    size: int = integer(_COUNT)
    firmware: str = text(_NAME)


@dataclass(frozen=True)
class UpdateOffer:
    """A firmware that Home Assistant offered, as the broker kept it."""

    offer: int = integer(_UINT32)
    version: str = text(_VERSION)
    sha256: str = text(_SHA256)


@dataclass(frozen=True)
class UpdateRequest:
    """A board asks for `bytes` bytes of the offered image, from `at` on."""

    offer: int = integer(_UINT32)
    at: int = integer(_COUNT)
    bytes: int = integer((1, protocol.UPDATE_BLOCK_BYTES))


@dataclass(frozen=True)
class Desired:
    """Settings and programs as wanted; complete, because the board takes them as a whole."""

    version: int = integer(_COUNT)
    settings: Mapping[str, Any] = mapping()
    programs: tuple[Mapping[str, Any], ...] = several(mapping())


def announce(topic: str, payload: bytes, key: bytes | None) -> Announce:
    """Parse a signed announce on `topic`, which must name the board it speaks of.

    With `key` the signature is verified first (SignatureError, a ModelError); without, the announce is only a claim to show to a person.
    """
    body = split(payload)[0] if key is None else verify(key, topic, payload)
    found = read(Announce, decode(body, protocol.PAYLOAD_MAX))
    if topic != protocol.topic(found.device_id, protocol.ANNOUNCE):
        raise ModelError("it speaks of another board than its topic does")
    return found


def availability(payload: bytes) -> Availability:
    """Parse an availability; only one that is asleep has `until`."""
    value = decode(payload, protocol.PAYLOAD_MAX)
    if isinstance(value, dict) and value.get("state") != ASLEEP:
        value = {**value, "until": 0}
    return read(Availability, value)


def state(payload: bytes) -> State:
    """Parse a state; its zones come back in their order, each at most once."""
    found = read(State, decode(payload, protocol.STATE_MAX))
    numbers = [zone.zone for zone in found.zones]
    if numbers != sorted(set(numbers)):
        raise ModelError("zones are not in order")
    return found


def telemetry(payload: bytes) -> Telemetry:
    """Parse samples, which must be numbered upwards."""
    found = read(Telemetry, decode(payload, protocol.PAYLOAD_MAX))
    numbers = [sample.n for sample in found.samples]
    if numbers != sorted(set(numbers)):
        raise ModelError("samples are not in order")
    return found


def event(payload: bytes) -> BoardEvent:
    """Parse one event."""
    return read(BoardEvent, decode(payload, protocol.PAYLOAD_MAX))


def reply(payload: bytes) -> Reply:
    """Parse a reply."""
    return read(Reply, decode(payload, protocol.PAYLOAD_MAX))


def health(payload: bytes) -> Health:
    """Parse how the board is."""
    return read(Health, decode(payload, protocol.PAYLOAD_MAX))


def time_request(payload: bytes) -> TimeRequest:
    """Parse a request for the time."""
    return read(TimeRequest, decode(payload, protocol.PAYLOAD_MAX))


def update_state(payload: bytes) -> UpdateState:
    """Parse what becomes of an update."""
    return read(UpdateState, decode(payload, protocol.PAYLOAD_MAX))


def update_offer(topic: str, payload: bytes, key: bytes) -> UpdateOffer:
    """Parse what Home Assistant itself offered earlier; verified first."""
    return read(UpdateOffer, decode(verify(key, topic, payload), protocol.PAYLOAD_MAX))


def update_request(payload: bytes) -> UpdateRequest:
    """Parse a request for a block."""
    return read(UpdateRequest, decode(payload, protocol.PAYLOAD_MAX))


def desired(topic: str, payload: bytes, key: bytes) -> Desired:
    """Parse what Home Assistant itself retained earlier; verified first, because only Home Assistant and the board have the key."""
    return read(Desired, decode(verify(key, topic, payload), protocol.PAYLOAD_MAX))
