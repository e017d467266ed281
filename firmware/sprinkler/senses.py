"""Senses: all sensors in one place, each optional but the battery; what fails is None and a fault, and the board goes on.

Rule: reads, never decides. Only battery and flow meter are read in every turn of the loop; the others come with a sample. It must not know runs or messages.
"""

from . import ina219
from .board import BATTERY_MV
from .errors import SensorError
from .flow import FlowMeter

if False:  # for annotations
    from .board import Board
    from .settings import Config
    from .store import Memory


class Senses:
    """The sensors that config.json names, and their last readings: `temperature_dc`, `rain` (True, False or None), `soil` (percent or None, by zone - 1)."""

    temperature_dc: int | None
    rain: bool | None

    def __init__(self, board: "Board", config: "Config") -> None:
        self._board = board
        self._config = config
        self.flow: FlowMeter | None = FlowMeter(board, config.ul_per_pulse) if config.ul_per_pulse else None
        self.failed = False  # a sensor that should be there does not answer
        self.flow_rate_ml_min: int | None = 0 if self.flow else None
        self.temperature_dc = self.rain = None
        self.soil: list[int | None] = [None] * 4
        self._window_ml = 0
        self._window_ms = board.uptime_ms()

    def has_flow(self) -> bool:
        """True if there is a flow meter."""
        return self.flow is not None

    def soil_pct(self, zone: int) -> int | None:
        """Moisture at the probe of `zone` in the last sample, 0 to 100, or None."""
        return self.soil[zone - 1]

    def battery(self) -> tuple[int, int | None]:
        """(mV, mA); mV is 0 and mA None when unknown."""
        try:
            if self._config.battery_sensor != "ina219":
                return self._board.adc_battery_mv(), None
            mv, ma = ina219.read(self._board, ina219.BATTERY)
            if not BATTERY_MV[0] <= mv <= BATTERY_MV[1]:
                raise SensorError("battery")
            return mv, ma
        except SensorError:
            self.failed = True
            return 0, None

    def take_ml(self) -> int:
        """Water since the last call, ml; also keeps the flow rate, over windows of two seconds or more."""
        if self.flow is None:
            return 0
        ml = self.flow.take_ml()
        self._window_ml += ml
        elapsed_ms = self._board.uptime_ms() - self._window_ms
        if elapsed_ms >= 2000:
            self.flow_rate_ml_min = self._window_ml * 60000 // elapsed_ms
            self._window_ml = 0
            self._window_ms += elapsed_ms
        return ml

    def sample(self, at_s: int, rssi_dbm: int | None, memory: "Memory", longitude_cdeg: int) -> list[int]:
        """Read all sensors, and note in `memory` what the battery's days need. Returns the fields of a sample."""
        from .sampling import note_day, take

        values = take(self, self._board, self._config, at_s, rssi_dbm)
        note_day(memory, at_s, longitude_cdeg, values[3])
        self._board.drop("sampling")
        return values
