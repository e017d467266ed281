"""Settings: what is in force. The late modules `provisioned`, `desired` and `programs` read and check the texts.

Rule: values and their defaults. It must not know where they come from, or how they are used.
"""

from .core.safety import DAY_OPENINGS, LIMITS
from .errors import RefusedError

PROGRAM_FORM = "<HIhHH8H"  # the fields of core.schedule
PROGRAM_BYTES = 28
GROUND_FORM = ">HBBHH"  # available um / 10, allowed depletion %, Kc %, application rate um/h / 10, area in 1/100 m2


class Config:
    """The board's description, as provisioned: and `key`, the device key as bytes (the names of provisioned._CONFIG)."""

    device_key: str
    wifi_ssid: str
    wifi_password: str
    broker_host: str
    broker_port: int
    broker_user: str
    broker_password: str
    ntp_host: str
    ul_per_pulse: int
    soil_raw: tuple
    battery_sensor: str
    panel_sensor: bool
    pulse_ma: int
    analog_probe_zone: int
    temperature_sensor: str
    rain_switch: str
    rain_when_open: bool
    ds3231: bool
    always_responsive: bool
    key: bytes


class Settings:
    """What is in force: settings, programs, their version."""

    def __init__(self) -> None:
        self.version = 0
        self.rule: tuple = (0,)
        self.latitude_cdeg = self.longitude_cdeg = 0
        self.watering_enabled = True
        self.winter = False  # put away: closed, no programs, rare wakes
        self.rain_delay_until = 0  # Unix seconds, as on the wire
        self.seasonal_adjust_pct = 100
        self.wake_interval_s = 900
        self.season_from = self.season_to = 0  # month * 100 + day; 0: all year
        self.frost_below_dc: int | None = None  # no program starts below it
        self.zones = bytes(
            20
        )  # for each zone, as struct ">HHB": cycle s, soak s, soil % from which on it is wet enough (0: never)
        self.water = b""  # of smart watering: ET0 of a day in each month (1/10 mm), and each zone's ground (watering.py); empty where none is described
        self.limits: tuple[int, ...] = LIMITS[DAY_OPENINGS + 1 :]  # of a day: openings of each zone, then ml of each
        self.programs = b""  # tuples of core.schedule, packed, one behind the other, in order of zone and id


def integer(value: object, limits: tuple[int, int]) -> int:
    """`value` if it is an integer within (lowest, highest). Raises RefusedError("invalid")."""
    if type(value) is not int or not limits[0] <= value <= limits[1]:
        raise RefusedError("invalid")
    return value
