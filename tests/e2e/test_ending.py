"""However ./demo ends, nothing that it started goes on."""

import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.command import demo, free_port, in_a_thread, none_left, processes_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

UP_S = 20.0
HOME_ASSISTANT_S = 60.0


@in_a_thread
def test_ctrl_c_ends_the_demo_well_and_leaves_no_process(tmp_path: Path) -> None:
    ports = ("--mqtt-port", str(free_port()), "--http-port", str(free_port()))
    with demo(tmp_path / "demo", *ports) as command:
        assert command.until_said("Open  http://127.0.0.1:", HOME_ASSISTANT_S), command.errors
        assert len(processes_of(tmp_path)) >= 4, "demo, broker, board, Home Assistant"
        command.signal(signal.SIGINT)
        assert command.ended() == 0
    assert command.errors == []
    assert none_left(tmp_path)


@in_a_thread
def test_ctrl_c_while_home_assistant_starts_leaves_no_process(tmp_path: Path) -> None:
    ports = ("--mqtt-port", str(free_port()), "--http-port", str(free_port()))
    with demo(tmp_path / "demo", *ports) as command:
        assert command.until_said("board, with the firmware's own code", UP_S), command.errors
        command.signal(signal.SIGINT)
        assert command.ended() == 0
    assert command.errors == []
    assert none_left(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
@in_a_thread
def test_a_demo_that_is_killed_leaves_no_process_either(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--no-ha", "--mqtt-port", str(free_port())) as command:
        assert command.until_said("board, with the firmware's own code", UP_S), command.errors
        command.signal(signal.SIGKILL)
        assert command.ended() == -signal.SIGKILL
    assert none_left(tmp_path, limit_s=20)
