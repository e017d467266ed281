"""Turning: one pass of the loop. Read, ask the core, act, report.

Rule: it decides nothing that the core decides, and waits for nothing. It must not know how a wake begins, or what its end takes.
"""

from . import protocol
from .core import controller, power, state
from .led import show
from .rest import PACE_MS
from .store import EVENTS_MAX, SAMPLES_MAX

if False:  # for annotations
    from .app import App

SAMPLE_EVERY_MS = 30000
OPEN_STATE_EVERY_MS = 5000
SETTLED_MS = 60000
BATTERY_EVERY_MS = 2000
BATTERY_MISSES_MAX = 3
DAY_MS = 86400000
LOADING, FINISHING = 1, 4  # of the steps in slots.py
LOOK_MS = 50  # at the button, while it is down
LONGEST_MS = 1000  # between two turns


def turn(app: "App") -> int:
    """One pass of the loop. Returns how long nothing is due, in ms."""
    now_ms = app.board.uptime_ms()
    elapsed_ms = now_ms - app.last_ms
    app.last_ms = now_ms
    if now_ms - app.sample_ms >= SAMPLE_EVERY_MS and not app.safe_mode:
        _sample(app, now_ms)  # before the planner, which may look at soil, rain and temperature
    if app.inbox.proposed:
        app.inbox.settle()
    ml = app.senses.take_ml()
    app.runs.meter(ml)
    requests, ids = app.inbox.take()
    requests = app.again + requests + _hand(app, now_ms)
    requests += app.planner.due(now_ms, requests)
    ids = [""] * len(app.again) + ids
    app.state, actions, due_ms = controller.step(
        app.state, elapsed_ms, (_battery(app, now_ms), ml), requests, app.limits
    )
    if app.safe_mode:
        actions = [action[:-1] + ("safe_mode",) if action[-1] == "over_cap" else action for action in actions]
    app.again = app.runs.carry_out(actions)
    if app.senses.flow:
        app.board.feed_meter()
    if app.runs.check:
        from .check import follow

        follow(app, ml)
        if not app.runs.check:
            app.board.drop("check")
    _answer(app, actions, requests, ids)
    if actions:
        app.outbox.state_due = True
    app.runs.checkpoint()
    led_ms = _housekeeping(app, now_ms, ml)
    app.clock.service()
    app.link.service()
    app.inbox.free()
    if app.update and controller.idle(app.state):
        due_ms = min(due_ms, _update(app, now_ms))
    app.outbox.service()
    if app.rest.due(now_ms):
        app.rest.go()
    if app.again or app.inbox.busy() or app.outbox.busy() or (app.planner.behind() and not app.planner.waiting):
        return 0
    if app.press_ms > 0:
        return LOOK_MS
    leaving = app.link.up() and controller.idle(app.state) and not app.staying_awake(now_ms)
    return min(due_ms, led_ms, PACE_MS if leaving or app.link.out or app.clock.sock else LONGEST_MS)


def _sample(app: "App", now_ms: int) -> None:
    app.sample_ms = now_ms
    if app.memory.held_samples() >= SAMPLES_MAX:  # nobody acknowledged them, and this wake did not end
        app.keep_backlog()
    now_s = app.clock.now_s()
    values = app.senses.sample(now_s, app.link.rssi_dbm(), app.memory, app.settings.longitude_cdeg)
    app.memory.add_sample(values)


def _update(app: "App", now_ms: int) -> int:
    """Go on with an update, while no valve is open. Returns the ms until it wants to be looked at again."""
    if now_ms >= app.update[0]:
        if app.update[2] == LOADING:
            from .loading import ask

            ask(app, now_ms)
            app.board.drop("loading")
        elif LOADING < app.update[2] < FINISHING:
            from .trial import follow

            follow(app, now_ms)
            app.board.drop("trial")
        else:
            from .updating import follow

            follow(app, now_ms)
            app.board.drop("updating")
    return max(0, app.update[0] - now_ms) if app.update else 0


