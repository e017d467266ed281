"""Repairs: what a person is asked to look after, and what can be mended from here."""

import json
import re

import pytest
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.solar_sprinkler import issues, protocol
from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

PROBLEM = "binary_sensor.solar_sprinkler_5a17e001_problem"
VALVE_1 = "valve.solar_sprinkler_5a17e001_zone_1"


@pytest.fixture(autouse=True)
async def repairs(hass) -> None:
    """Home Assistant's own part of it."""
    assert await async_setup_component(hass, "repairs", {})


def found(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """The issues there are, by key and zone."""
    registry = ir.async_get(hass)
    return {
        key[1].removeprefix("5a17e001_"): issue
        for key, issue in registry.issues.items()
        if key[0] == DOMAIN and issue.active
    }


async def mend(hass: HomeAssistant, issue: str):
    """Open an issue's flow and confirm it."""
    manager = repairs_flow_manager(hass)
    flow = await manager.async_init(DOMAIN, data={"issue_id": f"5a17e001_{issue}"})
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "confirm")
    return await manager.async_configure(flow["flow_id"], {})


async def healthy(sprinkler: Sprinkler) -> None:
    """A paired board on which nothing is wrong."""
    for zone in sprinkler.state["zones"]:
        zone.update(faults=[])
    await sprinkler.is_paired()


