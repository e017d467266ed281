"""Stand-ins for the port's modules, with the port's real faults: `Port` is one boot's set of them.

Rule: a stand-in imitates what the port does, never what the firmware would like. Plain objects, no classes made per boot; nothing here knows how the
firmware is run (in this process or in another).
"""

from sim.port.files import Files, OsModule
from sim.port.machine import (
    DEEPSLEEP_RESET,
    EXCEPTION_RESET,
    HARD_RESET,
    PWRON_RESET,
    SOFT_RESET,
    SOFT_WDT_RESET,
    WDT_RESET,
    MachineModule,
)
from sim.port.polling import SelectModule, Uart
from sim.port.rom import UctypesModule, VfsModule, erase_sector
from sim.port.session import Session
from sim.port.sockets import SocketModule
from sim.port.timing import TimeModule
from sim.port.wlan import NetworkModule


class EspModule:
    """Stands in for `esp`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def osdebug(self, *_: object) -> None:
        """Accepted."""

    def sleep_type(self, *_: int) -> int:
        """Accepted; 0."""
        return 0

    def flash_id(self) -> int:
        """Winbond, 4 MB."""
        return 0x1640EF

    def flash_size(self) -> int:
        """4 MB."""
        return 4 * 1024 * 1024

    def flash_erase(self, sector: int) -> None:
        """Erase a sector, counted from the start of the chip."""
        erase_sector(self._session, sector)

    def check_fw(self) -> bool:
        """Nothing to find."""
        return True


class SysModule:
    """Stands in for `sys` in boot.py and main.py: the UART, and what the board is."""

    __slots__ = ("modules", "path", "stdin")

    platform = "esp8266"
    implementation = ("micropython", (1, 29, 0, ""), "ESP module with ESP8266", 10758)
    version = "3.4.0; MicroPython v1.29.0 (simulated)"
    maxsize = 2**31 - 1
    byteorder = "little"

    def __init__(self, session: Session) -> None:
        self.stdin = Uart(session)
        self.path = ["", ".frozen", "/lib"]
        self.modules: dict[str, object] = {}  # filled with this boot's own: see sim.interpreter


class Port:
    """What `import machine, network, socket, select, time, esp, os, sys` and `open` give in one boot."""

    __slots__ = (
        "esp",
        "machine",
        "network",
        "open",
        "os",
        "select",
        "session",
        "socket",
        "sys",
        "time",
        "uctypes",
        "vfs",
    )

    def __init__(self, session: Session) -> None:
        self.session = session
        self.machine = MachineModule(session)
        self.network = NetworkModule(session)
        self.socket = SocketModule(session)
        self.select = SelectModule(session)
        self.time = TimeModule(session)
        self.esp = EspModule(session)
        self.os = OsModule(session)
        self.open = Files(session).open
        self.sys = SysModule(session)
        self.vfs = VfsModule(session, self.sys.path)
        self.uctypes = UctypesModule(session)

    def modules(self) -> dict[str, object]:
        """The stand-ins by the names under which they are imported, MicroPython's old u-names included."""
        names = ("machine", "network", "socket", "select", "time", "esp", "os", "sys", "uctypes", "vfs")
        found: dict[str, object] = {name: getattr(self, name) for name in names}
        return found | {"u" + name: found[name] for name in ("socket", "select", "time", "os")}


__all__ = [
    "DEEPSLEEP_RESET",
    "EXCEPTION_RESET",
    "HARD_RESET",
    "PWRON_RESET",
    "SOFT_RESET",
    "SOFT_WDT_RESET",
    "WDT_RESET",
    "Port",
    "Session",
]
