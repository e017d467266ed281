"""Senses: all sensors in one place, each optional but the battery; what fails is None and a fault, and the board goes on.

Rule: reads, never decides. It must not know runs or messages.
"""

from . import ina219, soil
from .errors import SensorError
from .flow import FlowMeter
from .store import NO_DC, NONE_I16, NONE_U8, NONE_U16

_BATTERY_PLAUSIBLE_MV = (2500, 4500)


class Senses:
    """The sensors that config.json names."""

    def __init__(self, board, config):
        self._board = board
        self._config = config
        self._flow = FlowMeter(board, config.ul_per_pulse) if config.ul_per_pulse else None
        self.failed = False  # a sensor that should be there does not answer
        self.flow_rate_ml_min = 0 if self._flow else None
        self._window_ml = 0
        self._window_ms = board.uptime_ms()

    def has_flow(self):
        """True if there is a flow meter."""
        return self._flow is not None

    def battery(self):
        """(mV, mA); mV is 0 and mA None when unknown."""
        try:
            if self._config.battery_sensor == "ina219":
                mv, ma = ina219.read(self._board.i2c(), ina219.BATTERY)
                if not _BATTERY_PLAUSIBLE_MV[0] <= mv <= _BATTERY_PLAUSIBLE_MV[1]:
                    raise SensorError("battery")
                return mv, ma
            return self._board.adc_battery_mv(), None
        except SensorError:
            self.failed = True
            return 0, None

    def take_ml(self):
        """Water since the last call, ml; also keeps the flow rate, over windows of two seconds or more."""
        if self._flow is None:
            return 0
        ml = self._flow.take_ml()
        self._window_ml += ml
        elapsed_ms = self._board.uptime_ms() - self._window_ms
        if elapsed_ms >= 2000:
            self.flow_rate_ml_min = self._window_ml * 60000 // elapsed_ms
            self._window_ml = 0
            self._window_ms += elapsed_ms
        return ml

    def sample(self, at_s, rssi_dbm):
        """The fields of one telemetry sample, in the order of store._SAMPLE."""
        self.failed = False
        battery_mv, battery_ma = self.battery()
        try:
            panel = ina219.read(self._board.i2c(), ina219.PANEL) if self._config.panel_sensor else (None, None)
        except SensorError:
            self.failed = True
            panel = (None, None)
        values = [
            at_s,
            _or(panel[0], NONE_U16),
            _or(panel[1], NONE_I16),
            battery_mv or NONE_U16,
            _or(battery_ma, NONE_I16),
        ]
        values += [self._soil(zone) for zone in range(1, 5)]
        values.append(_or(self.flow_rate_ml_min, NONE_U16))
        values.append(rssi_dbm if rssi_dbm is not None and -127 <= rssi_dbm < 0 else 0)
        values.append(4 * NO_DC)
        return values

    def _soil(self, zone):
        if zone > len(self._config.soil_raw):
            return NONE_U8
        try:
            dry_raw, wet_raw = self._config.soil_raw[zone - 1]
            return soil.read_pct(self._board, zone, dry_raw, wet_raw)
        except (SensorError, ValueError, TypeError):
            self.failed = True
            return NONE_U8


def _or(value, none):
    return none if value is None else max(-32767, min(value, 65534))
