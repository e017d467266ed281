"""Kinds of faults of the board itself: power, resets, memory, flash, clock.

Rule: as in part_kinds; what a fault destroys stays destroyed.
"""

from typing import TYPE_CHECKING

from sim.errors import PowerLoss, SettingError
from sim.faults.fields import Args, Choice, Kind, Number, Undo
from sim.faults.hold import hold
from sim.flash import EIO
from sim.port import EXCEPTION_RESET, HARD_RESET, SOFT_WDT_RESET

if TYPE_CHECKING:
    from sim.faults.life import Life

FILES = ("/journal.bin", "/desired.json", "/config.json", "/closer_config.py", "/desired.json.old")
_FILE = {"file": Choice(FILES)}


def _cut(life: Life, args: Args) -> None:
    life.truth.lose_power()
    life.board.power_cut(args.number("off_s"))


def _charge(life: Life, args: Args) -> None:
    world = life.world
    world.advance()
    world.charge_mah = world.scenario.capacity_mah * args.number("pct") / 100


def _dark(life: Life, _: Args) -> Undo:
    def change(dark: bool) -> None:
        life.world.advance()
        life.world.darkness = dark

    return hold(life, life.world, "darkness", True, change)


def _reset(life: Life, args: Args) -> None:
    causes = {"pin": HARD_RESET, "watchdog": SOFT_WDT_RESET, "exception": EXCEPTION_RESET}
    session = life.board.session
    if args.word("cause") == "watchdog" and session is not None and session.armed:
        life.board.hang()  # the watchdog bites by itself, and the valve stays as it is until then
    elif args.word("cause") == "pin" or session is not None:  # asleep, only the pin can reset it
        life.board.reset_now(causes[args.word("cause")])


def _flipped(data: bytes, args: Args) -> bytes:
    flipped = bytearray(data)
    for _ in range(args.whole("bits") if data else 0):
        bit = args.random.randrange(len(data) * 8)
        flipped[bit >> 3] ^= 1 << (bit & 7)
    return bytes(flipped)


def _rtc_lost(life: Life, _: Args) -> None:
    life.board.chip.rtc_memory = b""


def _rtc_flips(life: Life, args: Args) -> None:
    life.board.chip.rtc_memory = _flipped(life.board.chip.rtc_memory, args)


def _file_flips(life: Life, args: Args) -> None:
    files, path = life.board.chip.flash.files, args.word("file")
    if path in files:
        files[path] = _flipped(files[path], args)


def _file_torn(life: Life, args: Args) -> None:
    files, path = life.board.chip.flash.files, args.word("file")
    if path in files:
        files[path] = files[path][: args.random.randrange(len(files[path]) or 1)]


def _file_lost(life: Life, args: Args) -> None:
    life.board.chip.flash.files.pop(args.word("file"), None)


def _file_unreadable(life: Life, args: Args) -> Undo:
    unreadable, path = life.board.chip.flash.unreadable, args.word("file")
    unreadable.add(path)
    return lambda: unreadable.discard(path)


def _full(life: Life, args: Args) -> Undo:
    flash = life.board.chip.flash
    return hold(life, flash, "capacity", sum(map(len, flash.files.values())) + args.whole("spare"))


def _refuses(life: Life, _: Args) -> Undo:
    def refuse(_number: int, what: str, path: str) -> None:
        raise OSError(EIO, f"{what} {path}")

    return hold(life, life.board.chip.flash, "on_write", refuse)


def _cut_at_write(life: Life, args: Args) -> None:
    flash, left = life.board.chip.flash, [args.whole("steps")]

    def count(_number: int, what: str, path: str) -> None:
        left[0] -= 1
        session = life.board.session
        if left[0] <= 0 and session is not None:
            flash.on_write = None
            life.truth.lose_power()
            life.note(f"power goes at {what} {path}")
            raise session.end(PowerLoss())

    flash.on_write = count


def _jump(life: Life, args: Args) -> None:
    now_us, clock = life.timeline.now_us, life.board.chip.clock
    clock.set_us(now_us, max(0, clock.read_us(now_us) + round(args.number("by_s") * 1_000_000)))


def _drift(life: Life, args: Args) -> Undo:
    clock = life.board.chip.clock
    back = (
        hold(life, clock, "sleep_drift", args.number("asleep")),
        hold(life, clock, "awake_drift", args.number("awake")),
    )
    return lambda: [undo() for undo in back]


def _ds3231_lost(life: Life, _: Args) -> None:
    life.board.bench.rtc.lose_cell()


def _ds3231_off(life: Life, args: Args) -> None:
    rtc = life.board.bench.rtc
    try:
        rtc.set_s(max(0.0, rtc.now_s() + args.number("by_s")))
    except OverflowError as error:
        raise SettingError(f"the DS3231 cannot show {args.number('by_s'):g} s more") from error


def _near_wrap(life: Life, args: Args) -> None:
    life.board.chip.ticks_offset_us = (1 << 30) * 1000 - round(args.number("left_s") * 1_000_000)


BOARD_KINDS: dict[str, Kind] = {
    "power.cut": Kind("the battery is off its plug for so long", _cut, {"off_s": Number(0.001, 1e7)}),
    "power.charge": Kind("the cell holds so much, in percent, from now on", _charge, {"pct": Number(0, 100)}),
    "power.dark": Kind("something lies on the panel", _dark, lasts=True),
    "reset": Kind(
        "the reset pin, a hang until the watchdog bites (at once, as long as the program has armed none), or an exception of the SDK",
        _reset,
        {"cause": Choice(("pin", "watchdog", "exception"))},
    ),
    "rtc.lost": Kind("RTC memory is empty", _rtc_lost),
    "rtc.flips": Kind("bits of RTC memory change", _rtc_flips, {"bits": Number(1, 1000, 1, whole=True)}),
    "flash.flips": Kind("bits of a file change", _file_flips, {**_FILE, "bits": Number(1, 1000, 1, whole=True)}),
    "flash.torn": Kind("a file ends too soon", _file_torn, _FILE),
    "flash.lost": Kind("a file is gone", _file_lost, _FILE),
    "flash.unreadable": Kind("reading a file fails", _file_unreadable, _FILE, lasts=True),
    "flash.full": Kind(
        "so many bytes are free, and no more", _full, {"spare": Number(0, 1e6, 0, whole=True)}, lasts=True
    ),
    "flash.refuses": Kind("every write fails", _refuses, lasts=True),
    "flash.cut": Kind(
        "the power goes at the so-manieth write from now on", _cut_at_write, {"steps": Number(1, 1000, whole=True)}
    ),
    "clock.jumps": Kind("the chip's clock is so much ahead at once", _jump, {"by_s": Number(-1e9, 1e9)}),
    "clock.drifts": Kind(
        "parts by which a sleep lasts too long, and the clock runs too fast",
        _drift,
        {"asleep": Number(-0.2, 0.2, 0), "awake": Number(-0.2, 0.2, 0)},
        lasts=True,
    ),
    "ds3231.lost": Kind("its own cell is empty", _ds3231_lost),
    "ds3231.off": Kind("it is so much ahead", _ds3231_off, {"by_s": Number(-1e9, 1e9)}),
    "ticks.near_wrap": Kind(
        "from the next boot on ticks_ms() wraps after so long", _near_wrap, {"left_s": Number(0, 1e6)}
    ),
}
