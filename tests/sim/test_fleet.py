"""Many boards at once: repeatable, small, and honest when stopped."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sim import fleet
from sim.__main__ import main
from sim.broker import Message
from sim.errors import SettingError
from sim.garden import Program
from sim.world import Scenario

ROOT = Path(__file__).resolve().parents[2]
HOURLY = Program(
    run_time_s=120, start_min=210, wake_interval_s=1800
)  # 03:30 of the place, half an hour after the start of the scenario


def order(boards: int = 3, days: float = 0.06, seed: int = 0) -> fleet.Order:
    """A short life: three wakes, and a run of two minutes."""
    return fleet.Order(boards, days, Scenario(zones=2, seed=seed), HOURLY, seed)


def test_same_seed_gives_the_same_logs_however_the_fleet_is_cut() -> None:
    whole = [fleet.run_share(order(), range(3))]
    cut = [fleet.run_share(order(), numbers) for numbers in fleet.cut(3, 2)]
    assert fleet.log_digest(whole) == fleet.log_digest(cut)
    assert fleet.log_digest(whole) != fleet.log_digest([fleet.run_share(order(seed=1), range(3))])
    assert sum(share.messages for share in cut) == whole[0].messages > 20
    assert whole[0].crashes == whole[0].flat == 0


def test_logs_of_one_board_are_equal_byte_for_byte() -> None:
    logs: list[list[tuple[int, Message]]] = [[], []]
    for log in logs:
        fleet.run_share(order(2), range(2), log=lambda number, message, log=log: log.append((number, message)))
    assert logs[0] == logs[1]
    assert {number for number, _ in logs[0]} == {0, 1}


def test_every_board_of_a_fleet_waters_as_programmed() -> None:
    share = fleet.run_share(order(boards=4), range(4))
    assert share.meter_ml == pytest.approx(4 * 120 * 8000 / 60, rel=0.02)
    assert share.boots >= 4 * 3


def test_a_board_takes_less_than_60_kilobytes() -> None:
    # a process of its own: one that has freed memory before would seem not to grow
    wish = [sys.executable, "-m", "sim", "fleet", "--boards", "40", "--days", "0.03", "--jobs", "1", "--json"]
    done = subprocess.run(wish, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    assert 10_000 < json.loads(done.stdout)["bytes_per_board"] < 60_000


def test_stopped_fleet_tells_what_it_did() -> None:
    share = fleet.run_share(order(boards=2, days=1), range(2), progress=lambda part: part > 0.2)
    assert share.stopped
    assert 0 < share.board_days < 2
    assert share.messages > 0


def test_fleet_is_cut_into_equal_shares() -> None:
    assert fleet.cut(10, 3) == [range(3), range(3, 6), range(6, 10)]
    assert fleet.cut(2, 8) == [range(1), range(1, 2)]


def test_processes_give_what_one_process_gives(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for jobs in ("1", "2"):
        assert main(["fleet", "--boards", "2", "--days", "0.02", "--jobs", jobs, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["log_sha256"] == found[1]["log_sha256"]
    assert found[1]["jobs"] == 2
    assert found[0]["board_days_per_s"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--boards", "0"], "1 to 100000 boards, not 0"),
        (["--days", "-1"], "days must be above 0"),
        (["--site", "atlantis"], "no weather of a place called 'atlantis'; there are: "),
        (["--wake", "600"], "wakes every 1 to 60 minutes, not 600"),
        (["--jobs", "0"], "--jobs must be 1 to 256"),
    ],
)
def test_impossible_fleet_is_refused_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_order_wants_boards() -> None:
    with pytest.raises(SettingError):
        fleet.Order(0, 1, Scenario())
