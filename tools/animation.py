"""Makes docs/images/demo.gif, ten seconds of the promise: a click opens a valve, litres count, Home Assistant is killed, the board closes on time.

The picture above is the real page in a real browser; the bar below tells what truly happens on the simulated lawn, which neither firmware nor page is asked
for. Time is cut, not made up: the bar has the seconds since the valve opened.

usage: .venv/bin/python -m tools.animation [FILE]     (after: sh tools/setup.sh python broker browser)
"""

import asyncio
import dataclasses
import io
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from tools.demo import browser, lawn_page, session
from tools.demo.board import Truth
from tools.demo.errors import CheckError, DemoError
from tools.demo.progress import Progress
from tools.screenshot import IMAGES, NOON

ZONE, RUN_TIME_MIN = 1, 1
WIDE, HIGH, SCALE = 1200, 640, 0.7
BAR = 74
INK, PAPER, WATER, DRY = "#1b2631", "#ffffff", "#1f5fa8", "#7f8c8d"
WAIT_S = 20.0
COUNTED_AT_S, KILLED_AT_S, ALONE_AT_S = (4, 8, 12, 16), 18, (25, 35, 45, 55)


@dataclasses.dataclass
class Film:
    """Frames, each with how long it stands."""

    truth: Truth
    frames: list[tuple[Image.Image, int]] = dataclasses.field(default_factory=list)
    page: Image.Image | None = None
    opened_at: float = 0.0
    meter_ml: float = 0.0

    def add(self, words: str, stands_ms: int, page: bytes | None = None) -> None:
        """One more frame: `page` as PNG (none: the last one), with words and the truth below."""
        if page is not None:
            whole = Image.open(io.BytesIO(page)).convert("RGB")
            self.page = whole.resize(
                (round(whole.width * SCALE), round(whole.height * SCALE)), Image.Resampling.LANCZOS
            )
        assert self.page is not None
        frame = Image.new("RGB", (self.page.width, self.page.height + BAR), PAPER)
        frame.paste(self.page)
        self._write(ImageDraw.Draw(frame), self.page.height, frame.width, words)
        self.frames.append((frame, stands_ms))

    def _write(self, draw: ImageDraw.ImageDraw, top: int, width: int, words: str) -> None:
        now = self.truth.now
        is_open = now.get("valve") == "open"
        litres = (now.get("meter_ml", 0.0) - self.meter_ml) / 1000
        seconds = time.time() - self.opened_at if self.opened_at else 0.0
        draw.rectangle((0, top, width, top + BAR), fill=INK)
        draw.rectangle((width - 302, top + 12, width - 14, top + BAR - 12), fill=WATER if is_open else DRY)
        draw.text((18, top + 12), words, font=_font(16, bold=True), fill=PAPER)
        draw.text(
            (18, top + 43),
            "above: the page in Home Assistant    right: the truth on the lawn",
            font=_font(12),
            fill="#aeb6bf",
        )
        word = "water runs" if is_open else "closed"
        draw.text(
            (width - 288, top + 25), f"{word}   {litres:.1f} l   {seconds:.0f} s", font=_font(18, bold=True), fill=PAPER
        )

    def save(self, path: Path) -> None:
        """As an animated GIF that goes round for ever."""
        pictures = [frame.quantize(96, dither=Image.Dither.NONE) for frame, _ in self.frames]
        times = [stands_ms for _, stands_ms in self.frames]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True)


def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """A font that matplotlib brings, so that it is the same everywhere."""
    found = font_manager.findfont(
        font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    )
    return ImageFont.truetype(found, size)


async def story(running: session.Session, progress: Progress, film: Film) -> None:
    """All of it, in its order. Raises CheckError where something does not happen."""
    async with session.with_home_assistant(running, progress) as (api, lawn):
        valve, run_time = lawn.entity("valve", ZONE), lawn.entity("run_time", ZONE)
        if not await api.until(lambda: api.state(valve) == "closed", WAIT_S):
            raise CheckError("the valve is not closed at first")
        await api.act("number.set_value", run_time, value=RUN_TIME_MIN)
        async with browser.tab(WIDE, HIGH) as tab:
            await lawn_page.visit(tab, api.url)
            await lawn_page.drawn(tab)
            film.meter_ml = film.truth.now["meter_ml"]
            film.add("A lawn, a board, Home Assistant. One click:", 1400, await tab.page.screenshot())
            await watered(running, progress, film, tab, lawn.names[valve])


async def watered(running: session.Session, progress: Progress, film: Film, tab: browser.Tab, title: str) -> None:
    """From the click to the closed valve, with Home Assistant gone on the way."""
    clicked_at = time.time()
    await lawn_page.click_valve(tab, title)
    film.opened_at = await film.truth.until("open", clicked_at, WAIT_S) or 0.0
    if not film.opened_at:
        raise CheckError("the valve did not open")
    for second in COUNTED_AT_S:
        await asyncio.sleep(max(0.0, film.opened_at + second - time.time()))
        film.add("The valve opens. Litres count.", 700, await tab.page.screenshot())
    await asyncio.sleep(max(0.0, film.opened_at + KILLED_AT_S - time.time()))
    await running.processes.stop("home-assistant", kill=True)
    await asyncio.sleep(3)
    film.add("Home Assistant is killed (kill -9). Who closes?", 1500, await tab.page.screenshot())
    for second in ALONE_AT_S:
        await asyncio.sleep(max(0.0, film.opened_at + second - time.time()))
        film.add("Nobody is there but the board.", 600)
    with progress.step("the board has closed the valve"):
        closed_at = await film.truth.until("closed", film.opened_at, 60 + WAIT_S)
        if closed_at is None:
            raise CheckError("the board did not close the valve")
    film.add(f"The board closed it by its own timer: {closed_at - film.opened_at:.1f} s of {RUN_TIME_MIN * 60}.", 3000)


async def main(path: Path) -> None:
    """Start a demo, film it."""
    progress = Progress(quiet=False)
    with tempfile.TemporaryDirectory(prefix="sprinkler-demo-") as data:
        async with session.start(session.Options(Path(data) / "demo", scene=NOON), progress) as running:
            film = Film(Truth(running.board, ZONE))
            await story(running, progress, film)
            film.save(path)


def run(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(__doc__)
        return 0 if "--help" in arguments or "-h" in arguments else 2
    try:
        asyncio.run(main(Path(arguments[0]) if arguments else IMAGES / "demo.gif"))
    except DemoError as error:
        print(f"animation: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
