"""The weather that a board is told: ET0 and rain of the last seven local days, retained by the broker, so that a board that sleeps misses none.

Rule: what is known of a day is replaced, never added to; the board does the same. Where ET0 and rain come from is somebody else's business: an automation
pushes them.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from . import messages, programs, protocol
from .const import DOMAIN
from .models import Reply, State
from .refusals import refusal_of
from .usual_et0 import month_et0_um

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

CONFIRM_TIMEOUT_S = 5
REPLY_ID = "weather"

type Days = Mapping[
    date, tuple[float | None, float | None]
]  # ET0 and rain in mm; None: as it is known, else the month's usual ET0, and no rain


class WeatherKeeper:
    """Tells one board of the weather."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing was told yet."""
        self._coordinator = coordinator
        self._waiting: asyncio.Future[Reply] | None = None
        self._said: tuple[int, ...] = ()

    async def async_push(self, days: Days) -> bool:
        """Tell of `days`; True when the board took note, False when it will hear of them at its next wake.

        Raises ServiceValidationError for a day that is not among the last seven, or when no zone is described, HomeAssistantError when the broker is
        away or the board refuses.
        """
        coordinator = self._coordinator
        first = dt_util.now().date() - timedelta(days=protocol.WEATHER_DAYS_MAX - 1)
        if not all(first <= day <= dt_util.now().date() for day in days):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="weather_date")
        if not any(zone.get("available_um") for zone in coordinator.data.zones_wanted):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_ground")
        coordinator.channel.ensure_connected()
        told = {programs.number_of(day): self._values(day, *values) for day, values in days.items()}
        known = {day: values for day, values in coordinator.memory.weather.items() if day >= programs.number_of(first)}
        coordinator.memory.weather = {**known, **told}
        await coordinator.store.async_save()
        waiting = self._waiting = coordinator.hass.loop.create_future()
        self._say()
        reply = await self._answered(waiting) if coordinator.data.is_online else None
        if reply is not None and not reply.accepted:
            raise refusal_of(reply.reason)
        return reply is not None

    def _values(self, day: date, et0_mm: float | None, rain_mm: float | None) -> tuple[int, int]:
        """ET0 and rain of a day in um."""
        usual_um = month_et0_um(self._coordinator.hass.config.latitude)[day.month - 1]
        et0_um, rain_um = self._coordinator.memory.weather.get(programs.number_of(day), (usual_um, 0))
        return (
            et0_um if et0_mm is None else round(et0_mm * 1000),
            rain_um if rain_mm is None else round(rain_mm * 1000),
        )

    @callback
    def async_answered(self, reply: Reply) -> None:
        """The board took the weather, or refused it."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(reply)

    @callback
    def async_consider(self, state: State) -> None:
        """The board told what it knows; say it once more to one that lost it, or that had no described zone when it heard of it."""
        today = programs.number_of(dt_util.now().date())
        latest = max((day for day in self._coordinator.memory.weather if day <= today), default=0)
        said = (state.boot_id, state.desired_version, state.weather_date, latest)
        is_described = any(zone.depletion_um is not None for zone in state.zones)
        if is_described and latest > state.weather_date and said != self._said:
            self._said = said
            self._say()

    @callback
    def _say(self) -> None:
        channel, weather = self._coordinator.channel, self._coordinator.memory.weather
        today = dt_util.now().date()
        first = programs.number_of(today - timedelta(days=protocol.WEATHER_DAYS_MAX - 1))
        told = {day: values for day, values in sorted(weather.items()) if first <= day <= programs.number_of(today)}
        if told:
            payload = messages.weather(channel.key, channel.device_id, told)
            self._coordinator.async_say(protocol.WEATHER, payload, retain=True)

    async def _answered(self, waiting: asyncio.Future[Reply]) -> Reply | None:
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                return await waiting
        except TimeoutError:
            return None
        finally:
            self._waiting = None
