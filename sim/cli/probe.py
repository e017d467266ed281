"""Ask a real broker, before the board does, whether it is there and lets the board in: then a person gets one clear line."""

import socket

from sim import mqtt
from sim.errors import SettingError, UnreachableError

PATIENCE_S = 5.0


def address(text: str) -> tuple[str, int]:
    """(IPv4 address, port) of HOST:PORT. Raises SettingError, or UnreachableError for a name that nobody knows."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingError(f"--broker wants HOST:PORT, such as 127.0.0.1:1883, not '{text}'")
    return numeric_address(host), int(port)


def numeric_address(host: str) -> str:
    """The board knows numbers only: look the name up once, here."""
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise UnreachableError(
            f"cannot find the broker's host '{host}'; give its IPv4 address with --broker"
        ) from error


def check_broker(host: str, port: int, client_id: str, user: str, password: str) -> None:
    """Raise UnreachableError unless a broker at host:port accepts this user."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if user else 0)
    fields = [client_id, *([user, password] if user else [])]
    body = b"\0\4MQTT\4" + bytes((flags, 0, 30))
    for text in fields:
        data = text.encode()
        body += len(data).to_bytes(2, "big") + data
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_S) as connection:
            connection.sendall(mqtt.packet(mqtt.CONNECT, 0, body))
            answer = connection.recv(4)
            connection.sendall(mqtt.packet(mqtt.DISCONNECT, 0, b""))
    except TimeoutError as error:
        raise UnreachableError(f"nothing answers at {host}:{port}; is that the MQTT broker?") from error
    except OSError as error:
        reason = error.strerror or error
        raise UnreachableError(
            f"cannot reach a broker at {host}:{port} ({reason}); start it, or name another with --broker"
        ) from error
    if answer[:2] != b"\x20\x02" or len(answer) < 4:
        raise UnreachableError(f"what answers at {host}:{port} is no MQTT broker; check --broker")
    if answer[3]:
        whom = f"user '{user}'" if user else "a client without a user name"
        raise UnreachableError(
            f"the broker at {host}:{port} refuses {whom}; check --broker-user and --broker-password-file"
        )
