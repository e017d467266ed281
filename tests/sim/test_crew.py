"""Who does the work changes nothing: one process, several, or a Dask cluster; and a process that is killed loses nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sim import fleet, sizing
from sim.__main__ import main
from sim.crew import Crew, Tell
from sim.errors import SettingError, SimError, UnreachableError
from sim.world import Scenario

ROOT = Path(__file__).resolve().parents[2]


def square(number: int, tell: Tell) -> int:
    tell(1.0)
    return number * number


def die_once(item: tuple[int, str], tell: Tell) -> int:
    number, marks = item
    mark = Path(marks) / "died"
    if number == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(number, tell)


def die(_item: int, _tell: Tell) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def slow_square(number: int, tell: Tell) -> int:
    time.sleep(0.2)  # long enough to be killed in the middle
    return square(number, tell)


def test_results_come_in_the_order_of_the_items() -> None:
    for jobs in (1, 2):
        told: list[float] = []

        def progress(part: float, told: list[float] = told) -> bool:
            told.append(part)
            return False

        assert Crew(jobs).do(square, range(9), progress) == [n * n for n in range(9)]
        assert told[-1] == pytest.approx(1.0)


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    items = [(number, str(tmp_path)) for number in range(5)]
    assert Crew(2).do(die_once, items, lambda _: False) == [0, 1, 4, 9, 16]
    assert (tmp_path / "died").exists()


def test_work_that_kills_its_process_each_time_is_told_in_one_line() -> None:
    with pytest.raises(SimError, match="killed again and again, perhaps for want of memory"):
        Crew(2).do(die, range(2), lambda _: False)


def test_a_stop_keeps_what_is_done() -> None:
    assert Crew(1).do(square, range(9), lambda part: part > 0.3) == [0, 1, 4]
    assert Crew(2).do(slow_square, range(40), lambda part: part > 0.1)[:2] == [0, 1]


def test_panels_of_a_large_table_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    from sim import climate

    weather = climate.recorded("sand_point")
    load = np.full((7, 24), 5.0)
    whole = sizing.size(weather, load, [0.2, 0.5, 1.0], [500.0, 2000.0])
    monkeypatch.setattr(sizing, "PAIRS_EACH", 2)
    shared = sizing.size(weather, load, [0.2, 0.5, 1.0], [500.0, 2000.0], crew=Crew(2))
    assert shared.panels_w == whole.panels_w
    assert (shared.dead_h == whole.dead_h).all()
    assert (shared.charge_pct == whole.charge_pct).all()


def test_an_address_where_nobody_is_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim import crew

    monkeypatch.setattr(crew, "CONNECT_S", 1)
    assert main(["fleet", "--boards", "2", "--days", "0.01", "--scheduler", "tcp://127.0.0.1:9"]) == 3
    assert capsys.readouterr().err.startswith("sim fleet: no Dask scheduler answers at tcp://127.0.0.1:9")
    with pytest.raises(UnreachableError):
        Crew(1, "nonsense://x").do(square, range(2), lambda _: False)
    with pytest.raises(SettingError):
        Crew(0)


@pytest.mark.timeout(240)
def test_a_cluster_gives_what_one_process_gives_though_a_worker_is_killed() -> None:
    """A real scheduler with two workers, in processes of their own; one is killed while it works."""
    order = fleet.Order(6, 0.02, Scenario(zones=2))
    here = fleet.log_digest(fleet.run(order, Crew(), lambda _: False))
    script = Path(__file__).with_name("cluster.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=ROOT
    ) as cluster:
        assert cluster.stdout is not None
        assert cluster.stdin is not None
        told = json.loads(cluster.stdout.readline())
        crew = Crew(1, told["address"])
        killed: list[float] = []

        def progress(part: float) -> bool:
            if part > 0.2 and not killed:
                os.kill(told["workers"][0], signal.SIGKILL)
                killed.append(part)
            return False

        try:
            assert crew.do(slow_square, range(40), progress) == [n * n for n in range(40)]
            assert killed
            assert fleet.log_digest(fleet.run(order, crew, lambda _: False)) == here
        finally:
            cluster.stdin.close()
        assert cluster.wait(30) == 0
    assert re.match(r"tcp://127\.0\.0\.1:\d+", told["address"])
