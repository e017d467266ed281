"""The demo's plumbing: ports, processes, passwords, folders, forms. The demo as a whole is tests/e2e."""

import asyncio
import json
import re
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.demo import (
    board,
    broker,
    home_assistant,
    journey,
    lawn,
    no_ha,
    onboarding,
    ports,
    progress,
    session,
    witness,
)
from tools.demo.errors import CheckError, DemoError, RefusedError
from tools.demo.processes import processes
from tools.demo.progress import Progress

LISTENER = "import socket, sys, time; server = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {LISTENER!r}, sys.argv[1]])"


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of 127.0.0.1 that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_next_free_port_is_chosen(taken_port: int) -> None:
    assert ports.choose(taken_port, None, "--mqtt-port") > taken_port


def test_a_port_that_another_server_of_the_demo_will_use_is_passed_over(taken_port: int) -> None:
    first = ports.choose(taken_port, None, "--mqtt-port")
    assert ports.choose(taken_port, None, "--http-port", taken=(first,)) > first


def test_a_named_port_is_refused_when_taken_and_the_option_is_named(taken_port: int) -> None:
    with pytest.raises(RefusedError, match="--mqtt-port") as refused:
        ports.choose(1883, taken_port, "--mqtt-port")
    assert refused.value.exit_code == 2


async def test_leaving_the_block_ends_processes_and_what_they_started(tmp_path: Path) -> None:
    port = ports.choose(20000, None, "--port")
    async with processes(tmp_path) as running:
        await running.start("parent", sys.executable, "-c", PARENT, str(port))
        await running.listening("parent", port, limit_s=20)
        assert not ports.is_free(port)
    async with asyncio.timeout(5):  # a process that was killed is gone a moment later
        while not ports.is_free(port):
            await asyncio.sleep(0.01)


async def test_a_process_that_ends_before_it_listens_is_told_with_its_log(tmp_path: Path) -> None:
    async with processes(tmp_path) as running:
        await running.start("failing", sys.executable, "-c", "print('no room'); raise SystemExit(7)")
        with pytest.raises(DemoError, match=r"failing ended with 7: no room .*failing\.log"):
            await running.listening("failing", 1, limit_s=20)


async def test_the_first_process_to_end_is_named(tmp_path: Path) -> None:
    async with processes(tmp_path) as running:
        await running.start("long", sys.executable, "-c", "import time; time.sleep(60)")
        await running.start("short", sys.executable, "-c", "")
        assert (await running.first_end()).startswith("short ended with 0")


def test_passwords_are_random_hashed_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    prepared = broker.prepare(tmp_path / "one", 1883)
    written = (tmp_path / "one" / "passwords").read_text()
    assert not any(password in written for password in prepared.passwords.values())
    assert stat.S_IMODE((tmp_path / "one" / "passwords").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    assert broker.prepare(tmp_path / "two", 1883).passwords["board"] != prepared.passwords["board"]
    assert prepared.passwords["board"] not in repr(prepared)


def test_a_demo_empties_only_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "letter").touch()
    with pytest.raises(RefusedError, match="not empty"), session.own(tmp_path):
        pass
    assert (tmp_path / "letter").exists()


def test_a_demo_starts_from_an_emptied_folder_and_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with session.own(folder):
        (folder / "old").mkdir()
        with pytest.raises(RefusedError, match="already runs"), session.own(folder):
            pass
    with session.own(folder):
        assert not (folder / "old").exists()


def test_forms_are_answered_with_what_is_given_else_what_they_propose() -> None:
    schema = [
        {"name": "broker", "required": True},
        {"name": "port", "default": 1883},
        {"name": "comment", "optional": True},
        {
            "name": "more",
            "type": "expandable",
            "schema": [{"name": "tls", "required": True, "selector": {"boolean": {}}}],
        },
    ]
    assert onboarding.fill(schema, {"broker": "127.0.0.1"}) == {
        "broker": "127.0.0.1",
        "port": 1883,
        "more": {"tls": False},
    }


