"""The demo's dashboard as a person in front of a browser has it: opened, looked at, clicked."""

from tools.demo.browser import Tab
from tools.demo.home_assistant import DASHBOARD

LOAD_MS = 30_000
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
