"""Solar Sprinkler: a lawn sprinkler that lives on sunlight, over MQTT."""

import logging

from homeassistant.components import mqtt
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from . import dashboard, messages, models, protocol
from .actions import async_register_actions
from .board import Board
from .channel import Channel, is_connected
from .const import CONF_ANNOUNCE, CONF_KEY, DOMAIN
from .coordinator import SprinklerConfigEntry, SprinklerCoordinator
from .devices import async_register
from .errors import ModelError
from .memory import last_skips
from .models import ASLEEP, Announce
from .storage import MemoryStore
from .words import async_words

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.DATETIME,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
    Platform.VALVE,
]


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register the actions and the dashboard, which are there whether or not a board is."""
    async_register_actions(hass)
    await dashboard.async_serve(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: SprinklerConfigEntry) -> bool:
    """Set up one board from what was paired and remembered; whether it is awake makes no difference."""
    if not await mqtt.async_wait_for_mqtt_client(hass):
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="mqtt_unavailable")
    channel = Channel(hass, str(entry.unique_id), bytes.fromhex(entry.data[CONF_KEY]))
    try:
        topic = messages.topic(channel.device_id, protocol.ANNOUNCE)
        announce = models.announce(topic, entry.data[CONF_ANNOUNCE].encode(), channel.key)
    except ModelError as error:
        raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="key_does_not_fit") from error
    store = MemoryStore(hass, entry.entry_id)
    await store.async_load()
    words = await async_words(hass)
    coordinator = SprinklerCoordinator(hass, entry, channel, store, _remembered(hass, announce, store), words)
    coordinator.board_device_id = async_register(hass, entry.entry_id, announce)
    entry.runtime_data = coordinator
    # Valves before all others: the coordinator tells entities in the order in which they came.
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.VALVE])
    await hass.config_entries.async_forward_entry_setups(entry, [each for each in PLATFORMS if each != Platform.VALVE])
    await coordinator.async_start()
    return True


def _remembered(hass: HomeAssistant, announce: Announce, store: MemoryStore) -> Board:
    """The board as it was last known. That it was online is not believed any more: the broker will tell, if it is."""
    memory = store.memory
    slept = memory.availability is not None and memory.availability.state == ASLEEP
    return Board(
        announce=announce,
        availability=memory.availability if slept else None,
        state=memory.state,
        sample=memory.samples[-1] if memory.samples else None,
        last_seen=memory.last_seen,
        queued={run.zone: run for run in memory.queued},
        desired=memory.desired,
        skips=last_skips(memory.events),
        broker_connected=is_connected(hass),
    )


async def async_unload_entry(hass: HomeAssistant, entry: SprinklerConfigEntry) -> bool:
    """Unload one board."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: SprinklerConfigEntry) -> None:
    """Forget one board: what is remembered of it, and the retained messages that Home Assistant published."""
    await MemoryStore(hass, entry.entry_id).async_remove()
    channel = Channel(hass, str(entry.unique_id), b"")
    try:
        for leaf in (protocol.ACK, protocol.DESIRED, protocol.UPDATE_OFFER, protocol.WEATHER):
            await channel.publish(leaf, b"", retain=True)
    except HomeAssistantError as error:
        _LOGGER.warning("Retained messages for board %s stay on the broker: %s", entry.unique_id, error)
