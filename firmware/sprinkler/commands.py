"""Commands: what a signed command may do. A late module: loaded for one command, then dropped.

Rule: counter, then expiry, then what is asked; the answer goes out once the core has decided. It must not know signatures.
"""

import json

from . import protocol
from .errors import RefusedError
from .settings import integer

if False:  # for annotations
    from .app import App
    from .inbox import Inbox


def obey(app: "App", inbox: "Inbox", body: bytes | memoryview, retained: object) -> None:
    """Carry out the command in `body` (JSON that is signed), or refuse it with a reason. `retained`: the broker had kept it, which no command may be."""
    command_id = ""
    try:
        command = json.loads(bytes(body))
        command_id = command["id"]
        if type(command_id) is not str or not 0 < len(command_id) <= 16:
            raise RefusedError("invalid")
        _judge(app, command, retained)
        _dispatch(app, inbox, command, command_id)
    except RefusedError as error:
        app.outbox.reply(command_id, False, error.args[0])
    except (ValueError, KeyError, TypeError):
        app.outbox.reply(command_id, False, "invalid")


def _judge(app: "App", command: dict, retained: object) -> None:
    """Refuse what is old, repeated or too far ahead; take note of the counter."""
    counter = integer(command["counter"], (1, 0xFFFFFFFFFFFF))
    if retained or counter <= app.memory.counter:
        raise RefusedError("replayed")
    expires_at = integer(command["expires_at"], (0, 0xFFFFFFFF))
    now = app.clock.unix(app.clock.now_s())
    if now:
        if expires_at <= now:
            raise RefusedError("expired")
        if expires_at > now + protocol.EXPIRES_S_MAX or counter > (now + protocol.EXPIRES_S_MAX) * 1000:
            raise RefusedError("invalid")
    elif command["command"] != "stop":
        raise RefusedError("clock_unset")  # whether it has expired cannot be known; a late stop does no harm
    app.memory.counter = counter


def _zone(app: "App", command: dict, lowest: int) -> int:
    zone = integer(command["zone"], (lowest, 255))
    if zone > app.board.zones():
        raise RefusedError("unknown_zone")
    return zone


def _dispatch(app: "App", inbox: "Inbox", command: dict, command_id: str) -> None:
    kind = command["command"]
    if kind in ("run", "check_valve"):
        zone = _zone(app, command, 1)
        if app.settings.winter:
            raise RefusedError("winter")
        if kind == "check_valve":
            inbox.add(("check", zone), command_id)
            return
        inbox.add(("run", zone, integer(command["run_time_s"], (0, 86400)) * 1000, 0), command_id)
    elif kind == "skip":
        app.planner.skips_wanted.append(
            (command_id, _zone(app, command, 1), integer(command.get("program", 0), (0, 8)))
        )
    elif kind in ("stop", "clear_fault"):
        zone = _zone(app, command, 0)
        if kind == "clear_fault" and not zone:
            inbox.suspicious = 0
        inbox.add((kind, zone), command_id)
    elif kind in protocol.COMMANDS:
        if kind == "stay_awake":
            app.stay_awake(integer(command["awake_s"], protocol.AWAKE_S_LIMITS))
        elif kind == "identify":
            app.identify()
        else:
            app.rest.restart_wanted = True
        app.outbox.reply(command_id, True, "")
    else:
        raise RefusedError("unknown_command")
