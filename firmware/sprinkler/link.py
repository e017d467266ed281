"""Link: Wi-Fi, one TCP connection, one MQTT session; advanced in steps that never wait.

Rule: `service` does what can be done now; `wait` is the only wait, and it has an end. The valve never waits for the network. It must not know what the
messages mean. States: OFF -> JOINING -> CONNECTING -> GREETING -> UP, and back to OFF with a growing pause at any failure.
"""

from . import mqtt
from .errors import LinkError

OFF, JOINING, CONNECTING, GREETING, UP = range(5)

# How long each state may last, ms (UP: how long an answer may be owed)
_PATIENCE_MS = (0, 15000, 6000, 6000, 10000)
_BACKOFF_MS = (1000, 60000)
KEEPALIVE_S = 60
_IN_PROGRESS = (11, 115, 119, 150)  # EAGAIN and the EINPROGRESS of several stacks
_OUT_MAX = 4096
_JOINS_BEFORE_ANEW = 2  # then name and password are given anew, once: the SDK writes its flash each time
_IN_FLIGHT_MAX = 8
_CHUNK = 512
_SIZE_MAX = 2560  # a message of PAYLOAD_MAX with its topic
_RECEIVE_MAX = 8  # chunks that one step reads: no broker can hold the loop, or the heap


