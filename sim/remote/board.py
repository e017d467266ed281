"""A simulated board whose firmware runs on the real interpreter; everything else about it is `SimulatedBoard`.

Rule: it decides where files lie and nothing more. What provisioning writes lies in littlefs (boot.py and main.py as they are, the closer as bytecode);
the application lies in the ROMFS partition as a bundle of bytecode.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sim.board import SimulatedBoard
from sim.errors import Ending
from sim.port import Port
from sim.provision import FIRMWARE
from sim.remote.bridge import Remote
from sim.remote.frames import Heap
from sim.remote.image import FlashImage, ImageFlash
from sim.remote.interpreter import BOARD_HEAP, Options
from tools.micropython.package import firmware_romfs, on_flash


class RemoteBoard(SimulatedBoard):
    """A board on the real interpreter. Arguments are those of `SimulatedBoard`, and these:

    heap: bytes of C heap (default: the board's). collect: see `Options`; then `heaps` has a boot's most and last use of its heap.
    romfs: an image for the ROMFS partition (default: the application, bundled as for a board).
    Use it as a context manager, or call `close()`: its flash lies in a temporary file.
    """

    def __init__(
        self, *args: Any, heap: int = BOARD_HEAP, collect: int = 0, romfs: bytes | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.console = b""  # all that the board printed, over all boots
        self.heaps: list[Heap] = []  # one for each boot that ended by itself
        self.endings: list[Ending] = []  # how they ended
        self.script: Path | None = None  # instead of boot.py and main.py, from the next boot on
        self.typed = b""  # what the next boot finds on its serial line
        self._heap = heap
        self._collect = collect
        self._folder = TemporaryDirectory()
        self.image = FlashImage(Path(self._folder.name) / "flash.bin")
        self.image.put_romfs(firmware_romfs(FIRMWARE) if romfs is None else romfs)
        self.image.put_files(on_flash(FIRMWARE, self.chip.flash.files))
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
        self.remote = Remote(port, self.image, options, self._hear)
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
