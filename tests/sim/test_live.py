"""Live time and real sockets: the stand-ins over a server of this machine, and the verb `board` against a real broker."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from sim.__main__ import main
from sim.board import Hardware, SimulatedBoard
from sim.errors import Stopped
from sim.live import FORGOTTEN_MAX, LiveNetwork
from sim.port import PWRON_RESET, Port, Session
from sim.timeline import LiveTime, Waiter
from sim.world import Scenario, World

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Something that listens on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


@pytest.fixture
def live() -> Iterator[Port]:
    """The stand-ins of a live boot, already on the Wi-Fi."""
    timeline = LiveTime()
    world = World(Scenario(), timeline)
    network = LiveNetwork(timeline, world.unix_s)
    network.join_us = 0
    board = SimulatedBoard(world, seed=None, files={}, hardware=Hardware(network=network))
    yield Port(Session(board.chip, board.bench, network, PWRON_RESET))
    network.shut()


def connect(live: Port, server: socket.socket) -> tuple[object, socket.socket]:
    """A connected pair: (the board's socket, the far end)."""
    sock = live.socket.socket()
    sock.settimeout(5)
    sock.connect(server.getsockname())
    far, _ = server.accept()
    sock.setblocking(False)
    return sock, far


def test_live_socket_talks_to_a_real_server(live: Port, server: socket.socket) -> None:
    sock = live.socket.socket()
    sock.setblocking(False)
    with pytest.raises(OSError, match=r"Errno 115\b"):
        sock.connect(server.getsockname())
    poller = live.select.poll()
    poller.register(sock, live.select.POLLOUT)
    assert poller.poll(2000)
    far, _ = server.accept()
    with far:
        assert sock.send(b"hello") == 5
        assert far.recv(10) == b"hello"
        with pytest.raises(OSError, match=r"Errno 11\b"):
            sock.recv(10)
        poller.modify(sock, live.select.POLLIN)
        assert poller.poll(20) == []
        far.sendall(b"answer")
        assert poller.poll(2000) == [(sock, live.select.POLLIN)]
        assert sock.recv(10) == b"answer"
    assert poller.poll(2000)
    assert sock.recv(10) == b""


def test_live_wait_ends_as_soon_as_bytes_come(live: Port, server: socket.socket) -> None:
    sock, far = connect(live, server)
    poller = live.select.poll()
    poller.register(sock, live.select.POLLIN)  # type: ignore[arg-type]
    live.session.timeline.at(live.session.timeline.now_us + 50_000, lambda: far.sendall(b"x"))
    start_s = time.monotonic()
    assert poller.poll(5000)
    assert time.monotonic() - start_s < 1
    far.close()


def test_live_connection_refused_has_the_boards_number(live: Port, server: socket.socket) -> None:
    address = server.getsockname()
    server.close()
    sock = live.socket.socket()
    sock.settimeout(2)
    with pytest.raises(OSError, match=r"Errno 111\b"):
        sock.connect(address)


def test_live_wifi_failure_swallows_bytes_and_the_connection(live: Port, server: socket.socket) -> None:
    sock, far = connect(live, server)
    live.session.network.wifi_up = False
    assert sock.send(b"lost") == 4  # type: ignore[attr-defined]
    live.session.network.wifi_up = True
    assert sock.send(b"lost as well") == 12  # type: ignore[attr-defined]
    far.settimeout(0.1)
    with far, pytest.raises(TimeoutError):
        far.recv(1)


def test_board_that_resets_leaves_its_connections_half_open(live: Port, server: socket.socket) -> None:
    _, far = connect(live, server)
    live.session.network.forget(live.session.waiter)
    far.settimeout(0.1)
    with far, pytest.raises(TimeoutError):  # neither bytes nor an end
        far.recv(1)


def test_half_open_connections_do_not_pile_up(server: socket.socket) -> None:
    timeline = LiveTime()
    network = LiveNetwork(timeline, lambda: 0.0)
    for _ in range(FORGOTTEN_MAX + 5):
        waiter = Waiter(timeline)
        network.connect("127.0.0.1", server.getsockname()[1], waiter)
        network.forget(waiter)
    ended = 0
    for _ in range(FORGOTTEN_MAX + 5):
        far, _ = server.accept()
        far.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            ended += far.recv(1) == b""
        far.close()
    network.shut()
    assert ended == 5


def test_stop_ends_a_live_wait_at_once(live: Port) -> None:
    timeline = live.session.timeline
    assert isinstance(timeline, LiveTime)
    timeline.at(timeline.now_us + 20_000, timeline.stop)
    start_s = time.monotonic()
    with pytest.raises(Stopped):
        live.time.sleep_ms(60_000)
    assert time.monotonic() - start_s < 1


# --- the verb


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 0, "board"),
        (["nonsense"], 2, "no verb called 'nonsense'"),
        (["board", "--help"], 0, "examples:"),
        (["board", "--zones", "many"], 2, "invalid int value"),
        (["board", "--zones", "7"], 2, "zones must be 1 to 4"),
        (["board", "--speed", "0"], 2, "speed must be above 0"),
        (["board", "--latitude", "100"], 2, "latitude must be"),
        (["board", "--broker", "nowhere"], 2, "--broker wants HOST:PORT"),
        (["board", "--device-id", "xyz"], 2, "eight hex digits"),
        (["board", "--lawn-time", "25:00"], 2, "--lawn-time wants HH:MM"),
        (["board", "--site", "atlantis"], 2, "no weather of a place called 'atlantis'"),
        (["board", "--site", "tunis", "--lawn-time", "13:00", "--broker", "127.0.0.1:1"], 3, "cannot reach a broker"),
        (["board", "--broker", "127.0.0.1:1"], 3, "cannot reach a broker at 127.0.0.1:1"),
        (["board", "--broker-password-file", "no-such-file"], 4, "cannot read no-such-file"),
    ],
)
def test_command_line_ends_with_its_code_and_one_clear_line(
    arguments: list[str],
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert says in out + err
    assert "Traceback" not in out + err


def test_folder_that_cannot_be_used_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["board", "--data", str(tmp_path / "file")]) == 4
    assert "cannot use the data folder" in capsys.readouterr().err


