"""LED: what the board tells a person who stands before it. One table of patterns, one function.

Rule: shows, never decides. In the daily sleeping and waking it stays dark; it speaks after a start that a person or the power made, after a press of the
button, while water runs, when asked to identify itself, and in safe mode. A pattern has 16 bits of a quarter second, the lowest first.
"""

from .core import controller, state

if False:  # for annotations
    from .app import App

BIT_MS = 250
IDENTIFY = 0x5555  # quick and even
PRESSED = 0xFFFF  # the press is seen: let go
COUNTDOWN = 0x1111  # a flash a second: five, then letting go forgets the settings
SAFE_MODE = 0x00FF  # two seconds on, two off
WATER = 0x7FFF  # on, with a short gap
LOW_BATTERY = 0x0005  # two flashes
FAULT = 0x0015  # three flashes
CONNECTED = 0x0001  # one flash in four seconds
JOINING = 0x0F0F  # a second on, a second off

HOLD_MS = 500  # let go from here on: it was no touch, and waters (or has stopped the water)
COUNT_MS = 5000  # let go from here on: nothing
FORGET_MS = 10000  # let go from here on: the settings are forgotten
SHOWN_MS = 60000  # how long it speaks after a start or a press


def show(app: "App", now_ms: int) -> int:
    """Set the LED as `app` is now. Returns the ms until it has to be set again."""
    held_ms = now_ms - app.press_ms if app.press_ms > 0 else 0
    pattern = 0
    if now_ms < app.identify_until_ms:
        pattern = IDENTIFY
    elif held_ms >= HOLD_MS:
        pattern = COUNTDOWN if COUNT_MS <= held_ms < FORGET_MS else PRESSED
    elif app.safe_mode:
        pattern = SAFE_MODE
    elif not controller.idle(app.state):
        pattern = WATER
    elif now_ms < app.shown_until_ms:
        pattern = CONNECTED if app.link.up() else JOINING
        if app.state[state.BATTERY_LOW]:
            pattern = LOW_BATTERY
        elif app.memory.fault_mask or any(app.memory.faults):
            pattern = FAULT
    if not pattern:
        app.board.led(0)
        return SHOWN_MS
    bit = now_ms // BIT_MS
    lit = pattern >> bit % 16 & 1
    app.board.led(lit)
    bits = 1
    while bits < 16 and pattern >> (bit + bits) % 16 & 1 == lit:
        bits += 1
    return bits * BIT_MS - now_ms % BIT_MS
