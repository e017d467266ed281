"""Kinds of faults of the outside: Wi-Fi and servers, broker, Home Assistant, and people with or without the key.

Rule: as in part_kinds. Whoever has no key can record, repeat and invent, but not sign.
"""

import json
from typing import TYPE_CHECKING, Any

from sim.faults.fields import ZONE, Args, Choice, Kind, Number, Undo
from sim.faults.hold import hold

if TYPE_CHECKING:
    from sim.faults.life import Life

FORGERIES = (
    "unsigned",
    "other_key",
    "other_board",
    "retained",
    "expired",
    "far_counter",
    "oversized",
    "broken",
    "over_cap",
    "desired",
    "time",
)


def _network(name: str, value: Any) -> Any:
    return lambda life, _: hold(life, life.board.network, name, value)


def _wifi_down(life: Life, _: Args) -> Undo:
    return hold(life, life.board.network, "wifi_up", False)


def _latency(life: Life, args: Args) -> Undo:
    return hold(life, life.board.network, "latency_us", round(args.number("ms") * 1000))


def _slow_join(life: Life, args: Args) -> Undo:
    return hold(life, life.board.network, "join_us", round(args.number("join_s") * 1_000_000))


def _ntp_lies(life: Life, args: Args) -> Undo:
    return hold(life, life.board.network, "ntp_error_s", args.number("by_s"))


def _lost(life: Life, _: Args) -> None:
    for connection in life.board.network.connections:
        connection.dead = True


def _broker_down(life: Life, args: Args) -> Undo:
    forgets = args.word("forgets") == "yes"
    life.broker.stop(keep=not forgets)

    def back() -> None:
        life.broker.start()
        if forgets and life.house.here:
            life.house.publish_desired(again=True)

    return back


def _forgets_session(life: Life, _: Args) -> None:
    client_id = "sprinkler-" + life.board.device_id
    life.broker.drop(client_id)
    life.broker.sessions.pop(client_id, None)


def _drop(life: Life, _: Args) -> None:
    life.broker.drop("sprinkler-" + life.board.device_id)


def _restarts(life: Life, _: Args) -> None:
    life.house.here = True
    life.house.publish_desired(again=True)


def _runs(life: Life, args: Args) -> None:
    for _ in range(args.whole("count")):
        life.house.ask_run(args.zone + 1, args.number("run_time_s"), args.number("expires_s"))


def _stops(life: Life, args: Args) -> None:
    house, every_us = life.house, round(args.number("every_s") * 1_000_000)

    def stop() -> None:
        if args.word("signed") == "yes":
            house.ask_stop(0)
        else:
            life.broker.publish(house.topic(house.protocol.COMMAND), b'{"command": "stop"}')

    for nth in range(args.whole("count")):
        life.timeline.at(life.timeline.now_us + nth * every_us, stop)
    life.stopped(args.whole("count") * args.number("every_s"))


def _presses(life: Life, _: Args) -> Undo:
    bench = life.board.bench
    life.house.ask_button()
    bench.press_button(down=True)
    life.stopped(1.0)
    return lambda: bench.press_button(down=False)


def _replays(life: Life, args: Args) -> None:
    for _ in range(args.whole("count")):
        for topic, payload in life.house.sent[-20:]:
            life.broker.publish(topic, payload)


def _forges(life: Life, args: Args) -> None:
    house, what = life.house, args.word("what")
    command, other = house.protocol.COMMAND, bytes(range(16))
    now_s = round(life.house.now_s())
    body: dict[str, Any] = {
        "id": "x",
        "counter": now_s * 1000 + 5000,
        "expires_at": now_s + 600,
        "command": "run",
        "zone": 1,
        "run_time_s": 900,
    }
    if what == "unsigned":
        life.broker.publish(house.topic(command), json.dumps(body).encode())
    elif what == "other_board":  # a genuine one, but for another board
        topic = house.protocol.topic("0badc0de", command)
        life.broker.publish(house.topic(command), house.sign(house.board.key, topic, json.dumps(body).encode()))
    elif what == "retained":  # one that was carried out, and that a broker keeps for whoever comes
        for topic, payload in house.sent[-1:]:
            life.broker.publish(topic, payload, retain=True)
    elif what == "expired":
        house.send(command, {**body, "counter": now_s * 1000, "expires_at": now_s - 30})
    elif what == "far_counter":
        house.send(command, {**body, "counter": (now_s + 3 * 86_400) * 1000})
    elif what == "over_cap":
        house.send(command, {**body, "run_time_s": 7201})
    elif what == "oversized":
        house.send(command, {**body, "pad": "x" * 3000})
    elif what == "broken":
        life.broker.publish(house.topic(command), args.random.randbytes(200))
    elif what == "desired":
        programs = [{"id": 1, "zone": 1, "weekdays": list(range(7)), "start_min": 600, "run_time_s": 900}]
        house.send(house.protocol.DESIRED, {"version": 999, "settings": {}, "programs": programs}, key=other)
    elif what == "time":
        house.send(house.protocol.TIME, {"nonce": "00" * 8, "at": now_s + 20_000})
    else:
        house.send(command, body, key=other)


