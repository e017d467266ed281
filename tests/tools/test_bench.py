"""That the measurements of bench/ run and say what they promise; not what they find: figures depend on the machine."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CLIENTS = ["solar_sprinkler", "umqtt.simple"]


def bench(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture
def on_linux() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the 32-bit interpreter is built on Linux amd64 only")


@pytest.mark.usefixtures("on_linux")
def test_the_latency_of_both_clients_is_measured() -> None:
    done = bench("latency", "--commands", "3", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found["clients"]) == CLIENTS
    for row in found["clients"].values():
        assert row["commands"] == 3
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"]


@pytest.mark.usefixtures("on_linux")
def test_the_wake_of_both_clients_is_measured() -> None:
    done = bench("wake", "--wakes", "1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found["clients"]) == CLIENTS
    ours, theirs = found["clients"].values()
    assert ours["flash_writes"] == 0
    assert ours["bytes_sent"] == pytest.approx(theirs["bytes_sent"], rel=0.05), "both say the same"
    assert ours["round_trips"] > 0
    assert theirs["round_trips"] > 0


def test_boards_are_heard_again_after_a_broker_was_killed_and_after_one_was_frozen() -> None:
    done = bench("restart", "--restarts", "1", "--boards", "2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["killed", "frozen"]
    for row in found.values():
        assert (row["restarts"], row["samples"]) == (1, 2)
        assert 0 <= row["p50_s"] <= row["p99_s"] <= row["max_s"]


def test_the_crop_days_of_the_lawn_are_measured() -> None:
    done = bench("crops", "--ours", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 3
    for row in found.values():
        assert row["step"] in ("15 min", "1 day")
        assert row["crop_days_per_s"] > 0


def test_the_peers_of_the_lawn_are_measured() -> None:
    done = bench("crops", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in ("pyfao56", "aquacrop"):
        assert found[name]["crop_days_per_s"] > 0


def test_a_boards_day_and_the_core_alone_are_measured() -> None:
    done = bench("sim_speed", "1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wakes_a_day"] == 96
    assert 0 < found["core_alone_day_ms"] < found["day_ms"]
    assert found["core_alone_board_days_per_s"] > found["board_days_per_s"] > 0
    assert {"step", "due", "next_starts", "mode"} <= set(found["core_calls"])
    words = bench("sim_speed", "1")
    assert "core alone" in words.stdout


@pytest.mark.parametrize("name", ["latency", "wake", "entity", "boards", "restart", "crops", "sim_speed"])
def test_its_help_names_the_exit_codes(name: str) -> None:
    done = bench(name, "--help")
    assert done.returncode == 0
    assert "exit codes: 0 measured" in done.stdout


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("latency", "--commands"),
        ("wake", "--wakes"),
        ("entity", "--count"),
        ("boards", "--boards"),
        ("sim_speed", "--"),
    ],
)
def test_wrong_usage_is_told(name: str, argument: str) -> None:
    done = bench(name, argument, "0")
    assert done.returncode == 2
    assert "wants 1 or more" in done.stderr


def test_boards_as_a_load_are_measured_beside_threads() -> None:
    done = bench("load", "--clients", "5", "--for", "16", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"solar_sprinkler", "paho threads"}
    assert all(row["messages_per_s"] > 0 for row in found.values())
