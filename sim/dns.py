"""A name server's answer (RFC 1035, type A): a pure function."""

PORT = 53


def answer(request: bytes, names: dict[str, str]) -> bytes | None:
    """What answers a client's `request` for one name of `names` (name: numeric address); "no such name" for others, None for anything else."""
    if len(request) < 17 or request[2] & 0x80 or request[4:6] != b"\0\1":
        return None
    labels, at = [], 12
    while request[at]:
        labels.append(request[at + 1 : at + 1 + request[at]].decode())
        at += 1 + request[at]
    asked = request[12 : at + 5]
    address = names.get(".".join(labels))
    if address is None:
        return request[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + asked
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c"  # servers often give an alias first
    found = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes(int(part) for part in address.split("."))
    return request[:2] + b"\x81\x80\0\1\0\2\0\0\0\0" + asked + alias + found
