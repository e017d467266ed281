"""Who may open a valve: every message that must not, and what the board answers."""

import json

import pytest

from sprinkler import protocol

from .rig import Rig


@pytest.fixture
def rig():
    rig = Rig()
    rig.settle()
    yield rig
    rig.board.stop()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"expires_at": 1_800_000_000}, "expired"),
        ({"expires_at": 1_900_000_000}, "invalid"),
        ({"counter": 1}, "replayed"),
        ({"counter": 10**14}, "invalid"),
        ({"counter": "7"}, "invalid"),
        ({"zone": 3}, "unknown_zone"),
        ({"zone": 0}, "invalid"),
        ({"zone": "1"}, "invalid"),
        ({"zone": 1.5}, "invalid"),
        ({"run_time_s": 4}, "under_min"),
        ({"run_time_s": 7201}, "over_cap"),
        ({"run_time_s": -1}, "invalid"),
        ({"run_time_s": None}, "invalid"),
        ({"command": "open"}, "unknown_command"),
        ({"command": None}, "unknown_command"),
    ],
)
def test_a_bad_command_is_refused_with_its_reason(rig, fields, reason):
    rig.command("identify")  # spends a counter, so that 1 is an old one
    command_id = rig.command(**{"command": "run", "zone": 1, "run_time_s": 60, **fields})
    rig.run(3)
    assert rig.reply(command_id) == {
        "id": command_id, "accepted": False, "reason": reason, "zone": rig.reply(command_id)["zone"], "run_id": 0, "run_time_s": 0, "run_until": 0, "at": 0,
    }  # fmt: skip
    assert rig.opened_s() == 0


def test_a_retained_command_is_refused():
    rig = Rig()
    command_id = rig.command("run", zone=1, run_time_s=60, retain=True)
    rig.run(60)
    assert rig.reply(command_id)["reason"] == "replayed"
    assert rig.opened_s() == 0
    rig.board.stop()


def test_the_same_message_again_opens_nothing(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    message = rig.broker.messages(rig.topic(protocol.COMMAND))[-1]
    for _ in range(3):
        rig.broker.publish(message.topic, message.payload)
    rig.run(30)
    assert len([move for move in rig.moves if move[2]]) == 1


def test_the_counter_survives_a_loss_of_power_with_the_opening_that_used_it(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    message = rig.broker.messages(rig.topic(protocol.COMMAND))[-1]
    rig.board.power_cut()
    rig.run(20)
    rig.broker.publish(message.topic, message.payload)
    rig.run(30)
    assert len([move for move in rig.moves if move[2]]) == 1


@pytest.mark.parametrize("key", [bytes(16), b"another board's."])
def test_another_key_opens_nothing(rig, key):
    rig.command("run", zone=1, run_time_s=60, key=key)
    rig.run(5)
    assert rig.opened_s() == 0
    assert rig.said(protocol.REPLY) == []


def test_a_command_signed_for_another_topic_opens_nothing(rig):
    rig.send(
        protocol.DESIRED,
        {
            "id": "x",
            "counter": 1_900_000_000_000,
            "expires_at": int(rig.now()) + 60,
            "command": "run",
            "zone": 1,
            "run_time_s": 60,
        },
    )
    payload = rig.broker.messages(rig.topic(protocol.DESIRED))[-1].payload
    rig.broker.publish(rig.topic(protocol.COMMAND), payload)
    rig.run(5)
    assert rig.opened_s() == 0


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"OPEN",
        b"{",
        b"[]",
        b'{"command": "run", "zone": 1, "run_time_s": 60}',
        b"\xff" * 40,
        b"x" * 5000,
        b"\n" + b"0" * 32,
        b"null\n" + b"0" * 32,
    ],
)
@pytest.mark.parametrize("leaf", protocol.TO_BOARD)
def test_garbage_on_any_topic_changes_nothing(rig, leaf, payload):
    rig.broker.publish(rig.topic(leaf), payload)
    rig.run(5)
    assert rig.opened_s() == 0
    assert rig.board.boots == [0]
    command_id = rig.command("run", zone=1, run_time_s=10)
    rig.run(3)
    assert rig.reply(command_id)["accepted"], "and the board still hears"


def test_signed_nonsense_is_answered_and_opens_nothing(rig):
    for content in ({}, {"id": 5}, {"id": ""}, {"id": "x" * 17}, {"id": "ok"}, [], None, 7):
        rig.send(protocol.COMMAND, content)
    rig.run(5)
    assert rig.opened_s() == 0
    assert {r["accepted"] for r in rig.said(protocol.REPLY)} == {False}


