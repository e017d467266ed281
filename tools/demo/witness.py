"""A witness on the broker: hears what the board says and asks it for water, with no code of the board's and none of Home Assistant's.

It knows the wire from docs/protocol.md alone.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tools.demo.board import Board
from tools.demo.broker import Broker

BASE = "solar_sprinkler"
EXPIRES_S = 60
PAIRING_KEY_CHARACTERS = 26


class Witness:
    """Connected until `close`. `on_heard` gets leaf and decoded body of each message of the board, in a thread of its own."""

    def __init__(self, broker: Broker, board: Board, on_heard: Callable[[str, Any], None]) -> None:
        """Connect, and hear all that the board publishes."""
        self._base = f"{BASE}/{board.device_id}/"
        self._key = key_of(board.pairing_code)
        self._counter = 0
        self._on_heard = on_heard
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"witness-{secrets.token_hex(4)}")
        self._client.username_pw_set("home-assistant", broker.passwords["home-assistant"])
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._base}+", qos=1)
        self._client.on_message = lambda _client, _data, message: self._heard(message.topic, message.payload)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def run(self, zone: int, run_time_s: int) -> None:
        """Ask for water."""
        self._command(command="run", zone=zone, run_time_s=run_time_s)

    def stop(self) -> None:
        """Close every zone, and cancel what is queued."""
        self._command(command="stop", zone=0)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, leaf: str, body: dict[str, Any], *, retain: bool = False) -> None:
        """Say something signed to the board."""
        topic, text = f"{self._base}{leaf}", json.dumps(body).encode()
        self._client.publish(topic, text + b"\n" + signature(self._key, topic, text).encode(), qos=1, retain=retain)

    def _command(self, **fields: Any) -> None:
        now = time.time()
        self._counter = max(self._counter + 1, int(now * 1000))
        body = {"id": secrets.token_hex(4), "counter": self._counter, "expires_at": int(now) + EXPIRES_S, **fields}
        self.publish("command", body)

    def _heard(self, topic: str, payload: bytes) -> None:
        leaf, body = topic.removeprefix(self._base), payload.partition(b"\n")[0]
        if body and leaf != "command":
            self._on_heard(leaf, json.loads(body))


def key_of(pairing_code: str) -> bytes:
    """The board's key: the first 26 base32 characters of its pairing code."""
    letters = "".join(character for character in pairing_code if character.isalnum()).upper()[:PAIRING_KEY_CHARACTERS]
    return base64.b32decode(letters + "=" * (-len(letters) % 8))


def signature(key: bytes, topic: str, body: bytes) -> str:
    """32 hex digits over topic, a zero byte and the JSON."""
    return hmac.new(key, topic.encode() + b"\0" + body, hashlib.sha256).hexdigest()[:32]
