"""What is secret stays on the board, and a new key ends the old one."""

import json

import pytest

from sim.provision import Settings, pairing_code
from sprinkler import protocol

from .rig import Rig

PASSWORD = "of-the-broker"


@pytest.fixture
def rig():
    rig = Rig(broker_user="5a17e001", broker_password=PASSWORD)
    rig.settle()
    yield rig
    rig.board.stop()


def test_no_secret_is_published_or_printed(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.command("run", zone=9, run_time_s=10)
    rig.command("run", zone=1, run_time_s=10, key=bytes(16))
    rig.desired(1, seasonal_adjust_pct=999)
    rig.run(60)
    rig.board.power_cut()
    rig.run(60)
    said = b"".join(m.topic.encode() + m.payload for m in rig.broker.log if m.sender.startswith("sprinkler-"))
    said += "".join(rig.board.printed).encode()
    assert len(said) > 5000
    for secret in (rig.key, rig.key.hex(), pairing_code(rig.key), PASSWORD, Settings().wifi_password):
        assert (secret if isinstance(secret, bytes) else secret.encode()) not in said


def test_a_new_key_ends_the_old_one_and_its_announce_tells_home_assistant(rig):
    rig.command("run", zone=1, run_time_s=10)
    rig.run(30)
    old, new = rig.key, bytes(range(16))
    before = rig.broker.messages(rig.topic(protocol.ANNOUNCE))[-1].payload
    config = json.loads(rig.board.chip.flash.files["/config.json"])
    config["device_key"] = new.hex()
    rig.board.chip.flash.files["/config.json"] = json.dumps(config).encode()
    rig.board.power_cut()
    rig.run(30)
    after = rig.broker.messages(rig.topic(protocol.ANNOUNCE))[-1].payload
    assert before != after
    assert before.split(b"\n")[0] == after.split(b"\n")[0], "the same board under another key"
    opened_s = rig.opened_s()
    rig.command("run", zone=1, run_time_s=10, key=old)
    rig.run(20)
    assert rig.opened_s() == opened_s
    answer = rig.command("run", zone=1, run_time_s=10, key=new)
    rig.run(20)
    assert rig.reply(answer)["accepted"]
    assert rig.opened_s() == pytest.approx(opened_s + 10, abs=1)
