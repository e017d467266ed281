"""The words of the wire: topics, limits and reason words, one spelling from pin to entity.

Rule: constants and two pure functions, no imports. This file is copied byte for byte into the Home Assistant component
(`tools/sync.py`); it must not know who reads it. What each message holds is in docs/protocol.md.
"""

PROTOCOL = 1  # raised when an older peer could misread a message; an unknown key alone never raises it
BASE = "solar_sprinkler"

# Topics below solar_sprinkler/<device_id>/. The board publishes the first group and listens to the second.
ANNOUNCE = "announce"  # retained, signed
AVAILABILITY = "availability"  # retained, Last Will
STATE = "state"  # retained
TELEMETRY = "telemetry"
EVENT = "event"
REPLY = "reply"
TIME_REQUEST = "time_request"
HEALTH = "health"  # retained
UPDATE_REQUEST = "update/request"
UPDATE_STATE = "update/state"  # retained

ACK = "ack"  # retained, signed
DESIRED = "desired"  # retained, signed
COMMAND = "command"  # signed, except a bare stop
TIME = "time"  # signed
WEATHER = "weather"  # retained, signed
UPDATE_OFFER = "update/offer"  # retained, signed
UPDATE_BLOCK = "update/block"  # signed; bytes, no JSON

TO_BOARD = (ACK, DESIRED, COMMAND, TIME, WEATHER, UPDATE_OFFER, UPDATE_BLOCK)
TO_HOME_ASSISTANT = (
    ANNOUNCE,
    AVAILABILITY,
    STATE,
    TELEMETRY,
    EVENT,
    REPLY,
    TIME_REQUEST,
    HEALTH,
    UPDATE_REQUEST,
    UPDATE_STATE,
)

# Words. Order is part of the contract: the board keeps their index in its backlog.
COMMANDS = ("run", "stop", "stay_awake", "identify", "clear_fault", "restart", "check_valve", "skip")
EVENTS = ("boot", "run_started", "run_finished", "run_skipped", "fault", "fault_cleared", "checked")
FAULTS = ("no_flow", "leak", "overrun", "low_battery", "sensor", "clock", "storage", "tampering")
VALVES = ("closed", "opening", "open", "closing", "unknown")
EVIDENCE = ("unknown", "assumed", "sensed", "verified")
CHECKS = ("ok", "no_flow", "leak", "swapped", "unmetered")  # what a check of a valve found
RESULTS = ("", "completed", "stopped", "tripped", "skipped", "resumed")
POWER_MODES = ("responsive", "normal", "saver", "critical", "winter")
SELF_TESTS = ("battery", "panel", "soil", "expander", "ds3231", "flash", "rtc_memory", "button")
CLOCKS = ("unset", "estimated", "set")
WAKE_REASONS = ("power_on", "timer", "watchdog", "reset", "soft_reset")
REASONS = (
    "",
    "requested",  # a person or an automation asked
    "queued",  # accepted, and waits for the zone before it
    "reset",  # the board restarted during the run
    "no_flow",
    "leak",
    "overrun",
    "low_battery",
    "lockout",  # a latched fault forbids opening
    "disabled",  # watering is switched off
    "rain_delay",
    "skip_date",
    "missed",  # the start lies further back than the grace window
    "over_cap",  # longer than the board may ever open a valve
    "under_min",
    "busy",  # that zone already runs
    "too_many",
    "expired",
    "replayed",  # the counter was seen before
    "clock_unset",
    "unknown_zone",
    "unknown_command",
    "invalid",
    "winter",
    "power_on",
    "timer",
    "watchdog",
    "soft_reset",
    "adjusted_to_zero",  # the seasonal adjustment leaves less than the shortest run
    "storage",
    "sensor",
    "clock",
    "tampering",
    "frost",  # too cold for a program
    "wet",  # the soil has enough
    "season",  # outside of the months in which programs start
    "skipped",  # a person asked for that
    "rain_sensor",
    "clock_lost",  # the time is only estimated
    "manual",  # the button on the board
    "checked",  # a valve was tried out
    "safe_mode",  # the firmware crashed again and again: nothing opens
    "ok",  # this one and the next two are verdicts of a check, beside no_flow and leak
    "swapped",  # water while closed, none while open: the coil's wires
    "unmetered",  # no flow meter
    "no_start",  # there is none: nothing to skip, or the sun does not rise or set that day
    "not_needed",  # a smart program: the soil holds enough until the next start
    "day_limit",  # the zone has had its openings, or its water, of the day
)
STARTS = ("clock", "sunrise", "sunset")
UPDATES = ("none", "waiting", "loading", "restarting", "trial", "installed", "refused", "failed", "rolled_back")
UPDATE_REASONS = (
    "",
    "low_battery",
    "heap",  # too little memory free just now
    "no_answer",  # nobody sends the blocks
    "not_newer",
    "wrong_board",
    "interpreter",  # the board's is too old, or reads another bytecode
    "closer",  # it needs another one: over the cable
    "too_big",
    "on_trial",  # the version that runs is not confirmed yet
    "invalid",
    "storage",
    "damaged",  # what arrived, or lies there, is not what was offered
    "boots",  # three boots with it failed
    "self_test",  # worse than before the update
)
HARDWARE = "feather_huzzah_esp8266"

