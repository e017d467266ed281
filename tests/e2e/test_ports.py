"""Ports of ./demo: one that a person named is taken or refused; without a name it takes the next free one."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import demo, in_a_thread, none_left
from tools.demo.ports import is_free
from tools.demo.session import MQTT_PORT

pytestmark = pytest.mark.asyncio(loop_scope="session")

UP_S = 20.0


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port on which another server listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("option", ["--mqtt-port", "--http-port"])
@in_a_thread
def test_a_named_port_that_is_busy_is_refused_in_one_line_that_says_what_to_do(
    tmp_path: Path, busy_port: int, option: str
) -> None:
    with demo(tmp_path / "demo", "--check", option, str(busy_port)) as command:
        assert command.ended() == 2
    assert command.lines == []
    assert len(command.errors) == 1
    assert str(busy_port) in command.errors[0]
    assert option in command.errors[0]
    assert none_left(tmp_path)


@in_a_thread
def test_a_home_assistant_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--check", "--ha", "2025.1.0") as command:
        assert command.ended() == 2
    assert "2026.11.0" in "\n".join(command.errors)


@in_a_thread
def test_the_default_port_that_is_busy_is_passed_over_and_the_one_taken_is_printed(tmp_path: Path) -> None:
    with contextlib.ExitStack() as servers:
        if is_free(MQTT_PORT):
            servers.enter_context(socket.create_server(("127.0.0.1", MQTT_PORT)))
        with demo(tmp_path / "demo", "--no-ha") as command:
            assert command.until_said("broker on 127.0.0.1:", UP_S), command.errors
            printed = re.search(r"broker on 127\.0\.0\.1:(\d+)", "\n".join(command.lines))
            assert printed
            assert int(printed[1]) > MQTT_PORT
            assert not is_free(int(printed[1]))
