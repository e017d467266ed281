"""The demo's Home Assistant: its configuration folder, written before the first start, and how it is started.

The folder is one that has never been used, but for the steps of onboarding that reach for the Internet: they count as done.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from tools.demo.board import LATITUDE, LONGITUDE
from tools.demo.errors import DemoError
from tools.demo.processes import Processes

ROOT = Path(__file__).resolve().parent.parent.parent
COMPONENTS = ROOT / "ha_integration" / "custom_components"
OTHERS = ROOT / "tools" / "home_assistant"  # a lock for each that is known beside our own
STUBS = ROOT / "tools" / "ha_stubs"
DASHBOARD = "lawn-demo"
DASHBOARD_FILE = "dashboard.yaml"
DASHBOARD_YAML = """\
strategy:
  type: custom:solar-sprinkler
  hours: 0.1  # a demo lives for minutes
  welcome: >-
    Open a zone: the board waters it for its **run time**, then closes it **by its own timer**. Sun, soil and water are simulated; the firmware is real.
"""
START_S = 60.0

# default_config would bring integrations that need the Internet. No password: whoever can reach 127.0.0.1 is the demo's owner.
# Programs for pictures and sound (ffmpeg, libturbojpeg), which the demo does not need, may be missing without a word.
CONFIGURATION = f"""\
homeassistant:
  name: Solar Sprinkler demo
  latitude: {LATITUDE}
  longitude: {LONGITUDE}
  elevation: 250
  unit_system: metric
  time_zone: America/New_York
  currency: USD
  country: US
  language: en
  auth_providers:
    - type: trusted_networks
      trusted_networks: [127.0.0.1/32]
      allow_bypass_login: true
    - type: homeassistant
frontend:
api:
websocket_api:
config:
recorder:
  commit_interval: 1
history:
logbook:
energy:
sun:
automation: []
script: {{}}
logger:
  default: warning
  logs:
    custom_components.solar_sprinkler: info
    haffmpeg: critical
    homeassistant.components.camera: critical
lovelace:
  dashboards:
    {DASHBOARD}:
      mode: yaml
      title: Lawn
      icon: mdi:sprinkler-variant
      show_in_sidebar: true
      filename: {DASHBOARD_FILE}
"""

ONBOARDING = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}


def http_settings(port: int) -> dict[str, object]:
    """What Home Assistant keeps of its web server's settings: 127.0.0.1 only. It no longer reads them from YAML."""
    stable = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    return {"version": 2, "minor_version": 2, "key": "http", "data": data}


def write_config(folder: Path, port: int) -> None:
    """Write a new configuration into `folder`, with this checkout's own component in it."""
    storage = folder / ".storage"
    storage.mkdir(mode=0o700, parents=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION)
    (folder / DASHBOARD_FILE).write_text(DASHBOARD_YAML)
    (storage / "onboarding").write_text(json.dumps(ONBOARDING))
    (storage / "http").write_text(json.dumps(http_settings(port)))
    (folder / "custom_components").symlink_to(COMPONENTS)


def versions() -> list[str]:
    """The versions that `set_up` can make ready."""
    return sorted(lock.stem for lock in OTHERS.glob("*.lock"))


async def set_up(version: str) -> Path:
    """Make another Home Assistant ready than the one of this environment; returns the Python that runs it. Raises DemoError when that fails."""
    environment = {**os.environ, "SPRINKLER_HOME_ASSISTANT": version}
    making = await asyncio.create_subprocess_exec(
        "sh", "tools/setup.sh", "home_assistant", cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    said = (await making.communicate())[1].decode().strip().splitlines()
    if making.returncode:
        raise DemoError(said[-1] if said else f"tools/setup.sh ended with {making.returncode}")
    return ROOT / ".tools" / f"home-assistant-{version}" / "bin" / "python"


async def carry_firmware() -> None:
    """Put this checkout's update bundle beside the component. Raises DemoError when it cannot be built."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.build", "--beside", cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, said = await process.communicate()
    if process.returncode != 0:
        raise DemoError(said.decode(errors="replace").strip())


async def start(folder: Path, port: int, processes: Processes, python: str | Path = sys.executable) -> None:
    """Start Home Assistant on `folder`, and wait until its page can be reached."""
    command = (python, "-m", "homeassistant", "-c", folder, "--skip-pip")
    await processes.start("home-assistant", *command, env={"PYTHONPATH": str(STUBS)})
    await processes.listening("home-assistant", port, START_S)
