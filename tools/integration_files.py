"""The files of one Home Assistant integration, as a validator reads them.

Rule: reads and parses, judges nothing but that a file can be read; imports nothing of the integration.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import homeassistant.components
from homeassistant.util.yaml import load_yaml_dict

type Finding = tuple[str, str]  # where, what is wrong

CORE = Path(homeassistant.components.__path__[0])


@dataclass
class Integration:
    """The files of one integration, each read at most once; what cannot be read is noted in `broken`."""

    path: Path
    broken: list[Finding] = field(default_factory=list)

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file, or {} and a note."""
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.broken.append((name, "missing"))
        except ValueError as error:
            self.broken.append((name, f"invalid JSON: {error}"))
        else:
            return found if isinstance(found, dict) else {}
        return {}

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """manifest.json."""
        return self.json("manifest.json")

    @cached_property
    def english(self) -> dict[str, Any]:
        """translations/en.json, which is the source: a custom integration has no strings.json."""
        return self.json("translations/en.json")

    @cached_property
    def icons(self) -> dict[str, Any]:
        """icons.json."""
        return self.json("icons.json")

    @cached_property
    def services(self) -> dict[str, Any]:
        """services.yaml."""
        path = self.path / "services.yaml"
        return load_yaml_dict(str(path)) if path.is_file() else {}

    @cached_property
    def sources(self) -> dict[str, ast.Module]:
        """Every module, parsed."""
        return {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(self.path.rglob("*.py"))}

    def calls(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(file, function's last name, keyword arguments that are plain strings) of every call."""
        for name, tree in self.sources.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    function = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    strings = {
                        word.arg: text for word in node.keywords for text in [_text(word.value)] if word.arg and text
                    }
                    yield name, function, strings


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """("a.b.c", value) of everything that is no object."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, str(key)))
    else:
        yield ".".join(path), tree


def components_used(tree: ast.Module) -> set[str]:
    """Names of Home Assistant's own integrations that a module imports from."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "homeassistant.components":
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("homeassistant.components."):
            found.add(str(node.module).split(".")[2])
        elif isinstance(node, ast.Import):
            found.update(
                alias.name.split(".")[2] for alias in node.names if alias.name.startswith("homeassistant.components.")
            )
    return found


def core_manifest(name: str) -> dict[str, Any]:
    """The manifest of one of Home Assistant's own integrations, or {}."""
    path = CORE / name / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found
