"""The topics of one board: subscribe to them one by one, publish to them.

Rule: payload bytes in and out; asks first whether the broker can be reached, because a publish made while it cannot is both reported as an
error and delivered later. Knows no message.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.components import mqtt
from homeassistant.components.mqtt import ReceiveMessage
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from . import messages
from .const import DOMAIN

QOS = 1

type Listener = Callable[[ReceiveMessage], Coroutine[Any, Any, None] | None]


def is_connected(hass: HomeAssistant) -> bool:
    """True while Home Assistant has its link to the broker."""
    try:
        return mqtt.is_connected(hass)
    except KeyError:  # the MQTT integration was never set up, or was removed
        return False


def payload_of(message: ReceiveMessage) -> bytes:
    """The payload as it was sent. Home Assistant decodes once per topic: when somebody else hears the same one as text, so do we."""
    payload = message.payload
    return payload.encode() if isinstance(payload, str) else bytes(payload)


class Channel:
    """Speaks to one board and hears it."""

    def __init__(self, hass: HomeAssistant, device_id: str, key: bytes) -> None:
        """Keep the board's id and its key (16 bytes)."""
        self._hass = hass
        self.device_id = device_id
        self.key = key

    async def subscribe(self, leaf: str, listener: Listener) -> CALLBACK_TYPE:
        """Hear one topic, as bytes: Home Assistant would log each payload that is not UTF-8. Returns what ends it."""
        return await mqtt.async_subscribe(
            self._hass, messages.topic(self.device_id, leaf), listener, qos=QOS, encoding=None
        )

    def ensure_connected(self) -> None:
        """Raise a translated HomeAssistantError when the broker cannot be reached."""
        if not is_connected(self._hass):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_connected")

    async def publish(self, leaf: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish to the board; raises HomeAssistantError when the broker cannot be reached."""
        self.ensure_connected()
        await mqtt.async_publish(self._hass, messages.topic(self.device_id, leaf), payload, qos=QOS, retain=retain)
