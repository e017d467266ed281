"""A TCP proxy that delays, counts and remembers what goes each way.

Rule: bytes leave it in their order, each `one_way_s` after it came, whatever else happens. It does not know what it carries.
"""

import select
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field

CHUNK = 65536


@dataclass
class Talk:
    """One connection: when what went in which direction; seconds of the monotonic clock, taken where the client is."""

    began_s: float
    up: list[tuple[float, int]] = field(default_factory=list)  # when the client sent how many bytes
    down: list[tuple[float, int]] = field(default_factory=list)  # when how many bytes reached the client
    ended_s: float = 0.0  # when the client closed it

    def bytes_up(self) -> int:
        """From client to broker."""
        return sum(count for _, count in self.up)

    def bytes_down(self) -> int:
        """From broker to client."""
        return sum(count for _, count in self.down)

    def round_trips(self, one_way_s: float) -> int:
        """How often the client waited for an answer: the time that the connection lasted, in whole round trips."""
        return int((self.ended_s - self.began_s) / (2 * one_way_s))


class Proxy:
    """Listens on 127.0.0.1:`port` and passes everything on to 127.0.0.1:`target`. A context manager."""

    def __init__(self, target: int, one_way_s: float) -> None:
        self.one_way_s = one_way_s
        self.talks: list[Talk] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        self._listener.settimeout(0.05)
        while not self._stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            talk = Talk(time.monotonic())
            self.talks.append(talk)
            threading.Thread(target=self._carry, args=(client, talk), daemon=True).start()

    def _carry(self, client: socket.socket, talk: Talk) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as broker:
            for side in (client, broker):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            queues: dict[socket.socket, deque[tuple[float, bytes]]] = {client: deque(), broker: deque()}
            is_open = {client: True, broker: True}
            while not self._stopped.is_set() and not (talk.ended_s and not queues[broker]):
                due_s = min((queue[0][0] for queue in queues.values() if queue), default=time.monotonic() + 0.05)
                readable = [side for side in (client, broker) if is_open[side]]
                ready, _, _ = select.select(readable, [], [], max(0.0, due_s - time.monotonic()))
                for side in ready:
                    self._take(side, client, queues[broker if side is client else client], talk, is_open)
                try:
                    self._deliver(client, queues, talk)
                except OSError:
                    return  # one end is gone

    def _take(
        self,
        side: socket.socket,
        client: socket.socket,
        queue: deque[tuple[float, bytes]],
        talk: Talk,
        is_open: dict[socket.socket, bool],
    ) -> None:
        now_s = time.monotonic()
        try:
            data = side.recv(CHUNK)
        except OSError:
            data = b""
        if data:
            queue.append((now_s + self.one_way_s, data))
        else:
            is_open[side] = False
        if side is client:
            if data:
                talk.up.append((now_s, len(data)))
            else:
                talk.ended_s = now_s

    def _deliver(
        self, client: socket.socket, queues: dict[socket.socket, deque[tuple[float, bytes]]], talk: Talk
    ) -> None:
        now_s = time.monotonic()
        for side, queue in queues.items():
            while queue and queue[0][0] <= now_s:
                data = queue.popleft()[1]
                side.sendall(data)
                if side is client:
                    talk.down.append((now_s, len(data)))
