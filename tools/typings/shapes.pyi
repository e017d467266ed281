# What firmware hands around, for annotations alone: there is no such module on a board, and none is loaded (`if False:`, docs/design.md).
import machine as _machine
import network as _network
import select as _select
import socket as _socket
from collections.abc import Callable as Callable
from collections.abc import Iterable as Iterable
from collections.abc import Iterator as Iterator
from collections.abc import Sequence as Sequence
from types import ModuleType as ModuleType
from typing import IO, Protocol, TypeVar
from typing import Any as Any

from _mpy_shed.time_mp import _TicksMs

Read = TypeVar("Read")
Pin = _machine.Pin
I2C = _machine.I2C
WLAN = _network.WLAN
Socket = _socket.socket
Poller = _select.poll
WDT = _machine.WDT

# A packed event or sample of the backlog: the number before it where others lay between them, else 0; its number; its bytes
Record = tuple[int, int, bytes]
# The head of a segment of the backlog: bytes of a record, boot id, first number, records, last number
Head = tuple[int, int, int, int, int]
# Where reading the backlog goes on: kind, segment, boot id, number, oldest number
Cursor = tuple[str, int, int, int, int]
# The inside of an object of JSON: its text with a %s for each value, and the values
Inside = tuple[str, Iterable[object]]
# What is published: bytes, or a function that yields its pieces, the same each time
Payload = bytes | Callable[[], Iterator[bytes]]
# A start of a program: zone, program id, new key, run time ms, reason why not
Start = tuple[int, int, int, int, str]
# Part of a text in a file: from, to
Span = tuple[int, int]
# A day of weather: day number, ET0 um, rain um
Day = tuple[int, int, int]

class Readable(Protocol):
    def seek(self, at: int, /) -> object: ...
    def read(self, count: int, /) -> bytes: ...

class OpenFile(Protocol):
    def __call__(self, path: str, mode: str, /) -> IO[bytes]: ...

# The port's modules, as far as firmware uses them

class Machine(Protocol):
    Pin: type[_machine.Pin]
    ADC: type[_machine.ADC]
    I2C: type[_machine.I2C]
    RTC: type[_machine.RTC]
    WDT: type[_machine.WDT]
    PWRON_RESET: int
    HARD_RESET: int
    SOFT_RESET: int
    DEEPSLEEP_RESET: int
    def reset(self) -> None: ...
    def reset_cause(self) -> int: ...
    def unique_id(self) -> bytes: ...
    def deepsleep(self, time_ms: int, /) -> None: ...

class Time(Protocol):
    def ticks_ms(self) -> _TicksMs: ...
    def ticks_diff(self, ticks1: _TicksMs, ticks2: _TicksMs, /) -> int: ...
    def sleep_ms(self, ms: int, /) -> None: ...
    def sleep_us(self, us: int, /) -> None: ...
    def time(self) -> int: ...
    def gmtime(self, secs: int, /) -> tuple[int, ...]: ...

class Os(Protocol):
    def ilistdir(self, path: str, /) -> Iterator[tuple[Any, ...]]: ...
    def listdir(self, path: str, /) -> list[str]: ...
    def mkdir(self, path: str, /) -> object: ...
    def remove(self, path: str, /) -> None: ...
    def rename(self, old_path: str, new_path: str, /) -> None: ...
    def stat(self, path: str, /) -> tuple[int, ...]: ...
    def urandom(self, n: int, /) -> bytes: ...

class Network(Protocol):
    WLAN: type[_network.WLAN]
    STA_IF: int

class SocketModule(Protocol):
    socket: type[_socket.socket]
    AF_INET: int
    SOCK_DGRAM: int
    IPPROTO_TCP: int
    TCP_NODELAY: int

class Select(Protocol):
    poll: type[_select.poll]
    POLLIN: int
    POLLOUT: int

class Vfs(Protocol):
    def mount(self, fsobj: Any, mount_point: str, /) -> object: ...
    def umount(self, mount_point: str, /) -> None: ...
    def rom_ioctl(self, op: int, arg: int, /) -> Any: ...

class Keyboard(Protocol):
    def read(self, count: int, /) -> str: ...

# What provisioning wrote as closer_config.py, any name of which may be missing
CloserConfig = ModuleType

# The closer as the application sees it: it may be an older one, for no update over the air replaces it
class Closer(Protocol):
    API: int
    ENABLE_PIN: int
    SDA_PIN: int
    SCL_PIN: int
    LOOK_MS: int
    RECORD: int
    SLEPT_CLOSED: int
    def held(self, config: CloserConfig, /) -> bool: ...
    def zone_count(self, config: CloserConfig, /) -> int: ...
    def record(self, mark: int, quick_boots: int, /) -> bytes: ...
    def sleep(self, machine: Machine, mark: int, seconds: int, /) -> None: ...
    def pulse(
        self,
        machine: Machine,
        time: Time,
        config: CloserConfig,
        zone: int,
        opening: bool,
        look: Callable[[], object] = ...,
        /,
    ) -> None: ...
