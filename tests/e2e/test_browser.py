"""A person in front of a real browser opens the page, clicks a valve, and looks."""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import House
from tools.demo import browser, lawn_page
from tools.demo.errors import DemoError
from tools.demo.journey import flow_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZONE = 2
PICTURE = Path(__file__).resolve().parent.parent.parent / ".tools" / "check" / "click.png"


async def test_a_click_opens_the_valve_in_truth_and_on_the_page_and_a_click_on_stop_closes_it(house: House) -> None:
    truth = house.truth(ZONE)
    assert await house.shows("valve", ZONE, "closed")
    async with browser.tab(1280, 900) as tab:
        await lawn_page.visit(tab, house.api.url)
        await lawn_page.shows(tab, f"Zone {ZONE}", "Closed")
        clicked_at = time.time()
        await lawn_page.click_valve(tab, f"Zone {ZONE}")
        assert await truth.until("open", clicked_at, 5) is not None
        await lawn_page.shows(tab, f"Zone {ZONE}", "Open")
        assert await house.api.until(lambda: flow_of(house.api, house.lawn.entity("valve", ZONE)) > 0, 10), (
            "no water flows"
        )
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        await lawn_page.drawn(tab)
        await tab.page.screenshot(path=PICTURE)
        stopped_at = time.time()
        await lawn_page.click(tab, "Stop all")
        assert await truth.until("closed", stopped_at, 5) is not None
        await lawn_page.shows(tab, f"Zone {ZONE}", "Closed")
    assert tab.errors == []
    assert tab.strangers == set()
    assert PICTURE.stat().st_size > 10_000
    assert await house.shows("last_result", ZONE, "stopped")


FAKE = """async ([language, entities]) => {
  const strategy = customElements.get("ll-strategy-dashboard-solar-sprinkler");
  const device = (name, parent) => ({ id: name, name, name_by_user: null, parent_device_id: parent });
  const hass = {
    locale: { language },
    devices: { Board: device("Board", null), Rose: device("Rose", "Board"), Stranger: device("Stranger", null) },
    entities: {},
    states: {},
  };
  for (const [entity_id, device_id, key, platform] of entities) {
    hass.entities[entity_id] = { entity_id, device_id, translation_key: key, platform: platform || "solar_sprinkler" };
    hass.states[entity_id] = { attributes: { friendly_name: `${device_id} ${key}` } };
  }
  return strategy.generate({}, hass);
}"""


async def generated(tab: browser.Tab, house: House, language: str, entities: list[list[str]]) -> Any:
    """What the strategy makes of a house with these entities: (id, device, translation key, integration)."""
    await lawn_page.visit(tab, house.api.url)
    is_there = "Boolean(customElements.get('ll-strategy-dashboard-solar-sprinkler'))"
    assert await tab.page.evaluate(is_there), "the frontend loads it by itself"
    return await tab.page.evaluate(FAKE, [language, entities])


async def test_dashboard_shows_what_is_there_and_leaves_out_what_is_not(house: House) -> None:
    entities = [
        ["valve.rose", "Rose", "valve"],
        ["sensor.why", "Rose", "last_result"],
        ["sensor.ends", "Rose", "run_ends"],
        ["sensor.wake", "Board", "next_wake"],
        ["sensor.foreign", "Stranger", "battery", "other"],
    ]
    async with browser.tab(1280, 900) as tab:
        made = await generated(tab, house, "en", entities)
        nothing = await generated(tab, house, "de-AT", [])
        offered = await tab.page.evaluate("window.customStrategies.filter((one) => one.type === 'solar-sprinkler')")
    text = json.dumps(made)
    zone, board = made["views"][0]["sections"]
    assert [zone["cards"][0]["heading"], board["cards"][0]["heading"]] == ["Rose", "Board"]
    assert "sensor.foreign" not in text
    assert "soil" not in text
    unknown = {"condition": "state", "entity": "sensor.ends", "state_not": ["unknown", "unavailable"]}
    assert unknown in next(card for card in zone["cards"] if card.get("entity") == "sensor.ends")["visibility"]
    assert "Noch keine Solar-Sprinkler-Platine" in json.dumps(nothing)
    assert [one["strategyType"] for one in offered] == ["dashboard"]


async def test_refusal_is_readable_in_the_calendars_dialog_and_weekdays_edited_through_it_run(house: House) -> None:
    schedule = house.lawn.entity("schedule", ZONE)
    tomorrow = datetime.now().astimezone() + timedelta(days=1)
    start = tomorrow.replace(hour=5, minute=0, second=0, microsecond=0)
    event = {"summary": "Roses", "dtstart": start.isoformat(), "dtend": (start + timedelta(minutes=20)).isoformat()}

    async def dialog(what: str, **fields: Any) -> None:
        await house.api.command(f"calendar/event/{what}", entity_id=schedule, **fields)

    with pytest.raises(DemoError, match="Monthly and yearly repetitions are not possible"):
        await dialog("create", event={**event, "rrule": "FREQ=MONTHLY"})
    await dialog("create", event={**event, "rrule": "FREQ=WEEKLY;BYDAY=MO"})
    found = await house.programs(ZONE)
    assert (found["confirmed"], [program["weekdays"] for program in found["programs"]]) == (True, [["mon"]])
    edited = {**event, "rrule": "FREQ=DAILY"}
    change = {"uid": str(found["programs"][0]["program"]), "recurrence_id": f"{start:%Y%m%d}T050000"}
    await dialog("update", **change, recurrence_range="THISANDFUTURE", event=edited)
    found = await house.programs(ZONE)
    assert (found["confirmed"], len(found["programs"][0]["weekdays"])) == (True, 7)
    told = house.api.states[schedule]["attributes"]["message"]
    assert told == "Roses", "the board has confirmed it"
    await dialog("delete", uid=change["uid"])
    assert (await house.programs(ZONE))["programs"] == []
