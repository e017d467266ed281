"""The forms about the garden: their fields in a person's units, and the settings of the wire that they stand for.

Rule: conversions between the two and nothing else; an empty field is a setting that is off. Dates of the season have a year in Home Assistant's
picker, which means nothing.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import voluptuous as vol

from homeassistant.const import UnitOfArea, UnitOfTemperature, UnitOfVolumetricFlux
from homeassistant.helpers.selector import (
    DateSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import AreaConverter, SpeedConverter, TemperatureConverter
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM, UnitSystem

from . import protocol
from .board import WAKE_INTERVAL_DEFAULT_S, Board
from .const import CONF_NAME, CONF_PLANT, CONF_SOIL
from .zone_settings import PLANTS, SOILS

CONF_APPLICATION_RATE = "application_rate"
CONF_AREA = "area"
CONF_CYCLE = "cycle_min"
CONF_SOAK = "soak_min"
CONF_SKIP_ABOVE = "skip_above_pct"
CONF_DAY_OPENINGS = "day_openings_max"  # as on the wire
CONF_DAY_LITRES = "day_litres"
CONF_SEASON_FROM = "season_from"
CONF_SEASON_TO = "season_to"
CONF_FROST_BELOW = "frost_below"
CONF_WAKE_INTERVAL = "wake_interval_min"
CONF_VALVE = "valve"


def _number(lowest: float, highest: float, step: float, unit: str) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(min=lowest, max=highest, step=step, unit_of_measurement=unit, mode=NumberSelectorMode.BOX)
    )


def _choice(options: tuple[str, ...], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(options=[*options], translation_key=translation_key, mode=SelectSelectorMode.DROPDOWN)
    )


def _minutes(limits_s: tuple[int, int], lowest: int = 0) -> NumberSelector:
    return _number(lowest, limits_s[1] // 60, 1, "min")


def _rate_unit(units: UnitSystem) -> UnitOfVolumetricFlux:
    is_us = units is US_CUSTOMARY_SYSTEM
    return UnitOfVolumetricFlux.INCHES_PER_HOUR if is_us else UnitOfVolumetricFlux.MILLIMETERS_PER_HOUR


def rate_um_h(units: UnitSystem, rate: float | None) -> int:
    """What the sprinklers give, from a person's unit to the wire's."""
    return round(1000 * SpeedConverter.convert(rate or 0, _rate_unit(units), UnitOfVolumetricFlux.MILLIMETERS_PER_HOUR))


def rate_shown(units: UnitSystem, um_h: int) -> float | None:
    """The same the other way."""
    rate = SpeedConverter.convert(um_h / 1000, UnitOfVolumetricFlux.MILLIMETERS_PER_HOUR, _rate_unit(units))
    return round(rate, 2) if um_h else None


def area_dm2(units: UnitSystem, area: float | None) -> int | None:
    """What the sprinklers water, from a person's unit to the wire's; None: nobody said."""
    return round(100 * AreaConverter.convert(area or 0, units.area_unit, UnitOfArea.SQUARE_METERS)) or None


def area_shown(units: UnitSystem, dm2: int) -> float | None:
    """The same the other way."""
    area = AreaConverter.convert(dm2 / 100, UnitOfArea.SQUARE_METERS, units.area_unit)
    return round(area, 1) if dm2 else None


def zone_schema(units: UnitSystem, *, has_flow: bool) -> vol.Schema:
    """Name, soil, plant and sprinklers of a zone; their area where water is metered."""
    unit = _rate_unit(units)
    highest = rate_shown(units, protocol.APPLICATION_RATE_UM_H_LIMITS[1]) or 0
    step = 0.01 if unit is UnitOfVolumetricFlux.INCHES_PER_HOUR else 0.1
    fields: dict[vol.Marker, Any] = {
        vol.Optional(CONF_NAME): TextSelector(),
        vol.Optional(CONF_SOIL): _choice(tuple(SOILS), "soil"),
        vol.Optional(CONF_PLANT): _choice(PLANTS, "plant"),
        vol.Optional(CONF_APPLICATION_RATE): _number(0, highest, step, unit),
    }
    if has_flow:
        highest = area_shown(units, protocol.AREA_DM2_LIMITS[1]) or 0
        fields[vol.Optional(CONF_AREA)] = _number(0, highest, 0.1, units.area_unit)
    return vol.Schema(fields)


def cycle_schema(*, has_probe: bool, has_flow: bool) -> vol.Schema:
    """Cycle and soak of a zone; the moisture cut-off where there is a probe; the day's limits, that of water where it is metered."""
    fields: dict[vol.Marker, Any] = {
        vol.Optional(CONF_CYCLE): _minutes(protocol.CYCLE_S_LIMITS),
        vol.Optional(CONF_SOAK): _minutes(protocol.SOAK_S_LIMITS),
    }
    if has_probe:
        fields[vol.Optional(CONF_SKIP_ABOVE)] = _number(*protocol.SKIP_ABOVE_PCT_LIMITS, 1, "%")
    fields[vol.Optional(CONF_DAY_OPENINGS)] = _number(*protocol.DAY_OPENINGS_MAX_LIMITS, 1, "")
    if has_flow:
        lowest_ml, highest_ml = protocol.DAY_ML_MAX_LIMITS
        fields[vol.Optional(CONF_DAY_LITRES)] = _number(lowest_ml // 1000, highest_ml // 1000, 1, "L")
    return vol.Schema(fields)


def cycle_error(given: Mapping[str, Any]) -> str:
    """The key of an error, if one of the two is missing."""
    return "" if bool(given.get(CONF_CYCLE)) == bool(given.get(CONF_SOAK)) else "cycle_and_soak"


def cycle_settings(given: Mapping[str, Any]) -> dict[str, int | None]:
    """What the board is told of it; None: its own default."""
    cycle_s, soak_s = (int(given.get(key) or 0) * 60 for key in (CONF_CYCLE, CONF_SOAK))
    return {
        "cycle_s": cycle_s,
        "soak_s": soak_s,
        "skip_above_pct": int(given.get(CONF_SKIP_ABOVE) or 0),
        "day_openings_max": int(given.get(CONF_DAY_OPENINGS) or 0) or None,
        "day_ml_max": int(given.get(CONF_DAY_LITRES) or 0) * 1000 or None,
    }


def cycle_shown(wanted: Mapping[str, Any], proposed: tuple[int, int]) -> dict[str, int]:
    """What is wanted; what is proposed where nothing is."""
    minutes = (wanted["cycle_s"] // 60, wanted["soak_s"] // 60) if wanted["cycle_s"] else proposed
    shown = {CONF_CYCLE: minutes[0], CONF_SOAK: minutes[1], CONF_SKIP_ABOVE: int(wanted["skip_above_pct"])}
    shown[CONF_DAY_OPENINGS] = int(wanted.get("day_openings_max") or 0)
    shown[CONF_DAY_LITRES] = int(wanted.get("day_ml_max") or 0) // 1000
    return {key: value for key, value in shown.items() if value}


def board_schema(units: UnitSystem, *, has_thermometer: bool) -> vol.Schema:
    """Season, frost where the board can feel it, and the time between two wakes."""
    fields: dict[vol.Marker, Any] = {
        vol.Optional(CONF_SEASON_FROM): DateSelector(),
        vol.Optional(CONF_SEASON_TO): DateSelector(),
    }
    if has_thermometer:
        lowest, highest = (_to_shown(units, limit) for limit in protocol.FROST_BELOW_DC_LIMITS)
        fields[vol.Optional(CONF_FROST_BELOW)] = _number(lowest, highest, 0.5, units.temperature_unit)
    fields[vol.Optional(CONF_WAKE_INTERVAL)] = _minutes(protocol.WAKE_INTERVAL_S_LIMITS, lowest=1)
    return vol.Schema(fields)


def _to_shown(units: UnitSystem, tenths: int) -> float:
    return round(TemperatureConverter.convert(tenths / 10, UnitOfTemperature.CELSIUS, units.temperature_unit), 1)


def _to_tenths(units: UnitSystem, temperature: float) -> int:
    lowest, highest = protocol.FROST_BELOW_DC_LIMITS
    tenths = round(10 * TemperatureConverter.convert(temperature, units.temperature_unit, UnitOfTemperature.CELSIUS))
    return max(lowest, min(highest, tenths))


def board_error(given: Mapping[str, Any]) -> str:
    """The key of an error, if the season has one end only."""
    return "" if bool(given.get(CONF_SEASON_FROM)) == bool(given.get(CONF_SEASON_TO)) else "season_both"


def board_settings(units: UnitSystem, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the board is told of it."""
    frost, wake_min = given.get(CONF_FROST_BELOW), given.get(CONF_WAKE_INTERVAL)
    return {
        "season_from": _day_of_year(given.get(CONF_SEASON_FROM)),
        "season_to": _day_of_year(given.get(CONF_SEASON_TO)),
        "frost_below_dc": None if frost is None else _to_tenths(units, frost),
        "wake_interval_s": int(wake_min * 60) if wake_min else WAKE_INTERVAL_DEFAULT_S,
    }


def _day_of_year(text: str | None) -> int:
    day = date.fromisoformat(text) if text else None
    return day.month * 100 + day.day if day else 0


def board_shown(units: UnitSystem, board: Board) -> dict[str, Any]:
    """What is wanted, as the form shows it."""
    year, frost = dt_util.now().year, board.wanted("frost_below_dc")
    shown: dict[str, Any] = {CONF_WAKE_INTERVAL: board.wanted("wake_interval_s", WAKE_INTERVAL_DEFAULT_S) // 60}
    for key in (CONF_SEASON_FROM, CONF_SEASON_TO):
        if number := board.wanted(key, 0):
            shown[key] = date(2024 if number == 229 else year, number // 100, number % 100).isoformat()
    if frost is not None:
        shown[CONF_FROST_BELOW] = _to_shown(units, frost)
    return shown


def valve_schema(zones: Mapping[str, str]) -> vol.Schema:
    """Which valve."""
    options = [SelectOptionDict(value=zone, label=name) for zone, name in zones.items()]
    selector = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
    return vol.Schema({vol.Required(CONF_VALVE, default=next(iter(zones))): selector})
