"""The board as a device, and each of its zones as a child of that device."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import ChildDeviceInfo, DeviceInfo

from .const import DOMAIN, MANUFACTURER
from .models import Announce

ZONE_NAME = "zone"  # translation key


def board_info(device_id: str) -> DeviceInfo:
    """The board's device, which `async_register` has described."""
    return DeviceInfo(identifiers={(DOMAIN, device_id)})


def zone_identifiers(device_id: str, zone: int) -> set[tuple[str, str]]:
    """What a zone's device is known by."""
    return {(DOMAIN, f"{device_id}_zone_{zone}")}


def zone_info(board_device_id: str, device_id: str, zone: int) -> ChildDeviceInfo:
    """A zone's device; `board_device_id` is the registry's id of its parent."""
    return ChildDeviceInfo(
        identifiers=zone_identifiers(device_id, zone),
        parent_device_id=board_device_id,
        translation_key=ZONE_NAME,
        translation_placeholders={"number": str(zone)},
    )


def async_register(hass: HomeAssistant, entry_id: str, announce: Announce) -> str:
    """Register the board and its zones, drop zones that are gone, and return the registry's id of the board.

    Must come before the platforms: a child device needs its parent.
    """
    registry = dr.async_get(hass)
    board = registry.async_get_or_create(
        config_entry_id=entry_id,
        identifiers={(DOMAIN, announce.device_id)},
        manufacturer=MANUFACTURER,
        model=announce.hardware,
        name=f"{MANUFACTURER} {announce.device_id}",
        serial_number=announce.device_id,
        sw_version=announce.firmware,
    )
    wanted = set()
    for zone in range(1, announce.zones + 1):
        child = registry.async_get_or_create_child(
            config_entry_id=entry_id,
            identifiers=zone_identifiers(announce.device_id, zone),
            parent_device_id=board.id,
            translation_key=ZONE_NAME,
            translation_placeholders={"number": str(zone)},
        )
        wanted.add(child.id)
    for child in [*dr.async_entries_for_parent_device(registry, board.id)]:
        if child.id not in wanted:
            registry.async_remove_device(child.id)
    return board.id