def test_much_that_does_not_verify_raises_tampering(rig):
    for _ in range(12):
        rig.command("run", zone=1, run_time_s=60, key=bytes(16))
    rig.run(5)
    assert "tampering" in rig.state()["faults"]


def test_a_flood_of_messages_delays_no_stop(rig):
    rig.command("run", zone=1, run_time_s=600)
    rig.run(5)
    for _ in range(200):
        rig.broker.publish(rig.topic(protocol.COMMAND), b'{"command": "stop"}')
    rig.command("stop", zone=1)
    rig.run(5)
    assert rig.open_zones() == []
    rig.run(10)
    rig.command("clear_fault", zone=0)
    rig.run(5)
    assert rig.state()["faults"] == []


def test_a_board_without_the_time_refuses_to_run_and_says_so():
    rig = Rig(ntp_host="")
    rig.settle()
    assert rig.state()["clock"] == "unset"
    command_id = rig.command("run", zone=1, run_time_s=60)
    restart = rig.command("restart")
    stop = rig.command("stop", zone=0)
    rig.run(3)
    assert rig.reply(command_id)["reason"] == rig.reply(restart)["reason"] == "clock_unset"
    assert rig.reply(stop)["accepted"], "a late stop does no harm"
    rig.board.stop()


def test_home_assistant_sets_the_clock_by_answering_the_nonce():
    rig = Rig(ntp_host="")
    rig.settle()
    nonce = rig.said(protocol.TIME_REQUEST)[-1]["nonce"]
    rig.send(protocol.TIME, {"nonce": "0" * 16, "at": int(rig.now()) + 9999})
    rig.run(2)
    assert rig.state()["clock"] == "unset", "an answer to nobody's question"
    rig.send(protocol.TIME, {"nonce": nonce, "at": int(rig.now())})
    rig.run(3)
    assert rig.state()["clock"] == "set"
    assert rig.state()["at"] == pytest.approx(rig.now(), abs=3)
    rig.send(protocol.TIME, {"nonce": nonce, "at": int(rig.now()) + 9999})
    rig.run(31)
    assert rig.state()["at"] == pytest.approx(rig.now(), abs=40), "an answer counts once"
    rig.board.stop()


def test_a_press_of_reset_makes_the_clock_an_estimate_until_someone_tells_the_time(rig):
    rig.board.network.ntp_on = False
    rig.board.reset_now()
    rig.run(10)
    assert rig.state()["clock"] == "estimated"
    assert rig.state()["at"] == 0
    rig.board.network.ntp_on = True
    rig.run(30)
    assert rig.state()["clock"] == "set"


def test_stay_awake_keeps_a_sleeper_up_and_ends():
    rig = Rig(responsive=False)
    rig.run(3)
    rig.command("stay_awake", awake_s=60)
    rig.run(50)
    assert rig.state()["power_mode"] == "responsive"
    assert rig.said(protocol.AVAILABILITY)[-1] == {"state": "online"}
    rig.run(60)
    assert rig.said(protocol.AVAILABILITY)[-1]["state"] == "asleep"
    rig.board.stop()


def test_restart_closes_and_boots_anew(rig):
    rig.command("restart")
    rig.run(20)
    assert len(rig.board.boots) == 2
    assert rig.state()["wake_reason"] == "soft_reset"


def test_settings_are_applied_by_version(rig):
    rig.desired(version=5, seasonal_adjust_pct=80)
    rig.run(2)
    assert (rig.state()["desired_version"], rig.state()["seasonal_adjust_pct"]) == (5, 80)
    rig.desired(version=4, seasonal_adjust_pct=120)
    rig.run(2)
    assert rig.state()["seasonal_adjust_pct"] == 80, "a lower version is ignored"
    rig.desired(version=6, seasonal_adjust_pct=999)
    rig.run(2)
    assert (rig.state()["desired_version"], rig.state()["seasonal_adjust_pct"]) == (5, 80), (
        "what does not validate changes nothing"
    )
    assert rig.reply("desired")["reason"] == "invalid"


def test_announce_is_signed_and_the_same_at_each_boot(rig):
    rig.board.power_cut()
    rig.run(20)
    announces = {m.payload for m in rig.broker.messages(rig.topic(protocol.ANNOUNCE))}
    assert len(announces) == 1
    assert json.loads(announces.pop().split(b"\n")[0])["device_id"] == rig.board.device_id
