"""Starting: recalls what was, and what the board was told to be. A late module: loaded at boot, then dropped.

Rule: what was remembered is counted before anything can fail again; nothing here opens a valve. It must not know what becomes of it.
"""

from .app import CRASH_COUNTED
from .core.schedule import LOST_KEY
from .errors import StoreError
from .led import SHOWN_MS
from .rest import PULSE_EVERY_S
from .store import Memory

if False:  # for annotations
    from .app import App

CRASHES_MAX = 2  # crashes without a minute, or a good sleep, between them; the closer rests ten minutes after the third
TURNED_BACK = 8  # of what the chooser says
SAFE_AWAKE_MS = 600000  # how long a board in safe mode may be looked at, at each boot that a crash made


def wake(app: "App") -> None:
    """Recall what was, and count this boot."""
    board = app.board
    app.memory = Memory()
    journal_ok = app.memory.load(board)
    if app.memory.lost and not journal_ok:
        app.memory.keys = [LOST_KEY] * len(
            app.memory.keys
        )  # before anything is saved: a sleep or a reset may come before the time is known
    app.wake_reason = board.wake_reason()
    app.shown_until_ms = 0  # until then the LED speaks
    if board.slots & TURNED_BACK:  # the crashes were those of the version that is gone
        app.memory.crashes = 0
    app.safe_mode = _count_boot(app)
    board.led(app.shown_until_ms)
    app.press_ms = 0 if board.button_up() else -1  # since when the button is down; -1: not believed until it was up
    app.hand_zone = 0  # the zone that the button watered last
    app.storage_fault = not journal_ok
    try:
        from .provisioned import read_config

        app.config = read_config(board)
    except StoreError:
        app.config = None
        app.storage_fault = True
    board.drop("provisioned")


def _count_boot(app: "App") -> bool:
    """Count this boot. True if it has to be in safe mode: those before it crashed, one after the other. Once a day it is tried without."""
    m = app.memory
    timer = app.wake_reason == "timer"
    m.boots = m.boots + (not timer) & 0xFFFF
    m.wakes = m.wakes + timer & 0xFFFF
    crashed = app.wake_reason == "watchdog" or m.crashes & CRASH_COUNTED
    if m.crashes & CRASH_COUNTED:
        m.crashes -= CRASH_COUNTED
    elif crashed:
        m.crashes = min(m.crashes + 1, CRASH_COUNTED - 2)
    elif not timer:
        m.crashes = 0
    elif m.slept_s >= PULSE_EVERY_S:
        m.crashes = min(m.crashes, CRASHES_MAX - 1)
    if not timer or crashed:
        m.save_rtc(app.board)  # now: whatever crashed may do so again before the next occasion
        app.shown_until_ms = SHOWN_MS if m.crashes < CRASHES_MAX else SAFE_AWAKE_MS
    return m.crashes >= CRASHES_MAX
