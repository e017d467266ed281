"""Finding and pairing a board, as a person does it."""

import asyncio
from unittest.mock import patch

import pytest
from homeassistant import config_entries
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message

from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

ANNOUNCE = witness.example("announce")
OTHER_KEY = bytes(range(16, 32))


@pytest.fixture(autouse=True)
def short_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' broker answers at once."""
    monkeypatch.setattr("custom_components.solar_sprinkler.config_flow.LISTEN_S", 0.05)


async def announce(
    hass: HomeAssistant, payload: str | bytes, device_id: str = witness.DEVICE_ID, *, retain: bool = False
) -> None:
    """Publish an announce and let discovery work it off."""
    async_fire_mqtt_message(hass, witness.topic("announce", device_id), payload, retain=retain)
    await hass.async_block_till_done(wait_background_tasks=True)


def flows(hass: HomeAssistant) -> list:
    """Our flows that wait for a person."""
    return hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def pair(hass: HomeAssistant, code: str):
    """Answer the flow that waits."""
    (flow,) = flows(hass)
    return await hass.config_entries.flow.async_configure(flow["flow_id"], {"pairing_code": code})


async def test_announce_is_discovered_and_the_pairing_code_makes_an_entry(hass, mqtt_mock):
    await announce(hass, witness.signed("announce", ANNOUNCE))
    (flow,) = flows(hass)
    assert (flow["step_id"], flow["context"]["unique_id"]) == ("pairing", witness.DEVICE_ID)
    assert flow["context"]["title_placeholders"] == {"name": "Solar Sprinkler 5a17e001"}
    result = await pair(hass, witness.PAIRING_CODE.lower().replace("-", " "))
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Solar Sprinkler 5a17e001"
    assert result["data"]["key"] == witness.KEY.hex()
    assert result["result"].unique_id == witness.DEVICE_ID
    assert result["result"].state is ConfigEntryState.LOADED
    kind, flow_id = result["next_flow"]
    assert kind == "options_flow", "a new board's zones want to be described, and its valves tried"
    assert hass.config_entries.options.async_get(flow_id)["step_id"] == "init"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (witness.PAIRING_CODE.replace("AAAQ", "AAAR"), "pairing_code_typo"),
        ("AAAQ", "pairing_code_typo"),
        (witness.pairing_code(OTHER_KEY), "pairing_code_other_board"),
    ],
)
async def test_slip_and_another_boards_code_differ_and_can_be_mended(hass, mqtt_mock, code, error):
    await announce(hass, witness.signed("announce", ANNOUNCE))
    result = await pair(hass, code)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"pairing_code": error}
    assert (await pair(hass, witness.PAIRING_CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "payload", ["", "hello", "{}", witness.signed("announce", {**ANNOUNCE, "zones": 9}), b"\xff\xfe"]
)
async def test_what_is_no_announce_starts_nothing(hass, mqtt_mock, payload):
    await announce(hass, payload)
    assert flows(hass) == []


async def test_announce_for_another_topic_starts_nothing(hass, mqtt_mock):
    await announce(hass, witness.signed("announce", ANNOUNCE), device_id="00000001")
    assert flows(hass) == []


async def test_same_board_is_offered_once(hass, mqtt_mock):
    await announce(hass, witness.signed("announce", ANNOUNCE))
    await announce(hass, witness.signed("announce", {**ANNOUNCE, "firmware": "0.1.1"}))
    assert len(flows(hass)) == 1


async def test_changed_announce_of_a_paired_board_updates_its_entry(hass, sprinkler: Sprinkler, device_registry):
    newer = witness.signed("announce", {**ANNOUNCE, "firmware": "0.2.0", "zones": 1})
    await announce(hass, newer)
    assert flows(hass) == []
    assert sprinkler.entry.data["announce"] == newer
    assert sprinkler.entry.state is ConfigEntryState.LOADED
    board = device_registry.async_get_device_by_identifier((DOMAIN, witness.DEVICE_ID), sprinkler.entry.entry_id)
    assert board.sw_version == "0.2.0"
    gone = (DOMAIN, f"{witness.DEVICE_ID}_zone_2")
    assert device_registry.async_get_child_device_by_identifier(gone, sprinkler.entry.entry_id) is None


async def test_entry_that_is_not_loaded_is_updated_by_discovery(hass, mqtt_mock, entry):
    newer = witness.signed("announce", {**ANNOUNCE, "firmware": "0.2.0"})
    await announce(hass, newer)
    assert entry.data["announce"] == newer
    assert flows(hass) == []


async def test_forged_announce_does_not_touch_an_entry(hass, mqtt_mock, entry):
    before = entry.data["announce"]
    await announce(hass, witness.signed("announce", {**ANNOUNCE, "zones": 1}, key=OTHER_KEY))
    assert entry.data["announce"] == before


async def test_new_key_asks_to_pair_again_and_the_new_code_is_taken(hass, sprinkler: Sprinkler):
    rotated = witness.signed("announce", ANNOUNCE, key=OTHER_KEY)
    await announce(hass, rotated)
    (flow,) = flows(hass)
    assert flow["context"]["source"] == config_entries.SOURCE_REAUTH
    assert sprinkler.entry.runtime_data.data.key_fits is False
    assert (await pair(hass, witness.PAIRING_CODE))["errors"] == {"pairing_code": "pairing_code_other_board"}
    result = await pair(hass, witness.pairing_code(OTHER_KEY))
    await hass.async_block_till_done()
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert sprinkler.entry.data == {"key": OTHER_KEY.hex(), "announce": rotated}
    assert sprinkler.entry.runtime_data.data.key_fits is True


async def test_board_that_verifies_again_fits_again(hass, sprinkler: Sprinkler):
    await announce(hass, witness.signed("announce", ANNOUNCE, key=OTHER_KEY))
    await announce(hass, witness.signed("announce", ANNOUNCE))
    assert sprinkler.entry.runtime_data.data.key_fits is True


async def test_entry_whose_announce_does_not_verify_asks_to_pair_again(hass, mqtt_mock, entry):
    hass.config_entries.async_update_entry(entry, data={**entry.data, "key": OTHER_KEY.hex()})
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    result = await pair(hass, witness.PAIRING_CODE)
    await hass.async_block_till_done()
    assert result["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED


async def choose(hass: HomeAssistant):
    """Start the flow that a person starts."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": config_entries.SOURCE_USER})


def listeners(mqtt_mock) -> list:
    """The subscriptions to every board's announce."""
    return [call for call in mqtt_mock.async_subscribe.call_args_list if call.args[0] == "solar_sprinkler/+/announce"]


async def test_person_chooses_among_the_boards_that_are_heard(hass, mqtt_mock, entry):
    starting = hass.async_create_task(choose(hass))
    while len(listeners(mqtt_mock)) < 2:  # discovery is the first
        await asyncio.sleep(0)
    for device_id in (witness.DEVICE_ID, "00000002", "00000001"):
        message = witness.signed("announce", {**ANNOUNCE, "device_id": device_id}, device_id=device_id)
        async_fire_mqtt_message(hass, witness.topic("announce", device_id), message, retain=True)
    form = await starting
    options = form["data_schema"].schema["board"].config["options"]
    assert [option["value"] for option in options] == ["00000001", "00000002"], "not the one that is paired already"
    form = await hass.config_entries.flow.async_configure(form["flow_id"], {"board": "00000002"})
    assert form["step_id"] == "pairing"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {"pairing_code": witness.PAIRING_CODE})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "00000002"
    await hass.async_block_till_done()


async def test_person_is_told_when_no_board_is_heard(hass, mqtt_mock):
    result = await choose(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_board_heard")


async def test_person_is_told_when_mqtt_is_not_set_up(hass):
    with patch("homeassistant.components.mqtt.async_setup", return_value=True):
        result = await choose(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "mqtt_unavailable")


async def test_new_pairing_code_can_be_entered_unasked(hass, sprinkler: Sprinkler):
    async def hear(flow) -> None:
        flow._heard[witness.DEVICE_ID] = witness.signed("announce", ANNOUNCE, key=OTHER_KEY)

    with patch("custom_components.solar_sprinkler.config_flow.SprinklerConfigFlow._async_listen", hear):
        flow = await sprinkler.entry.start_reconfigure_flow(hass)
    for code, outcome in (
        (witness.PAIRING_CODE, FlowResultType.FORM),
        (witness.pairing_code(OTHER_KEY), FlowResultType.ABORT),
    ):
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"pairing_code": code})
        assert result["type"] is outcome
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert sprinkler.entry.data["key"] == OTHER_KEY.hex()
    assert sprinkler.entry.state is ConfigEntryState.LOADED


async def test_reconfiguring_without_mqtt_says_so(hass, sprinkler: Sprinkler):
    with patch("homeassistant.components.mqtt.async_wait_for_mqtt_client", return_value=False):
        result = await sprinkler.entry.start_reconfigure_flow(hass)
    assert result["reason"] == "mqtt_unavailable"