# Limits: (lowest, highest), both allowed.
ZONE_LIMITS = (1, 4)
RUN_TIME_S_LIMITS = (5, 7200)
SEASONAL_ADJUST_PCT_LIMITS = (0, 300)
WAKE_INTERVAL_S_LIMITS = (60, 3600)
AWAKE_S_LIMITS = (0, 28800)
LATITUDE_CDEG_LIMITS = (-9000, 9000)
LONGITUDE_CDEG_LIMITS = (-18000, 18000)
START_MIN_LIMITS = (0, 1439)
OFFSET_MIN_LIMITS = (-240, 240)  # to sunrise or sunset
EVERY_DAYS_LIMITS = (1, 30)
PROGRAM_ID_LIMITS = (1, 8)
FROST_BELOW_DC_LIMITS = (-100, 100)
CYCLE_S_LIMITS = (60, 7200)  # or 0: not in parts
SOAK_S_LIMITS = (0, 7200)
SKIP_ABOVE_PCT_LIMITS = (0, 100)
DAY_OPENINGS_MAX_LIMITS = (1, 250)
DAY_ML_MAX_LIMITS = (1000, 60000000)  # or 0: no limit
APPLICATION_RATE_UM_H_LIMITS = (0, 200000)
AVAILABLE_UM_LIMITS = (1000, 250000)  # or 0: not told
ALLOWED_DEPLETION_PCT_LIMITS = (10, 100)
KC_PCT_LIMITS = (10, 150)
AREA_DM2_LIMITS = (0, 60000)
MONTH_ET0_UM_LIMITS = (0, 20000)  # of a day
DAY_ET0_UM_LIMITS = (0, 30000)
DAY_RAIN_UM_LIMITS = (0, 600000)
WEATHER_DAYS_MAX = 7
SKIP_DATES_MAX = 8
TZ_RULE_MAX = 48  # characters
EXPIRES_S_MAX = 86400  # a command may not live longer than a day
PAYLOAD_MAX = 2048  # bytes, the longest message either side accepts, but for a state
STATE_MAX = 2560  # of four zones, each with all that can be said of it

UPDATE_BLOCK_BYTES = 512  # of an image, in one message
SIGNATURE_HEX = 32  # 128 bit of HMAC-SHA256


def topic(device_id: str, leaf: str) -> str:
    """Full topic name of `leaf` (one of the constants above) for the board `device_id` (8 hex digits)."""
    return BASE + "/" + device_id + "/" + leaf


def signed_part(topic_name: str, body: bytes) -> bytes:
    """The bytes that a signature covers: topic, a zero byte, the JSON text (`body`, bytes)."""
    return topic_name.encode() + b"\0" + body
