"""The demo's plumbing: ports, processes, passwords, folders, forms. The demo as a whole is tests/e2e."""

import asyncio
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.demo import broker, home_assistant, onboarding, ports, session
from tools.demo.errors import DemoError, RefusedError
from tools.demo.processes import processes

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
        await running.start("failing", sys.executable, "-c", "raise SystemExit(7)")
        with pytest.raises(DemoError, match=r"failing ended with 7.*failing\.log"):
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
