"""Assembling: puts the application's parts together. A late module: loaded at boot, when the settings were read, then dropped.

Rule: what is built here is complete before the loop turns; nothing here opens a valve. It must not know what the loop does.
"""

from . import protocol, report
from .clock import Clock
from .core.safety import ASSUMED_TRIES, DAY_OPENINGS, HAS_FLOW, LIMITS
from .inbox import Inbox
from .link import Link
from .outbox import Outbox
from .planner import Planner
from .rest import NETWORK_BUDGET_MS, Rest
from .runs import Runs
from .senses import Senses
from .slots import begin

if False:  # for annotations
    from .app import App

SLOT_1 = 16  # of what the chooser says; whatever else it says is followed up by updating.py


def assemble(app: "App") -> None:
    """Make the parts of the application, once its settings are known."""
    board, config, m = app.board, app.config, app.memory
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
