"""Names: what the broker's and the time server's names stand for. A late module: loaded when an address is not known yet, then dropped.

Rule: asks the network's name server itself (RFC 1035, type A), because the port's own getaddrinfo has no end: it would hold the loop until the watchdog
bites. An answer can send us to a false broker; whoever that is has no key. It must not know what the addresses are for.
"""

from .errors import LinkError

if False:  # for annotations
    from shapes import WLAN, Socket

    from .board import Board

_PORT = 53
_ANSWER_MAX = 512
_HEAD, _TYPE_A = 12, 1
_POINTER = 0xC0


def look_up(
    board: "Board", wlan: "WLAN", sock: "Socket | None", names: tuple[str, str], known: list
) -> "tuple[Socket | None, bool]":
    """Ask for `names` ("" for none) or take answers; `known` is a list of their addresses (4 bytes each; zeros: none) and the count of
    open questions, and is brought up to date.

    Returns (socket of the open questions or None, True when nothing is open any more). `sock` is None at first, then what was returned. Raises
    LinkError for what can be no name, OSError when nothing can be sent.
    """
    if sock is None:
        sock = board.socket.socket(board.socket.AF_INET, board.socket.SOCK_DGRAM)
        sock.setblocking(False)
        open_names = [number for number, name in enumerate(names) if name and not _take_number(name, number, known)]
        for number in open_names:
            sock.sendto(question(names[number], number), (wlan.ifconfig()[3], _PORT))
        if not open_names:
            sock.close()
            return None, True
        known[2] = len(open_names)
        return sock, False
    while True:
        try:
            data = sock.recv(_ANSWER_MAX)
        except OSError:
            return sock, known[2] <= 0
        for number in (0, 1):
            found = answer(data, number)
            if found:
                known[number] = found
                known[2] -= 1


def _take_number(name: str, number: int, known: list) -> bool:
    found = numeric(name)
    if found:
        known[number] = found
    return found is not None


def numeric(host: str) -> bytes | None:
    """The four bytes of an address like 192.168.1.5, or None for a name."""
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        return None
    return bytes([int(part) for part in parts])


def question(name: str, number: int) -> bytes:
    """The packet that asks for the address of `name`; `number` (0 to 255) comes back in the answer. Raises LinkError for what can be no name."""
    parts = [bytes((0, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0))]
    for label in name.split("."):
        raw = label.encode()
        if not 0 < len(raw) < 64:
            raise LinkError("name")
        parts.append(bytes((len(raw),)))
        parts.append(raw)
    parts.append(b"\0\0\1\0\1")
    return b"".join(parts)


def answer(data: bytes, number: int) -> bytes | None:
    """The first address in an answer to question `number`, or None."""
    try:
        if data[0] or data[1] != number or not data[2] & 0x80 or data[3] & 15:
            return None
        at = _HEAD
        for _ in range(data[4] << 8 | data[5]):
            at = _after_name(data, at) + 4
        for _ in range(data[6] << 8 | data[7]):
            at = _after_name(data, at)
            kind, size = data[at] << 8 | data[at + 1], data[at + 8] << 8 | data[at + 9]
            at += 10
            if kind == _TYPE_A and size == 4 and len(data) >= at + 4:
                return bytes(data[at : at + 4])
            at += size
    except IndexError:
        pass  # it ends too early
    return None


def _after_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] & _POINTER:
            return at + 2
        at += data[at] + 1
    return at + 1
