"""Hand: what a person does at the board's one button: water, stop, forget the settings.

Rule: a late module, loaded from the moment at which the button is seen down until it is let go. Water is asked of the core like by anybody else. Nothing
happens on the button's word alone while it is down, but stopping: a button that is stuck can water nothing and forget nothing, and the chip is never
reset while GPIO0 is low (it would start its own loader). It must not know pins.
"""

from .core import state
from .crash import CRASH
from .errors import StoreError
from .led import COUNT_MS, FORGET_MS, HOLD_MS, SHOWN_MS
from .segments import FOLDER
from .store import DESIRED, OLD, PROGRAMS

if False:  # for annotations
    from .app import App

LOOK_MS = 50  # two looks in a row are no bounce
STUCK_MS = 30000  # nobody holds a button for so long: it counts for nothing until it was up
RUN_MS = 600000


def press(app: "App", down: bool, now_ms: int) -> list:
    """Hear the button, looked at just now; call it from the first look that sees it down to the first that does not. Returns requests for the core."""
    held_ms = now_ms - app.press_ms
    if down:
        if not app.press_ms:
            app.press_ms, app.press_done = now_ms, False
        elif held_ms >= STUCK_MS:
            app.press_ms = -1
        elif held_ms >= LOOK_MS and not app.press_done and _waters(app.state):
            app.press_done = True
            return [("stop", 0)]
        return []
    app.press_ms = 0
    if held_ms < HOLD_MS:
        return []
    app.shown_until_ms = now_ms + SHOWN_MS
    if held_ms >= FORGET_MS:
        _forget(app)
    return [] if app.press_done or held_ms >= COUNT_MS else _water(app)


def _waters(s: tuple) -> bool:
    """True while a zone is open or waits for its turn."""
    for zone in range(1, state.zones(s) + 1):
        z = state.base(zone)
        if s[z + state.PHASE] == state.OPEN or s[z + state.QUEUED_MS]:
            return True
    return False


def _water(app: "App") -> list:
    """Ten minutes for the next zone in turn; after a start of the board the first one."""
    zone = app.hand_zone = app.hand_zone % app.board.zones() + 1
    if app.settings.winter:
        app.runs.skip(zone, 0, "winter")
        return []
    app.runs.by_hand |= 1 << zone
    return [("run", zone, RUN_MS, 0)]


def _forget(app: "App") -> None:
    """Forget settings, programs and what was not yet told; restart. Key, Wi-Fi and broker stay: they come by cable only, and without them nobody could
    reach the board again. Latched faults, totals and the command counter stay: they protect. A reset in between leaves less forgotten, nothing broken."""
    board, memory = app.board, app.memory
    paths = [DESIRED + OLD, DESIRED, CRASH]
    try:
        paths += [FOLDER + "/" + entry[0] for entry in board.os.ilistdir(FOLDER)]
    except OSError:
        pass  # there is no backlog
    for path in paths:
        board.feed()
        try:
            board.os.remove(path)
        except OSError:
            pass  # there was none
    memory.kept = memory.flash_event = memory.flash_sample = 0
    memory.keys = [0] * PROGRAMS
    memory.acknowledge(memory.event_count, memory.sample_count)
    try:
        memory.save(board)
    except StoreError:
        pass  # flash does not write: the settings are gone all the same, or will not be read
    board.reset()
