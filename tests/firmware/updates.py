"""Someone who offers a firmware and sends its blocks, as Home Assistant does; and a look at what a board's flash then holds."""

import hashlib
import json
import struct
from typing import Any

import chooser

from sim.board import SimulatedBoard
from sim.broker import Broker, Message
from sim.rom import placeholder
from sprinkler import protocol
from sprinkler.auth import sign

SIZE = 14_500  # bytes: four sectors, the last one not full
IMAGE = placeholder("0.2.0", SIZE)


def offer_of(image: bytes, number: int = 1, **spoilt: Any) -> dict[str, Any]:
    """A good offer, unless `spoilt`."""
    offer = {
        "offer": number,
        "version": "0.2.0",
        "hardware": protocol.HARDWARE,
        "mpy": 6,
        "interpreter_min": "1.25.0",
        "closer_api": 1,
        "size": len(image),
        "sha256": hashlib.sha256(image).hexdigest(),
    }
    return offer | spoilt


class Sender:
    """Publishes one offer, and answers each request for a block while it is `there`."""

    def __init__(self, board: SimulatedBoard, broker: Broker, key: bytes, image: bytes = IMAGE) -> None:
        self.board, self.broker, self.key, self.image = board, broker, key, image
        self.there = True
        self.delay_us = 20_000
        self.asked: list[int] = []
        self.sent_bytes = 0
        self.told: list[dict[str, Any]] = []
        broker.subscribe(self._topic(protocol.UPDATE_REQUEST), self._request)
        broker.subscribe(self._topic(protocol.UPDATE_STATE), self._state)

    def _topic(self, leaf: str) -> str:
        return protocol.topic(self.board.device_id, leaf)

    def offer(self, number: int = 1, *, key: bytes | None = None, **spoilt: Any) -> None:
        """Publish the offer, retained."""
        topic = self._topic(protocol.UPDATE_OFFER)
        body = json.dumps(offer_of(self.image, number, **spoilt)).encode()
        self.broker.publish(topic, sign(key or self.key, topic, body), retain=True)

    def block(self, number: int, at: int, data: bytes, *, key: bytes | None = None) -> None:
        """Publish a block."""
        topic = self._topic(protocol.UPDATE_BLOCK)
        payload = sign(key or self.key, topic, struct.pack(">II", number, at) + data)
        self.sent_bytes += len(payload)
        self.broker.publish(topic, payload)

    def _request(self, message: Message) -> None:
        asked = json.loads(message.payload)
        self.asked.append(asked["at"])
        if not self.there:
            return
        data = self.image[asked["at"] : asked["at"] + asked["bytes"]]
        timeline = self.board.timeline
        timeline.at(timeline.now_us + self.delay_us, lambda: self.block(asked["offer"], asked["at"], data))

    def _state(self, message: Message) -> None:
        self.told.append(json.loads(message.payload))

    @property
    def last(self) -> tuple[str, str]:
        """State and reason that were told last."""
        return (self.told[-1]["state"], self.told[-1]["reason"]) if self.told else ("", "")


def fields(board: SimulatedBoard) -> list[Any]:
    """The chooser's record."""
    data = board.chip.flash.files[chooser.RECORD]
    body = struct.unpack(chooser._FORM, data[:-4])
    assert chooser.packed(list(body[1:])) == data, "whole"
    return list(body[1:])


def application(board: SimulatedBoard) -> bytes:
    """The image that the record says is the application. It must be whole."""
    f = fields(board)
    slot = f[chooser.ACTIVE]
    size, sha256 = f[chooser.SIZE + 2 * slot], f[chooser.SHA256 + 2 * slot]
    image = board.chip.rom.image(slot, size)
    assert hashlib.sha256(image).digest() == sha256
    return image
