"""Serves the dashboard that is listed under "Add dashboard": one plain JavaScript file, loaded by every page of the frontend.

Rule: where there is no frontend, nothing is done; nothing else of the component needs one.
"""

from pathlib import Path

from homeassistant.components.frontend import add_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration

from .const import DOMAIN

FILE = "solar-sprinkler-strategy.js"
URL = f"/{DOMAIN}/{FILE}"


async def async_serve(hass: HomeAssistant) -> None:
    """Serve the file, under an address that changes with the component's version."""
    if "frontend" not in hass.config.components:
        return
    path = Path(__file__).parent / "frontend" / FILE
    await hass.http.async_register_static_paths([StaticPathConfig(URL, str(path), cache_headers=False)])
    version = (await async_get_integration(hass, DOMAIN)).version
    add_extra_js_url(hass, f"{URL}?v={version}")
