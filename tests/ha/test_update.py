"""The update entity: what it offers, how far it says an update is, and what it sends to a board that asks."""

import hashlib
import hmac
import json
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from homeassistant.components.update import DOMAIN as UPDATE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.solar_sprinkler import firmware_bundle, messages, models
from custom_components.solar_sprinkler.firmware_bundle import BundleError
from custom_components.solar_sprinkler.updater import Updater
from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

FIRMWARE = "update.solar_sprinkler_5a17e001_firmware"
IMAGE = bytes(range(256)) * 24


def make(folder: Path, version: str = "0.2.0", **spoilt: object) -> Path:
    """Write a bundle."""
    manifest = {
        "format": 1,
        "version": version,
        "hardware": "feather_huzzah_esp8266",
        "interpreter_min": "1.25.0",
        "mpy": 6,
        "closer_api": 1,
        "image": "application.romfs",
        "size": len(IMAGE),
        "sha256": hashlib.sha256(IMAGE).hexdigest(),
        "release_notes": "### Added\n- Less water.",
    }
    folder.mkdir(exist_ok=True)
    (folder / "application.romfs").write_bytes(IMAGE)
    (folder / "manifest.json").write_text(json.dumps(manifest | spoilt))
    return folder


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bundle of a newer firmware, beside the integration."""
    folder = make(tmp_path / "bundle")
    monkeypatch.setattr(firmware_bundle.load, "__defaults__", (folder,))
    return folder


def told(state: str, offer: int, **more: object) -> dict[str, object]:
    """An update/state of the board."""
    base = {"state": state, "reason": "", "offer": offer, "version": "0.2.0", "done": 0, "size": len(IMAGE)}
    return base | {"firmware": "0.1.0"} | more


async def install(hass: HomeAssistant) -> None:
    await hass.services.async_call(UPDATE, "install", {"entity_id": FIRMWARE}, blocking=True)


def offers(sprinkler: Sprinkler) -> list[dict[str, object]]:
    """What was offered, opened; None where the offer was taken back."""
    calls = [call.args for call in sprinkler.mqtt.async_publish.call_args_list]
    found = [
        (payload, retain) for topic, payload, _, retain in (c[:4] for c in calls) if topic.endswith("/update/offer")
    ]
    assert all(retain for _, retain in found)
    return [witness.opened("update/offer", payload) if payload else None for payload, _ in found]


def blocks(sprinkler: Sprinkler) -> list[bytes]:
    """The blocks that were sent, their signature verified."""
    calls = [call.args for call in sprinkler.mqtt.async_publish.call_args_list]
    found = [
        (payload, retain) for topic, payload, _, retain in (c[:4] for c in calls) if topic.endswith("/update/block")
    ]
    assert not any(retain for _, retain in found)
    topic, bodies = witness.topic("update/block"), []
    for payload, _ in found:
        body = payload[:-33]
        mac = hmac.new(witness.KEY, topic.encode() + b"\0" + body, hashlib.sha256).hexdigest()[:32]
        assert payload == body + b"\n" + mac.encode()
        bodies.append(body)
    return bodies


async def test_a_newer_bundle_is_offered_and_install_publishes_it_and_returns(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_online()
    state = hass.states.get(FIRMWARE)
    assert (state.state, state.attributes["installed_version"], state.attributes["latest_version"]) == (
        "on",
        "0.1.0",
        "0.2.0",
    )
    assert state.attributes["in_progress"] is False
    await install(hass)
    (offer,) = offers(sprinkler)
    assert offer == {
        "offer": witness.NOW,
        "version": "0.2.0",
        "hardware": "feather_huzzah_esp8266",
        "mpy": 6,
        "interpreter_min": "1.25.0",
        "closer_api": 1,
        "size": len(IMAGE),
        "sha256": hashlib.sha256(IMAGE).hexdigest(),
    }
    state = hass.states.get(FIRMWARE)
    assert (state.attributes["in_progress"], state.attributes["update_percentage"]) == (True, None), (
        "it waits for the board"
    )


async def test_progress_is_what_the_board_tells_until_it_has_confirmed(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await install(hass)
    seen = []
    for state, done in (("waiting", 0), ("loading", 0), ("loading", 3072), ("restarting", 0), ("trial", 0)):
        await sprinkler.says("update/state", told(state, witness.NOW, done=done))
        attributes = hass.states.get(FIRMWARE).attributes
        seen.append((attributes["in_progress"], attributes["update_percentage"]))
    assert seen == [(True, 0), (True, 0), (True, 50), (True, 100), (True, 100)]
    assert hass.states.get(FIRMWARE).attributes["latest_version"] == "0.2.0"
    await sprinkler.says("announce", witness.signed("announce", witness.example("announce") | {"firmware": "0.2.0"}))
    await hass.async_block_till_done(wait_background_tasks=True)
    await sprinkler.says("update/state", told("installed", witness.NOW, firmware="0.2.0"))
    state = hass.states.get(FIRMWARE)
    assert (state.state, state.attributes["installed_version"], state.attributes["in_progress"]) == (
        "off",
        "0.2.0",
        False,
    )


async def test_a_sleeping_board_can_be_offered_a_firmware(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_paired()
    await sprinkler.sleeps(until=witness.NOW + 900)
    await install(hass)
    assert len(offers(sprinkler)) == 1
    assert hass.states.get(FIRMWARE).attributes["in_progress"] is True


async def test_only_what_was_offered_is_sent_and_only_what_is_asked_for(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await sprinkler.says("update/request", {"offer": witness.NOW, "at": 0, "bytes": 512})
    assert blocks(sprinkler) == [], "nothing was offered"
    await install(hass)
    for asked in (
        {"offer": witness.NOW - 1, "at": 0, "bytes": 512},
        {"offer": witness.NOW, "at": len(IMAGE), "bytes": 4},
        {"offer": witness.NOW, "at": 0, "bytes": 4096},
        {"offer": witness.NOW, "at": -4, "bytes": 4},
    ):
        await sprinkler.says("update/request", asked)
    assert blocks(sprinkler) == []
    await sprinkler.says("update/request", {"offer": witness.NOW, "at": 4096, "bytes": 512})
    await sprinkler.says("update/request", {"offer": witness.NOW, "at": 6100, "bytes": 44})
    assert blocks(sprinkler) == [
        struct.pack(">II", witness.NOW, 4096) + IMAGE[4096:4608],
        struct.pack(">II", witness.NOW, 6100) + IMAGE[6100:],
    ]


async def test_what_was_offered_before_a_restart_of_home_assistant_goes_on(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_online()
    manifest = json.loads((bundle / "manifest.json").read_text())
    offer = messages.update_offer(witness.KEY, witness.DEVICE_ID, 1_700_000_000, manifest)
    await sprinkler.says("update/offer", offer, retain=True)
    assert hass.states.get(FIRMWARE).attributes["in_progress"] is True
    await sprinkler.says("update/request", {"offer": 1_700_000_000, "at": 0, "bytes": 8})
    assert blocks(sprinkler) == [struct.pack(">II", 1_700_000_000, 0) + IMAGE[:8]]


@pytest.mark.parametrize("state", ["installed", "refused", "failed", "rolled_back"])
async def test_an_offer_that_is_over_is_taken_back_from_the_broker(hass, bundle, sprinkler: Sprinkler, state: str):
    await sprinkler.is_online()
    await install(hass)
    await sprinkler.says("update/state", told(state, witness.NOW, reason="boots"))
    assert offers(sprinkler)[-1] is None
    assert hass.states.get(FIRMWARE).attributes["in_progress"] is False


@pytest.mark.parametrize(("state", "reason"), [("rolled_back", "boots"), ("failed", "damaged"), ("refused", "too_big")])
async def test_an_update_that_did_not_hold_raises_a_repair_until_the_next_one(
    hass, bundle, sprinkler: Sprinkler, state: str, reason: str
):
    assert await async_setup_component(hass, "repairs", {})
    await sprinkler.is_online()
    await sprinkler.says("update/state", told(state, witness.NOW, reason=reason))
    registry = ir.async_get(hass)
    issue = registry.async_get_issue(DOMAIN, f"5a17e001_update_{state}_0")
    assert issue is not None
    assert issue.translation_placeholders["version"] == "0.2.0"
    assert issue.translation_placeholders["firmware"] == "0.1.0"
    assert "_" not in issue.translation_placeholders["reason"], "in words"
    assert hass.states.get(FIRMWARE).attributes["update_reason"] == reason
    await install(hass)
    await sprinkler.says("update/state", told("loading", offers(sprinkler)[-1]["offer"]))
    assert registry.async_get_issue(DOMAIN, f"5a17e001_update_{state}_0") is None


async def test_each_offer_has_a_higher_number_than_the_last_whatever_the_clock_says(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_online()
    await install(hass)
    await sprinkler.says("update/state", told("failed", witness.NOW, reason="storage"))
    await install(hass)
    await sprinkler.says("update/state", told("failed", witness.NOW + 5000, reason="storage"))
    await install(hass)
    numbers = [offer["offer"] for offer in offers(sprinkler) if offer]
    assert numbers == [witness.NOW, witness.NOW + 1, witness.NOW + 5001]


async def test_a_copy_without_a_bundle_offers_no_update_and_says_so(hass, caplog, sprinkler: Sprinkler):
    caplog.set_level("INFO")
    await sprinkler.is_online()
    state = hass.states.get(FIRMWARE)
    assert (state.state, state.attributes["latest_version"]) == ("off", "0.1.0")
    assert state.attributes["bundle_version"] is None
    assert state.attributes["supported_features"] == 0
    with pytest.raises(HomeAssistantError):
        await install(hass)
    with pytest.raises(HomeAssistantError, match=r"no newer firmware|no_firmware"):
        await sprinkler.entry.runtime_data.updater.async_offer()
    assert offers(sprinkler) == []


@pytest.mark.parametrize(
    ("version", "hardware"),
    [("0.1.0", "feather_huzzah_esp8266"), ("0.0.9", "feather_huzzah_esp8266"), ("9.0.0", "other")],
)
def test_a_board_that_is_as_new_or_other_hardware_is_up_to_date(tmp_path: Path, version: str, hardware: str):
    announce = models.announce(
        witness.topic("announce"), witness.signed("announce", witness.example("announce")).encode(), witness.KEY
    )
    updater = Updater(SimpleNamespace(data=SimpleNamespace(announce=announce)))
    updater.bundle = firmware_bundle.load(make(tmp_path / "bundle", version, hardware=hardware))
    assert updater.latest_version == "0.1.0"


async def test_release_notes_are_the_bundles(hass, bundle, sprinkler: Sprinkler):
    await sprinkler.is_online()
    assert await hass.data["update"].get_entity(FIRMWARE).async_release_notes() == "### Added\n- Less water."


# --- the bundle


@pytest.mark.parametrize(
    "spoilt",
    [
        {"format": 2},
        {"size": 1},
        {"sha256": "00" * 32},
        {"version": "next"},
        {"version": None},
        {"image": "nothing.romfs"},
        {"image": None},
    ],
)
def test_a_damaged_bundle_is_not_offered(tmp_path: Path, spoilt):
    with pytest.raises(BundleError):
        firmware_bundle.load(make(tmp_path / "bundle", **spoilt))


def test_a_manifest_that_is_no_json_is_damaged(tmp_path: Path):
    folder = make(tmp_path / "bundle")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(BundleError):
        firmware_bundle.load(folder)
