"""docs/protocol.md is the contract: each example is fed to both ends."""

import json
import re
import struct
from pathlib import Path

import pytest

from custom_components.solar_sprinkler import models, signing
from sim.rom import placeholder
from sprinkler import loading, protocol
from sprinkler.auth import verify
from tests.firmware.rig import Rig

DOC = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
EXAMPLES = [
    (name, json.loads(text))
    for name, text in re.findall(r"<!-- example: ([\w/ ]+) -->\n```json\n(.*?)```", DOC, re.DOTALL)
]
KEY = bytes(range(16))


def examples(topic: str) -> list[dict]:
    return [content for name, content in EXAMPLES if name == topic]


def shape(content):
    """The keys of a message at every depth, and whether each value is a list or an object; of lists the first item counts."""
    if isinstance(content, dict):
        return {key: shape(value) for key, value in content.items() if value is not None}
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return [shape(content[0])]
    return None


def keys(content) -> dict:
    return {key: shape(value) for key, value in content.items()}


@pytest.fixture(scope="module")
def talk():
    """A board that had a run, a check, a sleep: at least one message on every topic."""
    rig = Rig(ntp_host="")
    rig.settle()
    rig.send(protocol.TIME, {"nonce": rig.said(protocol.TIME_REQUEST)[-1]["nonce"], "at": int(rig.now())})
    rig.run(3)
    ground = {"zone": 1, "available_um": 78000, "application_rate_um_h": 12000}
    rig.desired(zones=[ground])
    rig.run(3)
    rig.command("run", zone=1, run_time_s=10)
    rig.run(40)
    rig.command("check_valve", zone=1)
    rig.run(20)
    rig.send(protocol.UPDATE_OFFER, examples(protocol.UPDATE_OFFER)[0], retain=True)
    rig.run(5)
    yield rig
    rig.board.stop()


JSON = [leaf for leaf in (*protocol.TO_HOME_ASSISTANT, *protocol.TO_BOARD) if leaf != protocol.UPDATE_BLOCK]


@pytest.mark.parametrize("leaf", JSON)
def test_every_topic_has_an_example(leaf):
    assert examples(leaf)


def test_every_example_belongs_to_a_topic():
    assert {name.split()[0] for name, _ in EXAMPLES} == {*JSON}


@pytest.mark.parametrize("leaf", [leaf for leaf in protocol.TO_HOME_ASSISTANT if leaf != protocol.AVAILABILITY])
def test_the_boards_messages_have_the_documented_keys(talk, leaf):
    assert keys(talk.said(leaf)[-1]).keys() == keys(examples(leaf)[0]).keys()
    if leaf == protocol.STATE:
        assert keys(talk.zone(1)) == keys(examples(leaf)[0]["zones"][0])
    if leaf == protocol.TELEMETRY:
        assert talk.said(leaf)[-1]["samples"][-1].keys() == examples(leaf)[0]["samples"][-1].keys()


def test_the_documented_signature_is_the_one_that_both_ends_compute():
    body, signature = re.search(
        r"<!-- example: announce signed -->\n```text\n(.*?)\n(.*?)\n```", DOC, re.DOTALL
    ).groups()
    topic = protocol.topic("5a17e001", protocol.ANNOUNCE)
    payload = f"{body}\n{signature}".encode()
    assert verify(KEY, topic, payload) == len(body.encode())
    assert signing.verify(KEY, topic, payload) == body.encode()
    assert json.loads(body) == examples(protocol.ANNOUNCE)[0]


def test_the_documented_block_is_the_one_that_both_ends_make():
    (text,) = re.findall(r"<!-- example: update/block signed -->\n```text\n(\w+)\n```", DOC)
    payload, topic = bytes.fromhex(text), protocol.topic("5a17e001", protocol.UPDATE_BLOCK)
    body = signing.verify(KEY, topic, payload)
    assert verify(KEY, topic, payload) == len(body) == loading.HEADER + 4
    assert struct.unpack(loading.FORM, body[: loading.HEADER]) == (examples(protocol.UPDATE_OFFER)[0]["offer"], 0)
    assert body[loading.HEADER :] == placeholder(size=70_512)[:3] + b"\x82", "a ROMFS image begins like this"


def understood(leaf: str, content: dict) -> object:
    body = json.dumps(content).encode()
    if leaf == protocol.ANNOUNCE:
        topic = protocol.topic(content["device_id"], leaf)
        return models.announce(topic, signing.sign(KEY, topic, body), KEY)
    return getattr(models, leaf.replace("/", "_"))(body)


@pytest.mark.parametrize("leaf", protocol.TO_HOME_ASSISTANT)
def test_the_component_understands_every_example(leaf):
    for content in examples(leaf):
        assert understood(leaf, content)


@pytest.mark.parametrize("leaf", protocol.TO_HOME_ASSISTANT)
def test_the_component_understands_what_the_board_says(talk, leaf):
    for message in talk.said(leaf):
        assert understood(leaf, message)


@pytest.mark.parametrize("command", examples(protocol.COMMAND), ids=lambda c: c["command"])
def test_the_board_accepts_every_documented_command(command):
    rig = Rig(scenario={"start_unix_s": 1_799_999_990})
    rig.settle()
    rig.send(protocol.DESIRED, examples(protocol.DESIRED)[0], retain=True)
    rig.run(1)
    rig.send(protocol.COMMAND, command)
    rig.run(3)
    assert rig.reply(command["id"])["accepted"]
    rig.board.stop()


def test_the_board_applies_the_documented_settings():
    rig = Rig(scenario={"start_unix_s": 1_799_999_990})
    rig.settle()
    rig.send(protocol.DESIRED, examples(protocol.DESIRED)[0], retain=True)
    rig.run(3)
    assert rig.state()["desired_version"] == 3
    assert rig.zone(1)["next_run_at"] > rig.now()
    rig.board.stop()


def test_the_board_applies_every_documented_setting():
    for content in examples(protocol.DESIRED):
        rig = Rig(scenario={"start_unix_s": 1_799_999_990})
        rig.settle()
        rig.send(protocol.DESIRED, content, retain=True)
        rig.run(3)
        assert rig.state()["desired_version"] == content["version"]
        rig.board.stop()


def test_the_board_takes_the_documented_weather():
    rig = Rig(scenario={"start_unix_s": 1_800_010_000}, soil_probes=False)
    rig.settle()
    rig.send(protocol.DESIRED, examples(protocol.DESIRED)[-1], retain=True)
    rig.run(3)
    rig.send(protocol.WEATHER, examples(protocol.WEATHER)[0], retain=True)
    rig.run(3)
    assert rig.reply("weather")["accepted"]
    assert rig.state()["weather_date"] == 20270115
    rig.board.stop()


def test_the_documented_bare_stop_closes_without_a_signature():
    (stop,) = examples("command unsigned")
    rig = Rig()
    rig.settle()
    rig.command("run", zone=1, run_time_s=600)
    rig.run(5)
    rig.broker.publish(rig.topic(protocol.COMMAND), json.dumps(stop).encode())
    rig.run(2)
    assert rig.open_zones() == []
    rig.board.stop()