class Link:
    """The board's connection. `session` is (host, port, client id, user, password, will topic, will payload); `topics` (a prefix and what
    follows it) are subscribed at QoS 1;
    `hear(topic, payload, retained)` is called for each message before it is acknowledged (payload None: too long)."""

    def __init__(self, board, wifi, session, topics, hear):
        self._board = board
        self._wifi = wifi
        self._session = session
        self._topics = topics
        self._hear = hear
        self._wlan = board.network.WLAN(board.network.STA_IF)
        self._sock = self._poller = self._decoder = None
        self._out = bytearray()
        self._in_flight = []
        self._packet_id = 0
        self._backoff_ms = _BACKOFF_MS[0]
        self._since_ms = self._sent_ms = board.uptime_ms()
        self._owed_ms = 0  # when the oldest unanswered packet went out; 0: nothing is owed
        self.failed_joins = 0
        self.resubscribe = True  # after a cold boot: retained messages must come again
        self.fresh = True  # the broker did not know this session: it may have lost what it retained
        self.sessions = 0  # counts connections, so that the application sees a new one
        self.state = OFF
        self._pause_ms = 0

    # What the application asks

    def up(self):
        """True when messages can be published."""
        return self.state == UP

    def joined(self):
        """True when the network is there, whatever the broker does."""
        return self.state > JOINING

    def room(self):
        """True when one more message fits."""
        return self.state == UP and len(self._out) < _OUT_MAX // 2 and len(self._in_flight) < _IN_FLIGHT_MAX

    def quiet(self):
        """True when all that was published is acknowledged."""
        return self.state == UP and not self._out and not self._in_flight and not self._owed_ms

    def rssi_dbm(self):
        """Signal strength, or None."""
        try:
            return self._wlan.status("rssi")
        except (OSError, ValueError, TypeError):
            return None

    def publish(self, topic, payload, retain):
        """Queue one message; call only when there is `room`. Its payload is bytes, or a function that yields its pieces."""
        self._packet_id = mqtt.next_id(self._packet_id)
        packet = mqtt.publish(topic, payload, self._packet_id, retain)
        self._in_flight.append(self._packet_id)
        self._send(packet)
        self._owe()

    def close(self):
        """Leave politely: the will is not published."""
        if self.state == UP:
            try:
                self._send(mqtt.DISCONNECT_PACKET)
            except LinkError:
                pass  # it was leaving anyway
        self._drop()

    # The state machine

    def service(self):
        """Do what can be done now."""
        if self.state == OFF and self._for_ms() < self._pause_ms:
            return
        try:
            (self._join, self._joining, self._connecting, self._greeting, self._talk)[self.state]()
            if self.state not in (OFF, UP) and self._for_ms() > _PATIENCE_MS[self.state]:
                raise LinkError("timeout")
        except (LinkError, OSError):
            if self.state == JOINING:
                self.failed_joins += 1
            self._drop()
            self._pause_ms = self._backoff_ms + self._board.uptime_ms() * 7919 % (self._backoff_ms // 2)  # jitter
            self._backoff_ms = min(self._backoff_ms * 2, _BACKOFF_MS[1])

    def wait(self, ms):
        """Wait at most `ms`, less if the broker has something to say."""
        if self._poller is not None:
            self._board.poll(self._poller, ms)
        else:
            self._board.sleep_ms(min(ms, self._pause_left_ms()))

    def _pause_left_ms(self):
        if self.state == OFF:
            return max(10, self._pause_ms - self._for_ms())
        return 50

    def _for_ms(self):
        return self._board.uptime_ms() - self._since_ms

    def _enter(self, state):
        self.state = state
        self._since_ms = self._board.uptime_ms()

    def _join(self):
        if not self._wlan.active():  # each of these calls writes the SDK's flash: only when something changes
            self._wlan.active(True)
        if not self._wlan.isconnected():
            ssid, password = self._wifi
            if self.failed_joins == _JOINS_BEFORE_ANEW or self._wlan.config("ssid") != ssid:
                self._wlan.connect(ssid, password)
            else:
                self._wlan.connect()
        self._enter(JOINING)

    def _joining(self):
        if self._wlan.isconnected():
            self.failed_joins = 0
            self._open_socket()
            self._enter(CONNECTING)

    def _open_socket(self):
        b = self._board
        self._sock = b.socket.socket()
        self._sock.setblocking(False)
        try:
            self._sock.setsockopt(b.socket.IPPROTO_TCP, b.socket.TCP_NODELAY, 1)
        except (AttributeError, OSError, ValueError):
            pass  # without it a second packet waits for the answer to the first
        self._poller = b.select.poll()
        self._poller.register(self._sock, b.select.POLLOUT)
        try:
            self._sock.connect((self._session[0], self._session[1]))
        except OSError as error:
            if error.args[0] not in _IN_PROGRESS:
                raise

    def _connecting(self):
        if not self._poller.poll(0):
            return
        _, _, client_id, user, password, will_topic, will_payload = self._session
        self._decoder = mqtt.Decoder(_SIZE_MAX)
        self._out = bytearray()
        self._in_flight = []
        self._owed_ms = 0
        self._poller.modify(self._sock, self._board.select.POLLIN)
        self._send(mqtt.connect(client_id, user, password, KEEPALIVE_S, will_topic, will_payload))
        self._enter(GREETING)

    def _greeting(self):
        self._flush()
        self._receive()

    def _talk(self):
        self._flush()
        self._receive()
        now = self._board.uptime_ms()
        if self._owed_ms and now - self._owed_ms > _PATIENCE_MS[UP]:
            raise LinkError("silent")
        if not self._owed_ms and now - self._sent_ms > KEEPALIVE_S * 500:
            self._send(mqtt.PINGREQ_PACKET)
            self._owe()

    def _receive(self):
        """Take what the broker has sent, chunk by chunk; what is left waits for the next step."""
        for _ in range(_RECEIVE_MAX):
            try:
                data = self._sock.recv(_CHUNK)
            except OSError as error:
                if error.args[0] in _IN_PROGRESS:
                    return
                raise
            if not data:
                raise LinkError("closed")
            for packet in self._decoder.feed(data):
                if self.state == GREETING:
                    self._greeted(packet)
                else:
                    self._take(packet)

    def _greeted(self, packet):
        if packet[0] != mqtt.CONNACK or packet[2]:
            raise LinkError("refused")
        self._enter(UP)
        self._backoff_ms = _BACKOFF_MS[0]
        self.sessions += 1
        self.fresh = self.resubscribe or not packet[1]
        if self.fresh:
            prefix, leaves = self._topics
            self._packet_id = mqtt.next_id(self._packet_id)
            self._in_flight.append(self._packet_id)
            self._send(mqtt.subscribe([prefix + leaf for leaf in leaves], self._packet_id))
            self._owe()

    def _take(self, packet):
        kind = packet[0]
        if kind == mqtt.PUBLISH:
            self._hear(packet[1], packet[2], packet[4])
            if packet[3]:
                self._send(mqtt.puback(packet[3]))
            return
        if kind == mqtt.CONNACK:
            raise LinkError("twice")
        if kind == mqtt.SUBACK:
            if 0x80 in packet[2]:
                raise LinkError("subscribe")
            self.resubscribe = False
        if kind != mqtt.PINGRESP and packet[1] in self._in_flight:
            self._in_flight.remove(packet[1])
        self._owed_ms = self._board.uptime_ms() if self._in_flight else 0

    def _owe(self):
        if not self._owed_ms:
            self._owed_ms = self._board.uptime_ms()

    # Bytes

    def _send(self, packet):
        """Send now what the socket takes; keep the rest."""
        if len(self._out) + len(packet) > _OUT_MAX:
            raise LinkError("full")
        self._sent_ms = self._board.uptime_ms()
        if self._out:
            self._out.extend(packet)
        else:
            self._out = packet
        self._flush()

    def _flush(self):
        while self._out:
            try:
                sent = self._sock.send(self._out)
            except OSError as error:
                if error.args[0] in _IN_PROGRESS:
                    self._out = bytearray(self._out)
                    return
                raise LinkError("send")
            self._out = self._out[sent:]

    def _drop(self):
        if self._sock is not None:
            try:
                self._sock.close()
            except OSError:
                pass  # it is gone either way
        self._sock = self._poller = self._decoder = None
        self._out = bytearray()
        self._in_flight = []
        self._owed_ms = 0
        self._enter(OFF)
