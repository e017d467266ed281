"""README, changelog, glossary and parts list say what the code has."""

import ast
import functools
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim import power
from sprinkler import protocol, report
from tools import hardware

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "ha_integration" / "custom_components" / "solar_sprinkler"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MANIFEST = json.loads((COMPONENT / "manifest.json").read_text())
README = (ROOT / "README.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
BOM = (ROOT / "hardware" / "BOM.md").read_text()

# Where a word of the glossary is said to stand
PLACES = {
    "core": "firmware/sprinkler/core",
    "firmware": "firmware",
    "component": "ha_integration/custom_components",
    "sim": "sim",
}
# README's commands; each is started with --help below. CI runs ./check, tests/e2e run the demo.
COMMANDS = {
    "./demo",
    "./demo --check",
    "./demo --no-ha",
    "./check",
    "./check fast",
    "./check core",
    ".venv/bin/python -m sim board --help",
    ".venv/bin/python -m tools.provision --help",
}
WIFI = {Path("sim/chip.py"), Path("sim/board.py"), Path("sim/port/wlan.py"), Path("sim/port/session.py")}
EXEMPT = {"station": WIFI}  # IEEE 802.11 calls it so


def files(suffix: str = "") -> Iterator[Path]:
    """The checkout's files that end in `suffix`, without what tools made."""
    for folder, names, found in os.walk(ROOT):
        names[:] = [name for name in names if name == ".ci" or not name.startswith((".", "__pycache__"))]
        yield from (Path(folder, name) for name in found if name.endswith(suffix) and not name.startswith("."))


def section(text: str, heading: str) -> str:
    """What stands below `heading`, down to the next one."""
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found


def rows(text: str) -> list[list[str]]:
    """Cells of the table in `text`, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(heading: str) -> list[str]:
    """First column of a table of the glossary."""
    return [row[0].strip("`") for row in rows(section(GLOSSARY, heading))]


# --- one address, one version


def test_the_project_has_one_address():
    url = PROJECT["urls"]["Homepage"]
    assert MANIFEST["documentation"] == url
    assert MANIFEST["issue_tracker"] == url + "/issues"
    assert all(value.startswith(url) for value in PROJECT["urls"].values())
    for readme in (path for path in files("README.md") if path.parent != ROOT / "tests"):
        assert url in readme.read_text(), readme


def test_no_file_has_another_address():
    url = PROJECT["urls"]["Homepage"]
    owner = re.escape(url.removeprefix("https://").rsplit("/", 1)[0])
    for path in files():
        for found in re.findall(rf"\S{{0,8}}{owner}/[\w-]+", path.read_text(errors="ignore")):
            assert found.endswith(url), path


def test_the_version_is_the_same_everywhere():
    newest = re.search(r"^## \[([\d.]+)\]", CHANGELOG, re.MULTILINE).group(1)
    assert {report.FIRMWARE, MANIFEST["version"], newest} == {PROJECT["version"]}


# --- the glossary


@functools.cache
def documented_keys() -> dict[str, set[str]]:
    """Every key of the examples in docs/protocol.md, with the topics that carry it."""
    found: dict[str, set[str]] = {}

    def collect(topic: str, value: object) -> None:
        for key, inner in value.items() if isinstance(value, dict) else ():
            found.setdefault(key, set()).add(topic)
            collect(topic, inner)
        for inner in value if isinstance(value, list) else ():
            collect(topic, inner)

    text = (ROOT / "docs" / "protocol.md").read_text()
    for topic, example in re.findall(r"<!-- example: ([\w/]+)[\w ]* -->\n```json\n(.*?)```", text, re.DOTALL):
        collect(topic, json.loads(example))
    return found


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Topics", {*protocol.TO_BOARD, *protocol.TO_HOME_ASSISTANT}),
        ("Commands", {*protocol.COMMANDS}),
        ("Events", {*protocol.EVENTS}),
        ("Results", {*protocol.RESULTS} - {""}),
        ("Valve", {*protocol.VALVES}),
        ("Evidence", {*protocol.EVIDENCE}),
        ("Faults", {*protocol.FAULTS}),
        ("Wake reasons", {*protocol.WAKE_REASONS}),
        ("Reasons", {*protocol.REASONS} - {""} - {*protocol.FAULTS} - {*protocol.WAKE_REASONS}),
        ("Power modes", {*protocol.POWER_MODES}),
        ("Clock", {*protocol.CLOCKS}),
        ("Self-test", {*protocol.SELF_TESTS}),
        ("Updates", {*protocol.UPDATES}),
        ("Update reasons", {*protocol.UPDATE_REASONS} - {""}),
        ("Keys", set(documented_keys())),
    ],
)
def test_the_glossary_has_exactly_the_words_of_the_wire(heading, expected):
    found = words(heading)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_every_fault_and_every_wake_reason_is_a_reason():
    assert {*protocol.FAULTS, *protocol.WAKE_REASONS} <= {*protocol.REASONS}


@pytest.mark.parametrize("row", rows(section(GLOSSARY, "Keys")), ids=lambda row: row[0])
def test_the_glossary_names_the_topics_of_each_key(row):
    assert set(row[3].split(", ")) == documented_keys()[row[0].strip("`")]


def test_every_unit_in_a_key_is_explained():
    suffixes = set(re.findall(r"`(_[a-z][a-z0-9]*)`", section(GLOSSARY, "Units")))
    units = {"_" + key.rsplit("_", 1)[1] for key in documented_keys() if "_" in key}
    plain = {"_id", "_reason", "_mode", "_version", "_counter", "_run", "_rule", "_dates", "_max", "_enabled"}
    plain |= {"_date", "_from", "_to", "_even", "_lost", "_free", "_writes", "_test", "_skip", "_api"}
    assert units - plain <= suffixes


def test_names_of_the_designs_words_stand_in_the_glossary():
    design = section((ROOT / "docs" / "design.md").read_text(), "Words (glossary is law; the left one everywhere)")
    names = set(re.findall(r"\b[a-z]\w*_\w+\b", design))
    assert names
    assert names <= set(re.findall(r"\b[a-z]\w*_\w+\b", GLOSSARY))


@pytest.mark.parametrize("row", rows(section(GLOSSARY, "Things")), ids=lambda row: row[0])
def test_a_word_stands_where_the_glossary_says(row):
    word, places = row[0].strip("`"), row[2].split(", ")
    if places == ["planned"]:
        assert not {path for path in identifiers().get(word.replace(" ", "_"), set()) if path.parts[0] != "sim"}
        return
    pattern = re.compile(rf"(?<![a-z]){word.replace(' ', '[ _]')}(?![a-z])", re.IGNORECASE)
    for place in places:
        assert pattern.search(code_of(PLACES[place])), f"{word} in {place}"


@functools.cache
def code_of(folder: str) -> str:
    """All Python below `folder`, as one text."""
    return "\n".join(path.read_text() for path in sorted((ROOT / folder).rglob("*.py")))


@functools.cache
def identifiers() -> dict[str, set[Path]]:
    """Every name in firmware, simulator and component, with the files that have it."""
    found: dict[str, set[Path]] = {}
    for folder in ("firmware", "sim", "ha_integration/custom_components"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                for field in ("id", "attr", "arg", "name"):
                    if isinstance(name := getattr(node, field, None), str):
                        found.setdefault(name, set()).add(path.relative_to(ROOT))
    return found


def parts(name: str) -> str:
    """An identifier as lower-case words between underscores: _noFlow and NO_FLOW are _no_flow_."""
    return "_" + "_".join(re.findall(r"[a-z\d]+|[A-Z]+(?![a-z])|[A-Z][a-z\d]*", name)).lower() + "_"


@pytest.mark.parametrize("word", words("Words not used"))
def test_no_name_has_a_word_that_the_glossary_forbids(word):
    offenders = {
        name: paths - EXEMPT.get(word, set()) for name, paths in identifiers().items() if f"_{word}_" in parts(name)
    }
    assert not {name: paths for name, paths in offenders.items() if paths}


def test_words_are_found_inside_names():
    assert parts("MoistureSensor") == parts("MOISTURE_SENSOR") == parts("_moisture_sensor") == "_moisture_sensor_"
    assert "_ota_" not in parts("total_quota")


# --- the parts list


def firmware_names(cell: str) -> list[tuple[str, str, int]]:
    """(module, name, what is added) of each constant in a cell such as `soil.FIRST_ADDRESS + 1`."""
    return [(module, name, int(more or 0)) for module, name, more in re.findall(r"`(\w+)\.(\w+)(?: \+ (\d))?`", cell)]


def constant(module: str, name: str) -> int:
    """A constant of the firmware."""
    return getattr(importlib.import_module(module if module == "closer" else f"sprinkler.{module}"), name)


def test_the_pin_map_is_the_firmwares():
    named = set()
    for pin, _, cell in rows(section(BOM, "Pin map")):
        for module, name, _ in firmware_names(cell):
            assert f"GPIO{constant(module, name)}" == pin, name
            named.add((module, name))
    for module in ("closer", "board"):
        source = importlib.import_module(module if module == "closer" else f"sprinkler.{module}")
        assert {name for name in vars(source) if name.endswith("_PIN")} == {n for m, n in named if m == module}


def test_the_i2c_addresses_are_the_firmwares_and_differ():
    table = rows(section(BOM, "I2C addresses"))
    assert len({row[0] for row in table}) == len(table)
    named = []
    for address, _, cell in table:
        for module, name, more in firmware_names(cell):
            assert constant(module, name) + more == int(address, 16), name
            named.append((module, name))
    assert named.count(("soil", "FIRST_ADDRESS")) == protocol.ZONE_LIMITS[1]
    assert set(named) == {
        ("closer", "EXPANDER"), ("soil", "FIRST_ADDRESS"), ("ina219", "BATTERY"), ("ina219", "PANEL"), ("ds3231", "ADDRESS")
    }  # fmt: skip


def test_the_expanders_registers_are_the_firmwares():
    for name, value in re.findall(r"\b(IODIR|OLAT) (0x\w+)", BOM):
        assert constant("closer", name) == int(value, 16)


def test_names_of_the_closers_settings_are_the_firmwares():
    (listed,) = re.findall(r"`closer_config.py` on the board: (.*?)\(", BOM, re.DOTALL)
    source = (ROOT / "firmware" / "closer.py").read_text()
    for name in re.findall(r"`(\w+)`", listed):
        assert f'"{name}"' in source


def test_the_battery_limits_are_the_firmwares():
    safety = importlib.import_module("sprinkler.core.safety")
    board = importlib.import_module("sprinkler.board")
    volts = [limit / 1000 for limit in (safety.LIMITS[safety.OPEN_MV], safety.LIMITS[safety.CLOSE_MV])]
    low, high = (limit / 1000 for limit in board.BATTERY_MV)
    assert f"opens a valve from {volts[0]:g} V up, closes it below {volts[1]:g} V" in BOM
    assert f"outside of {low:g} to {high:g} V" in BOM


def test_the_parts_lists_tables_are_made_from_the_data():
    assert hardware.main(["--check"]) == 0, "run: python -m tools.hardware"


def test_the_power_budget_adds_up():
    table = rows(section(BOM, "Power").partition("| added by")[0])
    assert [row[0] for row in table if row[0].startswith("**")]
    total = 0.0
    for state, milliampere, seconds, charge in table:
        if state.startswith("**"):
            assert float(charge.strip("*")) == pytest.approx(total, abs=0.06), state
        else:
            mah = float(milliampere) * float(seconds) / 3600
            assert float(charge) == pytest.approx(mah, abs=0.06), state
            total += mah


def test_the_simulated_board_draws_what_the_budget_says():
    assert {name: row["ma"] for name, row in hardware.draws().items()} == power.DRAWS


# --- links and commands


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", sorted(files(".md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path):
    text = without_code(path.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        page = (path.parent / place).resolve() if place else path
        assert page.exists(), target
        assert page.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(page), target


def readme_commands() -> set[str]:
    """The lines of README's shell blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return {line.split("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()}


def test_readmes_commands_are_those_that_are_tried():
    assert readme_commands() == COMMANDS
    assert set(re.findall(r"^```(\w+)", README, re.MULTILINE)) == {"sh"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_readmes_command_starts_and_knows_its_words(command):
    program, *arguments = command.split()
    if program.startswith("./"):
        started = re.search(r"^exec \.venv/bin/python (.*) \"\$@\"$", (ROOT / program).read_text(), re.MULTILINE).group(
            1
        )
    else:
        assert program == ".venv/bin/python"
        started, arguments = " ".join(arguments[:-1]), arguments[-1:]
    shown = help_of(started)
    for argument in arguments:
        assert re.search(rf"(?<![\w-]){re.escape(argument)}(?![\w-])", shown), argument


@functools.cache
def help_of(started: str) -> str:
    """What a program of this checkout prints for --help; `started` follows the interpreter."""
    called = [sys.executable, *started.split(), "--help"]
    done = subprocess.run(called, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def programs_in_the_documents() -> set[str]:
    """Our own modules that some document starts by `python -m`."""
    found = {
        name for path in files(".md") for name in re.findall(r"python -m ([a-z_]+(?:\.[a-z_]+)*)", path.read_text())
    }
    return {name for name in found if (ROOT / name.split(".")[0]).is_dir()}


@pytest.mark.parametrize("name", sorted(programs_in_the_documents()))
def test_a_program_that_a_document_names_tells_how_it_is_used(name):
    assert re.search(rf"usage: (\S+/)?python -m {re.escape(name)}\b", help_of(f"-m {name}"))


def test_continuous_integration_runs_the_check():
    assert re.search(r"^exec \./check$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


# --- the settings file


def test_the_settings_file_is_described_as_the_firmware_reads_it():
    provisioned = importlib.import_module("sprinkler.provisioned")
    described = {row[0].strip("`"): row[3].strip("`") for row in rows((ROOT / "docs" / "settings_file.md").read_text())}
    defaults = {name: list(value) if isinstance(value, tuple) else value for name, value in provisioned._CONFIG}
    words = {name: value if value and isinstance(value, str) else json.dumps(value) for name, value in defaults.items()}
    assert described == words
