"""The demo's broker: Mosquitto on 127.0.0.1, a user each for the board and for Home Assistant, passwords made anew for every run."""

import dataclasses
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from tools.demo.errors import DemoError
from tools.demo.processes import Processes

USERS = ("board", "home-assistant")
START_S = 10.0


@dataclasses.dataclass(frozen=True)
class Broker:
    """A prepared broker. Passwords are not for logs and command lines."""

    port: int
    config: Path
    passwords: dict[str, str] = dataclasses.field(repr=False)


def prepare(folder: Path, port: int) -> Broker:
    """Write configuration and hashed passwords into `folder`, which only this user can read."""
    folder.mkdir(mode=0o700, parents=True)
    passwords = {user: secrets.token_urlsafe(24) for user in USERS}
    write_passwords(folder / "passwords", passwords)
    config = folder / "mosquitto.conf"
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {folder / 'passwords'}",
        "set_tcp_nodelay true",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 10",
        "log_dest stdout",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
    ]
    if os.geteuid() == 0:
        lines.append("user root")  # else it would give up root for a user who cannot read this folder
    config.write_text("\n".join(lines) + "\n")
    return Broker(port, config, passwords)


def write_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Write Mosquitto's password file; the passwords pass through a file of this user, not through a command line."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{user}:{password}\n" for user, password in passwords.items())
    done = subprocess.run([tool("mosquitto_passwd"), "-U", path], capture_output=True, text=True, check=False)
    if done.returncode or any(password in path.read_text() for password in passwords.values()):
        path.unlink(missing_ok=True)
        raise DemoError(f"mosquitto_passwd could not hash the passwords: {done.stderr.strip() or done.returncode}")


async def start(broker: Broker, processes: Processes) -> None:
    """Start it, and wait until it listens."""
    await processes.start("broker", tool("mosquitto"), "-c", broker.config)
    await processes.listening("broker", broker.port, START_S)


def tool(name: str) -> str:
    """The full path of a Mosquitto program that tools/setup.sh made ready. Raises DemoError if it did not."""
    root = Path(__file__).resolve().parent.parent.parent
    found = shutil.which(name, path=f"{root / '.tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if not found:
        raise DemoError(f"{name} is missing; run: sh tools/setup.sh broker")
    return found
