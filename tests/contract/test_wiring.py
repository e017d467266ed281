"""hardware/wiring.toml is what the firmware expects, and what cannot be built is refused."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from tools import wiring

FILE = Path(__file__).parents[2] / "hardware" / "wiring.toml"
PARTS = tomllib.loads(FILE.read_text("utf-8"))["part"]
MEANS = {  # what hangs on each of the firmware's pins, in both builds
    "closer.OPEN_PIN": "bridge1.IN1",
    "closer.CLOSE_PIN": "bridge1.IN2",
    "closer.ENABLE_PIN": "boost.EN",
    "closer.SDA_PIN": "ina_battery.SDA",
    "closer.SCL_PIN": "ina_battery.SCL",
    "board.FLOW_PIN": "meter.SIG",
    "closer.BUTTON_PIN": "button.1",
}


@pytest.fixture(params=wiring.BUILDS)
def built(request: pytest.FixtureRequest) -> wiring.Wiring:
    """The wiring of each build."""
    return wiring.read(FILE, request.param)


def number(name: str) -> int:
    """A constant of the firmware, such as `soil.FIRST_ADDRESS + 1`."""
    module, constant, more = re.fullmatch(r"(\w+)\.(\w+)(?: \+ (\d))?", name).groups()
    found = importlib.import_module(module if module == "closer" else f"sprinkler.{module}")
    return getattr(found, constant) + int(more or 0)


def test_the_boards_pins_are_the_firmwares(built: wiring.Wiring) -> None:
    constants = PARTS["feather"]["constants"]
    assert set(constants.values()) == set(MEANS)
    for pin, name in constants.items():
        assert pin == f"GPIO{number(name)}"
        assert built.net_of(f"feather.{pin}") == built.net_of(MEANS[name])


def test_addresses_on_the_bus_are_the_firmwares_and_differ(built: wiring.Wiring) -> None:
    on_bus = [part for part in built.parts if part.address is not None]
    assert len({part.address for part in on_bus}) == len(on_bus)
    for part in on_bus:
        assert part.address == number(PARTS[part.key]["constant"])
        assert built.net_of(f"{part.key}.SDA") == "SDA"
        assert built.net_of(f"{part.key}.SCL") == "SCL"


def test_nothing_moves_by_itself(built: wiring.Wiring) -> None:
    """Every line that can move a valve is pulled down; what sleeps without being told is the bridge."""
    pulled = {built.net_of(f"{part.key}.1") for part in built.parts if part.key.startswith("down")}
    bridges = [part for part in built.parts if part.key.startswith("bridge")]
    for pin in ("IN1", "IN2", "nSLEEP"):
        assert {built.net_of(f"{bridge.key}.{pin}") for bridge in bridges} <= pulled
    for part in built.parts:
        if part.key.startswith("down"):
            assert built.net_of(f"{part.key}.2") == "GND"


def test_the_meter_is_fed_with_the_coils_supply_and_the_bus_is_not(built: wiring.Wiring) -> None:
    assert built.net_of("load.ON") == built.net_of("feather.GPIO15")
    assert built.net_of("meter.VCC") == built.net_of("load.VOUT") != "3V3"
    assert built.net_of("probe1.VIN") == "3V3"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"meter.SIG"', '"meter.SIGNAL"', "net FLOW has meter.SIGNAL, which no part has"),
        ('"cell.C-"', '"cell.C+"', "cell.C+ is in two nets"),
        (', "cell.C-"', "", "cell.C- is in no net"),
        ('"load.VOUT", "meter.VCC"', '"load.VOUT"', "meter.VCC is in no net"),
    ],
)
def test_a_wiring_that_cannot_be_built_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    spoiled = tmp_path / "wiring.toml"
    spoiled.write_text(text.replace(old, new))
    with pytest.raises(wiring.WiringError, match=re.escape(words)):
        wiring.read(spoiled, "one")
