"""Offline stand-in for hassfest and the HACS action on one custom integration.

usage: python tools/validate_integration.py ha_integration/custom_components/solar_sprinkler

Rule: reads files and the installed homeassistant, imports nothing of the integration. Each check is a generator of (where, what is wrong).
Exit status 1 when anything is.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from awesomeversion import AwesomeVersion, AwesomeVersionException, AwesomeVersionStrategy
from homeassistant.helpers import selector, service
from homeassistant.util.yaml import load_yaml_dict

# isort: split
import voluptuous as vol  # after homeassistant, which puts its own successor in the place of this package

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that it runs as a script, too
from tools.integration_files import CORE, Finding, Integration, components_used, core_manifest, leaves

type Check = Callable[[Integration], Iterator[Finding]]

REQUIRED_KEYS = (
    "codeowners", "config_flow", "documentation", "domain", "integration_type", "iot_class", "issue_tracker", "name", "version",
)  # fmt: skip
KNOWN_KEYS = {
    *REQUIRED_KEYS, "after_dependencies", "bluetooth", "dependencies", "dhcp", "homekit", "import_executor", "loggers", "mqtt",
    "requirements", "single_config_entry", "ssdp", "usb", "zeroconf",
}  # fmt: skip
IOT_CLASSES = ("assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push")
TYPES = ("device", "entity", "hardware", "helper", "hub", "service", "system", "virtual")
VERSIONS = [
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.PEP440,
]
ALWAYS_THERE = {"diagnostics", "homeassistant", "persistent_notification", "repairs"}
RULE_STATES = {"done", "exempt", "todo"}
RULE_COUNT = 54
ACTION_KEYS = ("fields", "target")
FIELD_KEYS = ("default", "example", "filter", "required", "selector")
ICON = re.compile(r"mdi:[a-z0-9-]+")
PLACEHOLDER = re.compile(r"{(\w+)}")


def check_manifest(integration: Integration) -> Iterator[Finding]:
    """Keys, their order, and their values."""
    manifest, where = integration.manifest, "manifest.json"
    yield from ((where, f"no {key!r}") for key in REQUIRED_KEYS if key not in manifest)
    yield from ((where, f"unknown key {key!r}") for key in manifest if key not in KNOWN_KEYS)
    if list(manifest) != ["domain", "name", *sorted(key for key in manifest if key not in ("domain", "name"))]:
        yield where, "keys are not sorted: domain, name, then by the alphabet"
    domain = str(manifest.get("domain"))
    if domain != integration.path.name:
        yield where, "domain differs from the folder's name"
    if (CORE / domain / "manifest.json").exists():
        yield where, "domain is one of Home Assistant's own"
    if manifest.get("iot_class") not in IOT_CLASSES:
        yield where, f"iot_class {manifest.get('iot_class')!r}"
    if manifest.get("integration_type") not in TYPES:
        yield where, f"integration_type {manifest.get('integration_type')!r}"
    try:
        AwesomeVersion(manifest.get("version", ""), ensure_strategy=VERSIONS)
    except AwesomeVersionException as error:
        yield where, f"version: {error}"
    for key in ("documentation", "issue_tracker"):
        if urlparse(str(manifest.get(key))).scheme != "https":
            yield where, f"{key} is no https address"
    if not all(re.fullmatch(r"@[\w/-]+", owner) for owner in manifest.get("codeowners", [])) or not manifest.get(
        "codeowners"
    ):
        yield where, "codeowners are GitHub names with an @"


def check_dependencies(integration: Integration) -> Iterator[Finding]:
    """What is used is declared, what is declared exists, what is required is pinned."""
    manifest = integration.manifest
    declared = {*manifest.get("dependencies", []), *manifest.get("after_dependencies", [])}
    yield from (("manifest.json", f"unknown dependency {name}") for name in declared if not (CORE / name).is_dir())
    for requirement in manifest.get("requirements", []):
        if "==" not in requirement:
            yield "manifest.json", f"requirement is not pinned: {requirement}"
    if manifest.get("config_flow") and "config_flow.py" not in integration.sources:
        yield "manifest.json", "config_flow without config_flow.py"
    if manifest.get("mqtt") and "mqtt" not in declared:
        yield "manifest.json", "mqtt topics without the dependency"
    for name, tree in integration.sources.items():
        for used in sorted(components_used(tree) - declared - ALWAYS_THERE):
            if core_manifest(used).get("integration_type") != "entity":
                yield name, f"uses {used} without declaring it"


def check_english(integration: Integration) -> Iterator[Finding]:
    """Each text is there, plain, and stands for itself."""
    for key, text in leaves(integration.english):
        if not isinstance(text, str) or not text.strip() or text != text.strip():
            yield "en.json", f"{key}: empty, or blanks around it"
        elif "[%key:" in text:
            yield "en.json", f"{key}: unresolved reference"
        elif re.search(r"</?[a-zA-Z]", text):
            yield "en.json", f"{key}: HTML"
    if (integration.path / "strings.json").exists():
        yield "strings.json", "a custom integration has none"


def check_languages(integration: Integration) -> Iterator[Finding]:
    """Every language has every key, with the same placeholders."""
    english = dict(leaves(integration.english))
    for path in sorted((integration.path / "translations").glob("*.json")):
        other = dict(leaves(integration.json(f"translations/{path.name}")))
        yield from ((path.name, f"{key}: missing") for key in english.keys() - other.keys())
        yield from ((path.name, f"{key}: not in en.json") for key in other.keys() - english.keys())
        for key in english.keys() & other.keys():
            if sorted(PLACEHOLDER.findall(str(other[key]))) != sorted(PLACEHOLDER.findall(str(english[key]))):
                yield path.name, f"{key}: placeholders differ from en.json"


def check_texts_of_code(integration: Integration) -> Iterator[Finding]:
    """Every step, abort and translation key that the code names has a text."""
    entities = {key for platform in integration.english.get("entity", {}).values() for key in platform}
    keys = entities | {key for part in ("exceptions", "issues", "device") for key in integration.english.get(part, {})}
    for name, function, strings in integration.calls():
        step, reason, key = (strings.get(word) for word in ("step_id", "reason", "translation_key"))
        flow = integration.english.get("options" if name == "options_flow.py" else "config", {})
        if function in ("async_show_form", "async_show_menu", "async_show_progress") and step not in flow.get(
            "step", {}
        ):
            yield "en.json", f"no text for the step {step} of {name}"
        aborts = flow.get("abort", {}) if name != "repairs.py" else _aborts_of_repairs(integration)
        if function == "async_abort" and reason not in aborts:
            yield "en.json", f"no text for the abort {reason} of {name}"
        if key and key not in keys:
            yield "en.json", f"no text for the translation key {key} of {name}"


def _aborts_of_repairs(integration: Integration) -> set[str]:
    """Reasons that every issue with a flow of its own has a text for."""
    flows = [issue["fix_flow"] for issue in integration.english.get("issues", {}).values() if "fix_flow" in issue]
    found = [set(flow.get("abort", {})) for flow in flows]
    return set.intersection(*found) if found else set()


def check_issues(integration: Integration) -> Iterator[Finding]:
    """An issue has a title, and either a description or a flow that mends it."""
    for key, issue in integration.english.get("issues", {}).items():
        if "title" not in issue or ("description" in issue) == ("fix_flow" in issue):
            yield "en.json", f"issues.{key}: needs a title, and either a description or a fix_flow"
        if "fix_flow" in issue and "repairs.py" not in integration.sources:
            yield "repairs.py", f"missing, but the issue {key} can be mended"


def check_icons(integration: Integration) -> Iterator[Finding]:
    """Icons are mdi ones and belong to entities that have a text."""
    for key, icon in leaves(integration.icons):
        if not ICON.fullmatch(str(icon)):
            yield "icons.json", f"{key}: {icon!r} is no mdi icon"
    for platform, keys in integration.icons.get("entity", {}).items():
        for key in keys:
            if key not in integration.english.get("entity", {}).get(platform, {}):
                yield "icons.json", f"entity.{platform}.{key} has no text in en.json"


def check_services(integration: Integration) -> Iterator[Finding]:
    """Each action is described, has texts, an icon, and selectors that exist."""
    registers = any(re.fullmatch(r"async_register(_\w*service)?", function) for _, function, _ in integration.calls())
    if registers and not integration.services:
        yield "services.yaml", "actions are registered, but not described"
    try:
        service._SERVICES_SCHEMA(integration.services)
    except vol.Invalid as error:
        yield "services.yaml", str(error)
    for name, described in integration.services.items():
        texts = integration.english.get("services", {}).get(name, {})
        if not texts.get("name") or not texts.get("description"):
            yield "services.yaml", f"{name}: no name or description in en.json"
        if name not in integration.icons.get("services", {}):
            yield "services.yaml", f"{name}: no icon"
        yield from (
            ("services.yaml", f"{name}: unknown key {key!r}") for key in (described or {}) if key not in ACTION_KEYS
        )
        yield from _fields(name, (described or {}).get("fields") or {}, texts.get("fields", {}))


def _fields(action: str, fields: dict[str, Any], texts: dict[str, Any]) -> Iterator[Finding]:
    for name, described in fields.items():
        yield from (
            ("services.yaml", f"{action}.{name}: unknown key {key!r}") for key in described if key not in FIELD_KEYS
        )
        if not texts.get(name, {}).get("name") or not texts.get(name, {}).get("description"):
            yield "services.yaml", f"{action}.{name}: no name or description in en.json"
        try:
            selector.validate_selector(described.get("selector", {}))
        except vol.Invalid as error:
            yield "services.yaml", f"{action}.{name}: {error}"
    yield from (("en.json", f"services.{action}.fields.{name}: no such field") for name in texts if name not in fields)


def check_quality_scale(integration: Integration) -> Iterator[Finding]:
    """Every rule of the scale is judged, and each exemption has its reason."""
    path = integration.path / "quality_scale.yaml"
    rules = load_yaml_dict(str(path)).get("rules", {}) if path.is_file() else {}
    if len(rules) != RULE_COUNT:
        yield path.name, f"{len(rules)} rules instead of {RULE_COUNT}"
    for rule, judged in rules.items():
        status = judged.get("status") if isinstance(judged, dict) else judged
        if status not in RULE_STATES:
            yield path.name, f"{rule}: {status!r}"
        if status != "done" and not (isinstance(judged, dict) and judged.get("comment")):
            yield path.name, f"{rule}: {status} without a comment"


def check_repository(integration: Integration) -> Iterator[Finding]:
    """What HACS asks of the folder that is mirrored."""
    root = integration.path.parent.parent
    yield from ((name, "missing") for name in ("README.md", "LICENSE", "hacs.json") if not (root / name).is_file())
    if not (integration.path / "brand/icon.png").is_file():
        yield "brand/icon.png", "missing"
    folders = [path.name for path in integration.path.parent.iterdir() if (path / "manifest.json").is_file()]
    if len(folders) != 1:
        yield "custom_components", "HACS takes one integration per repository"
    hacs = root / "hacs.json"
    if hacs.is_file() and not {"name", "homeassistant"} <= json.loads(hacs.read_text(encoding="utf-8")).keys():
        yield "hacs.json", "needs name and homeassistant"


CHECKS: tuple[Check, ...] = (
    check_manifest,
    check_dependencies,
    check_english,
    check_languages,
    check_texts_of_code,
    check_issues,
    check_icons,
    check_services,
    check_quality_scale,
    check_repository,
)


def findings(path: Path) -> list[str]:
    """All that is wrong with the integration in the folder `path`, one line each."""
    integration = Integration(path.resolve())
    found = [finding for check in CHECKS for finding in check(integration)]
    return sorted({f"{where}: {what}" for where, what in [*integration.broken, *found]})


def main(arguments: list[str]) -> int:
    """Print the findings; 0 when there are none, 1 when there are, 2 for a wrong call."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python tools/validate_integration.py <folder of the integration>")
        return 2
    found = findings(Path(arguments[0]))
    print("\n".join(found) or f"{Path(arguments[0]).name}: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
