"""A person in front of a real browser enters a program in the calendar's dialog, is refused, thinks better of it, and changes its days."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.house import House
from tools.demo import browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZONE = 1  # its calendar is the first, which the dialog proposes
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DIALOG = "dialog-calendar-event-editor"
SLOW_MS = 20_000


async def repeat(page: Any, how: str) -> None:
    """Choose a repetition in the open dialog."""
    await page.locator("ha-recurrence-rule-editor ha-select").first.click()
    await page.get_by_text(how, exact=True).first.click()
    await page.locator("ha-recurrence-rule-editor ha-select").first.get_by_text(how).first.wait_for(timeout=SLOW_MS)


async def save(page: Any) -> None:
    """Press the dialog's last button."""
    await page.locator(f"{DIALOG} ha-dialog-footer ha-button").last.click()


async def weekdays(house: House) -> list[str]:
    """The days of the only program, once the board has confirmed it."""
    found = await house.programs(ZONE)
    (program,) = found["programs"]
    assert program["name"] == "Roses"
    return list(program["weekdays"]) if found["confirmed"] else []


async def test_refusal_is_readable_in_the_dialog_and_days_edited_there_reach_the_board(house: House) -> None:
    today = DAYS[datetime.now(ZoneInfo(browser.TIME_ZONE)).weekday()]
    other = "wed" if today == "tue" else "tue"
    async with browser.tab(1280, 900) as tab:
        page = tab.page
        await page.goto(f"{house.api.url}/calendar")
        await page.get_by_text("Add event").first.click(timeout=SLOW_MS)
        await page.locator("ha-input.summary input").fill("Roses")
        await repeat(page, "Monthly")
        await save(page)
        await page.get_by_text("Monthly and yearly repetitions are not possible.").wait_for(timeout=SLOW_MS)
        assert (await house.programs(ZONE))["programs"] == []
        await repeat(page, "Weekly")
        await save(page)
        event = page.locator(".fc-event").filter(has_text="Roses").first
        await event.wait_for(timeout=SLOW_MS)
        assert await weekdays(house) == [today]
        await event.click()
        await page.get_by_text("Edit event").first.click(timeout=SLOW_MS)
        days = page.locator("ha-recurrence-rule-editor")
        await days.get_by_text(other.capitalize(), exact=True).first.click(timeout=SLOW_MS)
        await save(page)
        await page.get_by_text("This and all future events").click(timeout=SLOW_MS)
        await page.get_by_text("Update", exact=True).last.click(timeout=SLOW_MS)
        wanted = sorted([today, other], key=DAYS.index)
        async with asyncio.timeout(SLOW_MS / 1000):
            while await weekdays(house) != wanted:
                await asyncio.sleep(0.1)
    assert tab.strangers == set()
    await house.api.command("calendar/event/delete", entity_id=house.lawn.entity("schedule", ZONE), uid="1")
    assert (await house.programs(ZONE))["programs"] == []
