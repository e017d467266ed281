"""The board's firmware: which version runs, which this copy of the integration carries, and how far an update is."""

from typing import Any

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityDescription,
    UpdateEntityFeature,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SprinklerConfigEntry
from .entity import SprinklerEntity
from .updater import UpdateView, view

PARALLEL_UPDATES = 0

FIRMWARE = UpdateEntityDescription(
    key="firmware",
    translation_key="firmware",
    device_class=UpdateDeviceClass.FIRMWARE,
    entity_category=EntityCategory.CONFIG,
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: SprinklerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the board's firmware."""
    async_add_entities([Firmware(entry.runtime_data, FIRMWARE)])


class Firmware(SprinklerEntity, UpdateEntity):
    """The firmware of one board. What the board tells is shown; nothing is assumed."""

    _attr_title = "Solar Sprinkler"

    @property
    def supported_features(self) -> UpdateEntityFeature:
        """Without a bundle there is nothing to install."""
        if self.coordinator.updater.bundle is None:
            return UpdateEntityFeature(0)
        return UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS | UpdateEntityFeature.RELEASE_NOTES

    @property
    def installed_version(self) -> str:
        """What the board announces."""
        return self.board.announce.firmware

    @property
    def latest_version(self) -> str:
        """What could be installed; a board that is newer than the bundle is up to date."""
        return self.coordinator.updater.latest_version

    @property
    def _view(self) -> UpdateView:
        return view(self.board.offered, self.board.update, self.board.announce.firmware)

    @property
    def in_progress(self) -> bool:
        """From the offer until the board has confirmed it, or given it up."""
        return self._view.in_progress

    @property
    def update_percentage(self) -> int | None:
        """How much the board has."""
        return self._view.percentage

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """What the board says of the last update, and whether there is a firmware to offer."""
        told = self.board.update
        bundle = self.coordinator.updater.bundle
        return {
            "update_state": told.state if told else None,
            "update_reason": told.reason or None if told else None,
            "bundle_version": bundle.version if bundle else None,
        }

    async def async_release_notes(self) -> str | None:
        """What the bundle says."""
        bundle = self.coordinator.updater.bundle
        return bundle.release_notes or None if bundle else None

    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:  # noqa: ARG002 - one version, nothing to back up
        """Offer it, and return: a board that sleeps takes it at its next wake."""
        await self.coordinator.updater.async_offer()
