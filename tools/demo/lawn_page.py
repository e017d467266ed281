"""The demo's dashboard as a person in front of a browser has it: opened, looked at, clicked."""

from typing import Any

from tools.demo.browser import Tab
from tools.demo.home_assistant import DASHBOARD

LOAD_MS = 30_000
SHOWN_MS = 10_000
SETTLED_MS = 1_500  # the curves' lines are drawn from left to right


async def visit(tab: Tab, url: str) -> None:
    """Open the dashboard of the Home Assistant at `url`; there is no login to pass on this machine. Returns when its tiles are there."""
    await tab.page.add_init_script("""localStorage.setItem('dockedSidebar', '"auto"')""")
    await tab.page.goto(f"{url}/{DASHBOARD}/lawn")
    await tab.page.locator("hui-tile-card").first.wait_for(timeout=LOAD_MS)


async def drawn(tab: Tab) -> None:
    """Wait until the curves are drawn too."""
    await tab.page.locator("hui-history-graph-card canvas").first.wait_for(timeout=LOAD_MS)
    await tab.page.wait_for_timeout(SETTLED_MS)


async def shows(tab: Tab, title: str, state: str) -> None:
    """Wait until the tile with that title shows that state, word for word. Raises Playwright's TimeoutError."""
    await tile(tab, title).get_by_text(state, exact=True).wait_for(timeout=SHOWN_MS)


async def click_valve(tab: Tab, title: str) -> None:
    """Click the switch of a valve's tile."""
    await tile(tab, title).locator("ha-control-switch").click(timeout=SHOWN_MS)


async def click(tab: Tab, title: str) -> None:
    """Click a tile."""
    await tile(tab, title).click(timeout=SHOWN_MS)


def tile(tab: Tab, title: str) -> Any:
    """The tile with that title, word for word."""
    return tab.page.locator("hui-tile-card").filter(has=tab.page.get_by_text(title, exact=True)).first