def _edits(life: Life, args: Args) -> Undo:
    house, what = life.house, args.word("what")
    settings, programs = dict(house.settings), house.programs
    changes: dict[str, Any] = {
        "winter": {"winter": True},
        "disabled": {"watering_enabled": False},
        "rain_delay": {"rain_delay_until": round(house.now_s() + args.number("hours") * 3600)},
        "half": {"seasonal_adjust_pct": 50},
        "twice": {"seasonal_adjust_pct": 200},
    }
    house.settings = {**settings, **changes.get(what, {})}
    if what == "no_programs":
        house.programs = ()
    elif what == "later":
        house.programs = tuple({**row, "start_min": min(1439, row["start_min"] + 60)} for row in programs)
    elif what == "longer":
        house.programs = tuple({**row, "run_time_s": row["run_time_s"] * 2} for row in programs)
    house.publish_desired()
    if what in ("winter",):
        life.stopped(3600.0)

    def back() -> None:
        house.settings, house.programs = settings, programs
        house.publish_desired()

    return back


def _commands(life: Life, args: Args) -> None:
    what = args.word("what")
    fields: dict[str, Any] = {}
    if what == "check_valve":
        life.house.ask_check(args.zone + 1)
        return
    if what in ("skip", "clear_fault"):
        fields = {"zone": args.zone + 1}
    elif what == "stay_awake":
        fields = {"awake_s": args.whole("awake_s")}
    if what in ("skip", "restart"):
        life.stopped(86_400.0 if what == "skip" else 60.0)
    life.house.command(what, expires_s=4000, **fields)


HOUSE_KINDS: dict[str, Kind] = {
    "wifi.down": Kind("the access point is off", _wifi_down, lasts=True),
    "wifi.password": Kind("its password was changed", _network("key", "another one"), lasts=True),
    "wifi.slow_join": Kind("joining takes so long", _slow_join, {"join_s": Number(0.01, 120)}, lasts=True),
    "net.slow": Kind("every packet takes so long", _latency, {"ms": Number(0, 60_000)}, lasts=True),
    "net.lost": Kind("what is under way on connections is lost, and nobody is told", _lost),
    "net.refuses": Kind("every new connection is refused", _network("refuses", True), lasts=True),
    "ntp.off": Kind("the time server is silent", _network("ntp_on", False), lasts=True),
    "ntp.lies": Kind("its time is so much ahead", _ntp_lies, {"by_s": Number(-1e9, 1e9)}, lasts=True),
    "dns.off": Kind("the name server is silent", _network("dns_on", False), lasts=True),
    "broker.down": Kind(
        "killed; with `forgets` it comes back empty", _broker_down, {"forgets": Choice(("yes", "no"), "no")}, lasts=True
    ),
    "broker.mute": Kind(
        "it takes everything and answers nothing", lambda life, _: hold(life, life.broker, "mute", True), lasts=True
    ),
    "broker.refuses": Kind(
        "it knows nobody's password any more", lambda life, _: hold(life, life.broker, "users", {}), lasts=True
    ),
    "broker.drops": Kind("it cuts the board's connection", _drop),
    "broker.forgets_session": Kind("the board's subscriptions and queue are gone", _forgets_session),
    "house.gone": Kind("Home Assistant is down", lambda life, _: hold(life, life.house, "here", False), lasts=True),
    "house.restarts": Kind("Home Assistant starts, and retains its settings once more", _restarts),
    "house.clock_off": Kind(
        "its clock is so much ahead",
        lambda life, args: hold(life, life.house, "clock_off_s", args.number("by_s")),
        {"by_s": Number(-1e9, 1e9)},
        lasts=True,
    ),
    "person.runs": Kind(
        "asks for water, `count` times at once",
        _runs,
        {
            "zone": ZONE,
            "run_time_s": Number(1, 86_400, 120),
            "expires_s": Number(1, 86_400, 120),
            "count": Number(1, 50, 1, whole=True),
        },
    ),
    "person.stops": Kind(
        "stops everything, `count` times; not signed: whoever may publish",
        _stops,
        {
            "signed": Choice(("yes", "no"), "yes"),
            "count": Number(1, 10_000, 1, whole=True),
            "every_s": Number(0.001, 3600, 1),
        },
    ),
    "person.presses": Kind("a finger on the board's button, for as long as the fault lasts", _presses, lasts=True),
    "person.replays": Kind(
        "repeats the last twenty commands, byte for byte", _replays, {"count": Number(1, 1000, 1, whole=True)}
    ),
    "person.forges": Kind("a message that nobody may send", _forges, {"what": Choice(FORGERIES)}),
    "person.edits": Kind(
        "changes settings or programs, and takes it back in the end",
        _edits,
        {
            "what": Choice(("winter", "disabled", "rain_delay", "half", "twice", "no_programs", "later", "longer")),
            "hours": Number(0.1, 1000, 24),
        },
        lasts=True,
    ),
    "person.commands": Kind(
        "another command",
        _commands,
        {
            "what": Choice(("skip", "restart", "identify", "clear_fault", "check_valve", "stay_awake")),
            "zone": ZONE,
            "awake_s": Number(0, 28_800, 600, whole=True),
        },
    ),
}