async def test_nothing_is_to_be_looked_after_on_a_healthy_board(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    assert found(hass) == {}


async def test_fault_of_a_zone_is_cleared_on_the_board_once_a_person_has_looked(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    sprinkler.state["zones"][1]["faults"] = ["no_flow"]
    await sprinkler.sleeps(until=witness.NOW + 900)
    sprinkler.state["zones"][1]["faults"] = ["no_flow"]
    await sprinkler.says("state", sprinkler.state)
    (issue,) = found(hass).values()
    assert (issue.translation_key, issue.is_fixable, issue.translation_placeholders["zone"]) == (
        "fault_no_flow",
        True,
        "2",
    )
    result = await mend(hass, "fault_no_flow_2")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    command = sprinkler.published("command")[-1]
    assert (command["command"], command["zone"]) == ("clear_fault", 2)
    sprinkler.state["zones"][1]["faults"] = []
    await sprinkler.says("state", sprinkler.state)
    assert found(hass) == {}


async def test_mending_that_fails_says_why(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    sprinkler.state["zones"][0]["faults"] = ["leak"]
    await sprinkler.says("state", sprinkler.state)
    await sprinkler.says("availability", {"state": "lost"})
    result = await mend(hass, "fault_leak_1")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "failed")
    assert "out of reach" in result["description_placeholders"]["error"]
    assert "fault_leak_1" in found(hass)


async def test_issue_of_a_board_that_is_not_set_up_can_not_be_mended(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    sprinkler.state["zones"][0]["faults"] = ["leak"]
    await sprinkler.says("state", sprinkler.state)
    manager = repairs_flow_manager(hass)
    flow = await manager.async_init(DOMAIN, data={"issue_id": "5a17e001_fault_leak_1"})
    assert await hass.config_entries.async_unload(sprinkler.entry.entry_id)
    result = await manager.async_configure(flow["flow_id"], {})
    assert result["reason"] == "not_loaded"
    assert found(hass) == {}, "nobody looks after it any more"


async def test_clock_is_mended_by_answering_the_boards_request_once_more(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    await sprinkler.says("state", {**sprinkler.state, "faults": ["clock"]})
    result = await mend(hass, "fault_clock_0")
    assert "has not asked" in result["description_placeholders"]["error"]
    await sprinkler.says("time_request", {"nonce": "9f2c41d7a05be863"})
    result = await mend(hass, "fault_clock_0")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert sprinkler.published("time") == [{"nonce": "9f2c41d7a05be863", "at": witness.NOW}] * 2


async def test_programs_that_nobody_knows_can_be_replaced_by_none(hass, sprinkler: Sprinkler):
    sprinkler.state["zones"][1]["faults"] = []
    sprinkler.state["winter"] = True
    await sprinkler.is_online()
    assert [*found(hass)] == ["desired_unknown_0"]
    await mend(hass, "desired_unknown_0")
    await hass.async_block_till_done()
    desired = sprinkler.published("desired")[-1]
    assert (desired["version"], desired["programs"], desired["settings"]["seasonal_adjust_pct"]) == (4, [], 100)
    assert desired["settings"]["winter"] is True, "a board that was put away stays so"
    assert found(hass) == {}


async def test_safe_mode_is_a_problem_that_a_restart_may_mend(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    sprinkler.state["safe_mode"] = True
    await sprinkler.sleeps(until=witness.NOW + 900)
    assert hass.states.get(PROBLEM).attributes["faults"] == ["safe_mode"]
    assert sprinkler.value(PROBLEM) == "on"
    sentence = hass.states.get("sensor.solar_sprinkler_5a17e001_zone_1_last_result").attributes["sentence"]
    assert sentence.endswith("; the board is in safe mode")
    assert (await mend(hass, "safe_mode_0"))["type"] is FlowResultType.CREATE_ENTRY
    assert sprinkler.published("command")[-1]["command"] == "restart"


async def test_silent_board_is_overdue_until_it_speaks(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    await sprinkler.sleeps(until=witness.NOW + 900)
    await sprinkler.time_passes(3 * 900)
    assert found(hass) == {}
    await sprinkler.time_passes(900)
    assert [*found(hass)] == ["board_overdue_0"]
    await sprinkler.says("availability", {"state": "online"})
    assert found(hass) == {}


async def test_silent_board_with_an_open_valve_is_urgent_and_the_valve_is_never_said_to_be_closed(
    hass, sprinkler: Sprinkler
):
    await healthy(sprinkler)
    await sprinkler.says("availability", {"state": "lost"})
    there = found(hass)
    assert {*there} == {"board_overdue_0", "valve_overdue_1"}
    assert there["valve_overdue_1"].severity is ir.IssueSeverity.CRITICAL
    assert sprinkler.value(VALVE_1) == "unknown"
    await sprinkler.sleeps(until=witness.NOW + 900)
    assert found(hass) == {}


async def test_run_that_should_have_ended_is_an_issue_though_the_board_is_there(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    await sprinkler.time_passes(480 + 121)
    assert [*found(hass)] == ["valve_overdue_1"]
    assert sprinkler.value(VALVE_1) == "unknown"


async def test_broker_that_is_away_says_nothing_of_the_board(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    sprinkler.entry.runtime_data.async_change(broker_connected=False)
    await hass.async_block_till_done()
    assert found(hass) == {}


async def test_refused_settings_are_an_issue_with_the_boards_reason(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    await sprinkler.says("reply", {**witness.example("reply", 1), "id": "desired", "reason": "storage"})
    issue = found(hass)["desired_refused_0"]
    assert (issue.translation_placeholders["reason"], issue.is_fixable) == ("the board's memory fails", False)


@pytest.mark.parametrize("fault", ["low_battery", "sensor", "storage", "tampering"])
async def test_fault_of_the_board_links_to_its_page(hass, sprinkler: Sprinkler, fault):
    await healthy(sprinkler)
    await sprinkler.says("state", {**sprinkler.state, "faults": [fault, "brand_new_fault"]})
    (issue,) = found(hass).values()
    assert (issue.translation_key, issue.is_fixable) == (f"fault_{fault}", False)
    assert issue.learn_more_url.endswith(f"docs/home_assistant.md#{fault}")


async def test_newer_protocol_names_the_side_to_update_and_keeps_what_is_understood(hass, sprinkler: Sprinkler):
    await healthy(sprinkler)
    newer = {**witness.example("announce"), "protocol": protocol.PROTOCOL + 1, "brand_new": {"deep": 1}}
    await sprinkler.says("announce", witness.signed("announce", newer))
    await healthy(sprinkler)
    assert [*found(hass)] == ["protocol_newer_0"]
    assert sprinkler.value(VALVE_1) == "open"


async def test_older_protocol_asks_for_new_firmware(hass, sprinkler: Sprinkler, monkeypatch):
    await healthy(sprinkler)
    monkeypatch.setattr(protocol, "PROTOCOL", protocol.PROTOCOL + 1)
    await sprinkler.says("state", {**sprinkler.state, "event": 99})
    assert [*found(hass)] == ["protocol_older_0"]


def test_every_fault_word_has_an_issue_and_every_issue_a_page():
    texts = json.loads(
        (witness.ROOT / "ha_integration/custom_components/solar_sprinkler/translations/en.json").read_text()
    )["issues"]
    assert {f"fault_{word}" for word in protocol.FAULTS} <= texts.keys()
    assert {*issues.ZONE_FAULTS, *issues.BOARD_FAULTS} == {*protocol.FAULTS}
    page = (witness.ROOT / "docs/home_assistant.md").read_text(encoding="utf-8")
    anchors = {line.lstrip("# ").strip() for line in re.findall(r"^#+ .*$", page, re.MULTILINE)}
    assert {issues.Issue(key).page.partition("#")[2] for key in texts} <= anchors