def test_server_that_is_no_broker_is_told(
    tmp_path: Path, server: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    import threading

    def answer() -> None:
        far, _ = server.accept()
        with far:
            far.recv(100)
            far.sendall(b"HTTP/1.1 400")

    thread = threading.Thread(target=answer)
    thread.start()
    port = server.getsockname()[1]
    assert main(["board", "--data", str(tmp_path), "--broker", f"127.0.0.1:{port}"]) == 3
    thread.join()
    assert "no MQTT broker" in capsys.readouterr().err


@contextlib.contextmanager
def open_broker(folder: Path, *rules: str) -> Iterator[int]:
    """A real broker on a free port, which it tells; without `rules` it lets anyone in."""
    program = shutil.which("mosquitto")
    if program is None:
        pytest.skip("mosquitto is not there: sh tools/setup.sh broker")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    folder.chmod(0o755)
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", *(rules or ["allow_anonymous true"]), "user root", ""]))
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(5)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[int]:
    """A real broker that knows one user; its port."""
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto is not there: sh tools/setup.sh broker")
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "board", "open sesame"], check=True)
    if os.getuid() == 0:
        passwords.chmod(0o644)  # started as root the broker changes its user before it reads this
    with open_broker(tmp_path, "allow_anonymous false", f"password_file {passwords}") as port:
        yield port


def test_live_board_announces_itself_to_a_real_broker_and_ends_at_sigterm(mosquitto: int, tmp_path: Path) -> None:
    password, truth = tmp_path / "password", tmp_path / "truth.jsonl"
    password.write_text("open sesame\n")
    heard: list[str] = []
    witness = Client(CallbackAPIVersion.VERSION2)
    witness.username_pw_set("board", "open sesame")
    witness.on_message = lambda _client, _data, message: heard.append(message.topic)
    witness.connect("127.0.0.1", mosquitto)
    witness.subscribe("solar_sprinkler/#", 1)
    witness.loop_start()
    command = [sys.executable, "-m", "sim", "board", "--broker", f"127.0.0.1:{mosquitto}", "--broker-user", "board"]
    command += [
        "--broker-password-file",
        str(password),
        "--data",
        str(tmp_path / "board"),
        "--device-id",
        "5A17E001",
        "--json",
        "--truth",
        str(truth),
    ]
    board = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline_s = time.monotonic() + 20
        while (
            "solar_sprinkler/5a17e001/announce" not in heard and time.monotonic() < deadline_s and board.poll() is None
        ):
            time.sleep(0.05)
    finally:
        board.send_signal(signal.SIGTERM)
        start_s = time.monotonic()
        out, err = board.communicate(timeout=10)
        witness.disconnect()
        witness.loop_stop()
    assert "solar_sprinkler/5a17e001/announce" in heard, err
    assert (board.returncode, err) == (0, "")
    assert time.monotonic() - start_s < 2
    first, second = out.splitlines()[:2]
    assert json.loads(first)["device_id"] == "5a17e001"
    assert [zone["valve"] for zone in json.loads(second)["zones"]] == ["closed", "closed"]
    assert json.loads(truth.read_text().splitlines()[-1])["board"]["boots"] == 1
    key = json.loads((tmp_path / "board/flash/config.json").read_text())["device_key"]
    for secret in (key, "open sesame", (tmp_path / "board/pairing_code").read_text().strip()):
        assert secret not in out + err
    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "board", tmp_path / "board/pairing_code")] == [
        "0o700",
        "0o600",
    ]
    assert oct((tmp_path / "board/flash/config.json").stat().st_mode & 0o777) == "0o600"


def test_broker_that_refuses_the_user_is_told(
    mosquitto: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["board", "--data", str(tmp_path / "board"), "--broker", f"127.0.0.1:{mosquitto}"]) == 3
    assert "refuses a client without a user name" in capsys.readouterr().err


def test_small_packets_wait_for_one_another_unless_the_board_asks_otherwise():
    with socket.create_server(("127.0.0.1", 0)) as server:
        timeline = LiveTime()
        network = LiveNetwork(timeline, time.time)
        connection = network.connect("127.0.0.1", server.getsockname()[1], Waiter(timeline))
        (descriptor, _), *_ = connection.files()
        opened = socket.socket(fileno=os.dup(descriptor))
        with opened:
            assert not opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            connection.send_at_once()
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        network.shut()


def test_many_live_boards_share_a_process_and_a_real_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_broker(tmp_path) as port:
        wish = ["fleet", "--broker", f"127.0.0.1:{port}", "--boards", "12", "--wake", "1", "--run-time", "0"]
        assert main([*wish, "--for", "24", "--jobs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["boards_heard"] == 12
    assert found["wakes"] >= 12
    assert found["crashes"] == 0
    assert found["bytes_per_board"] > 0


def test_live_boards_without_a_broker_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main(["fleet", "--broker", f"127.0.0.1:{port}"]) == 3
    assert main(["fleet", "--broker", "garden"]) == 2
    error = capsys.readouterr().err
    assert "cannot reach a broker" in error
    assert "--broker wants HOST:PORT" in error
    assert error.count("\n") == 2
