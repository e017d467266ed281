"""Offers a board the firmware that this copy of the integration carries, and sends the blocks that the board asks for.

Rule: an offer is a retained message; the board decides when, and how far it is is what the board tells. What was offered is heard back from the broker, so
that a restart of Home Assistant in the middle changes nothing. Never waits for a board.
"""

from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING

from homeassistant.components.mqtt import ReceiveMessage
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import HomeAssistantError

from . import firmware_bundle, messages, models, protocol
from .channel import payload_of
from .const import DOMAIN
from .errors import ModelError
from .firmware_bundle import Bundle, BundleError
from .models import UpdateOffer, UpdateRequest, UpdateState

if TYPE_CHECKING:
    from .coordinator import SprinklerCoordinator

_LOGGER = logging.getLogger(__name__)

UNDER_WAY = ("waiting", "loading", "restarting", "trial")  # words of protocol.UPDATES after which more comes


@dataclass(frozen=True)
class UpdateView:
    """What to show: `percentage` of None means that it is under way, and not known how far."""

    in_progress: bool
    percentage: int | None = None


def view(offered: UpdateOffer | None, told: UpdateState | None, firmware: str) -> UpdateView:
    """How far an update is, from what was offered, what the board told last, and the version that it runs."""
    is_over = offered is not None and offered.version == firmware and (told is None or told.state != "trial")
    if offered is None or is_over:
        return UpdateView(in_progress=False)
    if told is None or told.offer < offered.offer:
        return UpdateView(in_progress=True)
    if told.offer != offered.offer or told.state not in UNDER_WAY:
        return UpdateView(in_progress=False)
    if told.state in ("restarting", "trial"):
        return UpdateView(in_progress=True, percentage=100)
    return UpdateView(in_progress=True, percentage=100 * told.done // told.size if told.size else None)


class Updater:
    """The updates of one board."""

    def __init__(self, coordinator: SprinklerCoordinator) -> None:
        """Nothing is offered yet."""
        self._coordinator = coordinator
        self.bundle: Bundle | None = None
        self.problem = ""  # why there is no bundle, in English, for the log and the diagnostics

    async def async_start(self) -> CALLBACK_TYPE:
        """Read the bundle, and hear what was offered earlier. Returns what ends it."""
        try:
            self.bundle = await self._coordinator.hass.async_add_executor_job(firmware_bundle.load)
            self.problem = "" if self.bundle else "this copy of the integration carries no firmware"
        except BundleError as error:
            self.problem = f"the firmware beside the integration is damaged: {error}"
        if self.problem:
            _LOGGER.info("No firmware update is offered: %s", self.problem)
        return await self._coordinator.channel.subscribe(protocol.UPDATE_OFFER, self._heard_offer)

    @property
    def latest_version(self) -> str:
        """The newest version there is for this board: what it runs, unless the bundle is newer and for its hardware."""
        announce = self._coordinator.data.announce
        if self.bundle is None or self.bundle.hardware != announce.hardware:
            return announce.firmware
        try:
            newer = firmware_bundle.numbers(self.bundle.version) > firmware_bundle.numbers(announce.firmware)
        except ValueError:
            return announce.firmware
        return self.bundle.version if newer else announce.firmware

    async def async_offer(self) -> None:
        """Publish the offer. Raises HomeAssistantError when there is nothing to offer, or the broker is away."""
        data = self._coordinator.data
        if self.bundle is None or self.latest_version == data.announce.firmware:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_firmware")
        last = max(data.offered.offer if data.offered else 0, data.update.offer if data.update else 0)
        number = max(int(self._coordinator.now), last + 1)
        channel = self._coordinator.channel
        payload = messages.update_offer(channel.key, channel.device_id, number, self.bundle.manifest)
        await channel.publish(protocol.UPDATE_OFFER, payload, retain=True)
        topic = messages.topic(channel.device_id, protocol.UPDATE_OFFER)
        self._coordinator.async_change(offered=models.update_offer(topic, payload, channel.key))

    @callback
    def async_send(self, request: UpdateRequest) -> None:
        """Send the block that the board asks for, if it is of what was offered."""
        offered, bundle = self._coordinator.data.offered, self.bundle
        if offered is None or bundle is None or request.offer != offered.offer:
            return
        data = bundle.image[request.at : request.at + request.bytes]
        if offered.sha256 != bundle.manifest["sha256"] or len(data) != request.bytes:
            return  # another firmware by now; a new offer is needed
        channel = self._coordinator.channel
        self._coordinator.async_say(
            protocol.UPDATE_BLOCK,
            messages.update_block(channel.key, channel.device_id, request.offer, request.at, data),
        )

    @callback
    def async_consider(self, told: UpdateState) -> None:
        """Take the offer back once it is over, so that the broker keeps it for nobody."""
        offered = self._coordinator.data.offered
        if offered is not None and told.offer == offered.offer and told.state not in UNDER_WAY:
            self._coordinator.async_change(offered=None)
            self._coordinator.async_say(protocol.UPDATE_OFFER, b"", retain=True)
        if told.state in ("refused", "failed", "rolled_back"):
            _LOGGER.warning(
                "Board %s: firmware %s is %s (%s)",
                self._coordinator.channel.device_id,
                told.version,
                told.state,
                told.reason,
            )

    @callback
    def _heard_offer(self, message: ReceiveMessage) -> None:
        """What was offered before Home Assistant started."""
        payload = payload_of(message)
        if not payload:
            return
        try:
            offered = models.update_offer(message.topic, payload, self._coordinator.channel.key)
        except ModelError as error:
            _LOGGER.warning("Ignored a message on %s: %s", message.topic, error)
            return
        self._coordinator.async_change(offered=offered)
