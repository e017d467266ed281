"""What a Mosquitto broker must know about a board: its password's hash, and which topics it may use.

Rule: a password goes in, its salted hash comes out (`$7$`: PBKDF2-HMAC-SHA512, as mosquitto_passwd writes it). Topics are the firmware's own words.
"""

import ast
import base64
import hashlib
import os
import secrets
from pathlib import Path

from sim.provision import FIRMWARE
from tools.provision.errors import SettingsError

ITERATIONS = 1000  # at each connection of a board that wakes every few minutes; its password is random and long
SALT_BYTES, HASH_BYTES = 12, 64
PASSWORDS, RIGHTS, EXAMPLE = "solar_sprinkler.passwd", "solar_sprinkler.acl", "solar_sprinkler.conf"

CONFIGURATION = """# For a broker of its own; into an existing one take the lines that it lacks.
listener 1883
allow_anonymous false
password_file {folder}/{passwords}
acl_file {folder}/{rights}
persistence true                      # commands for a sleeping board outlive the broker's restart
persistent_client_expiration 2m       # longer than any winter sleep between two reports
max_queued_messages 1000
max_packet_size 4096                  # what the board takes at most; leave it out if others here send more
"""


def new_password() -> str:
    """A password for a board: 144 bit."""
    return secrets.token_urlsafe(18)


def password_line(user: str, password: str) -> str:
    """The user's line in Mosquitto's password file."""
    if not user or ":" in user or "\n" in user:
        raise SettingsError("broker_user must not be empty, nor hold a colon")
    salt = os.urandom(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_BYTES)
    return f"{user}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _words(firmware: Path) -> tuple[str, list[str], list[str]]:
    """Base topic, topics to the board, topics to Home Assistant."""
    known: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for node in ast.parse((firmware / "sprinkler" / "protocol.py").read_text()).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            known[name] = node.value.value
        elif name in ("TO_BOARD", "TO_HOME_ASSISTANT") and isinstance(node.value, ast.Tuple):
            groups[name] = [known[part.id] for part in node.value.elts if isinstance(part, ast.Name)]
    return known["BASE"], groups["TO_BOARD"], groups["TO_HOME_ASSISTANT"]


def rights(home_assistant: str, firmware: Path = FIRMWARE) -> str:
    """The ACL file: Home Assistant's user may use everything of ours; each board its own topics, in one direction each."""
    base, to_board, to_home_assistant = _words(firmware)
    lines = [f"user {home_assistant}", f"topic readwrite {base}/#", ""]
    lines += ["# Each board is the user with its device id (%u), and sees and says nothing of another's."]
    lines += [f"pattern write {base}/%u/{topic}" for topic in to_home_assistant]
    lines += [f"pattern read {base}/%u/{topic}" for topic in to_board]
    return "\n".join(lines) + "\n"


def _replace_private(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)


def write_files(folder: Path, user: str, password: str, home_assistant: str) -> list[str]:
    """Write the broker's files into `folder`, keeping other users' passwords. The files' names. Raises SettingsError."""
    line = password_line(user, password)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        passwords = folder / PASSWORDS
        others = [
            old
            for old in (passwords.read_text().splitlines() if passwords.exists() else [])
            if not old.startswith(user + ":")
        ]
        _replace_private(passwords, "\n".join([*others, line]) + "\n")
        _replace_private(folder / RIGHTS, rights(home_assistant))
        (folder / EXAMPLE).write_text(CONFIGURATION.format(folder=folder.resolve(), passwords=PASSWORDS, rights=RIGHTS))
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error
    return [PASSWORDS, RIGHTS, EXAMPLE]