def _hand(app: "App", now_ms: int) -> list[tuple]:
    """Requests of the person at the button."""
    up = app.board.button_up()
    if up and app.press_ms < 0:
        app.press_ms = 0
    if app.press_ms < 0 or (up and not app.press_ms):
        return []
    from .hand import press

    requests = press(app, not up, now_ms)
    if app.press_ms <= 0:
        app.board.drop("hand")
    return requests


def _battery(app: "App", now_ms: int) -> int:
    """Battery voltage, read every two seconds at most; 0: unknown."""
    if now_ms - app.battery_ms >= BATTERY_EVERY_MS:
        app.battery_ms = now_ms
        mv = app.senses.battery()[0]
        app.battery_misses = 0 if mv else app.battery_misses + 1
        if mv or app.battery_misses >= BATTERY_MISSES_MAX:  # one lost reading ends no run
            app.battery_mv = mv
        before = protocol.POWER_MODES[app.memory.power_mode]
        responsive = app.config.always_responsive or now_ms < app.awake_until_ms
        mode = protocol.POWER_MODES.index(power.mode(before, app.battery_mv, responsive, app.settings.winter))
        if mode != app.memory.power_mode:
            app.memory.power_mode = mode
            app.outbox.state_due = True
    return app.battery_mv


def _answer(app: "App", actions: list[tuple], requests: list[tuple], ids: list[str]) -> None:
    """Tell who asked what became of it."""
    for action in actions:
        if action[0] not in ("accepted", "queued", "refused"):
            continue
        request = requests[action[1]]
        zone = request[1] if len(request) > 1 else 0
        if action[1] >= len(ids) or not ids[action[1]]:
            if action[0] == "refused" and not request[3]:  # the button's: the core tells of a program's itself
                app.runs.skip(zone, 0, action[2])
            continue
        if request[0] == "check" and action[0] == "accepted":
            app.runs.check = [zone, 0, 0, state.OPEN]
        run = app.runs.get(zone) if request[0] == "run" and action[0] == "accepted" else None
        granted_s = request[2] // 1000 if request[0] == "run" and action[0] != "refused" else 0
        reason = action[2] if action[0] == "refused" else ("queued" if action[0] == "queued" else "")
        run_until = app.run_until(zone, app.clock.now_s()) if run else 0
        app.outbox.reply(
            ids[action[1]], action[0] != "refused", reason, zone, run.run_id if run else 0, granted_s, run_until
        )


def _housekeeping(app: "App", now_ms: int, ml: int) -> int:
    """What is due by the clock: samples, faults, the state of an open valve, the LED. Returns the ms until the LED changes."""
    closed = controller.idle(app.state)
    begins = ml if not app.leak else app.settled and now_ms == app.sample_ms
    if app.watch_ms or (closed and begins):
        from .watching import watch

        watch(app, now_ms, ml, closed)
        app.board.drop("watching")
    if app.memory.held_events() >= EVENTS_MAX and (now_ms == app.sample_ms or not app.storage_fault):
        app.keep_backlog()
    if not closed and now_ms - app.open_state_ms >= OPEN_STATE_EVERY_MS:
        app.open_state_ms = now_ms
        app.outbox.state_due = True
    if now_ms - app.day_ms >= DAY_MS:
        app.day_ms = now_ms
        app.outbox.health_due = True
        app.outbox.tell_again()
        app.rest.restart_wanted = app.rest.restart_wanted or app.safe_mode  # tried without, once a day
    if not app.settled and now_ms >= SETTLED_MS:
        app.settled = True
        app.calm_down()
        app.board.settled()
    if app.clock_word != app.clock.word():
        app.clock_word = app.clock.word()
        app.outbox.state_due = True
    _note_faults(app)
    return show(app, now_ms)


def _note_faults(app: "App") -> None:
    """Report the board's faults as they come and go, over sleeps; the core reports its own (low_battery)."""
    faults = app.board_faults()
    if not faults and not app.memory.fault_mask:
        return
    for i, word in enumerate(protocol.FAULTS):
        known = app.memory.fault_mask >> i & 1
        if word != "low_battery" and (word in faults) != bool(known):
            app.memory.fault_mask ^= 1 << i
            app.runs.event("fault_cleared" if known else "fault", 0, 0, 0, "", word, 0, 0)
