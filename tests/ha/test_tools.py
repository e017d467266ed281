"""The tools that watch over the component: the copy of the wire, the validator, the icon."""

import json
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from homeassistant.util.yaml import parse_yaml

from tests.ha.witness import ROOT
from tools import draw_icon, sync, validate_integration

COMPONENT = ROOT / "ha_integration/custom_components/solar_sprinkler"


@pytest.fixture
def auto_enable_custom_integrations() -> None:
    """Overrides the folder's: these tests need no Home Assistant."""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the component, to damage."""
    shutil.copytree(ROOT / "ha_integration", tmp_path / "repository", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "repository/custom_components/solar_sprinkler"


def change(path: Path, *keys: str, to: object) -> None:
    """Change one value of a JSON file; None removes it."""
    tree = json.loads(path.read_text(encoding="utf-8"))
    place = tree
    for key in keys[:-1]:
        place = place[key]
    if to is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    path.write_text(json.dumps(tree), encoding="utf-8")


def test_component_holds_an_exact_copy_of_the_wire():
    assert sync.main(["--check"]) == 0


def test_difference_is_said_in_one_line_and_mended(tmp_path, capsys):
    source, copy = tmp_path / "source.py", tmp_path / "copy.py"
    source.write_text("A = 1\n")
    copy.write_text("A = 2\n")
    assert sync.main(["--check"], source, copy) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "python tools/sync.py" in said
    assert copy.read_text() == "A = 2\n"
    assert sync.main([], source, copy) == 0
    assert sync.main(["--check"], source, copy) == 0


def test_nothing_is_wrong_with_the_component():
    assert validate_integration.findings(COMPONENT) == []


def test_validator_runs_as_a_script(copied):
    (copied / "icons.json").write_text("{")
    script = [sys.executable, str(ROOT / "tools/validate_integration.py"), str(copied)]
    broken = subprocess.run(script, check=False, capture_output=True, text=True)
    assert broken.returncode == 1
    assert "icons.json: invalid JSON" in broken.stdout


def test_validator_tells_what_it_found_by_its_exit_code(copied, capsys):
    assert validate_integration.main([str(copied)]) == 0
    assert validate_integration.main([]) == 2
    assert "usage" in capsys.readouterr().out


FAULTS = {
    "key missing": (("manifest.json", "iot_class"), None, "no 'iot_class'"),
    "unknown key": (("manifest.json", "zzz"), 1, "unknown key 'zzz'"),
    "wrong domain": (("manifest.json", "domain"), "mqtt", "differs from the folder"),
    "core domain": (("manifest.json", "domain"), "mqtt", "one of Home Assistant's own"),
    "wrong class": (("manifest.json", "iot_class"), "magic", "iot_class 'magic'"),
    "wrong type": (("manifest.json", "integration_type"), "toy", "integration_type 'toy'"),
    "no version": (("manifest.json", "version"), "one", "version"),
    "http": (("manifest.json", "documentation"), "http://example.org", "documentation is no https"),
    "owner": (("manifest.json", "codeowners"), ["me"], "codeowners"),
    "unknown dependency": (("manifest.json", "dependencies"), ["mqtt", "nonsense"], "unknown dependency nonsense"),
    "undeclared dependency": (("manifest.json", "dependencies"), [], "uses mqtt without declaring it"),
    "undeclared topics": (("manifest.json", "dependencies"), [], "mqtt topics without the dependency"),
    "unpinned": (("manifest.json", "requirements"), ["left-pad"], "not pinned: left-pad"),
    "empty text": (("translations/en.json", "exceptions", "refused", "message"), " ", "empty"),
    "reference": (("translations/en.json", "exceptions", "no_reply", "message"), "[%key:x%]", "unresolved reference"),
    "HTML": (("translations/en.json", "exceptions", "no_reply", "message"), "<b>No</b>", "HTML"),
    "text of a step": (("translations/en.json", "config", "step", "pairing"), None, "no text for the step pairing"),
    "text of an abort": (("translations/en.json", "config", "abort", "no_board_heard"), None, "no text for the abort no_board_heard"),
    "text of a step of the options": (("translations/en.json", "options", "step", "cycle"), None, "no text for the step cycle of options_flow.py"),
    "text of an abort of the options": (("translations/en.json", "options", "abort", "not_loaded"), None, "no text for the abort not_loaded of options"),
    "text of an error": (("translations/en.json", "exceptions", "no_reply"), None, "no text for the translation key no_reply"),
    "text of a mending": (("translations/en.json", "issues", "fault_leak", "fix_flow", "abort", "failed"), None, "no text for the abort failed of repairs.py"),
    "issue in two ways": (("translations/en.json", "issues", "fault_leak", "description"), "Look.", "issues.fault_leak: needs a title, and either"),
    "text of an entity": (("translations/en.json", "entity", "sensor", "battery"), None, "no text for the translation key battery"),
    "text of an action": (("translations/en.json", "services", "run", "name"), None, "run: no name or description"),
    "text of a field": (("translations/en.json", "services", "run", "fields", "duration"), None, "run.duration: no name"),
    "text too many": (("translations/en.json", "services", "stop", "fields"), {"x": {"name": "X"}}, "services.stop.fields.x: no such field"),
    "language lacks": (("translations/de.json", "entity", "sensor", "battery"), None, "de.json: entity.sensor.battery.name: missing"),
    "language has more": (("translations/de.json", "more"), "mehr", "de.json: more: not in en.json"),
    "placeholders": (("translations/de.json", "device", "zone", "name"), "Zone", "placeholders differ"),
    "icon": (("icons.json", "services", "run", "service"), "fa:tap", "no mdi icon"),
    "icon without text": (("icons.json", "entity", "sensor", "zzz"), {"default": "mdi:x"}, "entity.sensor.zzz has no text"),
    "icon of an action": (("icons.json", "services", "run"), None, "run: no icon"),
}  # fmt: skip


@pytest.mark.parametrize(("place", "to", "finding"), FAULTS.values(), ids=FAULTS)
def test_validator_finds(copied, place, to, finding):
    change(copied / place[0], *place[1:], to=to)
    assert any(finding in found for found in validate_integration.findings(copied))


TEXT_FAULTS = {
    "unsorted manifest": ("manifest.json", '"name": "Solar Sprinkler",', "", "keys are not sorted"),
    "unknown selector": ("services.yaml", "          integration: solar_sprinkler\n", "          nonsense: 1\n", "services.yaml: stay_awake.device_id"),
    "unknown key of an action": ("services.yaml", "stop:\n", "stop:\n  nonsense: 1\n", "services.yaml: "),
    "rule missing": ("quality_scale.yaml", "  diagnostics: done\n", "", "53 rules instead of 54"),
    "rule of another status": ("quality_scale.yaml", "  diagnostics: done\n", "  diagnostics: maybe\n", "diagnostics: 'maybe'"),
    "exemption without a reason": ("quality_scale.yaml", "  diagnostics: done\n", "  diagnostics: exempt\n", "exempt without a comment"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after", "finding"), TEXT_FAULTS.values(), ids=TEXT_FAULTS)
def test_validator_finds_in_a_text(copied, name, before, after, finding):
    text = (copied / name).read_text(encoding="utf-8")
    assert before in text
    if name == "manifest.json":
        text = text.replace(before, after).replace('"version"', '"name": "Solar Sprinkler",\n  "version"')
    (copied / name).write_text(text.replace(before, after), encoding="utf-8")
    assert any(finding in found for found in validate_integration.findings(copied))


@pytest.mark.parametrize(
    "name",
    [
        "services.yaml",
        "translations/en.json",
        "config_flow.py",
        "repairs.py",
        "quality_scale.yaml",
        "brand/icon.png",
        "../../LICENSE",
        "../../hacs.json",
    ],
)
def test_validator_misses_no_missing_file(copied, name):
    (copied / name).unlink()
    assert validate_integration.findings(copied) != []


def test_validator_wants_one_integration_and_no_strings_json(copied):
    (copied / "strings.json").write_text("{}")
    (copied.parent / "other").mkdir()
    (copied.parent / "other/manifest.json").write_text("{}")
    (copied.parent.parent / "hacs.json").write_text("{}")
    found = "\n".join(validate_integration.findings(copied))
    assert "strings.json: a custom integration has none" in found
    assert "one integration per repository" in found
    assert "hacs.json: needs name" in found


def test_folder_can_be_a_repository_of_its_own():
    """What is mirrored points at nothing beside it: links stay inside, or are addresses; its workflow judges it as Home Assistant and HACS do."""
    root = ROOT / "ha_integration"
    for page in root.rglob("*.md"):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            inside = (page.parent / link.partition("#")[0]).resolve()
            assert link.startswith(("https://", "#")) or inside.is_relative_to(root), f"{page.name}: {link}"
    for blueprint in (root / "blueprints").rglob("*.yaml"):
        source = re.search(r"source_url: (\S+)", blueprint.read_text(encoding="utf-8"))
        assert source, blueprint.name
        assert source[1].endswith(str(blueprint.relative_to(ROOT))), blueprint.name


WORKFLOWS = sorted(
    [*(ROOT / ".github/workflows").glob("*.y*ml"), *(ROOT / "ha_integration/.github/workflows").glob("*.y*ml")]
)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_workflow_is_well_formed(path):
    """What GitHub itself refuses: no trigger, a job without a machine, a step that is both an action and a command, or neither."""
    workflow = parse_yaml(path.read_text(encoding="utf-8"))
    triggers = workflow.get("on", workflow.get(True))  # YAML 1.1 reads `on` as true
    assert triggers
    assert set(triggers) <= {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert workflow["permissions"], "no more rights than are needed"
    for name, job in workflow["jobs"].items():
        assert job["runs-on"], name
        assert job["steps"], name
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), name
            assert "uses" not in step or re.fullmatch(r"[\w.-]+/[\w./-]+@[\w.-]+", step["uses"]), step


def test_workflows_ask_home_assistant_and_hacs():
    used = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    for action in ("home-assistant/actions/hassfest@", "hacs/action@", "./demo --check --ha 2026.11.0", "./check"):
        assert action in used, action


def test_icon_is_what_its_script_draws():
    png = (COMPONENT / "brand/icon.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    length, kind = struct.unpack(">I4s", png[33:41])
    assert kind == b"IDAT"
    assert zlib.decompress(png[41 : 41 + length]) == draw_icon.rows()
