"""Names that several modules of the component share and that are no words of the wire (those are in protocol.py)."""

from typing import Final

DOMAIN: Final = "solar_sprinkler"
MANUFACTURER: Final = "Solar Sprinkler"

CONF_ANNOUNCE: Final = "announce"  # the signed announce as it was heard, so that setup needs no board that is awake
CONF_KEY: Final = "key"  # 32 hex digits
CONF_PAIRING_CODE: Final = "pairing_code"
CONF_NAME: Final = "name"
CONF_ZONES: Final = "zones"  # in the options: soil and plant of each zone by its number
CONF_SOIL: Final = "soil"
CONF_PLANT: Final = "plant"

ATTR_DURATION: Final = "duration"

ACTION_RUN: Final = "run"
ACTION_STOP: Final = "stop"
ACTION_STAY_AWAKE: Final = "stay_awake"
ACTION_RAIN_DELAY: Final = "rain_delay"
ACTION_SKIP: Final = "skip"
ACTION_CHECK_VALVE: Final = "check_valve"
ACTION_SET_PROGRAM: Final = "set_program"
ACTION_GET_PROGRAMS: Final = "get_programs"
ACTION_GET_HISTORY: Final = "get_history"
ACTION_PUSH_WEATHER: Final = "push_weather"

# Happenings that only Home Assistant can tell, beside the board's own in protocol.EVENTS.
EVENT_RUN_REFUSED: Final = "run_refused"  # the board refused a run that had waited for its wake
EVENT_RUN_EXPIRED: Final = "run_expired"  # a queued run was never acknowledged