def test_home_assistant_listens_on_this_machine_only(tmp_path: Path) -> None:
    home_assistant.write_config(tmp_path / "config", 8123)
    assert '"server_host": ["127.0.0.1"]' in (tmp_path / "config" / ".storage" / "http").read_text()


def test_the_witness_signs_as_the_protocol_documents() -> None:
    document = (home_assistant.ROOT / "docs" / "protocol.md").read_text()
    signed = document.partition("<!-- example: announce signed -->\n```text\n")[2].partition("\n```")[0]
    body, _, documented = signed.partition("\n")
    code = re.search(r"`([A-Z2-7]{4}(?:-[A-Z2-7]{4}){6})`", document)
    assert code
    topic = f"solar_sprinkler/{json.loads(body)['device_id']}/announce"
    assert witness.signature(witness.key_of(code[1]), topic, body.encode()) == documented


@pytest.mark.parametrize(
    ("key", "place"),
    [("zone_2_flow_rate", (2, "flow_rate")), ("battery", (0, "battery")), ("stop_all", (0, "stop_all"))],
)
def test_an_entity_is_placed_by_its_unique_id(key: str, place: tuple[int, str]) -> None:
    assert lawn.place(key) == place


def test_truth_is_read_line_by_line_as_it_grows(tmp_path: Path) -> None:
    truth = board.Truth(board.Board(tmp_path, "5a17e001", "code"), zone=2)
    assert truth.now == {}
    line = json.dumps({"wall_at": 5.0, "zones": [{"zone": 1, "valve": "closed"}, {"zone": 2, "valve": "open"}]})
    (tmp_path / "truth.jsonl").write_text(line + "\n" + line[:20])
    assert truth.now == {"at": 5.0, "zone": 2, "valve": "open"}
    assert len(truth.moments) == 1


def test_the_lawn_is_told_when_a_valve_moves_and_seldom_while_nothing_does(tmp_path: Path) -> None:
    line = no_ha.LawnLine(board.Board(tmp_path, "5a17e001", "code"))
    moments = [(0, "closed", 0), (2, "closed", 0), (3, "open", 8000), (3.1, "open", 8000), (5.1, "open", 8000)]
    written = [
        {
            "wall_at": at,
            "sun_w_m2": 520.4,
            "battery_pct": 80.2,
            "zones": [{"zone": 1, "valve": valve, "flow_rate_ml_min": flow, "meter_ml": 1500, "soil_pct": 75.0}],
        }
        for at, valve, flow in moments
    ]
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(moment) + "\n" for moment in written))
    told = line.due()
    assert len(told) == 3
    assert told[0].endswith("lawn   zone 1 closed 1.50 l, soil 75 %; sun 520 W/m2, battery 80 %")
    assert "zone 1 open 8.0 l/min, 1.50 l" in told[1]


async def test_whoever_waits_long_is_told_for_what_and_whoever_does_not_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SILENCE_S", 0.01)
    said = Progress(quiet=False)
    with said.step("short"):
        pass
    with said.step("long"):
        await asyncio.sleep(0.05)
    lines = [line.split("s  ") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0].strip() == "...", line[1]) for line in lines] == [
        (False, "short"),
        (True, "long"),
        (False, "long"),
    ]


async def test_a_valve_that_does_not_move_is_no_moment(tmp_path: Path) -> None:
    truth = board.Truth(board.Board(tmp_path, "5a17e001", "code"), zone=1)
    assert await truth.until("open", since=0, limit_s=0.05) is None


def test_a_step_that_does_not_hold_is_recorded_and_ends_the_check(tmp_path: Path) -> None:
    said = Progress(quiet=True)
    steps = journey.Steps(board.Board(tmp_path, "5a17e001", "code"), said)
    steps.timed(journey.RUN_TIME_S + 0.5)
    with pytest.raises(CheckError, match="by its own timer"):
        steps.timed(journey.RUN_TIME_S + 3)
    assert [step["held"] for step in said.steps] == [True, False]
