"""Starting: recalls what was, and puts the application's parts together. A late module: loaded at boot, then dropped.

Rule: what is built here is complete before the loop turns; nothing here opens a valve. It must not know what the loop does.
"""

from . import protocol, report
from .app import CRASH_COUNTED
from .clock import Clock
from .core.safety import ASSUMED_TRIES, DAY_OPENINGS, HAS_FLOW, LIMITS
from .core.schedule import LOST_KEY
from .errors import StoreError
from .inbox import Inbox
from .led import SHOWN_MS
from .link import Link
from .outbox import Outbox
from .planner import Planner
from .rest import NETWORK_BUDGET_MS, PULSE_EVERY_S, Rest
from .runs import Runs
from .senses import Senses
from .settings import Settings
from .slots import begin
from .store import Memory

if False:  # for annotations
    from .app import App

CRASHES_MAX = 2  # crashes without a minute, or a good sleep, between them; the closer rests ten minutes after the third
TURNED_BACK, SLOT_1 = 8, 16  # of what the chooser says; whatever it says is followed up by updating.py
SAFE_AWAKE_MS = 600000  # how long a board in safe mode may be looked at, at each boot that a crash made


def wake(app: "App") -> None:
    """Recall what was, and put the parts together."""
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
    if app.config:
        _assemble(app)


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


def _assemble(app: "App") -> None:
    from .desired import load

    board, config, m = app.board, app.config, app.memory
    app.settings = Settings()
    if not app.safe_mode:
        app.settings = load(board, protocol.topic(board.device_id, protocol.DESIRED), config.key)
    board.drop("desired")
    app.clock = Clock(board, m, config.ds3231, app.wake_reason)
    app.senses = Senses(board, config)
    tries = 1 if board.held else LIMITS[ASSUMED_TRIES]  # a spring closes what is not driven
    has_flow = 1 if app.senses.has_flow() else 0
    app.limits = LIMITS[:HAS_FLOW] + (has_flow, tries) + LIMITS[HAS_FLOW + 2 : DAY_OPENINGS + 1] + app.settings.limits
    if app.safe_mode:
        app.limits = (0,) + app.limits[1:]  # the cap: nothing opens, whoever asks
    app.leak = bool(m.fault_mask >> protocol.FAULTS.index("leak") & 1)
    app.watch_ms = app.watch_ml = app.tried_ms = app.judged_ms = 0  # since when, what; not yet in this boot
    app.outbox = Outbox(app)
    app.inbox = Inbox(app)
    app.runs = Runs(app)
    app.planner = Planner(app)
    app.rest = Rest(app)
    told = board.slots & ~SLOT_1
    if told or app.wake_reason != "timer":
        app.update = begin(NETWORK_BUDGET_MS if told else 0)
    will_topic = protocol.topic(board.device_id, protocol.AVAILABILITY)
    session = (
        config.broker_host,
        config.broker_port,
        "sprinkler-" + board.device_id,
        config.broker_user,
        config.broker_password,
    )
    topics = (protocol.topic(board.device_id, ""), protocol.TO_BOARD)
    app.link = Link(
        board,
        m,
        (config.wifi_ssid, config.wifi_password, config.ntp_host),
        session + (will_topic, report.LOST),
        topics,
        app.inbox.hear,
    )
