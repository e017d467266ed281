"""A real browser without a window, for looking at the demo's pages: Chromium, driven by Playwright; `sh tools/setup.sh browser` makes both ready.

It knows pages and requests, not what the pages show. No host but 127.0.0.1 can be reached from it.
"""

import contextlib
import dataclasses
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.demo.errors import CheckError, DemoError

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ROOT / ".tools" / "playwright"
HERE = "127.0.0.1"
TIME_ZONE = "America/New_York"  # the demo's house and its people are in the same place
SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"),
    f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HERE}",
)


@dataclasses.dataclass(frozen=True)
class Tab:
    """An open page (Playwright's), and what went wrong on it so far."""

    page: Any
    errors: list[str]  # of the page's console and scripts
    strangers: set[str]  # hosts other than 127.0.0.1 that the page asked for


@contextlib.asynccontextmanager
async def tab(width: int, height: int, *, scale: float = 1) -> AsyncIterator[Tab]:
    """A page in a browser of its own that remembers nothing.

    Raises DemoError if no browser is ready, CheckError if what was waited for on the page does not come.
    """
    chromium = shutil.which("chromium", path=f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if not chromium or not PACKAGES.exists():
        raise DemoError("the browser is missing; run: sh tools/setup.sh browser")
    if str(PACKAGES) not in sys.path:
        sys.path.append(str(PACKAGES))
    playwright = importlib.import_module("playwright.async_api")
    looks = {"viewport": {"width": width, "height": height}, "device_scale_factor": scale}
    looks |= {"color_scheme": "light", "locale": "en-US", "reduced_motion": "reduce"}
    looks["timezone_id"] = TIME_ZONE
    with tempfile.TemporaryDirectory(prefix="sprinkler-browser-", ignore_cleanup_errors=True) as profile:
        async with playwright.async_playwright() as driver:
            context = await driver.chromium.launch_persistent_context(
                profile, executable_path=chromium, headless=True, args=list(SWITCHES), chromium_sandbox=False, **looks
            )
            try:
                yield watched(context.pages[0])
            except playwright.Error as error:
                raise CheckError(f"in the browser: {str(error).partition('Call log')[0].strip()}") from error
            finally:
                await context.close()


def watched(page: Any) -> Tab:
    """From now on write down what goes wrong on `page`."""
    seen = Tab(page, [], set())

    def heard(message: Any) -> None:
        if message.type == "error":
            seen.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def asked(request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != HERE:
            seen.strangers.add(address.hostname or request.url)

    page.on("console", heard)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", asked)
    return seen
