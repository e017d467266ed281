"""A simulated board whose firmware runs on the real interpreter; everything else about it is `SimulatedBoard`.

Rule: it decides where files lie and nothing more. What provisioning writes lies in littlefs as it is, but the closer as bytecode;
the application lies in the ROMFS partition. How they are made is not its business (tools/micropython/package.py).
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sim.board import SimulatedBoard
from sim.errors import Ending
from sim.port import Port
from sim.provision import SLOTS, slots_record
from sim.remote.bridge import Remote
from sim.remote.frames import Heap
from sim.remote.image import FlashImage, ImageFlash
from sim.remote.interpreter import BOARD_HEAP, Options


@dataclass(frozen=True, slots=True)
class Build:
    """The firmware's compiled parts: an image for a slot of the ROMFS partition, closer and chooser as .mpy."""

    romfs: bytes
    closer: bytes
    chooser: bytes


class RemoteBoard(SimulatedBoard):
    """A board on the real interpreter. Arguments are those of `SimulatedBoard`, and these:

    build: what it runs (tools.micropython.package.build makes it). heap: bytes of C heap (default: the board's). collect: see
    `Options`; then `heaps` has a boot's most and last use of its heap.
    Use it as a context manager, or call `close()`: its flash lies in a temporary file.
    """

    def __init__(self, *args: Any, build: Build, heap: int = BOARD_HEAP, collect: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.console = b""  # all that the board printed, over all boots
        self.heaps: list[Heap] = []  # one for each boot that ended by itself
        self.endings: list[Ending] = []  # how they ended
        self.script: Path | None = None  # instead of boot.py and main.py, from the next boot on
        self.typed = b""  # what the next boot finds on its serial line
        self.terminal: int | None = None  # a descriptor that is its serial line, from the next boot on
        self._heap = heap
        self._collect = collect
        self._folder = TemporaryDirectory()
        self.image = FlashImage(Path(self._folder.name) / "flash.bin")
        self.image.put_romfs(build.romfs)
        sources = ("/closer.py", "/chooser.py")
        files = {path: data for path, data in self.chip.flash.files.items() if path not in sources}
        files |= {"/closer.mpy": build.closer, "/chooser.mpy": build.chooser}
        self.image.put_files(files | {SLOTS: slots_record(build.romfs)})
        self.chip.flash = ImageFlash(self.image)
        self.remote: Remote | None = None

    def close(self) -> None:
        """Stop the board and forget its flash."""
        self.stop()
        self.image.close()
        self._folder.cleanup()

    def __enter__(self) -> RemoteBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def text(self) -> str:
        """All that the board printed."""
        return self.console.decode(errors="replace").replace("\r\n", "\n")

    def _hear(self, data: bytes) -> None:
        self.console += data

    def _execute(self, port: Port) -> None:
        options = Options(script=self.script, heap=self._heap, collect=self._collect)
        self.remote = Remote(port, self.image, options, self._hear, self.terminal)
        typed, self.typed = self.typed, b""
        try:
            self.remote.run(typed=typed)
        except Ending as ending:
            self.endings.append(ending)
            if self.remote.last_heap is not None:
                self.heaps.append(self.remote.last_heap)
            raise
        finally:
            self.remote = None
