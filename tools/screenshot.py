"""Makes the pictures of the demo's dashboard in docs/images/: a lawn in the sun, zone 1 open, every reading live.

usage: .venv/bin/python -m tools.screenshot [FOLDER]     (after: sh tools/setup.sh python broker browser)
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.demo import browser, lawn_page, session
from tools.demo.api import Api
from tools.demo.board import Board, Scene, Truth
from tools.demo.errors import CheckError, DemoError
from tools.demo.journey import flow_of, is_number
from tools.demo.lawn import Lawn
from tools.demo.progress import Progress

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDE, PHONE = ("dashboard.png", 1280, 900, 1.0), ("phone.png", 390, 844, 1.5)
NOON = Scene(lawn_time="13:00")
LIVE = ((0, "solar_power"), (0, "battery"), (1, "soil_moisture"), (1, "water_total"))
FIRST_RUN_S, SECOND_RUN_S = 20, 600
STORY_S = 75.0  # long enough for curves, and for the water total, which the board keeps once a minute
LIVE_S = 60.0
PROGRAMS = (  # zone, and what a person would want of it
    (1, {"name": "Front lawn", "weekdays": ["mon", "wed", "fri"], "time": "06:00:00", "duration": {"minutes": 15}}),
    (2, {"name": "Roses", "weekdays": ["tue", "thu", "sat"], "time": "05:30:00", "duration": {"minutes": 20}}),
)


async def water(api: Api, lawn: Lawn, board: Board, progress: Progress) -> None:
    """A short run in zone 2 that is over, then a long one in zone 1 that is not."""
    with progress.step("the board is there, and its valves are closed"):
        valves = [lawn.entity("valve", zone) for zone in lawn.zones]
        await _until(api, lambda: all(api.state(valve) == "closed" for valve in valves), "a valve is not closed")
    with progress.step("the board has confirmed its programs"):
        for zone, program in PROGRAMS:
            await api.act("solar_sprinkler.set_program", lawn.entity("valve", zone), answers=True, **program)
    with progress.step(f"zone 2 has run for {FIRST_RUN_S} s"):
        await _open(api, lawn, board, 2, FIRST_RUN_S)
        await _until(api, lambda: api.state(lawn.entity("last_result", 2)) == "completed", "zone 2 is not done")
    with progress.step("zone 1 is open, and every reading is there"):
        opened_at = await _open(api, lawn, board, 1, SECOND_RUN_S)
        readings = [lawn.entity(key, zone) for zone, key in LIVE]
        await _until(api, lambda: all(is_number(api.state(reading)) for reading in readings), "a reading is missing")
        await _until(api, lambda: flow_of(api, lawn.entity("valve", 1)) > 1, "no water flows")
    with progress.step("the curves have grown"):
        await asyncio.sleep(opened_at + STORY_S - time.time())


async def _open(api: Api, lawn: Lawn, board: Board, zone: int, run_time_s: int) -> float:
    """Open a zone; the moment at which it was truly open."""
    asked_at = time.time()
    await api.act("solar_sprinkler.run", lawn.entity("valve", zone), answers=True, duration={"seconds": run_time_s})
    opened_at = await Truth(board, zone).until("open", asked_at, LIVE_S)
    if opened_at is None:
        raise CheckError(f"zone {zone} did not open")
    return opened_at


async def _until(api: Api, holds: Callable[[], bool], otherwise: str) -> None:
    if not await api.until(holds, LIVE_S):
        raise CheckError(otherwise)


async def take(url: str, picture: tuple[str, int, int, float], folder: Path) -> None:
    """Photograph the dashboard. Raises CheckError if the page complains or asks for any host but this machine."""
    name, width, height, scale = picture
    async with browser.tab(width, height, scale=scale) as tab:
        await lawn_page.visit(tab, url)
        await lawn_page.drawn(tab)
        await tab.page.screenshot(path=folder / name)
    if tab.errors or tab.strangers:
        raise CheckError(f"{name}: the page said {tab.errors} and asked for {tab.strangers or 'no other host'}")


async def main(folder: Path) -> None:
    """Start a demo, water, take the pictures."""
    progress = Progress(quiet=False)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sprinkler-demo-") as data:
        options = session.Options(Path(data) / "demo", scene=NOON)
        async with (
            session.start(options, progress) as running,
            session.with_home_assistant(running, progress) as (api, lawn),
        ):
            await water(api, lawn, running.board, progress)
            for picture in (WIDE, PHONE):
                with progress.step(f"{picture[0]}, {picture[1]} x {picture[2]}"):
                    await take(api.url, picture, folder)


def run(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(__doc__)
        return 0 if "--help" in arguments or "-h" in arguments else 2
    try:
        asyncio.run(main(Path(arguments[0]) if arguments else IMAGES))
    except DemoError as error:
        print(f"screenshot: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
