"""Joining: the steps of the link from nothing to a greeted broker. A late module: loaded while there is no session, dropped when there is one.

Rule: each step does what can be done now and returns; how long a state may last is the link's business. It must not know what the messages mean.
"""

from . import mqtt
from .errors import LinkError
from .link import CONNECTING, GREETING, IN_PROGRESS, JOINING, KEEPALIVE_S, OFF, RESOLVING, UP

if False:  # for annotations
    from .link import Link

_JOINS_BEFORE_ANEW = 2  # then name and password are given anew, once: the SDK writes its flash each time
_NAMES_MS = 1000  # what a name server has to answer in, where an older answer is known
_SIZE_MAX = 2560  # a message of PAYLOAD_MAX with its topic


def advance(link: "Link") -> None:
    """Take the next step. Raises LinkError or OSError when it fails."""
    if link.state == OFF:
        _join(link)
    elif link.state == JOINING:
        if link.wlan.isconnected():
            link.failed_joins = 0
            link.join_ms = link.for_ms()
            link.enter(RESOLVING)
            _resolving(link)
    elif link.state == RESOLVING:
        _resolving(link)
    elif link.state == CONNECTING:
        _connecting(link)
    else:
        link.flush()
        link.receive()


def _join(link: "Link") -> None:
    wlan = link.wlan
    if not wlan.active():  # each of these calls writes the SDK's flash: only when something changes
        wlan.active(True)
    if not wlan.isconnected():
        ssid, password, _ = link.wifi
        if link.failed_joins == _JOINS_BEFORE_ANEW or wlan.config("ssid") != ssid:
            wlan.connect(ssid, password)
        else:
            wlan.connect()
    link.enter(JOINING)


def _resolving(link: "Link") -> None:
    """Go on with the addresses that are known, once nothing is to be asked, or nobody has answered for long enough."""
    m = link.memory
    if link.asks_names or not any(m.broker_ip):
        from .names import look_up

        known: list = [m.broker_ip, m.ntp_ip, link.open_names]
        link.sock, done = look_up(link.board, link.wlan, link.sock, (link.session[0], link.wifi[2]), known)
        m.broker_ip, m.ntp_ip, link.open_names = known
        if not done and (not any(m.broker_ip) or link.for_ms() < _NAMES_MS):
            return
        link.board.drop("names")
        link.asks_names = False
        if link.sock is not None:
            link.sock.close()
    _open_socket(link, ".".join([str(byte) for byte in m.broker_ip]))
    link.enter(CONNECTING)


def _open_socket(link: "Link", host: str) -> None:
    b = link.board
    link.sock = b.socket.socket()
    link.sock.setblocking(False)
    try:
        link.sock.setsockopt(b.socket.IPPROTO_TCP, b.socket.TCP_NODELAY, 1)
    except (AttributeError, OSError, ValueError):
        pass  # without it a second packet waits for the answer to the first
    link.poller = b.select.poll()
    link.poller.register(link.sock, b.select.POLLOUT)
    try:
        link.sock.connect((host, link.session[1]))
    except OSError as error:
        if error.args[0] not in IN_PROGRESS:
            raise


def _connecting(link: "Link") -> None:
    if not link.poller.poll(0):
        return
    _, _, client_id, user, password, will_topic, will_payload = link.session
    link.decoder = mqtt.Decoder(_SIZE_MAX)
    link.out = b""
    link.in_flight = []
    link.owed_ms = 0
    link.poller.modify(link.sock, link.board.select.POLLIN)
    link.send(mqtt.connect(client_id, user, password, KEEPALIVE_S, will_topic, will_payload))
    link.enter(GREETING)


def greeted(link: "Link", packet: tuple) -> None:
    """The broker's first packet. Raises LinkError when it is not a welcome."""
    if packet[0] != mqtt.CONNACK or packet[2]:
        raise LinkError("refused")
    link.enter(UP)
    link.sessions += 1
    link.fresh = link.resubscribe or not packet[1]
    if link.fresh:
        prefix, leaves = link.topics
        link.packet_id = mqtt.next_id(link.packet_id)
        link.in_flight.append(link.packet_id)
        link.send(mqtt.subscribe([prefix + leaf for leaf in leaves], link.packet_id))
        link.owe()
