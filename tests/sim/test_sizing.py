"""`size`: which panel and battery keep a board alive."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from sim import climate, power, sizing
from sim.__main__ import main
from sim.cli import common
from sim.errors import SettingError
from sim.garden import Program
from sim.timeline import VirtualTime
from sim.world import Scenario, World

DAYS = 30
SETTLE = 60
HOURS = (SETTLE + DAYS) * 24


def steady(value: float) -> sizing.Table:
    return np.full(HOURS, value)


def test_whole_tables_live_as_one_world_does() -> None:
    weather = climate.recorded("greensboro")
    light, air = sizing.hours_of(weather, climate.first_day(), 90)
    found = sizing.simulate(light, air, np.full(len(light), 6.0), [0.3, 2.0], [800.0, 2000.0], settle_days=SETTLE)
    start_s = climate.first_day() * 86_400 - weather.utc_s
    world = World(Scenario(site="greensboro", start_unix_s=start_s, panel_w=0.3, capacity_mah=2000, battery_pct=80))
    world.set_load_ma(6.0)
    assert isinstance(world.timeline, VirtualTime)
    lowest_pct = []
    for _ in range(90):
        charges = []
        for _ in range(24):
            world.timeline.run_for(3600)
            world.advance()
            charges.append(world.charge * 100)
        lowest_pct.append(min(charges))
    assert found.days == DAYS
    assert 0 < min(lowest_pct) < 50  # it never died, and was not just full
    assert found.charge_pct[:, 0, 1] == pytest.approx(lowest_pct[-DAYS:], abs=0.2)


def test_cell_without_a_panel_dies_when_it_is_empty() -> None:
    load_ma = 500 * 0.8 / ((SETTLE + 10) * 24)  # ten days after the counting began
    found = sizing.simulate(steady(0), steady(25), steady(load_ma), [0.0], [500.0], settle_days=SETTLE)
    assert found.dead_h[0, 0] == pytest.approx((DAYS - 10) * 24, abs=2)
    assert found.lowest_pct[0, 0] == 0
    assert found.best() is None


def test_dead_board_starts_again_with_the_sun() -> None:
    light = steady(0)
    light[-5 * 24 :] = 500
    found = sizing.simulate(light, steady(25), steady(5), [1.0], [500.0], settle_days=SETTLE)
    assert (DAYS - 5) * 24 <= found.dead_h[0, 0] < (DAYS - 5) * 24 + 3


def test_more_panel_and_more_cell_are_never_worse() -> None:
    weather = climate.recorded("sand_point")
    load_ma = np.full((7, 24), 4.0)
    found = sizing.size(weather, load_ma, [0.3, 0.5, 1.0, 2.0], [500.0, 1000.0, 2000.0])
    assert found.days == 365
    assert found.dead_h[0, 0] > 100
    assert (np.diff(found.dead_h, axis=0) <= 0).all()
    assert (np.diff(found.dead_h, axis=1) <= 0).all()
    best = found.best()
    assert best is not None
    assert found.dead_h[best] == 0
    shaded = sizing.size(weather, load_ma, [0.3], [500.0], shade=0.5)
    assert shaded.dead_h[0, 0] > found.dead_h[0, 0]


def test_how_full_the_cell_was_at_first_does_not_matter() -> None:
    found = sizing.size(climate.recorded("sand_point"), np.full((7, 24), 1.5), [0.2], [4400.0])
    assert found.charge_pct[0, 0, 0] == pytest.approx(found.charge_pct[-1, 0, 0], abs=2)  # the same winter on both ends


def test_all_recorded_years_are_lived() -> None:
    first, days = sizing.period(climate.recorded("tunis"))
    assert (first, days) == (climate.first_day(2027), 3653)


def test_load_is_what_the_firmware_draws() -> None:
    program = Program(run_time_s=0, wake_interval_s=3600)
    dry = sizing.measured_load_ma(program, "rev_g", 1.2, without=sizing.PARTS)
    assert dry.shape == (7, 24)
    assert 3 < dry[0].sum() < 8  # 2.9 mAh asleep, and 24 short wakes
    program = Program(run_time_s=600, start_min=360, wake_interval_s=3600)
    wet = sizing.measured_load_ma(program, "rev_g", 1.2, without=sizing.PARTS)
    assert wet[0, 6] - dry[0, 6] == pytest.approx(75 / 6, abs=1)  # ten minutes with the radio on


def test_load_has_what_hangs_on_the_board() -> None:
    program = Program(run_time_s=0, wake_interval_s=3600)
    bare, metered, full = (
        sizing.measured_load_ma(program, "rev_g", 1.2, without=left_out)[0].sum()
        for left_out in (("flow_meter", "soil_probe"), ("soil_probe",), ())
    )
    assert 0 < metered - bare < power.DRAWS["flow_meter"]  # the meter is off in sleep; once an hour it is watched
    assert full - metered == pytest.approx(power.DRAWS["soil_probe"] * 24, rel=0.02)  # the probe has no switch


def test_a_part_that_cannot_be_left_out_is_refused() -> None:
    with pytest.raises(SettingError, match="no part called 'valve'"):
        sizing.measured_load_ma(Program(), "rev_g", 1.2, without=("valve",))


def test_size_chooses_the_smallest_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    wish = ["size", "--site", "sand_point", "--feather", "rev_f", "--wake", "60", "--out", str(out), "--run-time", "0"]
    wish += ["--without", "soil_probe,flow_meter"]
    assert main([*wish, "--panels", "0.3,1,6", "--batteries", "500,2000", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((out / "size.json").read_text(encoding="utf-8"))
    assert told["load_mah_day"] > 150
    assert told["dead_h"][0][0] > 1000
    assert told["best"]["panel_w"] in (1, 6)
    assert (out / "size.png").read_bytes().startswith(b"\x89PNG")
    assert main([*wish, "--panels", "0.1", "--batteries", "500", "--format", "svg"]) == 0
    assert "none of these keeps the board alive" in capsys.readouterr().out
    assert b"<svg" in (out / "size.svg").read_bytes()


def test_ctrl_c_keeps_the_days_that_were_lived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(_: common.Bar, part: float, words: str = "") -> None:
        if part > 0.75:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(common.Bar, "__call__", press)
    monkeypatch.setattr(sizing, "measured_load_ma", lambda *_, **__: np.full((7, 24), 5.0))
    assert main(["size", "--site", "miami", "--out", str(tmp_path), "--json"]) == common.INTERRUPTED
    told = json.loads(capsys.readouterr().out)
    assert told["stopped"]
    assert 100 < told["days"] < 300
    assert (tmp_path / "size.png").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--panels", "0"], "--panels (in W) must be 0.1 to 20, not 0"),
        (["--panels", "big"], "--panels (in W) wants numbers with commas"),
        (["--batteries", "nan"], "--batteries (in mAh) must be 50 to 50000, not nan"),
        (["--shade", "100"], "--shade must be 0 to below 100"),
        (["--site", "nowhere"], "no weather of a place called 'nowhere'"),
        (["--join", "60"], "the Wi-Fi joins within 0.1 to 15 s, not 60"),
    ],
)
def test_impossible_panel_or_battery_is_one_clear_line(
    more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["size", *more, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
