"""A person in front of a real browser opens the page, clicks a valve, and looks."""

import time
from pathlib import Path

import pytest

from tests.e2e.house import House
from tools.demo import browser, lawn_page
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
