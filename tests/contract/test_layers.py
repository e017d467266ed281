"""Imports go one way, and the core is pure."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.micropython.bundler.scopes import is_for_types

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware"
COMPONENT = ROOT / "ha_integration" / "custom_components" / "solar_sprinkler"

# Firmware modules from the bottom up: each may import what stands above it in this table, and nothing of the port.
SERVICES = {
    "protocol": set(),
    "errors": set(),
    "auth": {"protocol"},
    "pairing": set(),
    "mqtt": {"errors"},
    "segments": {"errors"},
    "backlog": {"errors", "segments", "store"},
    "retelling": {"errors", "segments"},
    "recall": {"store"},
    "store": {"backlog", "errors", "recall"},
    "board": {"errors"},
    "flow": set(),
    "ina219": {"errors"},
    "ds3231": {"core", "errors"},
    "soil": {"errors"},
    "sampling": {"core", "ds3231", "errors", "ina219", "soil", "store"},
    "senses": {"board", "errors", "flow", "ina219", "sampling"},
    "timekeeping": {"core", "ds3231", "errors"},
    "clock": {"timekeeping"},
    "names": {"errors"},
    "joining": {"errors", "link", "mqtt", "names"},
    "commands": {"errors", "protocol", "settings"},
    "check": {"core", "protocol"},
    "announcing": {"protocol", "report", "watching"},
    "link": {"errors", "joining", "mqtt"},
    "settings": {"core", "errors"},
    "provisioned": {"errors", "settings", "store"},
    "parts": set(),
    "proposed": {"parts", "store"},
    "grounds": {"errors", "protocol", "settings"},
    "dates": {"core", "errors", "settings"},
    "desired": {"core", "dates", "errors", "grounds", "parts", "protocol", "settings"},
    "programs": {"core", "dates", "errors", "parts", "protocol", "settings"},
    "reading": {"auth", "desired", "errors", "programs", "settings", "store"},
    "cycles": set(),
    "weather": {"core", "errors", "protocol", "settings"},
    "watering": {"core", "cycles", "errors", "settings", "store"},
    "led": {"core"},
    "crash": {"store"},
    "selftest": {"errors", "store"},
    "health": {"crash", "report", "selftest", "store"},
    "slots": set(),
    "progress": {"errors", "protocol", "report"},
    "offer": {"errors", "protocol", "report", "settings", "slots"},
    "trial": {"progress", "protocol", "selftest", "slots"},
    "loading": {"core", "progress", "protocol", "slots"},
    "updating": {"progress", "slots"},
    "hand": {"core", "crash", "errors", "led", "segments", "store"},
    "report": {"core", "protocol", "store"},
    "planning": {"core", "cycles", "errors", "settings"},
    "planner": {"planning", "watering"},
    "resting": {"core", "protocol", "rest", "watching"},
    "watching": {"core"},
    "parting": set(),
    "rest": {"core", "parting", "report", "resting", "store"},
    "beginning": {"core", "rest", "store"},
    "coil": {"ina219"},
    "runs": {"coil", "core", "errors", "protocol", "store"},
    "inbox": {
        "auth",
        "backlog",
        "commands",
        "errors",
        "loading",
        "offer",
        "proposed",
        "protocol",
        "reading",
        "settings",
        "store",
        "weather",
    },
    "outbox": {"announcing", "auth", "errors", "link", "health", "protocol", "report", "retelling", "store"},
}
# The late modules that put the application together: they may import all of it.
WHOLE = {"__init__", "app", "assembling", "starting", "turning"}
STANDARD = {"gc", "hashlib", "json", "struct"}


def parts(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of `if False:` with its imports for annotations: what nobody runs is no direction."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += [child for child in ast.iter_child_nodes(node) if not is_for_types(child)]


def imports(path: Path) -> list[tuple[int, str]]:
    """(level, dotted name) of every import in `path` that is run; for `from . import x` the name is x."""
    found = []
    for node in parts(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.level, node.module or alias.name) for alias in node.names]
    return found


@pytest.mark.parametrize("path", sorted((FIRMWARE / "sprinkler" / "core").glob("*.py")), ids=lambda p: p.name)
def test_core_imports_only_core(path):
    assert {name for level, name in imports(path) if level != 1} == set()
    here = {p.stem for p in path.parent.glob("*.py")}
    assert {name.split(".")[0] for _, name in imports(path)} <= here


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_firmware_services_import_only_what_stands_below_them(name):
    found = imports(FIRMWARE / "sprinkler" / f"{name}.py")
    assert {n for level, n in found if level == 0} <= STANDARD
    assert {n.split(".")[0] for level, n in found if level == 1} <= SERVICES[name]


@pytest.mark.parametrize("path", sorted(FIRMWARE.rglob("*.py")), ids=lambda p: str(p.relative_to(FIRMWARE)))
def test_what_is_imported_for_annotations_is_used_in_annotations_alone(path):
    """In quotes, so that no interpreter ever looks for it; and only by services: the core is pure, and needs no such import."""
    tree = ast.parse(path.read_text())
    found = [alias for node in tree.body if is_for_types(node) for part in node.body for alias in part.names]
    assert not (found and path.parent.name == "core")
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not {alias.asname or alias.name for alias in found} & used


def test_every_firmware_module_has_its_place_in_the_table():
    assert {p.stem for p in (FIRMWARE / "sprinkler").glob("*.py")} == set(SERVICES) | WHOLE


def test_the_port_is_imported_by_boot_and_main_alone():
    port = {"machine", "network", "socket", "select", "time", "esp", "vfs", "os", "sys"}
    for path in FIRMWARE.rglob("*.py"):
        if path.name not in ("boot.py", "main.py"):
            assert not {name for level, name in imports(path) if level == 0} & port, path


def test_protocol_imports_nothing():
    assert imports(FIRMWARE / "sprinkler" / "protocol.py") == []


def test_the_closer_imports_nothing():
    assert imports(FIRMWARE / "closer.py") == []


def test_the_component_does_not_know_firmware_simulator_or_tools():
    paths = sorted(COMPONENT.rglob("*.py"))
    assert paths
    for path in paths:
        assert not {name.split(".")[0] for level, name in imports(path) if level == 0} & {
            "sprinkler",
            "sim",
            "tools",
            "tests",
        }, path


def test_the_components_parser_does_not_know_home_assistant():
    for name in ("models.py", "signing.py", "pairing.py", "messages.py", "protocol.py"):
        assert "homeassistant" not in {n.split(".")[0] for _, n in imports(COMPONENT / name)}, name


def test_nothing_imports_simulator_tools_or_component():
    for folder, forbidden in (
        ("firmware", {"sim", "tools", "custom_components"}),
        ("sim", {"tools", "custom_components"}),
        ("tools", {"sprinkler", "custom_components"}),
    ):
        for path in (ROOT / folder).rglob("*.py"):
            assert not {name.split(".")[0] for level, name in imports(path) if level == 0} & forbidden, path


def test_the_application_knows_the_choosers_record_as_the_chooser_does():
    import chooser

    from sprinkler import slots

    assert slots.FORM == chooser._FORM
    names = ("RECORD", "API", "SLOT_BYTES", "ACTIVE", "TRIAL", "RESULT", "PHASE", "SELF_TEST", "VERSION", "OFFER")
    names += ("SIZE", "SHA256", "STRIDE", "NOTHING", "ROLLED_BACK", "DAMAGED", "FAILED", "TOLD")
    assert {name: getattr(slots, name) for name in names} == {name: getattr(chooser, name) for name in names}
