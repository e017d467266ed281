"""What the silicon keeps from boot to boot: id, RTC memory, clock, Wi-Fi settings of the SDK, flash and its ROMFS partition.

Rule: nothing here knows about pins or the running program; that is `Session`. Counters (`sdk_flash_writes`, `boots`) are ground truth for tests.
"""

import secrets
from random import Random

from sim.clock import Clock
from sim.flash import Flash
from sim.rom import Rom

RTC_MEMORY_MAX = 492


class Chip:
    """One ESP8266 with its flash. `entropy` fills os.urandom: seeded in virtual time, the machine's own when `seed` is None."""

    __slots__ = (
        "boots",
        "clock",
        "flash",
        "random",
        "rom",
        "rtc_memory",
        "sdk_access_point",
        "sdk_flash_writes",
        "sdk_station",
        "sdk_station_on",
        "seed",
        "ticks_offset_us",
        "unique_id",
    )

    def __init__(self, unique_id: bytes, flash: Flash, seed: int | None = 0) -> None:
        self.unique_id = unique_id
        self.flash = flash
        self.rom = Rom()
        self.seed = seed
        self.random = Random(f"chip {seed} {unique_id.hex()}")
        self.clock = Clock()
        self.rtc_memory = b""
        self.sdk_station: tuple[str, str] | None = None  # ssid and key that the SDK joins by itself
        self.sdk_station_on = True
        self.sdk_access_point = False
        self.sdk_flash_writes = 0
        self.ticks_offset_us = 0  # what ticks_us() shows at a boot: to reach the wrap in a short test
        self.boots = 0

    def entropy(self, count: int) -> bytes:
        """`count` bytes for os.urandom."""
        if self.seed is None:
            return secrets.token_bytes(count)
        return self.random.randbytes(count)

    def lose_power(self, now_us: int) -> None:
        """RTC memory and clock are gone."""
        self.rtc_memory = b""
        self.clock.lose_power(now_us)
