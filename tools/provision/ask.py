"""Asks a person for the settings; what is secret is typed unseen."""

import getpass
from collections.abc import Callable, Mapping
from typing import Any

from tools.provision.errors import SettingsError
from tools.provision.settings import Setting, look_up, table

YES = {"y": True, "yes": True, "true": True, "1": True, "n": False, "no": False, "false": False, "0": False}


def _understood(setting: Setting, text: str) -> Any:
    """What was typed, in the setting's kind; the text itself where that is not possible (its check then says why)."""
    if isinstance(setting.default, bool):
        return YES.get(text.lower(), text)
    if isinstance(setting.default, int):
        return int(text) if text.lstrip("-").isdigit() else text
    return text


def ask(
    before: Mapping[str, Any],
    read: Callable[[str], str] = input,
    read_secret: Callable[[str], str] = getpass.getpass,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Settings from a person. `before` is what stands: Return keeps it. Nothing that cannot be is accepted."""
    given = dict(before)
    for name, setting in table().items():
        if not setting.detail.question:
            continue
        stands = given.get(name, setting.default)
        known = name in given or not setting.detail.required
        shown = "kept" if setting.detail.secret and stands else stands
        suffix = f" [{shown}]: " if known and shown != "" else ": "
        while True:
            text = (read_secret if setting.detail.secret else read)(setting.detail.question + suffix).strip()
            if not text and known:
                given[name] = stands
                break
            try:
                value = look_up(name, _understood(setting, text))
            except SettingsError as error:
                tell(str(error))
                continue
            problem = setting.problem(value)
            if not problem:
                given[name] = value
                break
            tell(f"{name} {problem}")
    return given
